package dev.troupe.actors.client;

import java.io.ByteArrayOutputStream;

/**
 * Finds in what is typed the ways to leave a console: Ctrl-] anywhere, or {@code ~.} at the
 * beginning of a line, as cu(1) and ssh(1) have it ({@code ~~} is one {@code ~}). A tilde that may
 * become one is kept back until the next byte.
 */
final class EscapeFilter {
  private static final int CTRL_BRACKET = 0x1D;

  private boolean lineBegins = true;
  private boolean tilde;
  private boolean left;

  /** What of these bytes is the guest's. Nothing is, once the user has left. */
  byte[] filter(byte[] typed, int count) {
    ByteArrayOutputStream guests = new ByteArrayOutputStream(count + 1);
    for (int i = 0; i < count && !left; i++) {
      take(typed[i], guests);
    }
    return guests.toByteArray();
  }

  private void take(byte typed, ByteArrayOutputStream guests) {
    if (typed == CTRL_BRACKET || (tilde && typed == '.')) {
      left = true;
      return;
    }
    if (tilde) {
      tilde = false;
      guests.write('~');
      if (typed == '~') {
        lineBegins = false;
        return;
      }
    } else if (typed == '~' && lineBegins) {
      tilde = true;
      return;
    }
    guests.write(typed);
    lineBegins = typed == '\r' || typed == '\n';
  }

  /** Whether the user wants to leave. */
  boolean left() {
    return left;
  }
}
