package dev.troupe.vmctl;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** {@code vmctl} as a process of its own, on this test's class path. */
final class VmctlProcess {
  static final long LIMIT_SECONDS = 120;

  /** Sends back what it gets; 4 ends it with exit code 3. */
  static final String ECHO =
      "66bafb03b003ee66bafa03b007ee66bafd03eca80174f766baf803ec3c047403eeebebb001e6f4";

  /** Jumps to itself. */
  static final String ENDLESS = "ebfe";

  /** An invalid opcode without an IDT. */
  static final String TRIPLE_FAULT = "0f0b";

  /** ACPI's S5. */
  static final String POWER_OFF = "66ba040666b8003466ef";

  /** Writes 0x10 to the debug exit port. */
  static final String DEBUG_EXIT = "b010e6f4";

  private static final int BASE = 0x10_0000;
  private static final int HEADER_BYTES = 32;
  private static final int MAGIC = 0x1BAD_B002;
  private static final int ADDRESSES = 1 << 16;

  private VmctlProcess() {}

  /** How a process ended. */
  record Result(int exitCode, String out, String err) {}

  /** The command line that starts it. */
  static List<String> command(String... arguments) {
    List<String> line =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "--add-opens=java.base/java.nio=ALL-UNNAMED",
                "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.troupe.actors.vmctl.Vmctl"));
    line.addAll(List.of(arguments));
    return line;
  }

  /** Runs it to its end, with this on its standard input. */
  static Result run(byte[] input, String... arguments) throws IOException, InterruptedException {
    Path err = Files.createTempFile("vmctl", ".err");
    try {
      Process process = new ProcessBuilder(command(arguments)).redirectError(err.toFile()).start();
      Thread writer =
          Thread.startVirtualThread(
              () -> {
                try (var stdin = process.getOutputStream()) {
                  stdin.write(input);
                } catch (IOException e) {
                  // It ended before it had read all.
                }
              });
      byte[] out = process.getInputStream().readAllBytes();
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException("no end after %d s".formatted(LIMIT_SECONDS));
      }
      writer.join();
      return new Result(
          process.exitValue(), new String(out, StandardCharsets.ISO_8859_1), Files.readString(err));
    } finally {
      Files.delete(err);
    }
  }

  /** Writes a multiboot kernel around 32-bit code, which is loaded at 0x100020. */
  static Path kernel(Path folder, String hex) throws IOException {
    byte[] code = HexFormat.of().parseHex(hex);
    int end = BASE + HEADER_BYTES + code.length;
    ByteBuffer image =
        ByteBuffer.allocate(HEADER_BYTES + code.length).order(ByteOrder.LITTLE_ENDIAN);
    image.putInt(MAGIC).putInt(ADDRESSES).putInt(-(MAGIC + ADDRESSES));
    image.putInt(BASE).putInt(BASE).putInt(end).putInt(end).putInt(BASE + HEADER_BYTES);
    image.put(code);
    return Files.write(Files.createTempFile(folder, "kernel", ".mb"), image.array());
  }
}
