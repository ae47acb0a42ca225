package dev.troupe.actors.terminal;

import dev.troupe.proto.vmd.ConsoleOutput;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;

/** The typing side of a session: claims the writing at a hub, keeps it, and sends what is typed. */
final class Typing {
  private enum State {
    WATCHES,
    CLAIMS,
    WRITES
  }

  private final String session;
  private final String who;
  private final LongSupplier nanos;
  private final Told told;
  private final ActorRef<ConsoleHub.Reply> self;

  private State state;
  private boolean force;
  private ActorRef<ConsoleHub.Command> hub;
  private long epoch;
  private long claimed;
  private String whyNot = "";

  private long sequence;

  /** What was typed and is not taken; null for nothing. */
  private byte[] pending;

  private long sent;

  Typing(
      String session,
      String who,
      boolean write,
      boolean force,
      LongSupplier nanos,
      Told told,
      ActorRef<ConsoleHub.Reply> self) {
    this.session = session;
    this.who = who;
    this.nanos = nanos;
    this.told = told;
    this.self = self;
    state = write ? State.CLAIMS : State.WATCHES;
    this.force = force;
  }

  /** Whether it is known if this session writes. */
  boolean settled() {
    return state != State.CLAIMS;
  }

  boolean writes() {
    return state == State.WRITES;
  }

  /** Why this session does not write; empty if it never wanted to. */
  String whyNot() {
    return whyNot;
  }

  /** There is no machine to type at. */
  void giveUp(String reason) {
    if (state != State.WATCHES) {
      state = State.WATCHES;
      whyNot = reason;
    }
    drop(reason);
  }

  /** The machine is at this hub, under this epoch. */
  void at(ActorRef<ConsoleHub.Command> where, long now) {
    epoch = now;
    if (!where.equals(hub)) {
      boolean moved = hub != null;
      hub = where;
      if (state == State.WATCHES) {
        return;
      }
      if (moved) {
        force = false; // the place at the new hub is free, or somebody was faster
        drop("the machine is at another node");
      }
      state = State.CLAIMS;
      claim();
    }
  }

  /** The machine was started again where it is. */
  void epoch(long now) {
    epoch = Math.max(epoch, now);
  }

  private void claim() {
    claimed = nanos.getAsLong();
    hub.tell(new ConsoleHub.Claim(session, who, force, self));
  }

  /** Somebody types. */
  void input(byte[] bytes) {
    if (state == State.WATCHES) {
      return;
    }
    if (pending != null) {
      told.note("input before the last was taken: " + bytes.length + " bytes ignored");
      return;
    }
    pending = bytes;
    sequence++;
    if (state == State.WRITES) {
      send();
    }
  }

  private void send() {
    sent = nanos.getAsLong();
    hub.tell(new ConsoleHub.Write(session, epoch, sequence, pending, self));
  }

  void tick() {
    if (hub == null || state == State.WATCHES) {
      return;
    }
    long now = nanos.getAsLong();
    long again = state == State.CLAIMS ? Attachment.RETRY : Attachment.KEEP_ALIVE;
    if (now - claimed >= again) {
      claim();
    }
    if (state == State.WRITES && pending != null && now - sent >= Attachment.RETRY) {
      send();
    }
  }

  void handle(ConsoleHub.Claimed message) {
    if (!message.session().equals(session)) {
      return;
    }
    if (message.epoch() < epoch) {
      // From a hub where the machine is no more, or is not yet: asked again at the next tick.
      claimed = nanos.getAsLong() - Attachment.KEEP_ALIVE;
      return;
    }
    if (state == State.WATCHES) {
      hub.tell(new ConsoleHub.Release(session)); // a claim of before, that came late
      return;
    }
    epoch(message.epoch());
    boolean first = state == State.CLAIMS;
    state = State.WRITES;
    force = false;
    if (first && pending != null) {
      send();
    }
  }

  void handle(ConsoleHub.NotWriter message, boolean opened) {
    if (!message.session().equals(session) || state == State.WATCHES) {
      return;
    }
    String other = message.who().isEmpty() ? "nobody" : message.who();
    state = State.WATCHES;
    whyNot = other + " writes";
    pending = null;
    if (opened) {
      told.output(ConsoleOutput.newBuilder().setTakenOver(other).build());
    }
  }

  void handle(ConsoleHub.Taken message) {
    if (isPending(message.session(), message.sequence())) {
      pending = null;
      told.taken(true);
    }
  }

  void handle(ConsoleHub.NotTaken message) {
    if (isPending(message.session(), message.sequence())) {
      epoch(message.epoch());
      drop(message.reason());
    }
  }

  private boolean isPending(String whose, long number) {
    return pending != null && whose.equals(session) && number == sequence;
  }

  private void drop(String reason) {
    if (pending != null) {
      told.note("input of " + pending.length + " bytes is not taken: " + reason);
      pending = null;
      told.taken(false);
    }
  }

  /** Leaves. */
  void release() {
    if (hub != null && state != State.WATCHES) {
      hub.tell(new ConsoleHub.Release(session));
    }
  }
}
