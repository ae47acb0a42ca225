package dev.troupe.actors.machine;

import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.VmSpec;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Small hand-written guests, from the test resources. */
public final class TinyGuest {
  private static final int BASE = 0x10_0000;
  private static final int HEADER_BYTES = 32;
  private static final int MAGIC = 0x1BAD_B002;

  /** The header says where to load. */
  private static final int ADDRESSES = 1 << 16;

  private static final long MEMORY = 4L << 20;
  private static final String BYTES = "; = ";

  private static final AtomicLong MACHINES = new AtomicLong();

  /** What is typed to a guest that echoes; the dot ends it. */
  static final List<ScriptedInput> SCRIPT =
      List.of(
          typed(100_000, 0, "a"), typed(0, 1_500_000, "bcd"), typed(700_000, 9_000_000, "xyz."));

  private TinyGuest() {}

  /** Letters that enter at the first quiet point that has come so far. */
  public static ScriptedInput typed(long instructions, long nanos, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return new ScriptedInput(instructions, nanos, new ScriptedInput.Console(bytes));
  }

  /** A machine of its own name with this guest as its kernel, written into {@code folder}. */
  public static VmSpec.Builder spec(String name, Path folder) {
    return VmSpec.newBuilder()
        .setName(name + "-" + MACHINES.incrementAndGet())
        .setCpus(1)
        .setMemoryBytes(MEMORY)
        .setBoot(Boot.newBuilder().setKernel(kernel(name, folder).toString()));
  }

  /** The guest's multiboot kernel. */
  public static Path kernel(String name, Path folder) {
    byte[] code = code(name);
    ByteBuffer image =
        ByteBuffer.allocate(HEADER_BYTES + code.length).order(ByteOrder.LITTLE_ENDIAN);
    int end = BASE + HEADER_BYTES + code.length;
    image.putInt(MAGIC).putInt(ADDRESSES).putInt(-(MAGIC + ADDRESSES));
    image.putInt(BASE).putInt(BASE).putInt(end).putInt(end + 4096).putInt(BASE + HEADER_BYTES);
    image.put(code);
    try {
      return Files.write(folder.resolve(name + ".mb"), image.array());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] code(String name) {
    try (InputStream in = TinyGuest.class.getResourceAsStream("/guests/" + name + ".asm")) {
      String source = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      String hex = source.lines().filter(line -> line.startsWith(BYTES)).findFirst().orElseThrow();
      return HexFormat.of().parseHex(hex.substring(BYTES.length()).strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
