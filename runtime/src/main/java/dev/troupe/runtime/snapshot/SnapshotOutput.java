package dev.troupe.runtime.snapshot;

import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.proto.snapshot.SnapshotSection;
import dev.troupe.runtime.memory.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.BitSet;
import java.util.Optional;
import java.util.zip.CRC32C;

/** Writes one snapshot. */
final class SnapshotOutput {
  private final FileChannel channel;
  private final CRC32C crc = new CRC32C();
  private long sectionStart;

  SnapshotOutput(FileChannel channel) {
    this.channel = channel;
  }

  SnapshotHeader write(
      SnapshotHeader about, byte[] parts, GuestMemory memory, Optional<BitSet> changed)
      throws IOException {
    SnapshotHeader.Builder header = about.toBuilder().clearSections();
    put(prologue());
    begin();
    put(ByteBuffer.wrap(parts));
    header.addSections(end(SnapshotFile.PARTS));
    begin();
    writeMemory(memory, changed);
    header.addSections(end(SnapshotFile.MEMORY));
    SnapshotHeader whole = header.build();
    begin();
    put(ByteBuffer.wrap(whole.toByteArray()));
    put(trailer(whole.getSerializedSize(), (int) crc.getValue()));
    return whole;
  }

  private static ByteBuffer prologue() {
    ByteBuffer bytes = ByteBuffer.allocate(SnapshotFile.PROLOGUE_BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).putLong(SnapshotFile.MAGIC).putInt(SnapshotFile.FORMAT);
    return bytes.clear();
  }

  private static ByteBuffer trailer(int headerBytes, int headerChecksum) {
    ByteBuffer bytes = ByteBuffer.allocate(SnapshotFile.TRAILER_BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).putInt(headerBytes).putInt(headerChecksum);
    return bytes.putLong(SnapshotFile.END).flip();
  }

  private void writeMemory(GuestMemory memory, Optional<BitSet> changed) throws IOException {
    try (MemoryChunk chunk = new MemoryChunk()) {
      for (long first = 0; first < memory.pages(); first += MemoryChunk.PAGES) {
        if (chunk.gather(memory, first, changed)) {
          put(chunk.head());
          put(chunk.payload());
        }
      }
    }
  }

  private void begin() throws IOException {
    crc.reset();
    sectionStart = channel.position();
  }

  private SnapshotSection end(String name) throws IOException {
    return SnapshotSection.newBuilder()
        .setName(name)
        .setLength(channel.position() - sectionStart)
        .setChecksum((int) crc.getValue())
        .build();
  }

  private void put(ByteBuffer bytes) throws IOException {
    crc.update(bytes.duplicate());
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
