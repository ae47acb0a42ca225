package dev.troupe.runtime.device.ferr;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.snapshot.StateVisitor;

/**
 * The PC/AT's numeric error logic: a rising FERR# latches interrupt request 13; a write to port
 * 0xF0 clears the latch and, while FERR# is asserted, sets another that drives IGNNE# until FERR#
 * goes (IBM PC/AT Technical Reference, coprocessor controls; Intel SDM vol. 1, D.2.1.2; PIIX4
 * datasheet, coprocessor error register). Input n is the FERR# pin of vCPU n; all are wired
 * together.
 */
public final class NumericError implements Device {
  /** Any value written clears the request; it cannot be read. */
  public static final int PORT = 0xF0;

  public static final int OUTPUT_IRQ = 0;
  public static final int OUTPUT_IGNORE = 1;

  private static final long UNREADABLE = 0xFF;

  /** Bit n is set while vCPU n asserts FERR#. */
  private long errors;

  /** The latch of interrupt request 13. */
  private boolean requested;

  /** The latch of IGNNE#. */
  private boolean ignored;

  @Override
  public String name() {
    return "ferr";
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    switch (message) {
      case BoardMessage.IoRead _ -> {
        return UNREADABLE;
      }
      case BoardMessage.IoWrite _ -> set(false, errors != 0, effects);
      case BoardMessage.LineLevel(int vcpu, boolean high) -> {
        boolean before = errors != 0;
        errors = high ? errors | 1L << vcpu : errors & ~(1L << vcpu);
        set(requested || (errors != 0 && !before), ignored && errors != 0, effects);
      }
      case BoardMessage.Reset _ -> {
        errors = 0;
        set(false, false, effects);
      }
      default -> {}
    }
    return 0;
  }

  private void set(boolean request, boolean ignore, Effects effects) {
    if (request != requested) {
      requested = request;
      effects.line(OUTPUT_IRQ, request);
    }
    if (ignore != ignored) {
      ignored = ignore;
      effects.line(OUTPUT_IGNORE, ignore);
    }
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    errors = v.int64("errors", errors);
    requested = v.bool("requested", requested);
    ignored = v.bool("ignored", ignored);
  }
}
