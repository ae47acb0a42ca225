package dev.troupe.runtime.journal;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.machine.Position;
import java.util.Arrays;

/** One entry of a journal. Their order is the machine's own. */
public sealed interface JournalRecord {
  /** What happened at a quiet point. */
  sealed interface Placed extends JournalRecord {
    /** Where. */
    Place place();
  }

  /** Something that entered through the machine's gate. */
  sealed interface Input extends Placed {
    /** True if it came from a script of inputs, which the gate keeps account of. */
    boolean scripted();
  }

  /** Bytes for the serial line entered. */
  record Typed(Place place, boolean scripted, byte[] bytes) implements Input {}

  /** Somebody pressed the power button. */
  record PowerButton(Place place, boolean scripted) implements Input {}

  /** The hash of the machine's whole state. */
  record StateHash(Place place, long hash) implements Placed {}

  /**
   * A snapshot was taken.
   *
   * @param hash of the state in it
   * @param file its name in the journal's folder of checkpoints
   */
  record Checkpoint(Place place, long hash, String file) implements Placed {}

  /**
   * The run ended.
   *
   * @param place the last quiet point before
   * @param position where the machine came to rest
   * @param outcome for people
   * @param exact false if it was ended from outside: where it came to rest follows from nothing
   * @param hash of the state at rest
   */
  record End(Place place, Position position, boolean exact, long hash, String outcome)
      implements Placed {}

  /** What the schedule of a machine with one vCPU did: what follows from no message. */
  sealed interface Schedule extends JournalRecord {}

  /**
   * The vCPU got a turn.
   *
   * @param idle virtual nanoseconds that were skipped since it got the last one
   * @param units of the turn; 0 if it is as long as the seed has it
   */
  record Turn(long idle, long units) implements Schedule {}

  /**
   * After the exit that was told before, a timer of the board made the turn shorter.
   *
   * @param units that it has left
   */
  record Cut(long units) implements Schedule {}

  /** What crosses the boundary of an actor, where a fault rule may change it. */
  sealed interface Crossing extends JournalRecord {}

  /**
   * A message of the board, when it was handled.
   *
   * @param number from 1, gapless
   * @param from number of the actor that sent it, by the header's list
   * @param to number of the actor that handled it
   * @param time the sender's virtual time
   */
  record Message(long number, int from, int to, long time, BoardMessage message)
      implements Crossing {}

  /** What a vCPU got back for the message that it had waited for. */
  record Reply(int vcpu, long value) implements JournalRecord {}

  /** An interrupt was put into a vCPU's pending set. */
  record Interrupted(int vcpu, Interrupt interrupt) implements Crossing {}

  /**
   * A fault rule did something to a message or an interrupt, of which this tells what came in.
   *
   * @param rule number of the rule in the machine's spec, from 1
   * @param number of the message; for an interrupt, of the last message handled
   * @param time virtual
   */
  record Injected(int rule, long number, long time, Crossing victim, Deed deed)
      implements JournalRecord {}

  /** Whether two records say the same, bytes included. */
  static boolean same(JournalRecord one, JournalRecord other) {
    if (one instanceof Typed a && other instanceof Typed b) {
      return a.place.equals(b.place) && a.scripted == b.scripted && Arrays.equals(a.bytes, b.bytes);
    }
    if (one instanceof Message a
        && other instanceof Message b
        && a.message instanceof BoardMessage.ConsoleInput(byte[] in)
        && b.message instanceof BoardMessage.ConsoleInput(byte[] as)) {
      return a.number == b.number
          && a.from == b.from
          && a.to == b.to
          && a.time == b.time
          && Arrays.equals(in, as);
    }
    if (one instanceof Injected a && other instanceof Injected b) {
      return a.rule == b.rule
          && a.number == b.number
          && a.time == b.time
          && same(a.victim, b.victim)
          && Deed.same(a.deed, b.deed);
    }
    return one.equals(other);
  }
}
