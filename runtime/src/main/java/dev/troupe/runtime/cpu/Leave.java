package dev.troupe.runtime.cpu;

import dev.troupe.proto.message.Exit;

/**
 * Unwinds an instruction that cannot go on without the board, leaving its state unchanged. When the
 * exit is completed the instruction starts again and finds the values it asked for in the replay
 * list. One object a vCPU, without a stack trace.
 */
public final class Leave extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public Exit exit;

  Leave() {
    super(null, null, false, false);
  }
}
