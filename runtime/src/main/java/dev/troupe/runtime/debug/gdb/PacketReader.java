package dev.troupe.runtime.debug.gdb;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes the bytes that come from GDB apart (GDB manual, E.1 Overview). What is no packet, no
 * acknowledgement and no interrupt between two packets is passed over, as the manual wants it.
 */
final class PacketReader {
  /** What has come. */
  sealed interface Event {}

  /** A packet whose checksum is right, without its escapes; a character is a byte. */
  record Packet(String content) implements Event {}

  /** A packet whose checksum is wrong, or is none. */
  record Garbled() implements Event {}

  /** The packet before was, or was not, understood. */
  record Acknowledged(boolean understood) implements Event {}

  /** Ctrl-C. */
  record Interrupt() implements Event {}

  /** A packet that does not end: nothing that follows can be trusted. */
  record Overlong() implements Event {}

  /**
   * Bytes in a packet, at most, and what GDB is told: enough for all registers of one vCPU, small
   * enough that nobody can fill the heap with one.
   */
  static final int MAX_CONTENT = 0x4000;

  private static final int INTERRUPT = 3;
  private static final int ESCAPED = 0x20;

  /** No byte of a packet has come. */
  private static final int OUTSIDE = 0;

  private static final int CONTENT = 1;
  private static final int ESCAPE = 2;
  private static final int FIRST_DIGIT = 3;
  private static final int SECOND_DIGIT = 4;

  private final ByteArrayOutputStream content = new ByteArrayOutputStream();
  private int state = OUTSIDE;
  private int sum;
  private int firstDigit;

  /** What is complete with these bytes. */
  List<Event> take(byte[] bytes) {
    List<Event> events = new ArrayList<>();
    for (byte b : bytes) {
      int c = b & 0xFF;
      switch (state) {
        case OUTSIDE -> outside(c, events);
        case FIRST_DIGIT -> {
          firstDigit = digit(c);
          state = SECOND_DIGIT;
        }
        case SECOND_DIGIT -> {
          int second = digit(c);
          boolean right = firstDigit >= 0 && second >= 0 && (firstDigit << 4 | second) == sum;
          events.add(
              right ? new Packet(content.toString(StandardCharsets.ISO_8859_1)) : new Garbled());
          state = OUTSIDE;
        }
        default -> {
          inside(c);
          if (content.size() > MAX_CONTENT) {
            events.add(new Overlong());
            return events;
          }
        }
      }
    }
    return events;
  }

  private void outside(int c, List<Event> events) {
    switch (c) {
      case '$' -> begin();
      case '+' -> events.add(new Acknowledged(true));
      case '-' -> events.add(new Acknowledged(false));
      case INTERRUPT -> events.add(new Interrupt());
      default -> {}
    }
  }

  private void begin() {
    content.reset();
    sum = 0;
    state = CONTENT;
  }

  private void inside(int c) {
    if (c == '$') {
      begin(); // the packet before was cut: a dollar sign in one is escaped
      return;
    }
    if (c == '#') {
      state = FIRST_DIGIT;
      return;
    }
    sum = (sum + c) & 0xFF;
    if (state == ESCAPE) {
      content.write(c ^ ESCAPED);
      state = CONTENT;
    } else if (c == '}') {
      state = ESCAPE;
    } else {
      content.write(c);
    }
  }

  /** -1 if it is none. */
  private static int digit(int c) {
    return c < 0x80 ? Character.digit(c, 16) : -1;
  }
}
