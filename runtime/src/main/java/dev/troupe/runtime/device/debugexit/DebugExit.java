package dev.troupe.runtime.device.debugexit;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.PowerEvent;
import dev.troupe.runtime.snapshot.StateVisitor;

/**
 * Ends the machine with a value, as QEMU's {@code isa-debug-exit} (iobase 0xF4, iosize 4): a write
 * of any size to any of its ports. Reads give 0.
 */
public final class DebugExit implements Device {
  public static final int FIRST_PORT = 0xF4;
  public static final int LAST_PORT = 0xF7;

  @Override
  public String name() {
    return "debugexit";
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    if (message instanceof BoardMessage.IoWrite write) {
      effects.power(new PowerEvent.DebugExit(write.value()));
    }
    return 0;
  }

  /** There is nothing to remember. */
  @Override
  public void state(StateVisitor v) {
    v.version(1);
  }
}
