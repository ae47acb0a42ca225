package dev.troupe.guest;

import com.github.luben.zstd.ZstdInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * The ELF inside a bzImage: its compressed payload, which the setup header locates
 * (Documentation/arch/x86/boot.rst, payload_offset and payload_length). Behind the packed bytes
 * stand four with the size of the unpacked ones.
 */
final class Vmlinux {
  private static final int SETUP_SECTS = 0x1F1;
  private static final int PAYLOAD_OFFSET = 0x248;
  private static final int PAYLOAD_LENGTH = 0x24C;

  // The first four bytes say how it is packed, each in the order of its own format's description.
  private static final int LZ4_LEGACY = 0x184C_2102;
  private static final int XZ = 0x587A_37FD;
  private static final int ZSTD = 0xFD2F_B528;
  private static final int GZIP = 0x0008_8B1F;
  private static final int GZIP_MASK = 0x00FF_FFFF;

  private Vmlinux() {}

  static byte[] of(byte[] bzImage) throws IOException {
    ByteBuffer image = ByteBuffer.wrap(bzImage).order(ByteOrder.LITTLE_ENDIAN);
    int sectors = Byte.toUnsignedInt(image.get(SETUP_SECTS));
    int start = ((sectors == 0 ? 4 : sectors) + 1) * 512 + image.getInt(PAYLOAD_OFFSET);
    int end = start + image.getInt(PAYLOAD_LENGTH) - 4;
    byte[] vmlinux = unpack(Arrays.copyOfRange(bzImage, start, end), image.getInt(end));
    if (vmlinux.length != image.getInt(end)) {
      throw new IOException(
          "%d bytes unpacked, expected %d".formatted(vmlinux.length, image.getInt(end)));
    }
    return vmlinux;
  }

  private static byte[] unpack(byte[] packed, int size) throws IOException {
    int magic = ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN).getInt(0);
    InputStream in = new ByteArrayInputStream(packed);
    return switch (magic) {
      case LZ4_LEGACY -> lz4(packed, size);
      case XZ -> new XZInputStream(in).readAllBytes();
      case ZSTD -> new ZstdInputStream(in).readAllBytes();
      default -> {
        if ((magic & GZIP_MASK) != GZIP) {
          throw new IOException("kernel packed in an unknown way: %08x".formatted(magic));
        }
        yield new GZIPInputStream(in).readAllBytes();
      }
    };
  }

  /** LZ4's legacy frames: after the magic number, blocks with their packed size before each. */
  private static byte[] lz4(byte[] packed, int size) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(packed, 4, packed.length - 4).order(ByteOrder.LITTLE_ENDIAN);
    ByteArrayOutputStream out = new ByteArrayOutputStream(size);
    while (in.hasRemaining()) {
      int block = in.getInt();
      if (block != LZ4_LEGACY) {
        InputStream bytes = new ByteArrayInputStream(packed, in.position(), block);
        new BlockLZ4CompressorInputStream(bytes).transferTo(out);
        in.position(in.position() + block);
      }
    }
    return out.toByteArray();
  }
}
