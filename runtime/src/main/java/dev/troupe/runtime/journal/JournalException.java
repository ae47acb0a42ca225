package dev.troupe.runtime.journal;

import java.io.IOException;

/** A file that is no journal, or one that cannot be used. The message is one line for the user. */
public final class JournalException extends IOException {
  private static final long serialVersionUID = 1;

  public JournalException(String message) {
    super(message);
  }
}
