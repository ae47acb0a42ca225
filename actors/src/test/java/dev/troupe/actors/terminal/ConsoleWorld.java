package dev.troupe.actors.terminal;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.vmd.ControlException;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.OpenConsole;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;

/**
 * A machine that moves between nodes, their hubs, and people at its console, in one thread and from
 * one seed. What crosses nodes is lost, doubled, delayed and overtaken; what each person was told
 * is held against what the guest put out.
 */
final class ConsoleWorld {
  private static final long MILLI = 1_000_000L;

  /** What a bug would make of a message on its way; the messages themselves are right. */
  interface Bug {
    /** A command on its way. */
    default void sent(ConsoleHub.Command command) {}

    /** An answer as this session takes it. */
    default ConsoleHub.Reply reply(ConsoleHub.Reply reply, String session) {
      return reply;
    }

    /** A command as a hub takes it. */
    default ConsoleHub.Command command(ConsoleHub.Command command) {
      return command;
    }

    /** A fence as a hub asks it. */
    default boolean mayEmit(boolean may) {
      return may;
    }
  }

  /** One node's hub. */
  private final class Hub {
    final HubState state = new HubState("vm", 3000, () -> now);
    final TestInbox<ConsoleHub.Command> inbox = TestInbox.create("hub");

    /** Frozen: nothing of the node moves until then. */
    long frozenUntil;

    boolean frozen() {
      return now < frozenUntil;
    }

    /** What comes to a frozen node waits in its socket. */
    private void arrived(ConsoleHub.Command command) {
      if (frozen()) {
        later(frozenUntil - now, () -> arrived(command));
      } else {
        state.handle(bug.command(command));
      }
    }

    void drain() {
      for (ConsoleHub.Command command : inbox.getAllReceived()) {
        if (command instanceof ConsoleHub.Remote) {
          bug.sent(command);
          send(() -> arrived(command));
        } else {
          state.handle(command);
        }
      }
    }
  }

  /** One start of the machine. */
  private final class Run {
    final long epoch;
    final Hub hub;
    final HubEnd end;
    final TestInbox<ConsoleActor.Command> console = TestInbox.create("console");
    final ByteArrayOutputStream truth = new ByteArrayOutputStream();
    long unwritten;
    boolean lease = true;
    long leaseLost;
    boolean over;

    Run(long epoch, Hub hub) {
      this.epoch = epoch;
      this.hub = hub;
      end = new HubEnd(hub.inbox.getRef(), epoch, () -> bug.mayEmit(lease));
      end.open(console.getRef());
      hub.drain();
    }

    void write(byte[] bytes) {
      if (lease) {
        truth.writeBytes(bytes); // what comes without a lease is nobody's
      }
      unwritten += bytes.length;
      end.write(bytes);
      hub.drain();
      drain();
    }

    void drain() {
      for (ConsoleActor.Command command : console.getAllReceived()) {
        switch (command) {
          case ConsoleActor.Written(int count) -> unwritten -= count;
          case ConsoleActor.Input(byte[] bytes) ->
              later(
                  random.nextLong(500 * MILLI),
                  () -> {
                    if (!over) {
                      typed.add(epoch + ":" + new String(bytes, StandardCharsets.UTF_8));
                      end.taken();
                      hub.drain();
                      drain();
                    }
                  });
          default -> throw new AssertionError(command.toString());
        }
      }
    }

    void close() {
      over = true;
      check(unwritten == 0, "machine of epoch " + epoch + " cannot end: " + unwritten);
      end.close();
      hub.drain();
    }
  }

  /** Somebody at the console. */
  final class Person implements Told {
    final String name;
    final boolean slow;
    final TestInbox<ConsoleHub.Reply> inbox = TestInbox.create("session");
    final Attachment attachment;
    Place at;
    final ByteArrayOutputStream seen = new ByteArrayOutputStream();
    long lost;
    boolean told;
    boolean writer;
    boolean closed;
    boolean waits;
    int typedSoFar;
    int takenSoFar;

    Person(String name, boolean slow, OpenConsole open) {
      this.name = name;
      this.slow = slow;
      attachment = new Attachment(name, name, open, () -> now, this, inbox.getRef());
      attachment.start();
      attachment.request(slow ? 1 : 8);
    }

    void step() {
      for (ConsoleHub.Reply reply : inbox.getAllReceived()) {
        send(() -> attachment.handle(bug.reply(reply, name)));
      }
    }

    void type() {
      if (writer && !waits) {
        typedSoFar++;
        waits = true;
        attachment.input((name + "-" + typedSoFar).getBytes(StandardCharsets.UTF_8));
      }
    }

    @Override
    public void locate() {
      long asked = now;
      boolean stale = random.nextInt(8) == 0;
      Locator.Location early = location();
      if (random.nextInt(10) > 0) {
        later(
            random.nextLong(200 * MILLI),
            () -> {
              check(now >= asked, "time");
              if (random.nextInt(10) == 0) {
                attachment.notLocated(
                    new ControlException(ControlException.Kind.UNAVAILABLE, "no entity"));
              } else {
                attachment.located(stale ? early : location());
              }
            });
      }
    }

    @Override
    public void output(ConsoleOutput output) {
      check(!closed, name + " is told something after the end");
      switch (output.getWhatCase()) {
        case OPENED -> writer = output.getOpened().getWriter();
        case CHUNK -> {
          var chunk = output.getChunk();
          shown(new Place(chunk.getEpoch(), chunk.getOffset()), chunk.getData().toByteArray());
          if (slow) {
            later(random.nextLong(3_000 * MILLI), () -> attachment.request(1));
          } else {
            attachment.request(1);
          }
        }
        case LOST -> {
          var gone = output.getLost();
          arrive(new Place(gone.getEpoch(), gone.getOffset()));
          at = at.plus(gone.getBytes());
          lost += gone.getBytes();
        }
        case TAKEN -> {
          check(waits, name + " is told of input that nobody typed");
          waits = false;
          if (output.getTaken()) {
            takenSoFar++;
            check(
                typed.stream().anyMatch(line -> line.endsWith(":" + name + "-" + typedSoFar)),
                name + " is told that the guest has what it has not");
          }
        }
        case TAKEN_OVER -> {
          writer = false;
          waits = false;
        }
        case NOTE -> told |= output.getNote().contains("cannot be read");
        default -> {}
      }
    }

    /** The next thing is at this place; it must be where the last one ended. */
    private void arrive(Place next) {
      if (at != null && next.epoch() == at.epoch()) {
        check(next.equals(at), name + " was at " + at + " and is shown " + next);
      } else if (at != null) {
        check(next.epoch() > at.epoch(), name + " was at " + at + " and is shown " + next);
        Run before = runs.get(at.epoch());
        check(
            told || before.truth.size() == at.offset(),
            name + " was at " + at + " of " + before.truth.size() + " and is shown " + next);
        check(next.offset() == 0, name + " begins an epoch at " + next);
      }
      told = false;
      at = next;
    }

    private void shown(Place place, byte[] bytes) {
      arrive(place);
      Run from = runs.get(place.epoch());
      check(
          from.lease || now - from.leaseLost <= Attachment.FRESH,
          name + " is shown bytes of a node whose lease has run out, at " + place);
      byte[] truth = from.truth.toByteArray();
      int start = (int) place.offset();
      check(
          start + bytes.length <= truth.length
              && Arrays.equals(bytes, Arrays.copyOfRange(truth, start, start + bytes.length)),
          name + " is shown what the guest did not put out: " + bytes.length + " at " + place);
      at = place.plus(bytes.length);
      seen.writeBytes(bytes);
    }

    @Override
    public void failed(ControlException reason) {
      throw new AssertionError(reason);
    }

    @Override
    public void closed() {
      closed = true;
    }
  }

  private record Event(long at, long number, Runnable action) {}

  private final SplittableRandom random;
  private final Bug bug;
  private final List<Hub> hubs = new ArrayList<>();
  private final Map<Long, Run> runs = new HashMap<>();
  private final List<Run> alive = new ArrayList<>();
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::number));

  /** What the guest was given, with the epoch of the start that had it. */
  final List<String> typed = new ArrayList<>();

  final List<Person> people = new ArrayList<>();
  private final long seed;
  private long now;
  private long numbers;
  private int arrived;
  private Run run;
  private boolean stopped;
  private boolean calm;

  ConsoleWorld(long seed, Bug bug) {
    this.seed = seed;
    this.bug = bug;
    random = new SplittableRandom(seed);
    for (int node = 0; node < 3; node++) {
      hubs.add(new Hub());
    }
    start(hubs.getFirst());
    for (int i = 0; i < 4; i++) {
      arrive(i == 0);
    }
    later(0, this::ticks);
  }

  private void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError("seed " + seed + " at " + now / MILLI + " ms: " + what);
    }
  }

  private void arrive(boolean force) {
    OpenConsole open =
        OpenConsole.newBuilder()
            .setVm("vm")
            .setWrite(random.nextBoolean())
            .setForce(force)
            .setScrollback(random.nextInt(4000))
            .build();
    people.add(new Person("p" + arrived++, random.nextInt(3) == 0, open));
  }

  private void start(Hub hub) {
    run = new Run(run == null ? 1 : run.epoch + 1 + random.nextInt(2), hub);
    runs.put(run.epoch, run);
    alive.add(run);
  }

  private Locator.Location location() {
    Locator.Here here = new Locator.Here(run.epoch, run.hub.inbox.getRef());
    return stopped ? new Locator.Stopped("stopped", Optional.of(here)) : here;
  }

  private void later(long delay, Runnable action) {
    events.add(new Event(now + delay, numbers++, action));
  }

  /** Between nodes: lost, doubled, late. */
  private void send(Runnable arrival) {
    int copies = calm ? 1 : random.nextInt(10) == 0 ? 0 : random.nextInt(10) == 0 ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      long delay =
          calm || random.nextInt(20) > 0
              ? random.nextLong(20 * MILLI)
              : random.nextLong(60_000 * MILLI);
      later(delay, arrival);
    }
  }

  private void ticks() {
    people.forEach(person -> person.attachment.tick());
    for (Hub hub : hubs) {
      if (!hub.frozen()) {
        hub.state.tick();
      }
    }
    later(250 * MILLI, this::ticks);
  }

  /** Something happens to the machine, its nodes or the people. */
  private void happening() {
    switch (random.nextInt(60)) {
      case 0 -> { // it ends, and starts again where it is
        run.close();
        alive.remove(run);
        start(run.hub);
      }
      case 1 -> { // drained: it ends, and starts at another node
        run.close();
        alive.remove(run);
        start(other(run.hub));
      }
      case 2 -> { // its node freezes for 20 s, and it is started elsewhere
        Hub old = run.hub;
        old.frozenUntil = now + 20_000 * MILLI;
        run.lease = false;
        run.leaseLost = now;
        Run frozen = run;
        start(other(old));
        later(
            20_000 * MILLI,
            () -> {
              frozen.write(bytes()); // it does not know yet
              later(
                  random.nextLong(3_000 * MILLI),
                  () -> {
                    frozen.close();
                    alive.remove(frozen);
                  });
            });
      }
      case 3 -> {
        if (people.size() < 12) {
          arrive(random.nextBoolean());
        }
      }
      case 4 -> {
        Person leaving = people.get(random.nextInt(people.size()));
        if (people.size() > 3 && !leaving.closed) {
          leaving.attachment.leave();
          people.remove(leaving);
        }
      }
      default -> {
        Run writing = alive.get(random.nextInt(alive.size()));
        if (!writing.hub.frozen()) {
          writing.write(bytes());
        }
      }
    }
    people.get(random.nextInt(people.size())).type();
  }

  private Hub other(Hub hub) {
    List<Hub> others = hubs.stream().filter(one -> one != hub && !one.frozen()).toList();
    return others.isEmpty() ? hub : others.get(random.nextInt(others.size()));
  }

  private byte[] bytes() {
    byte[] bytes = new byte[1 + random.nextInt(random.nextInt(6) == 0 ? 2000 : 40)];
    random.nextBytes(bytes);
    return bytes;
  }

  private void step() {
    Event event = events.poll();
    now = Math.max(now, event.at);
    event.action.run();
    hubs.forEach(Hub::drain);
    people.forEach(Person::step);
  }

  /** Lives for so many happenings, then the machine stops; all must come to an end. */
  ConsoleWorld live(int happenings) {
    for (int i = 0; i < happenings; i++) {
      long until = now + random.nextLong(400 * MILLI);
      while (!events.isEmpty() && events.peek().at <= until) {
        step();
      }
      now = until;
      happening();
    }
    calm = true;
    for (Run last : List.copyOf(alive)) {
      if (last == run) {
        last.close();
        alive.remove(last);
      }
    }
    stopped = true;
    long limit = now + 300_000 * MILLI;
    while (now < limit && people.stream().anyMatch(person -> !person.closed)) {
      step();
    }
    for (Person person : people) {
      check(person.closed, person.name + " is at " + person.at + " and is not told the end");
      if (person.at != null && !person.told) {
        Run last = runs.get(person.at.epoch());
        check(
            last.truth.size() == person.at.offset(),
            person.name + " ends at " + person.at + " of " + last.truth.size());
      }
    }
    check(
        typed.stream().map(line -> line.substring(line.indexOf(':'))).distinct().count()
            == typed.size(),
        "the guest was given something twice: " + typed);
    return this;
  }

  /** A bug that changes what sessions take. */
  static Bug replies(UnaryOperator<ConsoleHub.Reply> change) {
    return new Bug() {
      @Override
      public ConsoleHub.Reply reply(ConsoleHub.Reply reply, String session) {
        return change.apply(reply);
      }
    };
  }
}
