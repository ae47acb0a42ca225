package dev.troupe.runtime.journal;

import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.PowerEvent;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.Target;
import dev.troupe.runtime.snapshot.StatePart;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * One device alone, against its recorded peers: it gets the messages that it got in a recorded run,
 * and what comes out of it is compared with what came out then. No vCPU runs, and no other device.
 *
 * <p>Compared are answers to vCPUs, messages to other devices, the levels of INTR and IGNNE#, and
 * that timers which fired had been set. Interrupt messages are not: whom they reach is the local
 * APICs' choice.
 */
public final class DeviceReplay {
  /**
   * The first thing that came out otherwise.
   *
   * @param input the message that the device had handled last
   * @param recorded what came out then; for people
   * @param replayed what comes out now
   */
  public record Difference(JournalRecord.Message input, String recorded, String replayed) {}

  /**
   * How a replay ended.
   *
   * @param messages that the device has handled
   * @param outputs that were compared and the same
   */
  public record Result(long messages, long outputs, Optional<Difference> difference) {}

  /**
   * A message on its way to another device.
   *
   * @param to its index on the board; of another actor, in a journal that no machine has written,
   *     it is out of range
   */
  private record Sent(int to, BoardMessage message, long time) {}

  /** Far more than a device sets a timer while one that fired waits for its turn on the board. */
  private static final int RACING_DEADLINES = 64;

  private final BoardLayout layout;
  private final Device device;
  private final int index;

  /** The names of all actors, by number. */
  private final List<String> actors;

  /** Number of the board's first device among the actors. */
  private final int firstDevice;

  private final Deque<Sent> sent = new ArrayDeque<>();
  private final Deque<Interrupt> levels = new ArrayDeque<>();
  private final Map<Integer, Deque<Long>> timers = new TreeMap<>();

  /**
   * Deadlines of a timer that may still come: with the clock on a thread of its own one may be on
   * its way while the device sets the next. Otherwise it is the last alone.
   */
  private final int deadlines;

  private final Outputs outputs = new Outputs();

  /** The last message was the device's: changes of levels that follow it are, too. */
  private boolean handling;

  private JournalRecord.Message input;

  /** For the device, unless the next record tells that a fault rule had it. */
  private JournalRecord.Message waiting;

  /** The run began with a snapshot, not with power-on. */
  private boolean restored;

  private boolean answers;
  private long answer;
  private long now;
  private long messages;
  private long compared;

  private DeviceReplay(
      BoardLayout layout,
      Device device,
      int index,
      List<String> actors,
      int firstDevice,
      int deadlines) {
    this.deadlines = deadlines;
    this.actors = actors;
    this.layout = layout;
    this.device = device;
    this.index = index;
    this.firstDevice = firstDevice;
  }

  /** The board of a journal's machine, in its power-on state. */
  public static BoardLayout board(JournalHeader header) {
    VmSpec spec = header.getSpec();
    return BoardLayout.standard(
        spec,
        spec.hasDeterministic()
            ? spec.getDeterministic().getWallClockNanos()
            : header.getWallClockNanos());
  }

  /**
   * Replays a device.
   *
   * @param reader of a journal with messages, which has read nothing yet
   * @param layout of a board like the recorded one, in its power-on state; of a run that began with
   *     a snapshot the device is restored from that
   * @param device takes the place of the layout's device of that name, or is it
   * @throws JournalException if the journal has no messages, or no such device, or if the snapshot
   *     that it began with is missing
   * @throws IOException if the journal cannot be read
   */
  public static Result run(JournalReader reader, BoardLayout layout, Device device)
      throws IOException {
    List<String> actors = reader.header().getActorsList();
    int actor = actors.indexOf(device.name());
    int index = layout.find(device.name()).orElse(-1);
    int firstDevice = actor - index;
    List<String> devices = layout.devices().stream().map(Device::name).toList();
    if (actor < 0
        || index < 0
        || !actors.equals(JournalActors.names(firstDevice - JournalActors.FIRST_VCPU, devices))) {
      throw new JournalException("no device '%s'; actors: %s".formatted(device.name(), actors));
    }
    int deadlines = reader.header().getSpec().hasDeterministic() ? 1 : RACING_DEADLINES;
    DeviceReplay replay = new DeviceReplay(layout, device, index, actors, firstDevice, deadlines);
    if (reader.header().getRestored()) {
      replay.restored = true;
      JournalCheckpoints.begin(
          reader, List.of(new StatePart(device.name(), device)), Optional.empty());
    }
    Optional<Difference> difference = Optional.empty();
    JournalRecord next;
    while (difference.isEmpty() && (next = reader.next()) != null) {
      JournalRecord record = next;
      difference = replay.come(record).or(() -> replay.take(record));
    }
    difference = difference.or(() -> replay.come(null));
    if (replay.messages == 0 && difference.isEmpty()) {
      throw new JournalException(
          "the journal has no messages to %s: record with --record-level messages"
              .formatted(device.name()));
    }
    return new Result(replay.messages, replay.compared, difference);
  }

  /** What waits comes to the device, as the record after it says. */
  private Optional<Difference> come(JournalRecord next) {
    JournalRecord.Message record = waiting;
    waiting = null;
    if (record == null) {
      return Optional.empty();
    }
    if (!(next instanceof JournalRecord.Injected injected)
        || !(injected.victim() instanceof JournalRecord.Message)) {
      return handle(record, record.message());
    }
    return switch (injected.deed()) {
      case Deed.Duplicated _ -> handle(record, record.message());
      case Deed.Corrupted(JournalRecord.Message instead) -> handle(record, instead.message());
      default -> Optional.empty();
    };
  }

  private Optional<Difference> take(JournalRecord record) {
    return switch (record) {
      case JournalRecord.Message message -> message(message);
      case JournalRecord.Reply(int _, long value) when answers -> {
        answers = false;
        yield compare("answer 0x%x".formatted(value), "answer 0x%x".formatted(answer));
      }
      case JournalRecord.Interrupted(int _, Interrupt level) when isLevel(level) && handling ->
          compare(level.toString(), text(levels.poll()));
      default -> Optional.empty();
    };
  }

  private static boolean isLevel(Interrupt interrupt) {
    return interrupt instanceof Interrupt.Intr || interrupt instanceof Interrupt.IgnoreNumericError;
  }

  private Optional<Difference> message(JournalRecord.Message record) {
    if (!levels.isEmpty()) {
      return compare("no change of a level", text(levels.poll()));
    }
    answers = false;
    handling = record.to() == firstDevice + index;
    if (record.from() == firstDevice + index) {
      Sent recorded = new Sent(record.to() - firstDevice, record.message(), record.time());
      Optional<Difference> difference = compare(text(recorded), text(sent.poll()));
      if (difference.isPresent()) {
        return difference;
      }
    }
    waiting = handling ? record : null;
    return Optional.empty();
  }

  private Optional<Difference> handle(JournalRecord.Message record, BoardMessage message) {
    input = record;
    messages++;
    if (message instanceof BoardMessage.TimerFired(int timer, long deadline)) {
      Deque<Long> set = timers.computeIfAbsent(timer, _ -> first(deadline));
      Optional<Difference> difference =
          compare(
              "timer %d at %d".formatted(timer, deadline),
              "timer %d at %s"
                  .formatted(timer, set.contains(deadline) ? deadline : set.peekLast()));
      set.remove(deadline);
      if (difference.isPresent()) {
        return difference;
      }
    }
    now = Math.max(now, record.time());
    answer = device.handle(message, now, outputs);
    answers =
        message instanceof BoardMessage.IoRead
            || message instanceof BoardMessage.InterruptAcknowledge;
    return Optional.empty();
  }

  /** A timer that has not been set may have been before the snapshot that the run began with. */
  private Deque<Long> first(long deadline) {
    return new ArrayDeque<>(restored ? List.of(deadline) : List.of());
  }

  private Optional<Difference> compare(String recorded, String replayed) {
    compared++;
    return recorded.equals(replayed)
        ? Optional.empty()
        : Optional.of(new Difference(input, recorded, replayed));
  }

  private String text(Sent output) {
    return output == null
        ? "nothing"
        : "%s to %s at %d"
            .formatted(output.message, actors.get(firstDevice + output.to), output.time);
  }

  private static String text(Interrupt level) {
    return level == null ? "no change of a level" : level.toString();
  }

  /** What comes out of the device, along the wires of its board. */
  private final class Outputs implements Effects {
    @Override
    public void line(int output, boolean high) {
      for (Target target : layout.targets(index, output)) {
        switch (target) {
          case Target.Pin(int to, int pin) ->
              sent.add(new Sent(to, new BoardMessage.LineLevel(pin, high), now));
          case Target.Intr _ -> levels(new Interrupt.Intr(high));
          case Target.IgnoreNumericError _ -> levels(new Interrupt.IgnoreNumericError(high));
          case Target.Nmi _ -> {}
        }
      }
    }

    @Override
    public void timer(int timer, long deadline) {
      Deque<Long> set = timers.computeIfAbsent(timer, _ -> new ArrayDeque<>());
      if (set.size() == deadlines) {
        set.removeFirst();
      }
      set.addLast(deadline);
    }

    @Override
    public void interrupt(InterruptMessage message) {}

    @Override
    public void output(byte[] bytes) {}

    @Override
    public void room(int bytes) {}

    @Override
    public void power(PowerEvent event) {}
  }

  /** One for each vCPU. */
  private void levels(Interrupt level) {
    for (int vcpu = 0; vcpu < firstDevice - JournalActors.FIRST_VCPU; vcpu++) {
      levels.add(level);
    }
  }
}
