package dev.troupe.actors.vcpu;

import dev.troupe.proto.message.Exit;

/** Exits by kind, for counting. */
public enum ExitKind {
  TURN_END("turn-end", false),
  PORT_READ("port-read", true),
  PORT_WRITE("port-write", true),
  MEMORY_READ("memory-read", true),
  MEMORY_WRITE("memory-write", true),
  INTERRUPT_ACKNOWLEDGE("interrupt-acknowledge", true),
  END_OF_INTERRUPT("end-of-interrupt", true),
  NUMERIC_ERROR("numeric-error", true),
  IPI("ipi", false),
  HALT("halt", false),
  SHUTDOWN("shutdown", false),
  PAUSE("pause", false);

  private final String text;
  private final boolean onBoard;

  ExitKind(String text, boolean onBoard) {
    this.text = text;
    this.onBoard = onBoard;
  }

  /** The name in statistics. */
  public String text() {
    return text;
  }

  /** True for exits that become a message to a device. */
  public boolean onBoard() {
    return onBoard;
  }

  static ExitKind of(Exit exit) {
    return switch (exit) {
      case Exit.TurnEnd _ -> TURN_END;
      case Exit.PortRead _ -> PORT_READ;
      case Exit.PortWrite _ -> PORT_WRITE;
      case Exit.MemoryRead _ -> MEMORY_READ;
      case Exit.MemoryWrite _ -> MEMORY_WRITE;
      case Exit.InterruptAcknowledge _ -> INTERRUPT_ACKNOWLEDGE;
      case Exit.EndOfInterrupt _ -> END_OF_INTERRUPT;
      case Exit.NumericError _ -> NUMERIC_ERROR;
      case Exit.Ipi _ -> IPI;
      case Exit.Halt _ -> HALT;
      case Exit.Shutdown _ -> SHUTDOWN;
      case Exit.Pause _ -> PAUSE;
    };
  }
}
