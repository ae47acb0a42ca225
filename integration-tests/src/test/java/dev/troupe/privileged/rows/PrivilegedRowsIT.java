package dev.troupe.privileged.rows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.peer.EngineUnderTest;
import dev.troupe.peer.MultibootKernel;
import dev.troupe.peer.MultibootKernel.Halt;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Privileged rows of the instruction table in one multiboot guest: each case against what the
 * manual demands, and against QEMU TCG where QEMU is right.
 */
final class PrivilegedRowsIT {
  /** QEMU's model with the features that the default model and TCG both have. */
  private static final String QEMU_CPU =
      "qemu64,-svm,+smep,+smap,+xsave,+xsaveopt,+fsgsbase,+rdtscp,+monitor,+rdrand";

  @TempDir Path folder;

  @Test
  void privileged_rows_behave_as_the_manual_says_and_as_in_qemu() throws Exception {
    List<PrivilegedCase> cases = PrivilegedCases.all();
    byte[] forQemu = PrivilegedGuest.image(cases, true);
    List<Result> theirs =
        results(new MultibootKernel(forQemu, folder).inQemu("-cpu", QEMU_CPU), cases.size());
    byte[] forUs = PrivilegedGuest.image(cases, false);
    MultibootKernel kernel = new MultibootKernel(forUs, folder);
    for (EngineUnderTest engine : EngineUnderTest.values()) {
      List<Result> ours = results(kernel.here(Halt.WAITS, engine), cases.size());
      assertThat(wrong(cases, ours, theirs)).as(engine.toString()).isEmpty();
    }
  }

  private static String wrong(List<PrivilegedCase> cases, List<Result> ours, List<Result> theirs) {
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
    return wrong.toString();
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
}
