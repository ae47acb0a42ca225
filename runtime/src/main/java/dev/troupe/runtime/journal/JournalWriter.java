package dev.troupe.runtime.journal;

import com.github.luben.zstd.ZstdCompressCtx;
import dev.troupe.proto.journal.JournalHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Writes a journal's file, frame by frame. Not for several threads at once. */
public final class JournalWriter implements AutoCloseable {
  /** Fast: records compress by two to three times at any level. */
  private static final int LEVEL = 1;

  private final WritableByteChannel channel;
  private final ZstdCompressCtx compressor = new ZstdCompressCtx().setLevel(LEVEL);
  private final List<JournalIndex.Entry> index = new ArrayList<>();
  private long offset;
  private long sequence;

  /** What the next frame's index entry says. */
  private long message;

  private Place place = Place.START;

  /**
   * Begins a journal, in place of any file of that name.
   *
   * @throws IOException if it cannot be written
   */
  public JournalWriter(Path file, JournalHeader header) throws IOException {
    this(
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE),
        header);
  }

  /**
   * Begins a journal.
   *
   * @param channel closed with this
   * @throws IOException if it cannot be written
   */
  public JournalWriter(WritableByteChannel channel, JournalHeader header) throws IOException {
    this.channel = channel;
    try {
      byte[] bytes = header.toByteArray();
      ByteBuffer prologue =
          ByteBuffer.allocate(JournalFormat.PROLOGUE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      prologue.putLong(JournalFormat.MAGIC).putInt(JournalFormat.FORMAT).putInt(bytes.length);
      prologue.putInt(JournalFormat.checksum(ByteBuffer.wrap(bytes))).putInt(0);
      write(prologue.flip());
      write(ByteBuffer.wrap(bytes));
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Adds a frame.
   *
   * @throws IOException if it cannot be written; what was written before can be read
   */
  public void write(Frame frame) throws IOException {
    if (index.size() < JournalFormat.MAX_FRAMES) { // later ones are found by reading on
      index.add(new JournalIndex.Entry(offset, message, place));
    }
    message = frame.message();
    place = frame.place();
    frame(JournalFormat.KIND_RECORDS, frame.records());
  }

  /** Adds the index and the end mark. */
  public void finish() throws IOException {
    long at = offset;
    frame(JournalFormat.KIND_INDEX, JournalIndex.write(index));
    ByteBuffer trailer =
        ByteBuffer.allocate(JournalFormat.TRAILER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    trailer.putLong(at);
    trailer.putInt(JournalFormat.checksum(trailer.duplicate().flip()));
    trailer.putInt(0).putLong(JournalFormat.END);
    write(trailer.flip());
    if (channel instanceof FileChannel file) {
      file.force(true);
    }
  }

  private void frame(int kind, byte[] records) throws IOException {
    ByteBuffer stored = ByteBuffer.wrap(compressor.compress(records));
    write(FrameHead.write(kind, sequence++, records.length, stored));
    write(stored);
  }

  private void write(ByteBuffer bytes) throws IOException {
    offset += bytes.remaining();
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    compressor.close();
    channel.close();
  }
}
