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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code vmctl journal stat}: what was recorded, and how much of what there is. */
@Command(
    name = "stat",
    description =
        "Prints what was recorded, and counts the records; options say which" + " are counted.",
    mixinStandardHelpOptions = true)
final class JournalStat implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "The journal.")
  private Path file;

  @Mixin private JournalSelection selection;

  @Mixin private ReportFormat format;

  private final Map<String, Long> counts = new TreeMap<>();
  private long records;
  private long messages;
  private JournalRecord.Placed last;

  @Override
  public Integer call() {
    try (JournalReader reader = new JournalReader(file)) {
      RecordFields fields = new RecordFields(reader.header().getActorsList());
      Predicate<JournalRecord> chosen = selection.choose(fields);
      for (JournalRecord record = reader.next(); record != null; record = reader.next()) {
        total(record);
        if (chosen.test(record)) {
          count(fields, record);
        }
      }
      if (format.isJson()) {
        JournalPair.print(json(reader, fields));
        return ExitCode.OK;
      }
      header(reader.header());
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

  private Map<String, Object> json(JournalReader reader, RecordFields fields) {
    JournalHeader header = reader.header();
    VmSpec spec = header.getSpec();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("vcpus", spec.getCpus());
    json.put("cpu", header.getCpuModel());
    json.put("memoryBytes", spec.getMemoryBytes());
    json.put("seed", spec.getDeterministic().getSeed());
    Map<String, Object> images = new LinkedHashMap<>();
    header.getImagesList().forEach(image -> images.put(image.getPath(), image.getLength()));
    json.put("imageBytes", images);
    json.put("level", level(header));
    json.put("hashEveryNanos", header.getHashEveryNanos());
    json.put("checkpoints", text(JournalHeaders.checkpoints(header)));
    Map<String, Object> faults = new LinkedHashMap<>();
    spec.getDeterministic()
        .getFaultsList()
        .forEach(rule -> faults.put(Integer.toString(faults.size() + 1), rule));
    json.put("faults", faults);
    json.put("restored", header.getRestored());
    if (header.hasParent()) {
      json.put("parent", header.getParent().getPath());
      json.put("parentPosition", header.getParent().getPosition());
    }
    if (spec.getDeterministic().hasTurns()) {
      json.put("turnsSeed", spec.getDeterministic().getTurns().getSeed());
      json.put("turnsFrom", spec.getDeterministic().getTurns().getFrom());
    }
    json.put("recordedOn", header.getHost().getCpuName());
    json.put("bytes", reader.size());
    json.put("records", records);
    json.put("messages", messages);
    json.put("counts", counts);
    if (last != null) {
      json.put("last", fields.of(last));
    }
    json.put("damage", reader.damage().map(Object::toString).orElse("none"));
    return json;
  }

  private static String level(JournalHeader header) {
    return header.getLevel() == JournalLevel.JOURNAL_LEVEL_MESSAGES ? "messages" : "inputs";
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
                level(header),
                header.getHashEveryNanos() / 1_000_000,
                text(JournalHeaders.checkpoints(header))));
    for (int i = 0; i < spec.getDeterministic().getFaultsCount(); i++) {
      print("fault %d: %s".formatted(i + 1, spec.getDeterministic().getFaults(i)));
    }
    if (header.getRestored()) {
      print("begins with a snapshot");
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

  private void total(JournalRecord record) {
    records++;
    switch (record) {
      case JournalRecord.Placed placed -> last = placed;
      case JournalRecord.Message _ -> messages++;
      case JournalRecord.Reply _,
          JournalRecord.Interrupted _,
          JournalRecord.Injected _,
          JournalRecord.Schedule _ -> {}
    }
  }

  private void count(RecordFields fields, JournalRecord record) {
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
