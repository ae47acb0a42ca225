package dev.troupe.runtime.device.uart;

import static dev.troupe.runtime.device.uart.Registers.MCR_ALL;
import static dev.troupe.runtime.device.uart.Registers.MCR_DTR;
import static dev.troupe.runtime.device.uart.Registers.MCR_LOOP;
import static dev.troupe.runtime.device.uart.Registers.MCR_OUT1;
import static dev.troupe.runtime.device.uart.Registers.MCR_OUT2;
import static dev.troupe.runtime.device.uart.Registers.MCR_RTS;
import static dev.troupe.runtime.device.uart.Registers.MSR_CTS;
import static dev.troupe.runtime.device.uart.Registers.MSR_DCD;
import static dev.troupe.runtime.device.uart.Registers.MSR_DELTAS;
import static dev.troupe.runtime.device.uart.Registers.MSR_DSR;
import static dev.troupe.runtime.device.uart.Registers.MSR_RI;
import static dev.troupe.runtime.device.uart.Registers.MSR_RING_ENDED;

import dev.troupe.runtime.snapshot.StateVisitor;

/**
 * The port's modem lines (PC16550D, 8.7 and 8.8): the far end holds CTS, DSR and DCD; in loop mode
 * the port's own outputs are its inputs.
 */
final class Modem {
  private int control;

  /** Which inputs have changed since the guest looked, as MSR shows them. */
  private int deltas;

  void reset() {
    control = 0;
    deltas = 0;
  }

  /** MCR. */
  int control() {
    return control;
  }

  void setControl(int value) {
    int before = lines();
    control = value & MCR_ALL;
    int changed = before ^ lines();
    deltas |= changed >> 4 & (MSR_DELTAS & ~MSR_RING_ENDED);
    if ((before & changed & MSR_RI) != 0) {
      deltas |= MSR_RING_ENDED; // only the end of a ring is reported
    }
  }

  boolean loops() {
    return (control & MCR_LOOP) != 0;
  }

  /** Whether the port's interrupt goes out. */
  boolean gatesInterrupt() {
    return (control & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
  }

  /** Whether an input has changed since the guest looked. */
  boolean changed() {
    return deltas != 0;
  }

  /** The guest looks at MSR. */
  int readStatus() {
    int status = lines() | deltas;
    deltas = 0;
    return status;
  }

  private int lines() {
    if (!loops()) {
      return MSR_CTS | MSR_DSR | MSR_DCD;
    }
    return ((control & MCR_RTS) != 0 ? MSR_CTS : 0)
        | ((control & MCR_DTR) != 0 ? MSR_DSR : 0)
        | ((control & MCR_OUT1) != 0 ? MSR_RI : 0)
        | ((control & MCR_OUT2) != 0 ? MSR_DCD : 0);
  }

  /** Among the port's own. */
  void controlState(StateVisitor v) {
    control = v.bits("modemControl", control, MCR_ALL);
  }

  /** Among the port's own. */
  void deltasState(StateVisitor v) {
    deltas = v.bits("modemDeltas", deltas, MSR_DELTAS);
  }
}
