package dev.troupe.actors.fault;

import dev.troupe.actors.journal.RecordEdit;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.actors.journal.RecordText;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.journal.Deed;
import dev.troupe.runtime.journal.HeldRecord;
import dev.troupe.runtime.journal.JournalActors;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.machine.EventHeap;
import dev.troupe.runtime.machine.Position;
import dev.troupe.runtime.machine.SeededNumbers;
import dev.troupe.runtime.snapshot.OptionalState;
import dev.troupe.runtime.snapshot.StateVisitor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Does to a machine's messages what its rules say: of those that match, the first has its way. What
 * it holds back and what its rules have drawn is state of the machine; so a run with rules is as
 * repeatable as one without. On the thread of whoever has the turn.
 */
public final class FaultInjector implements OptionalState {
  /**
   * Messages held back at once: a rule that holds back more lets the rest through. Far above what a
   * guest that makes sense of its devices sends in a delay.
   */
  private static final int MAX_HELD = 10_000;

  /** The machine, as its faults see it. */
  public interface Inside {
    /** Where it is. */
    Position position();

    /** {@link #due} is to be called at that virtual time; {@link EventHeap#NEVER} for not. */
    void wakeAt(long deadline);

    /** Sends a message that no rule is about. */
    void send(int receiver, BoardMessage message);

    /** Posts an interrupt that no rule is about. */
    void post(int vcpu, Interrupt interrupt);

    /** Tells what was done. */
    void tell(JournalRecord record);
  }

  /**
   * What comes later.
   *
   * @param rule its index
   * @param number of the message, or of the last one before the interrupt
   * @param past messages to its receiver that are to be handled before it
   * @param due virtual time at which it comes all the same
   */
  private record Held(int rule, long number, int past, long due, JournalRecord.Crossing crossing) {
    int receiver() {
      return crossing instanceof JournalRecord.Message message ? message.to() : FaultRule.ANY;
    }
  }

  private final List<FaultRule> rules;
  private final int actors;
  private final int vcpus;
  private final RecordFields fields;
  private final Inside inside;
  private final SeededNumbers[] numbers;
  private final long[] done;
  private List<Held> held = new ArrayList<>();

  /**
   * Faults by these rules.
   *
   * @param names of the machine's actors, by number
   * @param vcpus how many of them are vCPUs
   */
  public FaultInjector(List<FaultRule> rules, List<String> names, int vcpus, Inside inside) {
    this.rules = List.copyOf(rules);
    this.inside = inside;
    this.vcpus = vcpus;
    actors = names.size();
    fields = new RecordFields(names);
    numbers =
        rules.stream().map(rule -> new SeededNumbers(rule.seed())).toArray(SeededNumbers[]::new);
    done = new long[rules.size()];
  }

  /** Whether there are any rules. */
  public boolean active() {
    return !rules.isEmpty();
  }

  /**
   * A message is about to be handled.
   *
   * @return what is done to it; empty for nothing
   */
  public Optional<Deed> message(JournalRecord.Message message) {
    return cross(message, message.from(), message.to(), message.number(), message.time());
  }

  /**
   * An interrupt is about to be put into a vCPU's pending set.
   *
   * @return what is done to it; empty for nothing
   */
  public Optional<Deed> interrupt(int vcpu, Interrupt interrupt) {
    Position position = inside.position();
    return cross(
        new JournalRecord.Interrupted(vcpu, interrupt),
        FaultRule.ANY,
        JournalActors.FIRST_VCPU + vcpu,
        position.messages(),
        position.nanos());
  }

  private Optional<Deed> cross(
      JournalRecord.Crossing crossing, int from, int to, long number, long time) {
    Position position = inside.position();
    for (int i = 0; i < rules.size(); i++) {
      FaultRule rule = rules.get(i);
      if (done[i] < rule.limit()
          && rule.matches(crossing, from, to, position, fields)
          && (rule.outOf() == 1 || numbers[i].upTo(rule.outOf()) <= rule.chance())) {
        Optional<Deed> deed = deed(i, crossing, number, position.nanos());
        if (deed.isPresent()) {
          done[i]++;
          inside.tell(new JournalRecord.Injected(i + 1, number, time, crossing, deed.get()));
        }
        return deed;
      }
    }
    return Optional.empty();
  }

  private Optional<Deed> deed(int rule, JournalRecord.Crossing crossing, long number, long now) {
    return switch (rules.get(rule).action()) {
      case FaultAction.Drop _ -> Optional.of(new Deed.Dropped());
      case FaultAction.Delay(long nanos) -> {
        long due = now + nanos;
        yield hold(new Held(rule, number, Integer.MAX_VALUE, due, crossing), 1)
            ? Optional.of(new Deed.Delayed(due))
            : Optional.empty();
      }
      case FaultAction.Duplicate(int times) -> {
        // An interrupt comes again at the next quiet point: at once the pending set would not tell.
        boolean message = crossing instanceof JournalRecord.Message;
        Held again = new Held(rule, number, 0, message ? EventHeap.NEVER : now, crossing);
        yield hold(again, times) ? Optional.of(new Deed.Duplicated(times)) : Optional.empty();
      }
      case FaultAction.Reorder(int past, long nanos) -> {
        long due = now + nanos;
        yield hold(new Held(rule, number, past, due, crossing), 1)
            ? Optional.of(new Deed.Reordered(past, due))
            : Optional.empty();
      }
      case FaultAction.Corrupt(String field, Optional<RecordEdit> value) -> {
        RecordEdit edit = value.orElseGet(() -> flip(rule, crossing, field));
        yield Optional.of(new Deed.Corrupted((JournalRecord.Crossing) edit.apply(crossing)));
      }
      case FaultAction.Answer(long value) -> Optional.of(new Deed.Answered(value));
    };
  }

  private boolean hold(Held what, int times) {
    if (held.size() + times > MAX_HELD) {
      return false;
    }
    for (int i = 0; i < times; i++) {
      held.add(what);
    }
    inside.wakeAt(nextDue());
    return true;
  }

  private RecordEdit flip(int rule, JournalRecord.Crossing crossing, String field) {
    var values = fields.of(crossing);
    Object old = values.get(field);
    if (old instanceof Boolean flag) {
      return new RecordEdit(field, Boolean.toString(!flag));
    }
    int bits =
        switch (field) {
          case "value" -> 8 * Math.toIntExact((Long) values.get("size"));
          case "pin", "vcpu", "timer" -> 4;
          case "vector" -> 8;
          default -> 16;
        };
    long changed = RecordText.number(old.toString()) ^ (1L << (numbers[rule].upTo(bits) - 1));
    return new RecordEdit(field, "0x" + Long.toHexString(changed));
  }

  /** The message with this number has been handled, or would have been. */
  public void handled(long number, int receiver) {
    if (held.isEmpty()) {
      return;
    }
    List<Held> now = new ArrayList<>();
    List<Held> later = new ArrayList<>();
    for (Held one : held) {
      if (one.receiver() != receiver || one.past == Integer.MAX_VALUE) {
        later.add(one);
      } else if (one.number == number) {
        (one.past == 0 ? now : later).add(one); // again, or itself
      } else if (one.past <= 1) {
        now.add(one);
      } else {
        later.add(new Held(one.rule, one.number, one.past - 1, one.due, one.crossing));
      }
    }
    release(now, later);
  }

  /** So much virtual time has gone. */
  public void due(long nanos) {
    List<Held> now = new ArrayList<>();
    List<Held> later = new ArrayList<>();
    for (Held one : held) {
      (one.due <= nanos ? now : later).add(one);
    }
    now.sort(Comparator.comparingLong(Held::due)); // stable: else by their order
    release(now, later);
  }

  private void release(List<Held> now, List<Held> later) {
    held = later;
    if (now.isEmpty()) {
      return;
    }
    inside.wakeAt(nextDue());
    for (Held one : now) {
      switch (one.crossing) {
        case JournalRecord.Message message -> inside.send(message.to(), message.message());
        case JournalRecord.Interrupted(int vcpu, Interrupt interrupt) -> {
          Position position = inside.position();
          inside.tell(
              new JournalRecord.Injected(
                  one.rule + 1,
                  position.messages(),
                  position.nanos(),
                  one.crossing,
                  new Deed.Released()));
          inside.post(vcpu, interrupt);
        }
      }
    }
  }

  private long nextDue() {
    return held.stream().mapToLong(Held::due).min().orElse(EventHeap.NEVER);
  }

  /** The machine is reset: what was held back is gone. */
  public void clear() {
    held = new ArrayList<>();
  }

  /**
   * What is held back; and of rules that have drawn or done anything, how far they are. So a rule
   * that has not come to anything yet makes no difference.
   */
  @Override
  public void state(StateVisitor v) {
    v.version(1);
    if (v.restoring()) {
      begin();
    }
    List<Integer> used = used();
    int count = v.count("rules", used.size(), rules.size());
    for (int i = 0; i < count; i++) {
      v.enter("rules", i);
      int rule = v.within("rule", v.restoring() ? 0 : used.get(i), 0, rules.size() - 1);
      done[rule] = v.within("done", done[rule], 0, Long.MAX_VALUE);
      v.part("numbers", numbers[rule]);
      v.leave();
    }
    held = v.list("held", held, MAX_HELD, blank(), this::held);
  }

  @Override
  public boolean vacant() {
    return held.isEmpty() && used().isEmpty();
  }

  @Override
  public void vacate() {
    begin();
    clear();
  }

  /** No rule has drawn or done anything. */
  private void begin() {
    for (int i = 0; i < rules.size(); i++) {
      done[i] = 0;
      numbers[i] = new SeededNumbers(rules.get(i).seed());
    }
  }

  /** Rules that have. */
  private List<Integer> used() {
    List<Integer> used = new ArrayList<>();
    for (int i = 0; i < rules.size(); i++) {
      if (done[i] > 0 || numbers[i].drawn() > 0) {
        used.add(i);
      }
    }
    return used;
  }

  private static Held blank() {
    return new Held(0, 0, 0, 0, new JournalRecord.Interrupted(0, new Interrupt.Nmi()));
  }

  private Held held(StateVisitor v, Held one) {
    int rule = v.within("rule", one.rule, 0, Math.max(0, rules.size() - 1));
    long number = v.within("number", one.number, 0, Long.MAX_VALUE);
    int past = v.within("past", one.past, 0, Integer.MAX_VALUE);
    long due = v.within("due", one.due, 0, EventHeap.NEVER);
    byte[] bytes = v.bytes("record", HeldRecord.bytes(one.crossing), HeldRecord.MAX_BYTES);
    Optional<JournalRecord.Crossing> crossing = HeldRecord.parse(bytes, actors);
    v.require(crossing.isPresent(), "record", bytes.length, "a message or an interrupt");
    v.require(fits(crossing.orElse(one.crossing)), "record", bytes.length, "one of this machine");
    return new Held(rule, number, past, due, crossing.orElse(one.crossing));
  }

  /** Whether its receiver is one that can get it. */
  private boolean fits(JournalRecord.Crossing crossing) {
    return switch (crossing) {
      case JournalRecord.Message message -> message.to() >= JournalActors.FIRST_VCPU + vcpus;
      case JournalRecord.Interrupted interrupted -> interrupted.vcpu() < vcpus;
    };
  }
}
