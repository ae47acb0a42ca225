package dev.troupe.actors.terminal;

import dev.troupe.actors.console.ConsoleActor;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;

/** Who types at a hub, and what of it the guest has had. */
final class WriterDesk {
  /** Sessions that had the writing and lost it; a late copy of their claim must not get it back. */
  private static final int MAX_PAST = 64;

  private final LongSupplier nanos;
  private final Set<String> past = new LinkedHashSet<>();

  private ActorRef<ConsoleActor.Command> console;

  /** The writer's session, name and address; null for nobody. */
  private ConsoleHub.Claim writer;

  private long heard;

  /** The writer's newest input, and what became of it; null while nothing did. */
  private long newest;

  private ConsoleHub.Reply outcome;

  /** With the guest. It takes one at a time, from whomever. */
  private ConsoleHub.Write given;

  /** Of the present writer, until the guest has taken what it has. */
  private ConsoleHub.Write next;

  private long typed;

  WriterDesk(LongSupplier nanos) {
    this.nanos = nanos;
  }

  long typed() {
    return typed;
  }

  /** The machine takes input. */
  void open(ActorRef<ConsoleActor.Command> opened) {
    console = opened;
  }

  /** The machine takes no more input; what it has not taken is given up. */
  void close(String reason, long epoch) {
    ConsoleHub.Write lost = given;
    ConsoleHub.Write never = next;
    given = null;
    next = null;
    for (ConsoleHub.Write write : new ConsoleHub.Write[] {lost, never}) {
      if (write != null) {
        done(write, new ConsoleHub.NotTaken(write.session(), write.sequence(), epoch, reason));
      }
    }
  }

  void claim(ConsoleHub.Claim claim, long epoch) {
    String session = claim.session();
    if (!isWriter(session)) {
      boolean free =
          writer == null || nanos.getAsLong() - heard > ConsoleHub.WRITER_LAPSES.toNanos();
      if (past.contains(session) || !(free || claim.force())) {
        refuse(session, claim.replyTo());
        return;
      }
      replace(claim);
    }
    writer = claim;
    heard = nanos.getAsLong();
    claim.replyTo().tell(new ConsoleHub.Claimed(session, epoch));
  }

  private void replace(ConsoleHub.Claim claim) {
    if (writer != null) {
      writer.replyTo().tell(new ConsoleHub.NotWriter(writer.session(), claim.who()));
      leave();
    }
    newest = 0;
    outcome = null;
  }

  void release(String session) {
    if (isWriter(session)) {
      leave();
    }
  }

  private void leave() {
    if (past.size() == MAX_PAST) {
      past.remove(past.iterator().next());
    }
    past.add(writer.session());
    writer = null;
    next = null;
  }

  /**
   * Input.
   *
   * @param why it cannot be taken; null if it can
   */
  void write(ConsoleHub.Write write, long epoch, String why) {
    if (!isWriter(write.session())) {
      refuse(write.session(), write.replyTo());
      return;
    }
    heard = nanos.getAsLong();
    if (write.sequence() > newest) {
      newest = write.sequence();
      outcome = null;
      if (why != null) {
        done(write, new ConsoleHub.NotTaken(write.session(), newest, epoch, why));
      } else if (given == null) {
        give(write);
      } else {
        next = write;
      }
    } else if (write.sequence() == newest && outcome != null) {
      write.replyTo().tell(outcome); // the answer was lost
    }
  }

  private void give(ConsoleHub.Write write) {
    given = write;
    console.tell(new ConsoleActor.Input(write.bytes()));
  }

  /** The guest has been given what it had. */
  void taken() {
    if (given == null) {
      return;
    }
    ConsoleHub.Write write = given;
    given = null;
    typed += write.bytes().length;
    done(write, new ConsoleHub.Taken(write.session(), write.sequence()));
    if (next != null) {
      ConsoleHub.Write waited = next;
      next = null;
      give(waited);
    }
  }

  private void done(ConsoleHub.Write write, ConsoleHub.Reply how) {
    if (isWriter(write.session()) && write.sequence() == newest) {
      outcome = how;
    }
    write.replyTo().tell(how);
  }

  private boolean isWriter(String session) {
    return writer != null && writer.session().equals(session);
  }

  private void refuse(String session, ActorRef<ConsoleHub.Reply> replyTo) {
    replyTo.tell(new ConsoleHub.NotWriter(session, writer == null ? "" : writer.who()));
  }
}
