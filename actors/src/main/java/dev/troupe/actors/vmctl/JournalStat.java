package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.JournalHeaders;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.actors.machine.Checkpoints;
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
        "level: %s, hashes every %d ms, checkpoints %s"
            .formatted(
                header.getLevel() == JournalLevel.JOURNAL_LEVEL_MESSAGES ? "messages" : "inputs",
                header.getHashEveryNanos() / 1_000_000,
                text(JournalHeaders.checkpoints(header))));
    for (int i = 0; i < spec.getDeterministic().getFaultsCount(); i++) {
      print("fault %d: %s".formatted(i + 1, spec.getDeterministic().getFaults(i)));
    }
    if (header.hasParent()) {
      print(
          "parent: %s up to %s"
              .formatted(header.getParent().getPath(), header.getParent().getPosition()));
    }
    if (spec.getDeterministic().hasTurns()) {
      print(
          "turns: of seed %d from %s on"
              .formatted(
                  spec.getDeterministic().getTurns().getSeed(),
                  spec.getDeterministic().getTurns().getFrom()));
    }
    print("recorded on: " + header.getHost().getCpuName());
  }

  private static String text(Checkpoints.Interval interval) {
    if (interval.instructions() > 0) {
      return "every %d instructions".formatted(interval.instructions());
    }
    return interval.isAny() ? "every %d ms".formatted(interval.nanos() / 1_000_000) : "none";
  }

  private void count(RecordFields fields, JournalRecord record) {
    records++;
    switch (record) {
      case JournalRecord.Placed placed -> last = placed;
      case JournalRecord.Message _ -> messages++;
      case JournalRecord.Reply _,
          JournalRecord.Interrupted _,
          JournalRecord.Injected _,
          JournalRecord.Schedule _ -> {}
    }
    Map<String, Object> values = fields.of(record);
    StringBuilder what = new StringBuilder(RecordFields.kind(record));
    if (record instanceof JournalRecord.Injected) {
      what.append(' ').append(values.get("did")).append(' ').append(values.get("of"));
    }
    if (values.containsKey("to")) {
      what.append(" to ").append(values.get("to"));
    }
    counts.merge(what.toString(), 1L, Long::sum);
  }

  private static void print(String line) {
    System.out.println(line);
  }
}
