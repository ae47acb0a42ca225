package dev.troupe.runtime.journal;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.proto.journal.JournalHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Reads a journal's file, of unknown origin and perhaps damaged: its records in order, up to the
 * last frame that is whole. A frame is taken over if all of it is right, or not at all.
 */
public final class JournalReader implements AutoCloseable {
  /**
   * Why the file was not read to its end mark.
   *
   * @param offset where reading ended
   * @param lost bytes from there to the end of the file
   */
  public record Damage(long offset, long lost, String reason) {
    @Override
    public String toString() {
      return lost == 0
          ? "%s at byte %d: the recording did not come to its end".formatted(reason, offset)
          : "%s at byte %d: %d bytes from there on are lost".formatted(reason, offset, lost);
    }
  }

  private final Path file;
  private final FileChannel channel;
  private final long size;
  private final JournalHeader header;
  private final ZstdDecompressCtx decompressor = new ZstdDecompressCtx();
  private final Deque<JournalRecord> records = new ArrayDeque<>();
  private final long firstFrame;
  private long offset;
  private long sequence;
  private boolean atEnd;
  private Damage damage;

  /**
   * Opens a journal and reads its header.
   *
   * @throws JournalException if it is none, of a newer format, or its header is damaged
   * @throws IOException if it cannot be read
   */
  public JournalReader(Path file) throws IOException {
    this.file = file;
    if (!Files.exists(file)) {
      throw bad("no such file");
    }
    if (!Files.isRegularFile(file)) {
      throw bad("not a regular file");
    }
    channel = FileChannel.open(file, StandardOpenOption.READ);
    try {
      size = channel.size();
      header = readHeader();
      firstFrame = offset;
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private JournalHeader readHeader() throws IOException {
    if (size < JournalFormat.PROLOGUE_BYTES) {
      throw bad("%d bytes, expected a journal".formatted(size));
    }
    ByteBuffer prologue = read(0, JournalFormat.PROLOGUE_BYTES);
    long magic = prologue.getLong(0);
    if (magic != JournalFormat.MAGIC) {
      throw bad(
          "no journal: it begins with %016x, expected %016x".formatted(magic, JournalFormat.MAGIC));
    }
    int format = prologue.getInt(8);
    if (format != JournalFormat.FORMAT) {
      throw bad("format %d, expected %d".formatted(format, JournalFormat.FORMAT));
    }
    int length = prologue.getInt(12);
    long room = Math.min(JournalFormat.MAX_HEADER_BYTES, size - JournalFormat.PROLOGUE_BYTES);
    if (length < 0 || length > room || prologue.getInt(20) != 0) {
      throw bad(
          "header of %s bytes, expected at most %d"
              .formatted(Integer.toUnsignedString(length), room));
    }
    ByteBuffer bytes = read(JournalFormat.PROLOGUE_BYTES, length);
    int checksum = JournalFormat.checksum(bytes);
    if (checksum != prologue.getInt(16)) {
      throw bad("header: checksum %08x, expected %08x".formatted(checksum, prologue.getInt(16)));
    }
    offset = (long) JournalFormat.PROLOGUE_BYTES + length;
    try {
      JournalHeader parsed = JournalHeader.parseFrom(bytes);
      if (parsed.getActorsCount() > JournalFormat.MAX_ACTORS) {
        throw bad(
            "%d actors, expected at most %d"
                .formatted(parsed.getActorsCount(), JournalFormat.MAX_ACTORS));
      }
      return parsed;
    } catch (InvalidProtocolBufferException e) {
      throw bad("header: " + e.getMessage());
    }
  }

  /** The journal. */
  public Path file() {
    return file;
  }

  /** What was recorded. */
  public JournalHeader header() {
    return header;
  }

  /** The file's size in bytes. */
  public long size() {
    return size;
  }

  /** Where reading ended early; known when {@link #next} has given null. Empty for a whole file. */
  public Optional<Damage> damage() {
    return Optional.ofNullable(damage);
  }

  /**
   * The next record; null behind the last that can be read.
   *
   * @throws IOException if the file cannot be read
   */
  public JournalRecord next() throws IOException {
    while (records.isEmpty() && !atEnd) {
      try {
        frame();
      } catch (RecordInput.Malformed | ZstdException e) {
        end(e.getMessage());
      }
    }
    return records.poll();
  }

  private void end(String reason) {
    atEnd = true;
    damage = new Damage(offset, size - offset, reason);
  }

  private void frame() throws IOException {
    if (offset == size) {
      end("no end mark");
      return;
    }
    FrameHead head = head();
    if (head.sequence() != sequence) {
      end("frame %d, expected %d".formatted(head.sequence(), sequence));
      return;
    }
    byte[] bytes = content(offset, head);
    long next = offset + JournalFormat.FRAME_HEAD_BYTES + head.stored();
    if (head.kind() == JournalFormat.KIND_INDEX) {
      trailer(next);
      return;
    }
    List<JournalRecord> decoded = decode(bytes);
    records.addAll(decoded); // all or none
    offset = next;
    sequence++;
  }

  private FrameHead head() throws IOException {
    if (size - offset < JournalFormat.FRAME_HEAD_BYTES) {
      throw new RecordInput.Malformed("a frame is cut");
    }
    return FrameHead.parse(read(offset, JournalFormat.FRAME_HEAD_BYTES));
  }

  /** The records of the frame at this offset, checked against the checksum. */
  private byte[] content(long at, FrameHead head) throws IOException {
    long begin = at + JournalFormat.FRAME_HEAD_BYTES;
    if (head.stored() > size - begin) {
      throw new RecordInput.Malformed("a frame is cut");
    }
    ByteBuffer checked = read(at, JournalFormat.CHECKSUM_AT);
    byte[] stored = bytes(begin, head.stored());
    int checksum = JournalFormat.checksum(checked, ByteBuffer.wrap(stored));
    if (checksum != head.checksum()) {
      throw new RecordInput.Malformed(
          "frame %d: checksum %08x, expected %08x"
              .formatted(head.sequence(), checksum, head.checksum()));
    }
    byte[] bytes = decompressor.decompress(stored, head.raw());
    if (bytes.length != head.raw()) {
      throw new RecordInput.Malformed(
          "frame %d: %d bytes, expected %d".formatted(head.sequence(), bytes.length, head.raw()));
    }
    return bytes;
  }

  private List<JournalRecord> decode(byte[] bytes) {
    RecordDecoder decoder = new RecordDecoder(bytes, header.getActorsCount());
    List<JournalRecord> decoded = new ArrayList<>();
    while (!decoder.atEnd()) {
      decoded.add(decoder.next());
    }
    return decoded;
  }

  /** Behind the index. */
  private void trailer(long at) throws IOException {
    long index = offset;
    offset = at;
    if (indexOffset(at) != index) {
      end("no end mark");
    } else {
      atEnd = true;
      offset = at + JournalFormat.TRAILER_BYTES;
      if (offset < size) {
        damage = new Damage(offset, size - offset, "more behind the end mark");
      }
    }
  }

  /** Where the end mark at this offset says that the index is; -1 if there is none. */
  private long indexOffset(long at) throws IOException {
    if (at < firstFrame || size - at < JournalFormat.TRAILER_BYTES) {
      return -1;
    }
    ByteBuffer trailer = read(at, JournalFormat.TRAILER_BYTES);
    boolean whole =
        trailer.getLong(16) == JournalFormat.END
            && trailer.getInt(12) == 0
            && trailer.getInt(8) == JournalFormat.checksum(trailer.duplicate().limit(8));
    return whole ? trailer.getLong(0) : -1;
  }

  /**
   * Goes to the last frame that begins before so many messages were handled and so many
   * instructions retired, as several frames may begin where the run has come so far; only before
   * the first {@link #next}. Without a good index it stays at the beginning.
   */
  public void seek(long messages, long instructions) throws IOException {
    List<JournalIndex.Entry> entries = index();
    for (int i = 0; i < entries.size(); i++) {
      JournalIndex.Entry entry = entries.get(i);
      if (Math.max(entry.message(), entry.place().position().messages()) >= messages
          || entry.place().position().instructions() >= instructions) {
        return;
      }
      offset = entry.offset();
      sequence = i;
    }
  }

  private List<JournalIndex.Entry> index() throws IOException {
    try {
      long at = indexOffset(size - JournalFormat.TRAILER_BYTES);
      if (at < firstFrame || size - at < JournalFormat.FRAME_HEAD_BYTES) {
        return List.of();
      }
      FrameHead head = FrameHead.parse(read(at, JournalFormat.FRAME_HEAD_BYTES));
      if (head.kind() != JournalFormat.KIND_INDEX) {
        return List.of();
      }
      List<JournalIndex.Entry> entries = JournalIndex.parse(content(at, head));
      return leadToFrames(entries, at) ? entries : List.of();
    } catch (RecordInput.Malformed | ZstdException e) {
      return List.of(); // frames are found by reading on
    }
  }

  /** Whether each entry's offset is behind the one before, all of them before the index. */
  private boolean leadToFrames(List<JournalIndex.Entry> entries, long end) {
    long least = firstFrame;
    for (JournalIndex.Entry entry : entries) {
      if (entry.offset() < least || entry.offset() >= end) {
        return false;
      }
      least = entry.offset() + 1;
    }
    return true;
  }

  private ByteBuffer read(long at, int length) throws IOException {
    return ByteBuffer.wrap(bytes(at, length)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private byte[] bytes(long at, int length) throws IOException {
    byte[] bytes = new byte[length];
    ByteBuffer target = ByteBuffer.wrap(bytes);
    while (target.hasRemaining()) {
      if (channel.read(target, at + target.position()) < 0) {
        throw bad("became shorter while it was read");
      }
    }
    return bytes;
  }

  private JournalException bad(String what) {
    return new JournalException("journal " + file + ": " + what);
  }

  @Override
  public void close() throws IOException {
    decompressor.close();
    channel.close();
  }
}
