package dev.troupe.actors.schedule;

import com.typesafe.config.Config;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.DeadLetter;
import org.apache.pekko.dispatch.Envelope;
import org.apache.pekko.dispatch.Mailbox;
import org.apache.pekko.dispatch.MailboxType;
import org.apache.pekko.dispatch.MessageQueue;
import org.apache.pekko.dispatch.ProducesMessageQueue;
import scala.Option;

/**
 * Mailbox of a machine's board actors: holds only what the board hands it, that is one message at a
 * time.
 */
public final class BoardMailbox implements MailboxType, ProducesMessageQueue<BoardMailbox.Queue> {
  /** Name of the mailbox in the configuration. */
  public static final String ID = "troupe.board-mailbox";

  /** Called by Pekko. */
  public BoardMailbox(ActorSystem.Settings settings, Config config) {}

  @Override
  public MessageQueue create(Option<ActorRef> owner, Option<ActorSystem> system) {
    ActorRef self = owner.get();
    Board board = Boards.of(system.get()).at(self.path().parent());
    if (board == null) {
      throw new IllegalStateException("no board for " + self.path());
    }
    return new Queue(board, self, system.get().deadLetters());
  }

  /** The one message that the actor is about to handle. */
  public static final class Queue implements MessageQueue {
    private final Board board;
    private final ActorRef owner;
    private final ActorRef deadLetters;
    private Envelope now; // the drainer's

    private Queue(Board board, ActorRef owner, ActorRef deadLetters) {
      this.board = board;
      this.owner = owner;
      this.deadLetters = deadLetters;
    }

    Board board() {
      return board;
    }

    /** The name of the actor whose mailbox this is, unique in its machine. */
    public String name() {
      return owner.path().name();
    }

    /**
     * Runs Pekko's mailbox over this one message. What it leaves was for an actor that has stopped,
     * or has failed and is about to be stopped.
     */
    void deliver(Mailbox mailbox, Envelope envelope) {
      now = envelope;
      try {
        mailbox.run();
      } finally {
        Envelope left = dequeue();
        if (left != null) {
          deadLetters.tell(new DeadLetter(left.message(), left.sender(), owner), left.sender());
        }
      }
    }

    @Override
    public Envelope dequeue() {
      Envelope envelope = now;
      now = null;
      return envelope;
    }

    /** Always false: Pekko must never queue the mailbox by itself; see {@link #deliver}. */
    @Override
    public boolean hasMessages() {
      return false;
    }

    @Override
    public int numberOfMessages() {
      return 0;
    }

    @Override
    public void enqueue(ActorRef receiver, Envelope envelope) {
      throw new IllegalStateException("board mailbox on a foreign dispatcher: " + owner.path());
    }

    @Override
    public void cleanUp(ActorRef stopped, MessageQueue dead) {}
  }
}
