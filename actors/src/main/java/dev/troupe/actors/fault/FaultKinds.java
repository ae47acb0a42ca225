package dev.troupe.actors.fault;

import dev.troupe.actors.journal.RecordEdit;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.journal.JournalRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/** What rules can be about: the kinds of messages and interrupts, and their payloads' fields. */
final class FaultKinds {
  /** One of each kind; of accesses one of each address space, as the fields' names differ. */
  private static final List<JournalRecord.Crossing> SAMPLES =
      List.of(
          message(new BoardMessage.IoRead(AddressSpace.PORT, 0, 1)),
          message(new BoardMessage.IoRead(AddressSpace.MEMORY, 0, 1)),
          message(new BoardMessage.IoWrite(AddressSpace.PORT, 0, 1, 0)),
          message(new BoardMessage.IoWrite(AddressSpace.MEMORY, 0, 1, 0)),
          message(new BoardMessage.LineLevel(0, false)),
          message(new BoardMessage.TimerFired(0, 0)),
          message(new BoardMessage.InterruptAcknowledge(0)),
          message(new BoardMessage.EndOfInterrupt(0)),
          message(new BoardMessage.ConsoleInput(new byte[0])),
          message(new BoardMessage.ConsoleRoom(0)),
          message(new BoardMessage.PowerButton()),
          message(new BoardMessage.Reset()),
          interrupt(new Interrupt.Intr(false)),
          interrupt(new Interrupt.IgnoreNumericError(false)),
          interrupt(new Interrupt.Fixed(0, false)),
          interrupt(new Interrupt.Nmi()),
          interrupt(new Interrupt.Smi()),
          interrupt(new Interrupt.Init()),
          interrupt(new Interrupt.Sipi(0)));

  private static final Set<String> NO_PAYLOAD = Set.of("kind", "m", "t", "from", "to");

  /** By kind: the payload's fields. */
  private static final Map<String, Set<String>> FIELDS = fields();

  private FaultKinds() {}

  private static JournalRecord.Crossing message(BoardMessage message) {
    return new JournalRecord.Message(1, 0, 0, 0, message);
  }

  private static JournalRecord.Crossing interrupt(Interrupt interrupt) {
    return new JournalRecord.Interrupted(0, interrupt);
  }

  private static Map<String, Set<String>> fields() {
    Map<String, Set<String>> all = new TreeMap<>();
    RecordFields fields = new RecordFields(List.of("anybody"));
    for (JournalRecord.Crossing sample : SAMPLES) {
      Set<String> names = new TreeSet<>(fields.of(sample).keySet());
      names.removeAll(NO_PAYLOAD);
      all.computeIfAbsent(RecordFields.kind(sample), kind -> new TreeSet<>()).addAll(names);
    }
    return all;
  }

  /** All kinds, by name. */
  static Set<String> all() {
    return FIELDS.keySet();
  }

  /** The kinds for which this holds. */
  static List<String> those(Predicate<String> kind) {
    return new ArrayList<>(FIELDS.keySet().stream().filter(kind).toList());
  }

  /** The fields of a kind's payload. */
  static Set<String> fields(String kind) {
    return FIELDS.get(kind);
  }

  /**
   * Changes a message of this kind.
   *
   * @throws IllegalArgumentException if it has no such field, or the field no such value
   */
  static void change(String kind, RecordEdit edit) {
    for (JournalRecord.Crossing sample : SAMPLES) {
      if (RecordFields.kind(sample).equals(kind)) {
        edit.apply(sample);
      }
    }
  }

  /** Whether the vCPU that sends it waits for a value. */
  static boolean isQuestion(String kind) {
    return kind.equals("IoRead") || kind.equals("InterruptAcknowledge");
  }

  /** Whether it goes to a vCPU's pending set, which keeps no order. */
  static boolean isInterrupt(String kind) {
    return SAMPLES.stream()
        .anyMatch(
            sample ->
                sample instanceof JournalRecord.Interrupted
                    && RecordFields.kind(sample).equals(kind));
  }
}
