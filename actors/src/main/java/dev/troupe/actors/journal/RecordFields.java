package dev.troupe.actors.journal;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.journal.Deed;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.Place;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A record as named values, for people, filters and exports: what it is first, then where or which,
 * then what is in it. Values are texts, {@link Long}s and {@link Boolean}s.
 */
public final class RecordFields {
  private final List<String> actors;

  /** Fields of the records of a journal with these actors. */
  public RecordFields(List<String> actors) {
    this.actors = List.copyOf(actors);
  }

  /** The fields, in their order. */
  public Map<String, Object> of(JournalRecord record) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("kind", kind(record));
    switch (record) {
      case JournalRecord.Typed(Place place, boolean scripted, byte[] bytes) -> {
        place(fields, place);
        fields.put("scripted", scripted);
        fields.put("bytes", RecordText.of(bytes));
      }
      case JournalRecord.PowerButton(Place place, boolean scripted) -> {
        place(fields, place);
        fields.put("scripted", scripted);
      }
      case JournalRecord.StateHash(Place place, long hash) -> {
        place(fields, place);
        fields.put("hash", hash(hash));
      }
      case JournalRecord.Checkpoint(Place place, long hash, String file) -> {
        place(fields, place);
        fields.put("hash", hash(hash));
        fields.put("file", file);
      }
      case JournalRecord.End(Place place, var rest, boolean exact, long hash, String outcome) -> {
        place(fields, exact ? new Place(place.turn(), rest) : place);
        fields.put("outcome", outcome);
        if (exact) {
          fields.put("hash", hash(hash));
        }
      }
      case JournalRecord.Message message -> message(fields, message);
      case JournalRecord.Reply(int vcpu, long value) -> {
        fields.put("to", "vcpu" + vcpu);
        fields.put("value", hex(value));
      }
      case JournalRecord.Turn(long idle, long units) -> {
        fields.put("to", "vcpu0");
        fields.put("idle", idle);
        fields.put("units", units);
      }
      case JournalRecord.Cut(long units) -> {
        fields.put("to", "vcpu0");
        fields.put("units", units);
      }
      case JournalRecord.Interrupted(int vcpu, Interrupt interrupt) -> {
        fields.put("to", "vcpu" + vcpu);
        interrupt(fields, interrupt);
      }
      case JournalRecord.Injected injected -> injected(fields, injected);
    }
    return fields;
  }

  /** What a record is: its kind's name, of a message that of the message. */
  public static String kind(JournalRecord record) {
    return switch (record) {
      case JournalRecord.Message message -> message.message().getClass().getSimpleName();
      case JournalRecord.Interrupted interrupted ->
          interrupted.interrupt().getClass().getSimpleName();
      default -> record.getClass().getSimpleName();
    };
  }

  private static void place(Map<String, Object> fields, Place place) {
    fields.put("i", place.position().instructions());
    fields.put("m", place.position().messages());
    fields.put("t", place.position().nanos());
  }

  private void message(Map<String, Object> fields, JournalRecord.Message record) {
    fields.put("m", record.number());
    fields.put("t", record.time());
    fields.put("from", actors.get(record.from()));
    fields.put("to", actors.get(record.to()));
    switch (record.message()) {
      case BoardMessage.IoRead(AddressSpace space, long address, int size) ->
          access(fields, space, address, size);
      case BoardMessage.IoWrite(AddressSpace space, long address, int size, long value) -> {
        access(fields, space, address, size);
        fields.put("value", hex(value));
      }
      case BoardMessage.LineLevel(int pin, boolean high) -> {
        fields.put("pin", (long) pin);
        fields.put("high", high);
      }
      case BoardMessage.TimerFired(int timer, long deadline) -> {
        fields.put("timer", (long) timer);
        fields.put("deadline", deadline);
      }
      case BoardMessage.InterruptAcknowledge(int vcpu) -> fields.put("vcpu", (long) vcpu);
      case BoardMessage.EndOfInterrupt(int vector) -> fields.put("vector", hex(vector));
      case BoardMessage.ConsoleInput(byte[] bytes) -> fields.put("bytes", RecordText.of(bytes));
      case BoardMessage.ConsoleRoom(int bytes) -> fields.put("room", (long) bytes);
      case BoardMessage.PowerButton _, BoardMessage.Reset _ -> {}
    }
  }

  private void injected(Map<String, Object> fields, JournalRecord.Injected record) {
    fields.put("m", record.number());
    fields.put("t", record.time());
    fields.put("rule", (long) record.rule());
    Map<String, Object> victim = of(record.victim());
    switch (record.deed()) {
      case Deed.Dropped _ -> fields.put("did", "drop");
      case Deed.Delayed(long until) -> {
        fields.put("did", "delay");
        fields.put("until", until);
      }
      case Deed.Duplicated(int times) -> {
        fields.put("did", "duplicate");
        fields.put("times", (long) times);
      }
      case Deed.Reordered(int past, long until) -> {
        fields.put("did", "reorder");
        fields.put("past", (long) past);
        fields.put("until", until);
      }
      case Deed.Corrupted(JournalRecord.Crossing instead) -> {
        fields.put("did", "corrupt");
        of(instead)
            .forEach(
                (name, value) -> {
                  if (!value.equals(victim.get(name))) {
                    fields.put("now." + name, value);
                  }
                });
      }
      case Deed.Answered(long value) -> {
        fields.put("did", "answer");
        fields.put("answer", hex(value));
      }
      case Deed.Released _ -> fields.put("did", "release");
    }
    fields.put("of", victim.remove("kind"));
    victim.forEach(fields::putIfAbsent);
  }

  private static void access(
      Map<String, Object> fields, AddressSpace space, long address, int size) {
    fields.put(space == AddressSpace.PORT ? "port" : "address", hex(address));
    fields.put("size", (long) size);
  }

  private static void interrupt(Map<String, Object> fields, Interrupt interrupt) {
    switch (interrupt) {
      case Interrupt.Intr(boolean high) -> fields.put("high", high);
      case Interrupt.IgnoreNumericError(boolean asserted) -> fields.put("high", asserted);
      case Interrupt.Fixed(int vector, boolean level) -> {
        fields.put("vector", hex(vector));
        fields.put("level", level);
      }
      case Interrupt.Sipi(int vector) -> fields.put("vector", hex(vector));
      case Interrupt.Nmi _, Interrupt.Smi _, Interrupt.Init _ -> {}
    }
  }

  private static String hash(long value) {
    return "%016x".formatted(value);
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  /** A record in a line. */
  public String line(JournalRecord record) {
    StringBuilder line = new StringBuilder();
    Map<String, Object> fields = of(record);
    Object kind = fields.remove("kind");
    for (String coordinate : new String[] {"i", "m", "t"}) {
      Object value = fields.remove(coordinate);
      if (value != null) {
        line.append(coordinate).append(':');
        line.append(coordinate.equals("t") ? seconds((Long) value) : value).append(' ');
      }
    }
    Object from = fields.remove("from");
    Object to = fields.remove("to");
    if (to != null) {
      line.append(from == null ? "" : from).append("->").append(to).append(' ');
    }
    line.append(kind);
    fields.forEach(
        (name, value) ->
            line.append(' ')
                .append(name)
                .append('=')
                .append(name.equals("bytes") ? "\"" + value + "\"" : value));
    return line.toString();
  }

  private static String seconds(long nanos) {
    return "%d.%09d".formatted(nanos / 1_000_000_000, nanos % 1_000_000_000);
  }
}
