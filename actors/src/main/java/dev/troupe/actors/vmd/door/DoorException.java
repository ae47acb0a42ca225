package dev.troupe.actors.vmd.door;

import java.io.IOException;

/** The door cannot be opened; the message is one line for the user. */
public final class DoorException extends IOException {
  private static final long serialVersionUID = 1L;

  DoorException(String message) {
    super(message);
  }

  DoorException(String message, Throwable cause) {
    super(message, cause);
  }
}
