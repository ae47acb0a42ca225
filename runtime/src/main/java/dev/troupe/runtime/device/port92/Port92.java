package dev.troupe.runtime.device.port92;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.PowerEvent;
import dev.troupe.runtime.snapshot.StateVisitor;

/**
 * System control port A of the PS/2: bit 0 is the fast reset, bit 1 the fast A20 gate. The gate can
 * be read back; address line 20 itself is never held low, as on boards made since A20M# went away.
 */
public final class Port92 implements Device {
  public static final int PORT = 0x92;

  private static final int FAST_RESET = 1 << 0;
  private static final int A20_GATE = 1 << 1;

  private int value = A20_GATE;

  @Override
  public String name() {
    return "port92";
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    switch (message) {
      case BoardMessage.IoRead _ -> {
        return value;
      }
      case BoardMessage.IoWrite write -> {
        boolean rising = (write.value() & ~value & FAST_RESET) != 0;
        value = (int) write.value() & (FAST_RESET | A20_GATE);
        if (rising) {
          effects.power(new PowerEvent.Reset());
        }
      }
      case BoardMessage.Reset _ -> value = A20_GATE;
      default -> {}
    }
    return 0;
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    value = v.bits("value", value, FAST_RESET | A20_GATE);
  }
}
