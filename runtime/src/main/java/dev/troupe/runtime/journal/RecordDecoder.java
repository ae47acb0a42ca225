package dev.troupe.runtime.journal;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.machine.Position;
import dev.troupe.runtime.machine.TurnRules;
import java.nio.charset.StandardCharsets;

/** Reads the records of one frame; see {@link RecordEncoder}. Throws what its input throws. */
final class RecordDecoder {
  private final RecordInput in;
  private final int actors;
  private Place place = Place.START;
  private long number;
  private long time;

  RecordDecoder(byte[] frame, int actors) {
    in = new RecordInput(frame);
    this.actors = actors;
  }

  boolean atEnd() {
    return in.atEnd();
  }

  JournalRecord next() {
    int tag = in.u8();
    return switch (tag) {
      case RecordTags.TYPED ->
          new JournalRecord.Typed(place(), flag(), in.bytes(JournalFormat.MAX_INPUT_BYTES));
      case RecordTags.POWER_BUTTON -> new JournalRecord.PowerButton(place(), flag());
      case RecordTags.STATE_HASH -> new JournalRecord.StateHash(place(), in.fixed64());
      case RecordTags.CHECKPOINT -> new JournalRecord.Checkpoint(place(), in.fixed64(), text());
      case RecordTags.END -> {
        place();
        Position rest = position(place.position());
        yield new JournalRecord.End(place, rest, flag(), in.fixed64(), text());
      }
      case RecordTags.REPLY -> new JournalRecord.Reply(vcpu(), in.unsigned());
      case RecordTags.TURN ->
          new JournalRecord.Turn(
              count("idle", in.unsigned()), in.within("units", 0, TurnRules.TURN_UNITS));
      case RecordTags.TURN_AS_DRAWN -> new JournalRecord.Turn(0, 0);
      case RecordTags.CUT -> new JournalRecord.Cut(in.within("units", 1, TurnRules.TURN_UNITS));
      case RecordTags.INJECTED -> injected();
      case RecordTags.INTERRUPTED -> new JournalRecord.Interrupted(vcpu(), interrupt());
      default -> message(tag);
    };
  }

  private Place place() {
    long turn = count("turn", place.turn() + in.signed());
    place = new Place(turn, position(place.position()));
    return place;
  }

  private Position position(Position from) {
    return new Position(
        count("instructions", from.instructions() + in.signed()),
        count("messages", from.messages() + in.signed()),
        count("nanoseconds", from.nanos() + in.signed()));
  }

  private static long count(String what, long value) {
    if (value < 0) {
      throw new RecordInput.Malformed("%s: %d, expected 0 or more".formatted(what, value));
    }
    return value;
  }

  private JournalRecord injected() {
    int rule = in.within("rule", 1, RecordLimits.RULES);
    long injected = count("message number", number + in.signed());
    long at = time + in.signed();
    number = injected;
    time = at;
    return new JournalRecord.Injected(rule, injected, at, crossing(), deed());
  }

  private JournalRecord.Crossing crossing() {
    int tag = in.u8();
    return tag == RecordTags.INTERRUPTED
        ? new JournalRecord.Interrupted(vcpu(), interrupt())
        : message(tag);
  }

  private Deed deed() {
    int tag = in.u8();
    return switch (tag) {
      case RecordTags.DROPPED -> new Deed.Dropped();
      case RecordTags.DELAYED -> new Deed.Delayed(time + in.signed());
      case RecordTags.DUPLICATED ->
          new Deed.Duplicated(in.within("times", 1, RecordLimits.REPEATS));
      case RecordTags.REORDERED ->
          new Deed.Reordered(in.within("past", 1, RecordLimits.REPEATS), time + in.signed());
      case RecordTags.CORRUPTED -> new Deed.Corrupted(crossing());
      case RecordTags.ANSWERED -> new Deed.Answered(in.unsigned());
      case RecordTags.RELEASED -> new Deed.Released();
      default -> throw new RecordInput.Malformed("deed tag " + tag);
    };
  }

  private JournalRecord.Message message(int tag) {
    if (tag < RecordTags.IO_READ_PORT || tag > RecordTags.RESET) {
      throw new RecordInput.Malformed("record tag %d at offset %d".formatted(tag, in.offset() - 1));
    }
    number = count("message number", number + 1 + in.signed());
    int from = in.within("sender", 0, actors - 1);
    int to = in.within("receiver", 0, actors - 1);
    time += in.signed();
    return new JournalRecord.Message(number, from, to, time, payload(tag));
  }

  private BoardMessage payload(int tag) {
    return switch (tag) {
      case RecordTags.IO_READ_PORT -> read(AddressSpace.PORT);
      case RecordTags.IO_READ_MEMORY -> read(AddressSpace.MEMORY);
      case RecordTags.IO_WRITE_PORT -> write(AddressSpace.PORT);
      case RecordTags.IO_WRITE_MEMORY -> write(AddressSpace.MEMORY);
      case RecordTags.LINE_LEVEL ->
          new BoardMessage.LineLevel(in.within("pin", 0, RecordLimits.PINS - 1), flag());
      case RecordTags.TIMER_FIRED ->
          new BoardMessage.TimerFired(
              in.within("timer", 0, RecordLimits.TIMERS - 1), time + in.signed());
      case RecordTags.INTERRUPT_ACKNOWLEDGE -> new BoardMessage.InterruptAcknowledge(vcpu());
      case RecordTags.END_OF_INTERRUPT ->
          new BoardMessage.EndOfInterrupt(in.within("vector", 0, RecordLimits.VECTORS - 1));
      case RecordTags.CONSOLE_INPUT ->
          new BoardMessage.ConsoleInput(in.bytes(JournalFormat.MAX_INPUT_BYTES));
      case RecordTags.CONSOLE_ROOM ->
          new BoardMessage.ConsoleRoom(in.within("room", 0, Integer.MAX_VALUE));
      case RecordTags.PRESS_POWER_BUTTON -> new BoardMessage.PowerButton();
      case RecordTags.RESET -> new BoardMessage.Reset();
      default -> throw new RecordInput.Malformed("message tag " + tag);
    };
  }

  private BoardMessage read(AddressSpace space) {
    return new BoardMessage.IoRead(space, in.unsigned(), width());
  }

  private BoardMessage write(AddressSpace space) {
    return new BoardMessage.IoWrite(space, in.unsigned(), width(), in.unsigned());
  }

  private int width() {
    int size = in.u8();
    if (size != 1 && size != 2 && size != 4 && size != 8) {
      throw new RecordInput.Malformed("width: %d, expected 1, 2, 4 or 8".formatted(size));
    }
    return size;
  }

  private int vcpu() {
    return in.within("vCPU", 0, RecordLimits.VCPUS - 1);
  }

  private Interrupt interrupt() {
    int tag = in.u8();
    return switch (tag) {
      case RecordTags.INTR -> new Interrupt.Intr(flag());
      case RecordTags.IGNORE_NUMERIC_ERROR -> new Interrupt.IgnoreNumericError(flag());
      case RecordTags.FIXED -> new Interrupt.Fixed(in.u8(), flag());
      case RecordTags.NMI -> new Interrupt.Nmi();
      case RecordTags.SMI -> new Interrupt.Smi();
      case RecordTags.INIT -> new Interrupt.Init();
      case RecordTags.SIPI -> new Interrupt.Sipi(in.u8());
      default -> throw new RecordInput.Malformed("interrupt tag " + tag);
    };
  }

  private boolean flag() {
    int value = in.u8();
    if (value > 1) {
      throw new RecordInput.Malformed("flag: %d, expected 0 or 1".formatted(value));
    }
    return value == 1;
  }

  private String text() {
    return new String(in.bytes(JournalFormat.MAX_TEXT_BYTES), StandardCharsets.UTF_8);
  }
}
