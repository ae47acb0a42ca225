package dev.troupe.runtime.journal;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.machine.Position;
import java.nio.charset.StandardCharsets;

/**
 * Records as bytes: a tag, then numbers as differences from the record before where they grow. The
 * first record of a frame is the difference from zero.
 */
final class RecordEncoder {
  private final RecordOutput out = new RecordOutput(JournalFormat.FRAME_BYTES + 1024);
  private Place place = Place.START;
  private long number;
  private long time;

  int size() {
    return out.size();
  }

  /** What was added since the last call; the next record begins a frame. */
  byte[] take() {
    byte[] bytes = out.toByteArray();
    out.clear();
    place = Place.START;
    number = 0;
    time = 0;
    return bytes;
  }

  void add(JournalRecord record) {
    switch (record) {
      case JournalRecord.Typed typed -> {
        placed(RecordTags.TYPED, typed.place());
        flag(typed.scripted());
        out.bytes(typed.bytes());
      }
      case JournalRecord.PowerButton button -> {
        placed(RecordTags.POWER_BUTTON, button.place());
        flag(button.scripted());
      }
      case JournalRecord.StateHash hash -> {
        placed(RecordTags.STATE_HASH, hash.place());
        out.fixed64(hash.hash());
      }
      case JournalRecord.Checkpoint checkpoint -> {
        placed(RecordTags.CHECKPOINT, checkpoint.place());
        out.fixed64(checkpoint.hash());
        text(checkpoint.file());
      }
      case JournalRecord.End end -> {
        placed(RecordTags.END, end.place());
        position(end.place().position(), end.position());
        flag(end.exact());
        out.fixed64(end.hash());
        text(end.outcome());
      }
      case JournalRecord.Message message -> message(message);
      case JournalRecord.Injected injected -> {
        out.u8(RecordTags.INJECTED);
        out.unsigned(injected.rule());
        out.signed(injected.number() - number);
        out.signed(injected.time() - time);
        number = injected.number();
        time = injected.time();
        add(injected.victim());
        deed(injected.deed());
      }
      case JournalRecord.Reply reply -> {
        out.u8(RecordTags.REPLY);
        out.unsigned(reply.vcpu());
        out.unsigned(reply.value());
      }
      case JournalRecord.Turn(long idle, long units) -> {
        if (idle == 0 && units == 0) {
          out.u8(RecordTags.TURN_AS_DRAWN); // most of them
        } else {
          out.u8(RecordTags.TURN);
          out.unsigned(idle);
          out.unsigned(units);
        }
      }
      case JournalRecord.Cut(long units) -> {
        out.u8(RecordTags.CUT);
        out.unsigned(units);
      }
      case JournalRecord.Interrupted interrupted -> {
        out.u8(RecordTags.INTERRUPTED);
        out.unsigned(interrupted.vcpu());
        interrupt(interrupted.interrupt());
      }
    }
  }

  private void placed(int tag, Place now) {
    out.u8(tag);
    out.signed(now.turn() - place.turn());
    position(place.position(), now.position());
    place = now;
  }

  private void position(Position from, Position to) {
    out.signed(to.instructions() - from.instructions());
    out.signed(to.messages() - from.messages());
    out.signed(to.nanos() - from.nanos());
  }

  private void message(JournalRecord.Message record) {
    BoardMessage message = record.message();
    out.u8(tag(message));
    out.signed(record.number() - number - 1);
    out.unsigned(record.from());
    out.unsigned(record.to());
    out.signed(record.time() - time);
    number = record.number();
    time = record.time();
    switch (message) {
      case BoardMessage.IoRead(var _, long address, int size) -> {
        out.unsigned(address);
        out.u8(size);
      }
      case BoardMessage.IoWrite(var _, long address, int size, long value) -> {
        out.unsigned(address);
        out.u8(size);
        out.unsigned(value);
      }
      case BoardMessage.LineLevel(int pin, boolean high) -> {
        out.unsigned(pin);
        flag(high);
      }
      case BoardMessage.TimerFired(int timer, long deadline) -> {
        out.unsigned(timer);
        out.signed(deadline - time);
      }
      case BoardMessage.InterruptAcknowledge(int vcpu) -> out.unsigned(vcpu);
      case BoardMessage.EndOfInterrupt(int vector) -> out.unsigned(vector);
      case BoardMessage.ConsoleInput(byte[] bytes) -> out.bytes(bytes);
      case BoardMessage.ConsoleRoom(int bytes) -> out.unsigned(bytes);
      case BoardMessage.PowerButton _, BoardMessage.Reset _ -> {}
    }
  }

  private static int tag(BoardMessage message) {
    return switch (message) {
      case BoardMessage.IoRead read ->
          read.space() == AddressSpace.PORT ? RecordTags.IO_READ_PORT : RecordTags.IO_READ_MEMORY;
      case BoardMessage.IoWrite write ->
          write.space() == AddressSpace.PORT
              ? RecordTags.IO_WRITE_PORT
              : RecordTags.IO_WRITE_MEMORY;
      case BoardMessage.LineLevel _ -> RecordTags.LINE_LEVEL;
      case BoardMessage.TimerFired _ -> RecordTags.TIMER_FIRED;
      case BoardMessage.InterruptAcknowledge _ -> RecordTags.INTERRUPT_ACKNOWLEDGE;
      case BoardMessage.EndOfInterrupt _ -> RecordTags.END_OF_INTERRUPT;
      case BoardMessage.ConsoleInput _ -> RecordTags.CONSOLE_INPUT;
      case BoardMessage.ConsoleRoom _ -> RecordTags.CONSOLE_ROOM;
      case BoardMessage.PowerButton _ -> RecordTags.PRESS_POWER_BUTTON;
      case BoardMessage.Reset _ -> RecordTags.RESET;
    };
  }

  private void interrupt(Interrupt interrupt) {
    switch (interrupt) {
      case Interrupt.Intr(boolean high) -> {
        out.u8(RecordTags.INTR);
        flag(high);
      }
      case Interrupt.IgnoreNumericError(boolean asserted) -> {
        out.u8(RecordTags.IGNORE_NUMERIC_ERROR);
        flag(asserted);
      }
      case Interrupt.Fixed(int vector, boolean level) -> {
        out.u8(RecordTags.FIXED);
        out.u8(vector);
        flag(level);
      }
      case Interrupt.Nmi _ -> out.u8(RecordTags.NMI);
      case Interrupt.Smi _ -> out.u8(RecordTags.SMI);
      case Interrupt.Init _ -> out.u8(RecordTags.INIT);
      case Interrupt.Sipi(int vector) -> {
        out.u8(RecordTags.SIPI);
        out.u8(vector);
      }
    }
  }

  private void deed(Deed deed) {
    switch (deed) {
      case Deed.Dropped _ -> out.u8(RecordTags.DROPPED);
      case Deed.Delayed(long until) -> {
        out.u8(RecordTags.DELAYED);
        out.signed(until - time);
      }
      case Deed.Duplicated(int times) -> {
        out.u8(RecordTags.DUPLICATED);
        out.unsigned(times);
      }
      case Deed.Reordered(int past, long until) -> {
        out.u8(RecordTags.REORDERED);
        out.unsigned(past);
        out.signed(until - time);
      }
      case Deed.Corrupted(JournalRecord.Crossing instead) -> {
        out.u8(RecordTags.CORRUPTED);
        add(instead);
      }
      case Deed.Answered(long value) -> {
        out.u8(RecordTags.ANSWERED);
        out.unsigned(value);
      }
      case Deed.Released _ -> out.u8(RecordTags.RELEASED);
    }
  }

  private void flag(boolean value) {
    out.u8(value ? 1 : 0);
  }

  private void text(String value) {
    out.bytes(value.getBytes(StandardCharsets.UTF_8));
  }
}
