package dev.troupe.actors.terminal;

import dev.troupe.actors.vmd.ControlException;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.ConsolePlace;
import dev.troupe.proto.vmd.OpenConsole;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * A session at a machine's console, wherever the machine is. It knows one thing for sure: the place
 * up to which its watcher has been told everything. From there it asks on, at one hub after
 * another; an answer counts only if it is about that place.
 */
final class Attachment {
  private static final long SECOND = 1_000_000_000L;

  /** A question that is not answered is asked again after so long, ns. */
  static final long RETRY = 2 * SECOND;

  /** A writer is heard of that often, ns. */
  static final long KEEP_ALIVE = 5 * SECOND;

  /** After so many unanswered questions the machine is looked for. */
  static final int PATIENCE = 3;

  /**
   * An answer that comes later than this after its question is not shown but asked for again, ns.
   * In a process that was frozen, answers of before wait in its queues; who asks anew meets the
   * fence. More than a hub holds a question back, and less than a lease.
   */
  static final long FRESH = 4 * SECOND;

  /** The machine is looked for again after so long, ns. */
  private static final long LOOK_AGAIN = SECOND / 2;

  /** Locators that do not answer for so long are asked again, ns. */
  private static final long LOCATE_TIMEOUT = 5 * SECOND;

  private static final long NEVER = Long.MAX_VALUE;

  private final LongSupplier nanos;
  private final Told told;
  private final ActorRef<ConsoleHub.Reply> self;
  private final String reader;
  private final long scrollback;
  private final Typing typing;

  private ActorRef<ConsoleHub.Command> hub;

  /** All before was told; null before the first hub has said where to begin. */
  private Place place;

  /** The hub says that nothing follows there. */
  private boolean allRead;

  /** The machine is not to run: why; null if it may. */
  private String stopped;

  private boolean opened;
  private boolean done;
  private long credit;

  private long request;

  /** When the questions of this place were asked, by number. */
  private final Map<Long, Long> asked = new LinkedHashMap<>();

  private int unanswered;

  /** When to ask, unless something makes it sooner. */
  private long askAt = NEVER;

  private long locateAt = NEVER;
  private String lastNote = "";

  /**
   * A new session.
   *
   * @param session unlike that of any other
   * @param who for other watchers
   * @param nanos a monotonic clock
   */
  Attachment(
      String session,
      String who,
      OpenConsole open,
      LongSupplier nanos,
      Told told,
      ActorRef<ConsoleHub.Reply> self) {
    this.nanos = nanos;
    this.told = told;
    this.self = self;
    reader = session;
    if (open.hasFrom()) {
      place = new Place(open.getFrom().getEpoch(), open.getFrom().getOffset());
    }
    scrollback = open.getScrollback() < 0 ? Long.MAX_VALUE : open.getScrollback(); // unsigned
    typing =
        new Typing(
            session, who, open.getWrite() || open.getForce(), open.getForce(), nanos, told, self);
  }

  /** Whether nothing follows. */
  boolean done() {
    return done;
  }

  void start() {
    locate();
  }

  private void locate() {
    locateAt = nanos.getAsLong() + LOCATE_TIMEOUT;
    told.locate();
  }

  private void lookLater() {
    locateAt = nanos.getAsLong() + LOOK_AGAIN;
  }

  void request(int chunks) {
    if (done) {
      return;
    }
    boolean waits = credit == 0;
    credit = Math.min(Integer.MAX_VALUE, credit + Math.max(0, chunks));
    if (waits && place != null && asked.isEmpty() && !allRead) {
      ask();
    }
  }

  void input(byte[] bytes) {
    if (done) {
      return;
    }
    typing.input(bytes);
  }

  void leave() {
    typing.release();
    done = true;
  }

  /** Time has passed; called a few times a second. */
  void tick() {
    if (done) {
      return;
    }
    long now = nanos.getAsLong();
    if (now >= locateAt) {
      locate();
    }
    if (now >= askAt && hub != null) {
      if (!asked.isEmpty() && ++unanswered >= PATIENCE) {
        note("the machine's node does not answer");
        if (locateAt == NEVER) {
          locate();
        }
      }
      ask();
    }
    typing.tick();
  }

  private void ask() {
    if (allRead || done || (place != null && (credit == 0 || !opened))) {
      askAt = NEVER;
      return;
    }
    long now = nanos.getAsLong();
    request++;
    asked.put(request, now);
    asked.values().removeIf(at -> now - at > FRESH);
    askAt = now + RETRY;
    hub.tell(
        place == null
            ? new ConsoleHub.Attach(request, scrollback, self)
            : new ConsoleHub.Read(reader, request, place, ConsoleHub.MAX_CHUNK, self));
  }

  /** The question is answered; the next is asked after so long, ns. */
  private void askAfter(long delay) {
    asked.clear();
    askAt = nanos.getAsLong() + delay;
    if (delay == 0) {
      ask();
    }
  }

  /** The same once for each change. */
  private void note(String text) {
    if (!text.equals(lastNote)) {
      lastNote = text;
      told.note(text);
    }
  }

  // What the locator says.

  void located(Locator.Location location) {
    if (done) {
      return;
    }
    locateAt = NEVER;
    switch (location) {
      case Locator.Here here -> here(here);
      case Locator.Waiting(String reason) -> {
        note(reason);
        lookLater();
      }
      case Locator.Stopped stop -> stopped(stop);
    }
  }

  void notLocated(Throwable reason) {
    if (done) {
      return;
    }
    if (reason instanceof ControlException refused
        && refused.kind() != ControlException.Kind.UNAVAILABLE) {
      fail(refused);
      return;
    }
    note("cannot be reached: " + reason.getMessage());
    lookLater();
  }

  private void fail(ControlException reason) {
    typing.release();
    done = true;
    told.failed(reason);
  }

  private void here(Locator.Here here) {
    stopped = null;
    if (hub == null) {
      hub = here.hub();
      typing.at(hub, here.epoch());
      ask();
      open(); // one who only watches, and goes on somewhere, waits for nobody's word
    } else if (here.hub().equals(hub)) {
      if (allRead) { // of an earlier start, or this one's end is not known everywhere yet
        allRead = false;
        askAfter(LOOK_AGAIN);
      }
      typing.epoch(here.epoch());
    } else if (place == null || here.epoch() > place.epoch()) {
      follow(here);
      typing.at(hub, here.epoch());
    } else {
      lookLater(); // the locator is behind
    }
  }

  /** Goes on at another hub, at the beginning of the epoch there. */
  private void follow(Locator.Here here) {
    hub = here.hub();
    if (place != null) {
      if (!allRead) {
        note("output from " + place + " on cannot be read any more");
      }
      note("the machine is at another node now, epoch " + here.epoch());
      place = new Place(here.epoch(), 0);
    }
    allRead = false;
    unanswered = 0;
    askAfter(0);
  }

  private void stopped(Locator.Stopped stop) {
    stopped = stop.reason();
    typing.giveUp(stopped);
    boolean nowhere = hub == null && stop.last().isEmpty();
    boolean elsewhere = stop.last().isPresent() && !stop.last().get().hub().equals(hub);
    if (nowhere || allRead || (unanswered >= PATIENCE && !elsewhere)) {
      if (!nowhere && !allRead && place != null) {
        note("output from " + place + " on cannot be read any more");
      }
      close();
      return;
    }
    stop.last()
        .ifPresent(
            last -> {
              if (hub == null) {
                hub = last.hub();
                ask();
              } else if (!last.hub().equals(hub)
                  && (place == null || last.epoch() > place.epoch())) {
                follow(last);
              }
            });
    open();
  }

  private void close() {
    done = true;
    opened();
    told.output(ConsoleOutput.newBuilder().setClosed(stopped).build());
    told.closed();
  }

  private void open() {
    if (!opened && place != null && typing.settled()) {
      opened();
    }
  }

  private void opened() {
    if (!opened) {
      opened = true;
      var how =
          ConsoleOutput.Opened.newBuilder()
              .setWriter(typing.writes())
              .setText(typing.writes() ? "" : typing.whyNot());
      if (place != null) {
        how.setAt(ConsolePlace.newBuilder().setEpoch(place.epoch()).setOffset(place.offset()));
      }
      told.output(ConsoleOutput.newBuilder().setOpened(how).build());
      if (!done) {
        ask();
      }
    }
  }

  // What hubs say.

  void handle(ConsoleHub.Reply reply) {
    if (done) {
      return;
    }
    switch (reply) {
      case ConsoleHub.Answer answer -> answer(answer);
      case ConsoleHub.Claimed claimed -> typing.handle(claimed);
      case ConsoleHub.NotWriter not -> typing.handle(not, opened);
      case ConsoleHub.Taken taken -> typing.handle(taken);
      case ConsoleHub.NotTaken not -> typing.handle(not);
    }
    open();
  }

  private void answer(ConsoleHub.Answer answer) {
    Long when = asked.get(answer.request());
    if (when == null) {
      return; // about a place where we are no more
    }
    long age = nanos.getAsLong() - when;
    if (age > FRESH) {
      askAfter(0);
      return;
    }
    unanswered = 0;
    switch (answer) {
      case ConsoleHub.Attached(long _, Place at) -> {
        place = at;
        askAfter(0);
      }
      case ConsoleHub.Chunk(long _, Place at, byte[] bytes) when at.equals(place) -> {
        place = place.plus(bytes.length);
        credit--;
        lastNote = "";
        told.chunk(at, bytes);
        askAfter(0);
      }
      case ConsoleHub.Lost(long _, Place at, long bytes) when at.equals(place) -> {
        place = place.plus(bytes);
        told.lost(at, bytes);
        askAfter(0);
      }
      case ConsoleHub.NewEpoch(long _, Place at, long epoch) when at.equals(place) -> {
        place = new Place(epoch, 0);
        typing.epoch(epoch);
        note("the machine started again, epoch " + epoch);
        askAfter(0);
      }
      case ConsoleHub.Closed(long _, Place at) when at.equals(place) -> {
        allRead = true;
        asked.clear();
        askAt = NEVER;
        if (stopped != null) {
          close();
        } else {
          locate();
        }
      }
      case ConsoleHub.Fenced _ -> {
        askAfter(LOOK_AGAIN);
        locate();
      }
      case ConsoleHub.Nothing _ -> askAfter(age >= LOOK_AGAIN ? 0 : LOOK_AGAIN);
      case ConsoleHub.Unknown(long _, Place instead) -> unknown(instead);
      default -> {} // about another place
    }
  }

  private void unknown(Place instead) {
    if (instead.epoch() < place.epoch()) { // that start is not known there yet
      askAfter(LOOK_AGAIN);
      lookLater();
      return;
    }
    note("output from " + place + " on is not kept any more");
    place = instead;
    askAfter(0);
  }
}
