package dev.troupe.runtime.snapshot;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Restores state from bytes, which are hostile: every name, version, length and value is checked,
 * and nothing is allocated beyond what a part's description allows. A newer version than the part
 * knows is refused; an older one is opened by the part's own branches on {@link #version}.
 *
 * <p>All or nothing: the frames of all parts are looked at before the first one changes, and if a
 * value within them is refused later, the parts are put back to the state that they had.
 */
public final class StateReader implements StateVisitor {
  private final byte[] bytes;
  private final Path path = new Path();
  private int at;

  /** End of the innermost part's content. */
  private int end;

  /** The innermost part's version as stored; 0 once it has been asked for. */
  private int version;

  /** No part has had an older version. */
  private boolean current = true;

  private StateReader(byte[] bytes) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  /**
   * Restores parts from what {@link StateWriter#save} made of parts of the same names in the same
   * order. The parts are at a quiet point, too: fresh, reset, or stopped there.
   *
   * @return whether all are of today's versions, so that their hash is what it was
   * @throws StateException if the bytes are refused; the parts are then as they were
   */
  public static boolean restore(byte[] bytes, List<StatePart> parts) throws StateException {
    checkFrames(bytes, parts);
    byte[] before = StateWriter.save(parts);
    try {
      return read(bytes, parts);
    } catch (InvalidState e) {
      read(before, parts);
      throw e.refusal();
    } catch (RuntimeException e) {
      read(before, parts);
      throw e;
    }
  }

  /**
   * Restores some parts from what {@link StateWriter#save} made of them and of others, which are
   * passed over.
   *
   * @param parts in the order in which they were saved
   * @throws StateException if the bytes are refused, or one of the parts is not among them; the
   *     parts are then as they were
   */
  public static void restoreSome(byte[] bytes, List<StatePart> parts) throws StateException {
    StateReader reader = new StateReader(bytes);
    ByteArrayOutputStream some = new ByteArrayOutputStream();
    try {
      for (StatePart part : parts) {
        while (reader.at < reader.end && !reader.isNext(part.name())) {
          reader.at = reader.frameOfAny();
        }
        int from = reader.at;
        reader.at = reader.frame(part.name());
        some.write(bytes, from, reader.at - from);
      }
    } catch (InvalidState e) {
      throw e.refusal();
    }
    restore(some.toByteArray(), parts);
  }

  private static boolean read(byte[] bytes, List<StatePart> parts) {
    StateReader reader = new StateReader(bytes);
    for (StatePart part : parts) {
      if (part.part() instanceof OptionalState optional && !reader.isNext(part.name())) {
        optional.vacate();
      } else {
        reader.part(part.name(), part.part());
      }
    }
    return reader.current;
  }

  private static void checkFrames(byte[] bytes, List<StatePart> parts) throws StateException {
    StateReader reader = new StateReader(bytes);
    try {
      for (StatePart part : parts) {
        if (!(part.part() instanceof OptionalState) || reader.isNext(part.name())) {
          reader.at = reader.frame(part.name());
        }
      }
      reader.expectEnd("state");
    } catch (InvalidState e) {
      throw e.refusal();
    }
  }

  /** Whether a part of this name follows. */
  private boolean isNext(String name) {
    byte[] wanted = name.getBytes(StandardCharsets.US_ASCII);
    int from = at + 1;
    return end - at > wanted.length
        && (bytes[at] & 0xFF) == wanted.length
        && Arrays.equals(bytes, from, from + wanted.length, wanted, 0, wanted.length);
  }

  /** Reads the head of a part; {@link #at} is then at its content, whose end comes back. */
  private int frame(String name) {
    String found = name(name);
    if (!found.equals(name)) {
      throw new InvalidState(
          path.of(name, NO_INDEX), "part '" + printable(found) + "'", "'" + name + "'");
    }
    return content(name);
  }

  /** The same of a part of whichever name. */
  private int frameOfAny() {
    return content(printable(name("part")));
  }

  private String name(String wanted) {
    int length = (int) take(wanted, NO_INDEX, Width.BYTE);
    return new String(bytes, skip(wanted, length), length, StandardCharsets.US_ASCII);
  }

  private int content(String name) {
    version = (int) take(name, NO_INDEX, Width.SHORT);
    long content = Integer.toUnsignedLong((int) take(name, NO_INDEX, Width.INT));
    if (content > end - at) {
      throw new InvalidState(
          path.of(name, NO_INDEX), content + " bytes", "at most " + (end - at) + ", the rest");
    }
    return at + (int) content;
  }

  private static String printable(String text) {
    return text.replaceAll("[^ -~]", "?");
  }

  private int skip(String name, int count) {
    if (count > end - at) {
      throw new InvalidState(
          path.of(name, NO_INDEX), "only " + (end - at) + " bytes left", "" + count);
    }
    int start = at;
    at += count;
    return start;
  }

  private long take(String name, int index, Width width) {
    if (width.bytes() > end - at) {
      throw new InvalidState(
          path.of(name, index), "only " + (end - at) + " bytes left", "" + width.bytes());
    }
    int start = at;
    at += width.bytes();
    return switch (width) {
      case BYTE -> bytes[start] & 0xFF;
      case SHORT -> (short) StateWriter.SHORT.get(bytes, start) & 0xFFFF;
      case INT -> (int) StateWriter.INT.get(bytes, start);
      case LONG -> (long) StateWriter.LONG.get(bytes, start);
    };
  }

  private void expectEnd(String name) {
    if (at != end) {
      String where = path.toString();
      throw new InvalidState(
          where.isEmpty() ? name : where, (end - at) + " bytes left over", "none");
    }
  }

  @Override
  public boolean restoring() {
    return true;
  }

  @Override
  public int version(int newest) {
    if (version < 1 || version > newest) {
      throw new InvalidState(path + " version", version, "1 to " + newest);
    }
    int stored = version;
    version = 0;
    current &= stored == newest;
    return stored;
  }

  @Override
  public long scalar(String name, int index, Width width, long value, long least, long most) {
    long stored = take(name, index, width);
    if (stored < least || stored > most) {
      throw new InvalidState(path.of(name, index), stored, least + " to " + most);
    }
    return stored;
  }

  @Override
  public void bytes(String name, byte[] values) {
    System.arraycopy(bytes, skip(name, values.length), values, 0, values.length);
  }

  @Override
  public byte[] bytes(String name, byte[] values, int mostBytes) {
    int count = count(name, values.length, mostBytes);
    int start = skip(name, count);
    byte[] stored = new byte[count];
    System.arraycopy(bytes, start, stored, 0, count);
    return stored;
  }

  @Override
  public void part(String name, Stateful part) {
    int outerEnd = end;
    int innerEnd = frame(name);
    path.push(name, NO_INDEX);
    end = innerEnd;
    part.state(this);
    if (version != 0) {
      throw new IllegalStateException(path + ": a part begins with its version");
    }
    expectEnd(name);
    path.pop();
    end = outerEnd;
  }

  @Override
  public void enter(String name, int index) {
    path.push(name, index);
  }

  @Override
  public void leave() {
    path.pop();
  }

  @Override
  public void require(boolean valid, String name, long value, String expected) {
    if (!valid) {
      throw new InvalidState(path.of(name, NO_INDEX), "0x" + Long.toHexString(value), expected);
    }
  }
}
