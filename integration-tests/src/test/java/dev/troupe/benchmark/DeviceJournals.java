package dev.troupe.benchmark;

import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.journal.JournalImage;
import dev.troupe.runtime.journal.FrameBuilder;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.JournalWriter;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Records the journals that the devices are tested with: boots of Debian's kernels at which
 * somebody types. Written without what they say of the machine that they were recorded on. Run it
 * by {@code integration-tests/bin/device-journals}.
 */
public final class DeviceJournals {
  private static final Path FOLDER = Path.of("integration-tests/src/test/resources/journals");

  private static final String TYPED =
      """
      t:20s console "cat /proc/interrupts; hwclock; dmesg | wc -l\\n"
      t:23s console "poweroff -f\\n"
      """;

  /**
   * The generic kernel is unpacked for 40 seconds; what is typed before it has opened its serial
   * port is lost.
   */
  private static final String TYPED_LATE =
      """
      t:55s console "cat /proc/interrupts; hwclock; dmesg | wc -l\\n"
      t:58s console "poweroff -f\\n"
      """;

  private DeviceJournals() {}

  private static void record(String name, String typed, String... options)
      throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("device-journals");
    Path journal = folder.resolve("journal");
    Path inputs = Files.writeString(folder.resolve("inputs"), typed);
    try {
      List<String> line = new ArrayList<>(List.of(options));
      line.addAll(List.of("--inputs", inputs.toString(), "--no-pacing", "--quiet"));
      line.addAll(List.of("--record", journal.toString(), "--record-level", "messages"));
      line.addAll(List.of("--checkpoint-every", "off"));
      ProcessBuilder builder =
          new ProcessBuilder(VmctlChild.command(line))
              .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD);
      builder.environment().remove("TROUPE_MAIN");
      if (builder.start().waitFor() != 0) {
        VmctlChild.fail(name + " was not recorded");
      }
      copy(journal, FOLDER.resolve(name + ".journal"));
    } finally {
      Files.deleteIfExists(inputs);
      Files.deleteIfExists(journal);
      Files.deleteIfExists(folder);
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    FrameBuilder builder = new FrameBuilder();
    try (JournalReader reader = new JournalReader(from);
        JournalWriter writer = new JournalWriter(to, anonymous(reader.header()))) {
      for (JournalRecord next = reader.next(); next != null; next = reader.next()) {
        if (next instanceof JournalRecord.Schedule) {
          continue; // of no use to a device
        }
        builder.add(next);
        if (builder.full()) {
          writer.write(builder.take());
        }
      }
      if (!builder.isEmpty()) {
        writer.write(builder.take());
      }
      writer.finish();
    }
    System.out.println(to + ": " + Files.size(to) + " bytes");
  }

  private static JournalHeader anonymous(JournalHeader header) {
    JournalHeader.Builder copy = header.toBuilder().clearHost().clearImages().clearTurns();
    copy.getSpecBuilder().clearBoot().clearName();
    for (JournalImage image : header.getImagesList()) {
      copy.addImages(image.toBuilder().setPath(Path.of(image.getPath()).getFileName().toString()));
    }
    return copy.build();
  }

  private static final Map<String, Recording> ALL =
      Map.of(
          "debian", () -> record("debian", TYPED, "debian"),
          "debian-2", () -> record("debian-2", TYPED, "debian", "--cpus", "2"),
          "debian-pic", () -> record("debian-pic", TYPED, "debian", "--append", "nolapic noapic"),
          "debian-generic", () -> record("debian-generic", TYPED_LATE, "debian-generic"));

  /** One of them. */
  @FunctionalInterface
  private interface Recording {
    void record() throws IOException, InterruptedException;
  }

  /** Records those that are named, or all. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    for (String name :
        arguments.length > 0 ? List.of(arguments) : ALL.keySet().stream().sorted().toList()) {
      Recording recording = ALL.get(name);
      if (recording == null) {
        VmctlChild.fail("no journal '%s'; there are %s".formatted(name, ALL.keySet()));
        return;
      }
      recording.record();
    }
  }
}
