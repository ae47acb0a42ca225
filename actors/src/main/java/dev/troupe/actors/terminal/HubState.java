package dev.troupe.actors.terminal;

import dev.troupe.actors.console.ConsoleActor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a hub does with a message. */
final class HubState {
  /** Readers that may wait at once; more are answered at once, and have to ask more often. */
  static final int MAX_WAITING = 64;

  private static final Logger LOG = LoggerFactory.getLogger(HubState.class);

  private record Waiting(ConsoleHub.Read read, long since) {}

  private final String vm;
  private final LongSupplier nanos;
  private final ConsoleRing ring;
  private final WriterDesk desk;
  private final Map<String, Waiting> waiting = new LinkedHashMap<>();

  /** Of the newest epoch; null before the first. */
  private HubEnd end;

  private ActorRef<ConsoleActor.Command> console;
  private boolean ended;

  /** A write of the newest epoch was refused: nothing of it is shown any more. */
  private boolean fenced;

  private long refused;

  /**
   * A new hub.
   *
   * @param nanos a monotonic clock
   */
  HubState(String vm, int capacity, LongSupplier nanos) {
    this.vm = vm;
    this.nanos = nanos;
    ring = new ConsoleRing(capacity);
    desk = new WriterDesk(nanos);
  }

  int waiting() {
    return waiting.size();
  }

  void handle(ConsoleHub.Command command) {
    switch (command) {
      case ConsoleHub.Opened(HubEnd opened, var actor) -> opened(opened, actor);
      case ConsoleHub.Output(HubEnd from, byte[] bytes) -> output(from, bytes);
      case ConsoleHub.InputTaken(HubEnd from) -> {
        if (from == end) {
          desk.taken();
        }
      }
      case ConsoleHub.Ended(HubEnd from) -> {
        if (from == end) {
          ended();
        }
      }
      case ConsoleHub.Attach attach -> attach(attach);
      case ConsoleHub.Read read -> read(read);
      case ConsoleHub.Claim claim -> desk.claim(claim, epoch());
      case ConsoleHub.Write write -> desk.write(write, epoch(), whyNoInput(write));
      case ConsoleHub.Release(String session) -> desk.release(session);
      case ConsoleHub.Inspect(var replyTo) ->
          replyTo.tell(
              new ConsoleHub.Counts(
                  ring.written(), ring.overwritten(), refused, desk.typed(), waiting.size()));
      default -> throw new IllegalArgumentException(command.toString());
    }
  }

  private long epoch() {
    return ring.epoch().orElse(0);
  }

  // The machine's side.

  private void opened(HubEnd opened, ActorRef<ConsoleActor.Command> actor) {
    if (ring.epoch().isPresent() && opened.epoch() <= epoch()) {
      // A start of the past: it may end, and is not heard.
      LOG.warn("vm {}: console of epoch {} opened after epoch {}", vm, opened.epoch(), epoch());
      return;
    }
    if (end != null && !ended) {
      ended(); // its close is on its way, and would come too late
    }
    ring.begin(opened.epoch());
    end = opened;
    fenced = false;
    ended = false;
    console = actor;
    desk.open(actor);
    serveAll();
  }

  private void output(HubEnd from, byte[] bytes) {
    if (from == end && !fenced && !from.fence().mayEmit()) {
      fence(bytes.length + " bytes of output");
    }
    if (from == end && !fenced) {
      ring.append(bytes);
    } else {
      refused += bytes.length;
    }
    // Refused bytes are as good as written to the machine, or it could never end.
    (from == end ? console : from.console()).tell(new ConsoleActor.Written(bytes.length));
    serveAll();
  }

  private void fence(String what) {
    fenced = true;
    Place at = ring.end();
    ring.discard(end.epoch());
    LOG.warn("vm {}: refused at {}: {}: {}", vm, at, what, end.fence().reason());
    end.fence().refused();
  }

  private void ended() {
    if (!fenced && !end.fence().mayEmit()) {
      fence("its end");
    }
    ended = true;
    desk.close("the machine has ended", epoch());
    serveAll();
  }

  void stop() {
    if (end != null && !ended) {
      end.hubStopped();
    }
  }

  // The readers' side.

  private void attach(ConsoleHub.Attach attach) {
    attach
        .replyTo()
        .tell(
            ring.epoch().isEmpty()
                ? new ConsoleHub.Nothing(attach.request())
                : new ConsoleHub.Attached(attach.request(), ring.tail(attach.scrollback())));
  }

  private void read(ConsoleHub.Read read) {
    waiting.remove(read.reader());
    if (!serve(read)) {
      if (waiting.size() < MAX_WAITING) {
        waiting.put(read.reader(), new Waiting(read, nanos.getAsLong()));
      } else {
        read.replyTo().tell(new ConsoleHub.Nothing(read.request()));
      }
    }
  }

  /** Answers a reader, unless there is nothing to say yet. */
  private boolean serve(ConsoleHub.Read read) {
    ConsoleHub.Answer answer = answer(read.request(), read.at(), read.max());
    if (answer == null) {
      return false;
    }
    read.replyTo().tell(answer);
    return true;
  }

  private ConsoleHub.Answer answer(long request, Place at, int max) {
    boolean newest = end != null && at.epoch() == end.epoch();
    return switch (ring.read(at, Math.clamp(max, 1, ConsoleHub.MAX_CHUNK))) {
      case ConsoleRing.Bytes(byte[] bytes) ->
          newest && !ended && !end.fence().mayEmit()
              ? new ConsoleHub.Fenced(request)
              : new ConsoleHub.Chunk(request, at, bytes);
      case ConsoleRing.Gone(long bytes) -> new ConsoleHub.Lost(request, at, bytes);
      case ConsoleRing.Next(long epoch) -> new ConsoleHub.NewEpoch(request, at, epoch);
      case ConsoleRing.NoPlace(Place instead) -> new ConsoleHub.Unknown(request, instead);
      case ConsoleRing.End() when ended -> new ConsoleHub.Closed(request, at);
      case ConsoleRing.End() when fenced || (newest && !end.fence().mayEmit()) ->
          new ConsoleHub.Fenced(request);
      case ConsoleRing.End() -> null;
    };
  }

  private void serveAll() {
    if (!waiting.isEmpty()) {
      waiting.values().removeIf(one -> serve(one.read()));
    }
  }

  /** Those who have waited long enough are told so. */
  void tick() {
    long latest = nanos.getAsLong() - ConsoleHub.LONG_POLL.toNanos();
    List<String> done = new ArrayList<>();
    waiting.forEach(
        (reader, one) -> {
          if (serve(one.read())) { // a fence may have fallen
            done.add(reader);
          } else if (one.since() <= latest) {
            one.read().replyTo().tell(new ConsoleHub.Nothing(one.read().request()));
            done.add(reader);
          }
        });
    done.forEach(waiting::remove);
  }

  // The writer's side.

  /** Why the machine takes no input; null if it does. */
  private String whyNoInput(ConsoleHub.Write write) {
    if (end == null || ended) {
      return "the machine does not run";
    }
    if (write.epoch() != epoch()) {
      return "meant for epoch " + write.epoch() + ", the machine runs under " + epoch();
    }
    if (fenced || !end.fence().mayEmit()) {
      return end.fence().reason();
    }
    if (write.bytes().length > ConsoleHub.MAX_INPUT) {
      return write.bytes().length + " bytes, expected at most " + ConsoleHub.MAX_INPUT;
    }
    return null;
  }
}
