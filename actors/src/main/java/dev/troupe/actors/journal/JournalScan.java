package dev.troupe.actors.journal;

import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.runtime.journal.JournalCheckpoints;
import dev.troupe.runtime.journal.JournalException;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.Place;
import dev.troupe.runtime.machine.Position;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a replay has to know of a journal before it begins.
 *
 * @param inputs all of them, to enter where they did
 * @param checkpoints those with a file, by their order in the run
 * @param last the last place that was recorded
 * @param damage why the journal is not whole
 */
public record JournalScan(
    JournalHeader header,
    List<JournalRecord.Input> inputs,
    List<JournalRecord.Checkpoint> checkpoints,
    Place last,
    Optional<JournalReader.Damage> damage) {
  /** Reads a journal from end to end. */
  public static JournalScan of(Path file) throws IOException {
    List<JournalRecord.Input> inputs = new ArrayList<>();
    List<JournalRecord.Checkpoint> checkpoints = new ArrayList<>();
    Place last = Place.START;
    try (JournalReader reader = new JournalReader(file)) {
      for (JournalRecord record = reader.next(); record != null; record = reader.next()) {
        if (record instanceof JournalRecord.Placed placed) {
          last = placed.place();
        }
        switch (record) {
          case JournalRecord.Input input -> inputs.add(input);
          case JournalRecord.Checkpoint checkpoint when JournalCheckpoints.isSaved(checkpoint) ->
              checkpoints.add(checkpoint);
          default -> {}
        }
      }
      return new JournalScan(reader.header(), inputs, checkpoints, last, reader.damage());
    }
  }

  /** The inputs of a run that begins with this checkpoint, or with power-on. */
  public List<ScriptedInput> script(Optional<JournalRecord.Checkpoint> start) {
    long turn = start.map(checkpoint -> checkpoint.place().turn()).orElse(-1L);
    long nanos = start.map(checkpoint -> checkpoint.place().position().nanos()).orElse(-1L);
    return inputs.stream()
        .filter(
            input ->
                input.place().turn() > turn
                    || (input.place().turn() == turn && input.place().position().nanos() >= nanos))
        .map(JournalScan::scripted)
        .toList();
  }

  /**
   * The inputs of a run that begins with this checkpoint, or with power-on, and is the recorded one
   * up to a position. There is no telling what the place of later ones is: they enter by time.
   *
   * @param later whether there are later ones
   */
  public List<ScriptedInput> script(
      Optional<JournalRecord.Checkpoint> start, Where from, boolean later) {
    List<ScriptedInput> script = new ArrayList<>();
    for (ScriptedInput input : script(start)) {
      if (!from.test(input.recorded().orElseThrow().place().position())) {
        script.add(input);
      } else if (later) {
        script.add(new ScriptedInput(0, input.nanos(), input.input()));
      }
    }
    return script;
  }

  /**
   * Goes to the records that follow a checkpoint.
   *
   * @param reader has read nothing yet
   * @throws JournalException if there is no such checkpoint
   */
  public static void skip(JournalReader reader, JournalRecord.Checkpoint checkpoint)
      throws IOException {
    Position position = checkpoint.place().position();
    reader.seek(position.messages(), position.instructions());
    JournalRecord record = reader.next();
    while (record != null && !record.equals(checkpoint)) {
      record = reader.next();
    }
    if (record == null) {
      throw new JournalException("the journal has no checkpoint at " + position);
    }
  }

  private static ScriptedInput scripted(JournalRecord.Input input) {
    return ScriptedInput.recorded(
        input.place(),
        input.scripted(),
        switch (input) {
          case JournalRecord.Typed typed -> new ScriptedInput.Console(typed.bytes());
          case JournalRecord.PowerButton _ -> new ScriptedInput.PowerButton();
        });
  }
}
