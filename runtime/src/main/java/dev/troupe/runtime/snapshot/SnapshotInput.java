package dev.troupe.runtime.snapshot;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.proto.snapshot.SnapshotSection;
import dev.troupe.runtime.memory.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * Reads one snapshot, whose bytes are hostile. Nothing is allocated beyond the bounds of {@link
 * SnapshotFile} and the file's own length.
 */
final class SnapshotInput {
  /** A file's name, and not one that leads elsewhere. */
  private static final Pattern BASE = Pattern.compile("\\w[\\w.-]{0,200}");

  private final String name;
  private final FileChannel channel;
  private final SnapshotHeader header;

  /** Opens a snapshot and checks everything but the sections' content. */
  SnapshotInput(String name, FileChannel channel) throws IOException, StateException {
    this.name = name;
    this.channel = channel;
    this.header = readHeader();
  }

  SnapshotHeader header() {
    return header;
  }

  /** Whether the memory is a difference from another snapshot's. */
  boolean hasBase() {
    return !header.getBase().isEmpty();
  }

  /**
   * The file of the snapshot that this one builds on.
   *
   * @param path this one's
   * @throws StateException if it is none of the same folder
   */
  Path base(Path path) throws StateException {
    if (!BASE.matcher(header.getBase()).matches()) {
      String printable = header.getBase().replaceAll("[^ -~]", "?");
      throw refusal("header: base", "'" + printable + "'", "the name of a file beside");
    }
    return path.toAbsolutePath().resolveSibling(header.getBase());
  }

  /** Whether a snapshot is the one that this one builds on. */
  void checkBase(SnapshotInput base) throws StateException {
    long hash = base.header.getStateHash();
    if (hash != header.getBaseStateHash()) {
      throw base.refusal("state hash", hex(hash), hex(header.getBaseStateHash()) + ", of a base");
    }
    if (base.memoryBytes() != memoryBytes()) {
      throw base.refusal(
          "memory", Long.toUnsignedString(base.memoryBytes()) + " bytes", memoryBytes());
    }
  }

  private long memoryBytes() {
    return header.getSpec().getMemoryBytes();
  }

  private StateException refusal(String where, Object found, Object expected) {
    return StateException.of(name + ": " + where, found, expected.toString());
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  private static String hex(int value) {
    return "0x" + Integer.toHexString(value);
  }

  private SnapshotHeader readHeader() throws IOException, StateException {
    long size = channel.size();
    if (size < SnapshotFile.PROLOGUE_BYTES + SnapshotFile.TRAILER_BYTES) {
      throw refusal(
          "length",
          size + " bytes",
          "at least " + (SnapshotFile.PROLOGUE_BYTES + SnapshotFile.TRAILER_BYTES));
    }
    ByteBuffer prologue = read("prologue", 0, SnapshotFile.PROLOGUE_BYTES);
    long magic = prologue.getLong();
    if (magic != SnapshotFile.MAGIC) {
      throw refusal("magic", hex(magic), hex(SnapshotFile.MAGIC) + ", a snapshot's");
    }
    int format = prologue.getInt();
    if (format != SnapshotFile.FORMAT) {
      throw refusal("format", Integer.toUnsignedString(format), SnapshotFile.FORMAT);
    }
    int reserved = prologue.getInt();
    if (reserved != 0) {
      throw refusal("byte 12", hex(reserved), 0);
    }
    ByteBuffer trailer =
        read("trailer", size - SnapshotFile.TRAILER_BYTES, SnapshotFile.TRAILER_BYTES);
    long length = Integer.toUnsignedLong(trailer.getInt());
    int checksum = trailer.getInt();
    long end = trailer.getLong();
    if (end != SnapshotFile.END) {
      throw refusal("end mark", hex(end), hex(SnapshotFile.END) + ": the file is cut off");
    }
    long sections = size - SnapshotFile.PROLOGUE_BYTES - SnapshotFile.TRAILER_BYTES - length;
    if (length > SnapshotFile.MAX_HEADER_BYTES || sections < 0) {
      long most = Math.min(SnapshotFile.MAX_HEADER_BYTES, sections + length);
      throw refusal("header", length + " bytes", "at most " + most);
    }
    return parseHeader(SnapshotFile.PROLOGUE_BYTES + sections, (int) length, checksum, sections);
  }

  private SnapshotHeader parseHeader(long at, int length, int checksum, long sectionBytes)
      throws IOException, StateException {
    ByteBuffer bytes = read("header", at, length);
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    if ((int) crc.getValue() != checksum) {
      throw refusal("header: checksum", hex((int) crc.getValue()), hex(checksum));
    }
    SnapshotHeader parsed;
    try {
      parsed = SnapshotHeader.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw refusal("header", e.getMessage(), "a SnapshotHeader");
    }
    List<String> names = parsed.getSectionsList().stream().map(SnapshotSection::getName).toList();
    List<String> expected = List.of(SnapshotFile.PARTS, SnapshotFile.MEMORY);
    if (!names.equals(expected)) {
      throw refusal("header: sections", names.size() + " others", expected);
    }
    long parts = parsed.getSections(0).getLength();
    long memory = parsed.getSections(1).getLength();
    if (parts < 0 || parts > sectionBytes || memory != sectionBytes - parts) {
      throw refusal(
          "header: lengths of the sections",
          Long.toUnsignedString(parts) + " and " + Long.toUnsignedString(memory),
          sectionBytes + " together");
    }
    if (parts > SnapshotFile.MAX_PARTS_BYTES) {
      throw refusal("header: length of parts", parts, "at most " + SnapshotFile.MAX_PARTS_BYTES);
    }
    return parsed;
  }

  private ByteBuffer read(String what, long at, int length) throws IOException, StateException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    read(what, at, bytes);
    return bytes.flip();
  }

  /** Fills the buffer from its start to its limit. */
  private void read(String what, long at, ByteBuffer bytes) throws IOException, StateException {
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, at + bytes.position()) < 0) {
        throw refusal(what, "cut off at byte " + (at + bytes.position()), bytes.limit() + " bytes");
      }
    }
  }

  /** Whether the snapshot is of such a machine. */
  void checkMachine(long memoryBytes, String cpuModel, long cpuFeatures) throws StateException {
    long stored = memoryBytes();
    if (stored != memoryBytes) {
      throw refusal("memory", Long.toUnsignedString(stored) + " bytes", memoryBytes);
    }
    if (!header.getCpuModel().equals(cpuModel)) {
      String printable = header.getCpuModel().replaceAll("[^ -~]", "?");
      throw refusal("CPU model", "'" + printable + "'", "'" + cpuModel + "'");
    }
    if (header.getCpuFeatures() != cpuFeatures) {
      throw refusal("features of CPU " + cpuModel, hex(header.getCpuFeatures()), hex(cpuFeatures));
    }
  }

  /** The bytes of the parts, as they were written. */
  byte[] parts() throws IOException, StateException {
    SnapshotSection section = header.getSections(0);
    byte[] bytes =
        read(section.getName(), SnapshotFile.PROLOGUE_BYTES, (int) section.getLength()).array();
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    checkSection(section, crc);
    return bytes;
  }

  private void checkSection(SnapshotSection section, CRC32C crc) throws StateException {
    if ((int) crc.getValue() != section.getChecksum()) {
      throw refusal(
          section.getName() + ": checksum", hex((int) crc.getValue()), hex(section.getChecksum()));
    }
  }

  /** Reads all of the memory, and changes nothing. */
  void checkMemory(GuestMemory memory) throws IOException, StateException {
    walk(memory, false);
  }

  /** Writes the pages into memory, which is zero or the base's, after {@link #checkMemory}. */
  void restoreMemory(GuestMemory memory) throws IOException, StateException {
    walk(memory, true);
  }

  private void walk(GuestMemory memory, boolean restore) throws IOException, StateException {
    SnapshotSection section = header.getSections(1);
    long at = SnapshotFile.PROLOGUE_BYTES + header.getSections(0).getLength();
    long end = at + section.getLength();
    long before = -1;
    long digest = 0;
    CRC32C crc = new CRC32C();
    try (MemoryChunk chunk = new MemoryChunk()) {
      while (at < end) {
        String where = "memory chunk at byte " + at;
        readChunk(chunk, where, at, end, crc);
        if (!chunk.fits(memory) || chunk.first() <= before) {
          throw refusal(where + ": pages", hex(chunk.first()), "pages of this memory, ascending");
        }
        if (!chunk.expand()) {
          throw refusal(where, "damaged zstd frame", "the pages that its bitmap names");
        }
        if (restore) {
          chunk.scatter(memory);
        } else if (!hasBase()) { // else the header's is that of both together
          digest += chunk.digest();
        }
        before = chunk.first();
        at += MemoryChunk.HEAD_BYTES + chunk.length();
      }
    }
    checkSection(section, crc);
    if (!restore && !hasBase() && digest != header.getMemoryDigest()) {
      throw refusal("memory: digest", hex(digest), hex(header.getMemoryDigest()));
    }
  }

  private void readChunk(MemoryChunk chunk, String where, long at, long end, CRC32C crc)
      throws IOException, StateException {
    long room = end - at - MemoryChunk.HEAD_BYTES;
    if (room < 0) {
      throw refusal(where, end - at + " bytes left over", "none, or a chunk");
    }
    read(where, at, chunk.head());
    long most = Math.min(room, MemoryChunk.MAX_PAYLOAD_BYTES);
    if (chunk.length() > most) {
      throw refusal(where + ": length", chunk.length(), "at most " + most);
    }
    chunk.prepare();
    read(where, at + MemoryChunk.HEAD_BYTES, chunk.payload());
    crc.update(chunk.head());
    crc.update(chunk.payload());
    int checksum = chunk.checksum();
    if (checksum != chunk.storedChecksum()) {
      throw refusal(where + ": checksum", hex(checksum), hex(chunk.storedChecksum()));
    }
  }
}
