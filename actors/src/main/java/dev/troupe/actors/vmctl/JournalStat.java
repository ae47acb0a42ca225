package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.RecordFields;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.journal.JournalImage;
import dev.troupe.proto.journal.JournalLevel;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code vmctl journal stat}: what was recorded, and how much of what there is. */
@Command(
    name = "stat",
    description = "Prints what was recorded, and counts the records.",
    mixinStandardHelpOptions = true)
final class JournalStat implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "The journal.")
  private Path file;

  private final Map<String, Long> counts = new TreeMap<>();
  private long records;
  private long messages;
  private JournalRecord.Placed last;

  @Override
  public Integer call() {
    try (JournalReader reader = new JournalReader(file)) {
      RecordFields fields = new RecordFields(reader.header().getActorsList());
      header(reader.header());
      for (JournalRecord record = reader.next(); record != null; record = reader.next()) {
        count(fields, record);
      }
      print("size: %d bytes, %d records".formatted(reader.size(), records));
      if (messages > 0) {
        print(
            "messages: %d, %.1f bytes each, all else included"
                .formatted(messages, (double) reader.size() / messages));
      }
      counts.forEach((what, number) -> print("count %s: %d".formatted(what, number)));
      print("last: " + (last == null ? "nothing" : fields.line(last)));
      print("damage: " + reader.damage().map(Object::toString).orElse("none"));
      return ExitCode.OK;
    } catch (IOException e) {
      throw JournalSelection.unreadable(file, e);
    }
  }

  private static void header(JournalHeader header) {
    VmSpec spec = header.getSpec();
    print(
        "machine: %d vCPUs of %s, %d bytes of memory, seed %d"
            .formatted(
                spec.getCpus(),
                header.getCpuModel(),
                spec.getMemoryBytes(),
                spec.getDeterministic().getSeed()));
    for (JournalImage image : header.getImagesList()) {
      print("image: %s, %d bytes".formatted(image.getPath(), image.getLength()));
    }
    print(
        "level: %s, hashes every %d ms, checkpoints every %d ms"
            .formatted(
                header.getLevel() == JournalLevel.JOURNAL_LEVEL_MESSAGES ? "messages" : "inputs",
                header.getHashEveryNanos() / 1_000_000,
                header.getCheckpointEveryNanos() / 1_000_000));
    print("recorded on: " + header.getHost().getCpuName());
  }

  private void count(RecordFields fields, JournalRecord record) {
    records++;
    switch (record) {
      case JournalRecord.Placed placed -> last = placed;
      case JournalRecord.Message _ -> messages++;
      case JournalRecord.Reply _, JournalRecord.Interrupted _ -> {}
    }
    Object to = fields.of(record).get("to");
    counts.merge(RecordFields.kind(record) + (to == null ? "" : " to " + to), 1L, Long::sum);
  }

  private static void print(String line) {
    System.out.println(line);
  }
}
