package dev.troupe.actors.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The last bytes of a console, of one machine start after another. Each byte has a {@link Place}
 * for ever, whether it is still kept or not. Memory is taken as bytes come. Not for several threads
 * at once.
 */
public final class ConsoleRing {
  /** What a machine's hub keeps unless told otherwise, bytes: some 10,000 lines. */
  public static final int DEFAULT_CAPACITY = 1 << 20;

  /** Starts that are remembered; a machine that resets in a loop must not fill the heap. */
  static final int MAX_EPOCHS = 64;

  /** Memory is taken by so many bytes. */
  static final int PAGE = 8 * 1024;

  /** What there is at a place. */
  public sealed interface Piece {}

  /** Output. */
  public record Bytes(byte[] bytes) implements Piece {}

  /** So many bytes from there on are not kept any more. */
  public record Gone(long bytes) implements Piece {}

  /** That start's output ends there, and this one's follows. */
  public record Next(long epoch) implements Piece {}

  /** Nothing has come yet behind this place. */
  public record End() implements Piece {}

  /** There is no such place; reading may go on at this one. */
  public record NoPlace(Place instead) implements Piece {}

  /** One machine start's output: from start to end in the count of all bytes ever. */
  private static final class Segment {
    final long epoch;
    final long start;
    long end;
    boolean discarded;

    Segment(long epoch, long start) {
      this.epoch = epoch;
      this.start = start;
      end = start;
    }
  }

  private final int capacity;
  private final byte[][] pages;
  private final List<Segment> segments = new ArrayList<>();
  private long written;

  /**
   * An empty ring.
   *
   * @param capacity bytes that it keeps, 1 or more
   */
  public ConsoleRing(int capacity) {
    if (capacity < 1) {
      throw new IllegalArgumentException("console ring of " + capacity + " bytes, expected 1 on");
    }
    this.capacity = capacity;
    pages = new byte[Math.ceilDiv(capacity, PAGE)][];
  }

  /** The newest start; empty before the first. */
  public OptionalLong epoch() {
    return segments.isEmpty() ? OptionalLong.empty() : OptionalLong.of(last().epoch);
  }

  /** Bytes that ever came. */
  public long written() {
    return written;
  }

  /** Bytes that came and are not kept any more. */
  public long overwritten() {
    return Math.max(0, written - capacity);
  }

  /**
   * The machine starts again: what comes from now on is under this epoch.
   *
   * @throws IllegalArgumentException if it is not later than the newest one
   */
  public void begin(long epoch) {
    if (!segments.isEmpty() && epoch <= last().epoch) {
      throw new IllegalArgumentException("epoch " + epoch + " after epoch " + last().epoch);
    }
    if (segments.size() == MAX_EPOCHS) {
      segments.removeFirst();
    }
    segments.add(new Segment(epoch, written));
  }

  /**
   * Output under the newest epoch.
   *
   * @throws IllegalStateException before the first
   */
  public void append(byte[] bytes) {
    if (segments.isEmpty()) {
      throw new IllegalStateException(bytes.length + " bytes before the first epoch");
    }
    int from = Math.max(0, bytes.length - capacity); // what is before would be overwritten at once
    long at = written + from;
    while (from < bytes.length) {
      int page = page(at);
      int inPage = (int) (at % PAGE);
      int count = Math.min(bytes.length - from, PAGE - inPage);
      if (pages[page] == null) {
        pages[page] = new byte[PAGE];
      }
      System.arraycopy(bytes, from, pages[page], inPage, count);
      from += count;
      at += count;
    }
    written = at;
    last().end = at;
  }

  /** What has come under this epoch is not shown any more; its count stays. */
  public void discard(long epoch) {
    for (Segment segment : segments) {
      segment.discarded |= segment.epoch == epoch;
    }
  }

  /**
   * Where the last so many bytes of those that are kept begin.
   *
   * @throws IllegalStateException before the first epoch
   */
  public Place tail(long bytes) {
    if (segments.isEmpty()) {
      throw new IllegalStateException("no epoch yet");
    }
    long kept = written - overwritten();
    long from = written - Math.clamp(bytes, 0, kept);
    for (Segment segment : segments) {
      if (segment.end > from && !segment.discarded) {
        return new Place(segment.epoch, Math.max(0, from - segment.start));
      }
    }
    return end();
  }

  /** Where the next byte will be. */
  public Place end() {
    return new Place(last().epoch, last().end - last().start);
  }

  /**
   * What there is at a place.
   *
   * @param max most bytes that are wanted, 1 or more
   */
  public Piece read(Place place, int max) {
    for (int i = 0; i < segments.size(); i++) {
      Segment segment = segments.get(i);
      if (segment.epoch == place.epoch()) {
        if (Long.compareUnsigned(place.offset(), segment.end - segment.start) > 0) {
          return new NoPlace(new Place(segment.epoch, segment.end - segment.start));
        }
        return read(i, segment.start + place.offset(), max);
      }
      if (segment.epoch > place.epoch()) {
        return new NoPlace(new Place(segment.epoch, 0));
      }
    }
    return new NoPlace(segments.isEmpty() ? new Place(0, 0) : end());
  }

  private Piece read(int index, long at, int max) {
    Segment segment = segments.get(index);
    long kept =
        segment.discarded ? segment.end : Math.min(segment.end, Math.max(at, overwritten()));
    if (kept > at) {
      return new Gone(kept - at);
    }
    if (at < segment.end) {
      return new Bytes(copy(at, (int) Math.min(max, segment.end - at)));
    }
    return index + 1 < segments.size() ? new Next(segments.get(index + 1).epoch) : new End();
  }

  private byte[] copy(long from, int count) {
    byte[] bytes = new byte[count];
    int done = 0;
    while (done < count) {
      int inPage = (int) ((from + done) % PAGE);
      int part = Math.min(count - done, PAGE - inPage);
      System.arraycopy(pages[page(from + done)], inPage, bytes, done, part);
      done += part;
    }
    return bytes;
  }

  private int page(long at) {
    return (int) (at / PAGE % pages.length);
  }

  private Segment last() {
    return segments.getLast();
  }
}
