package dev.troupe.benchmark;

import dev.troupe.direct.DirectGuest;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.machine.DirectMachine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What a port read costs with the device as an actor, against the device called directly: a guest
 * that loops on {@code in al,0x71} and times itself with its TSC (1 GHz), on {@link DirectMachine}
 * in this JVM and then under {@code vmctl run} in one of its own, while this one waits. The figure
 * to hold: actors within 300 ns of direct, medians. Run it by {@code
 * integration-tests/bin/port-read}.
 */
public final class PortReadBenchmark {
  /**
   * A flat multiboot image for 0x100000: 21 rounds of {@code rdtsc; 200,000 times in al,0x71;
   * rdtsc}, each round's difference as eight hex digits and a line feed on COM1, then debug exit
   * with 0.
   */
  private static final byte[] KERNEL =
      HexFormat.of()
          .parseHex(
              "02b0ad1b00000100fe4f51e40000100000001000000000000000000020001000"
                  + "bc00003000bd150000000f3189c7b9400d0300e4714975fb0f3129f889c3b508"
                  + "c1c30488d8240f04303c397602042788c466bafd03eca82074fb66baf80388e0"
                  + "eefecd75dbb00aee4d75bf31c0e7f4f4");

  private static final int READS_A_ROUND = 200_000;

  /** The first rounds run code that is not compiled yet. */
  private static final int WARM_UP_ROUNDS = 5;

  private static final long MEMORY = 16L << 20;
  private static final long TIME_OUT_SECONDS = 300;

  private PortReadBenchmark() {}

  /** Measures both ways and compares them. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path kernel = Files.createTempFile("port-read", ".bin");
    try {
      Files.write(kernel, KERNEL);
      double direct = median(direct(kernel));
      double actors = median(actors(kernel));
      System.out.printf(
          "port read, median ns: direct %.0f, actors %.0f, difference %.0f%n",
          direct, actors, actors - direct);
    } finally {
      Files.delete(kernel);
    }
  }

  private static String direct(Path kernel) {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    DirectMachine.Console console =
        new DirectMachine.Console() {
          @Override
          public void output(byte[] bytes) {
            output.writeBytes(bytes);
          }

          @Override
          public byte[] input(int room) {
            return new byte[0];
          }
        };
    long started = System.nanoTime();
    TimeSource time = () -> System.nanoTime() - started;
    DirectGuest.Start start = new DirectGuest.Start(kernel, "", "", MEMORY, 1);
    try (DirectGuest guest =
        new DirectGuest(start, 0, 0, time, console, deadline -> {}, Interpreter::new)) {
      guest.machine.run();
    }
    return output.toString(StandardCharsets.US_ASCII);
  }

  private static String actors(Path kernel) throws IOException, InterruptedException {
    List<String> arguments = List.of("--quiet", "--kernel", kernel.toString());
    Process process =
        new ProcessBuilder(VmctlChild.command(arguments))
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    if (!process.waitFor(TIME_OUT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("no end after %d s".formatted(TIME_OUT_SECONDS));
    }
    return output;
  }

  private static double median(String output) {
    long[] rounds =
        output
            .lines()
            .filter(line -> line.matches("[0-9a-f]{8}"))
            .mapToLong(line -> Long.parseLong(line, 16))
            .skip(WARM_UP_ROUNDS)
            .sorted()
            .toArray();
    if (rounds.length == 0) {
      throw new IllegalStateException("the guest printed no rounds: " + output);
    }
    return (double) rounds[rounds.length / 2] / READS_A_ROUND;
  }
}
