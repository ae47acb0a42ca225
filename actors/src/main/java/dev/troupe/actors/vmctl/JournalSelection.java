package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.RecordFields;
import dev.troupe.actors.journal.RecordFilter;
import dev.troupe.actors.journal.Where;
import dev.troupe.runtime.journal.JournalException;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.machine.Position;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which of a journal's records a command is about. */
final class JournalSelection {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--where",
      paramLabel = "CONDITION",
      defaultValue = "",
      description = "Only records with these fields: 'to=pic kind=LineLevel'.")
  private String where;

  @Option(
      names = "--actor",
      paramLabel = "NAME",
      description = "Only what this actor sends or receives.")
  private String actor;

  @Option(names = "--kind", paramLabel = "KIND", description = "Only records of this kind.")
  private String kind;

  @Option(
      names = "--from",
      paramLabel = "POSITION",
      converter = WhereConverter.class,
      description = "Only from m:N messages, i:N instructions or t:D of virtual time on.")
  private Where from;

  @Option(
      names = "--to",
      paramLabel = "POSITION",
      converter = WhereConverter.class,
      description = "Only before that position.")
  private Where to;

  /** Takes records, one after the other. */
  @FunctionalInterface
  interface Sink {
    /** False: no more. */
    boolean take(JournalRecord record) throws IOException;
  }

  /**
   * Follows where a run is: messages say their number, the rest how far time and work have come.
   */
  private static final class Follower {
    private Position position = new Position(0, 0, 0);

    Position at(JournalRecord record) {
      position =
          switch (record) {
            case JournalRecord.Placed placed -> placed.place().position();
            case JournalRecord.Message message ->
                new Position(
                    position.instructions(),
                    message.number(),
                    Math.max(position.nanos(), message.time()));
            default -> position;
          };
      return position;
    }
  }

  /**
   * Reads a journal and hands on what is selected.
   *
   * @throws UserException if it cannot be read
   */
  void read(Path file, Sink sink) {
    try (JournalReader reader = new JournalReader(file)) {
      Chosen chosen = choose(new RecordFields(reader.header().getActorsList()));
      for (JournalRecord record = reader.next(); record != null; record = reader.next()) {
        boolean shown = chosen.test(record) && told(record);
        if (chosen.over || (shown && !sink.take(record))) {
          return;
        }
      }
      complain(file, reader.damage());
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  /** Says of one journal's records, all in their order, which are selected. */
  Chosen choose(RecordFields fields) {
    return new Chosen(filter(fields));
  }

  /** Which records of one journal are selected. */
  final class Chosen implements Predicate<JournalRecord> {
    private final RecordFilter filter;
    private final Follower follower = new Follower();
    private boolean begun = from == null;

    /** No more records are. */
    private boolean over;

    private Chosen(RecordFilter filter) {
      this.filter = filter;
    }

    @Override
    public boolean test(JournalRecord record) {
      Position position = follower.at(record);
      begun = begun || from.test(position);
      over = over || (to != null && to.test(position));
      return begun && !over && filter.test(record);
    }
  }

  /** How long turns were is shown only to who asks for it: there are more of them than messages. */
  private boolean told(JournalRecord record) {
    return !(record instanceof JournalRecord.Schedule) || kind != null || where.contains("kind=");
  }

  /** Says so if a journal is not whole. */
  static void complain(Path file, Optional<JournalReader.Damage> damage) {
    damage.ifPresent(what -> Vmctl.complain("journal " + file + ": " + what));
  }

  static UserException unreadable(Path file, IOException e) {
    return new UserException(
        ExitCode.BAD_IMAGE,
        e instanceof JournalException ? e.getMessage() : "journal " + file + ": " + e.getMessage());
  }

  private RecordFilter filter(RecordFields fields) {
    StringBuilder terms = new StringBuilder(where);
    if (actor != null) {
      terms.append(" actor=").append(actor);
    }
    if (kind != null) {
      terms.append(" kind=").append(kind);
    }
    try {
      return new RecordFilter(fields, terms.toString());
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), "--where " + e.getMessage());
    }
  }

  /** The names of a journal's actors. */
  static List<String> actors(Path file) {
    try (JournalReader reader = new JournalReader(file)) {
      return reader.header().getActorsList();
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }
}
