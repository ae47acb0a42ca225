package dev.troupe.actors.vmctl;

import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.Place;
import dev.troupe.runtime.machine.Position;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code vmctl journal bisect}: where two runs of a machine part, by the hashes of their states:
 * they need not have been recorded alike.
 */
@Command(
    name = "bisect",
    description = {
      "Finds by their state hashes where two runs of a machine part, and prints the first",
      "record that differs there. Levels, hash and checkpoint intervals may differ."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Exit codes: 0 no difference, 1 a difference, 2 usage, 4 bad journal."})
final class JournalBisect implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "FILE", description = "A journal.")
  private Path one;

  @Parameters(index = "1", paramLabel = "FILE", description = "Another, of the same machine.")
  private Path other;

  @Option(
      names = "--context",
      paramLabel = "N",
      defaultValue = "8",
      description = "Records before the difference; default ${DEFAULT-VALUE}.")
  private int context;

  @Mixin private ReportFormat format;

  /** A place at which both runs have a hash. */
  private record Mark(Place place, boolean equal) {}

  @Override
  public Integer call() {
    Map<Place, Long> ours = hashes(one);
    Map<Place, Long> theirs = hashes(other);
    List<Mark> marks = new ArrayList<>();
    ours.forEach(
        (place, hash) -> {
          if (theirs.containsKey(place)) {
            marks.add(new Mark(place, theirs.get(place).equals(hash)));
          }
        });
    try (JournalPair pair = new JournalPair(one, other, format)) {
      if (!pair.sameMachine()) {
        throw new UserException(
            ExitCode.BAD_IMAGE,
            "the journals are of different machines or images: see vmctl journal stat");
      }
      int equal = equal(marks);
      Position upTo = equal == 0 ? new Position(0, 0, 0) : marks.get(equal - 1).place.position();
      if (equal > 0) {
        Place last = marks.get(equal - 1).place;
        pair.skip(record -> hashed(record) && place(record).equals(last));
      }
      tell(equal, marks.size(), upTo);
      boolean messages = pair.sameLevel();
      Predicate<JournalRecord> compared =
          record ->
              hashed(record)
                  ? ours.containsKey(place(record)) && theirs.containsKey(place(record))
                  : messages ? pair.inBoth(record) : isInput(record);
      OptionalLong same = pair.compare(context, compared, compared);
      if (same.isEmpty()) {
        return ExitCode.DIFFERENT;
      }
      if (format.isJson()) {
        JournalPair.print(Map.of("same", same.getAsLong()));
      } else {
        System.out.printf("no difference in %d records after it%n", same.getAsLong());
      }
      return ExitCode.OK;
    }
  }

  private void tell(int equal, int marks, Position upTo) {
    if (format.isJson()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("equalHashes", equal);
      line.put("commonHashes", marks);
      line.put("i", upTo.instructions());
      line.put("m", upTo.messages());
      line.put("t", upTo.nanos());
      JournalPair.print(line);
    } else if (equal > 0) {
      System.out.printf("equal at %d of %d common hashes, up to %s%n", equal, marks, upTo);
    } else {
      System.out.printf("equal at none of %d common hashes%n", marks);
    }
  }

  /** How many are equal before the first that is not: two runs that have parted do not meet. */
  private static int equal(List<Mark> marks) {
    int low = 0;
    int high = marks.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (marks.get(middle).equal) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private static boolean hashed(JournalRecord record) {
    return record instanceof JournalRecord.StateHash || record instanceof JournalRecord.Checkpoint;
  }

  private static boolean isInput(JournalRecord record) {
    return record instanceof JournalRecord.Placed || record instanceof JournalRecord.Injected;
  }

  private static Place place(JournalRecord record) {
    return ((JournalRecord.Placed) record).place();
  }

  private static Map<Place, Long> hashes(Path file) {
    return JournalPair.of(
        file,
        () -> {
          Map<Place, Long> hashes = new LinkedHashMap<>();
          try (JournalReader reader = new JournalReader(file)) {
            for (JournalRecord next = reader.next(); next != null; next = reader.next()) {
              switch (next) {
                case JournalRecord.StateHash(Place place, long hash) -> hashes.put(place, hash);
                case JournalRecord.Checkpoint(Place place, long hash, String _) ->
                    hashes.put(place, hash);
                default -> {}
              }
            }
          }
          return hashes;
        });
  }
}
