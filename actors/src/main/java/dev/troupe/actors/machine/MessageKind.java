package dev.troupe.actors.machine;

import dev.troupe.proto.message.BoardMessage;

/** Board messages by kind, for counting. */
public enum MessageKind {
  IO_READ("io-read"),
  IO_WRITE("io-write"),
  LINE_LEVEL("line-level"),
  TIMER_FIRED("timer-fired"),
  INTERRUPT_ACKNOWLEDGE("interrupt-acknowledge"),
  END_OF_INTERRUPT("end-of-interrupt"),
  CONSOLE_INPUT("console-input"),
  CONSOLE_ROOM("console-room"),
  POWER_BUTTON("power-button"),
  RESET("reset");

  private final String text;

  MessageKind(String text) {
    this.text = text;
  }

  /** The name in statistics. */
  public String text() {
    return text;
  }

  static MessageKind of(BoardMessage message) {
    return switch (message) {
      case BoardMessage.IoRead _ -> IO_READ;
      case BoardMessage.IoWrite _ -> IO_WRITE;
      case BoardMessage.LineLevel _ -> LINE_LEVEL;
      case BoardMessage.TimerFired _ -> TIMER_FIRED;
      case BoardMessage.InterruptAcknowledge _ -> INTERRUPT_ACKNOWLEDGE;
      case BoardMessage.EndOfInterrupt _ -> END_OF_INTERRUPT;
      case BoardMessage.ConsoleInput _ -> CONSOLE_INPUT;
      case BoardMessage.ConsoleRoom _ -> CONSOLE_ROOM;
      case BoardMessage.PowerButton _ -> POWER_BUTTON;
      case BoardMessage.Reset _ -> RESET;
    };
  }
}
