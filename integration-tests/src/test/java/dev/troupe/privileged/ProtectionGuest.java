package dev.troupe.privileged;

import dev.troupe.peer.EngineUnderTest;
import dev.troupe.peer.MultibootKernel;
import dev.troupe.peer.MultibootKernel.Halt;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * A multiboot guest that runs cases with all privileges and sends what became of each, run by QEMU
 * and here. The guest's source and, in its last line, its bytes are a resource.
 */
final class ProtectionGuest {
  private static final int PROGRAM_SIZE = 0x10000;
  private static final byte[] MARK = "RESULTS\n".getBytes(StandardCharsets.US_ASCII);

  private final MultibootKernel kernel;

  /**
   * A guest with its cases.
   *
   * @param name of the resource, without {@code .asm}
   * @param cases what stands at 0x110000
   * @param folder where the image and logs go
   */
  ProtectionGuest(String name, ByteBuffer cases, Path folder) throws IOException {
    byte[] program = program(name);
    byte[] image = Arrays.copyOf(program, PROGRAM_SIZE + cases.remaining());
    cases.get(cases.position(), image, PROGRAM_SIZE, cases.remaining());
    kernel = new MultibootKernel(image, folder);
  }

  private static byte[] program(String name) {
    try (InputStream in = ProtectionGuest.class.getResourceAsStream(name + ".asm")) {
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
      return HexFormat.of().parseHex(text.substring(text.lastIndexOf("; = ") + 4));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The results as QEMU TCG has them. */
  ByteBuffer inQemu() throws IOException, InterruptedException {
    return results(kernel.inQemu("-cpu", "max"));
  }

  /** The results as an engine has them. */
  ByteBuffer here(EngineUnderTest engine) {
    return results(kernel.here(Halt.NEVER, engine));
  }

  // The firmware may have printed before.
  private static ByteBuffer results(byte[] bytes) {
    for (int i = 0; i + MARK.length <= bytes.length; i++) {
      if (Arrays.equals(bytes, i, i + MARK.length, MARK, 0, MARK.length)) {
        int from = i + MARK.length;
        return ByteBuffer.wrap(bytes, from, bytes.length - from)
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
      }
    }
    throw new AssertionError("no results in " + bytes.length + " bytes");
  }
}
