package dev.troupe.privileged.rows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.direct.DirectGuest;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.machine.DirectMachine;
import dev.troupe.runtime.machine.Outcome;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Privileged rows of the instruction table in one multiboot guest: each case against what the
 * manual demands, and against QEMU TCG where QEMU is right.
 */
final class PrivilegedRowsIT {
  private static final long MEMORY = 64L << 20;
  private static final long TIME_OUT_SECONDS = 120;
  private static final long NANOS_A_LOOK = 300;
  private static final int DEBUG_EXIT_0 = 1;

  /** QEMU's model with the features that the default model and TCG both have. */
  private static final String QEMU_CPU =
      "qemu64,-svm,+smep,+smap,+xsave,+xsaveopt,+fsgsbase,+rdtscp,+monitor,+rdrand";

  @TempDir Path folder;

  @Test
  void privileged_rows_behave_as_the_manual_says_and_as_in_qemu() throws Exception {
    List<PrivilegedCase> cases = PrivilegedCases.all();
    Path kernel = folder.resolve("privileged.bin");
    Files.write(kernel, PrivilegedGuest.image(cases, true));
    List<Result> theirs = results(qemu(kernel), cases.size());
    Files.write(kernel, PrivilegedGuest.image(cases, false));
    List<Result> ours = results(troupe(kernel), cases.size());
    StringBuilder wrong = new StringBuilder();
    Map<String, Integer> errors = new HashMap<>();
    for (int i = 0; i < cases.size(); i++) {
      PrivilegedCase c = cases.get(i);
      try {
        c.check(ours.get(i));
      } catch (AssertionError e) {
        wrong.append("%n%s: %s; %s".formatted(c.name(), e.getMessage(), summary(c, ours.get(i))));
      }
      String difference = difference(c, ours.get(i), theirs.get(i));
      if (c.qemuError().isEmpty() && !difference.isEmpty()) {
        wrong.append("%n%s: here, QEMU: %s".formatted(c.name(), difference));
      }
      if (!c.qemuError().isEmpty()) {
        errors.merge(c.qemuError(), difference.isEmpty() ? 0 : 1, Integer::sum);
      }
    }
    errors.forEach(
        (error, count) -> {
          if (count == 0) {
            wrong.append("%nQEMU no longer errs: %s".formatted(error));
          }
        });
    assertThat(wrong.toString()).isEmpty();
  }

  private static String summary(PrivilegedCase c, Result r) {
    return "vector %d, error %#x, offset %d, %s"
        .formatted(r.vector(), r.error(), r.rip() - c.address, c.code());
  }

  private static String difference(PrivilegedCase c, Result a, Result b) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < PrivilegedGuest.RECORD; i++) {
      boolean register = i >= 8;
      long differing = a.record()[i] ^ b.record()[i];
      // QEMU saves RF clear when an instruction faults; the manual has it set (17.3.1.1).
      differing &= i == Result.FLAGS ? ~Result.RF : -1;
      if (differing != 0 && (!register || c.registersCompared())) {
        text.append(" %s %#x, %#x".formatted(Result.NAMES[i], a.record()[i], b.record()[i]));
      }
    }
    return text.toString();
  }

  private static List<Result> results(byte[] serial, int count) {
    byte[] magic = PrivilegedGuest.MAGIC.getBytes(StandardCharsets.ISO_8859_1);
    int at = new String(serial, StandardCharsets.ISO_8859_1).indexOf(PrivilegedGuest.MAGIC);
    assertThat(at).as("the guest's output begins").isNotNegative();
    ByteBuffer records =
        ByteBuffer.wrap(serial, at + magic.length, serial.length - at - magic.length)
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
    assertThat(records.remaining()).isEqualTo(8 * PrivilegedGuest.RECORD * count);
    List<Result> results = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long[] record = new long[PrivilegedGuest.RECORD];
      records.asLongBuffer().get(record);
      records.position(records.position() + 8 * PrivilegedGuest.RECORD);
      results.add(new Result(record));
    }
    return results;
  }

  private byte[] qemu(Path kernel) throws IOException, InterruptedException {
    Path log = folder.resolve("qemu.txt");
    Process process =
        new ProcessBuilder(
                "qemu-system-x86_64",
                "-machine",
                "pc,accel=tcg",
                "-cpu",
                QEMU_CPU,
                "-m",
                "64",
                "-display",
                "none",
                "-monitor",
                "none",
                "-no-reboot",
                "-serial",
                "file:" + folder.resolve("serial.bin"),
                "-device",
                "isa-debug-exit,iobase=0xf4,iosize=4",
                "-kernel",
                kernel.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    if (!process.waitFor(TIME_OUT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    assertThat(process.waitFor()).as(Files.readString(log)).isEqualTo(DEBUG_EXIT_0);
    return Files.readAllBytes(folder.resolve("serial.bin"));
  }

  private static byte[] troupe(Path kernel) {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    long[] clock = {0};
    TimeSource time = () -> clock[0] += NANOS_A_LOOK;
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
    DirectMachine.Idle idle = deadline -> clock[0] = Math.max(clock[0], deadline);
    DirectGuest.Start start = new DirectGuest.Start(kernel, "", "", MEMORY);
    try (DirectGuest guest = new DirectGuest(start, 0, 0, time, console, idle)) {
      assertThat(guest.machine.run()).isEqualTo(new Outcome.DebugExit(0));
    }
    return output.toByteArray();
  }
}
