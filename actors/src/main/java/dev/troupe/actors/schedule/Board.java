package dev.troupe.actors.schedule;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.dispatch.Envelope;
import org.apache.pekko.dispatch.Mailbox;

/**
 * A machine's one ordered queue of internal messages.
 *
 * <p>A message's place is fixed by the one atomic step that puts it there. Its number is given as
 * it is taken out, by the one thread that drains; so number, handled order and order of sending
 * cannot disagree. Senders push with a single compare-and-set, whence no sender that is descheduled
 * half-way can hold up the drainer.
 *
 * <p>A synchronous exit ({@link #call}) ends when everything that it caused on the board, however
 * indirectly, has been handled. The waiting vCPU drains the board itself if nobody else does: an
 * exit costs tens of nanoseconds, not two thread switches.
 */
public final class Board implements Runnable {
  /**
   * Sees every message just before it is handled: on the draining thread, in order, with gapless
   * numbers from 1.
   */
  @FunctionalInterface
  public interface Recorder {
    /**
     * Looks at one message.
     *
     * @param number the message's number
     * @param from the mailbox of the board actor that sent it; null if somebody else did
     * @param to the addressed actor's mailbox
     * @param message the message itself
     */
    void record(long number, BoardMailbox.Queue from, BoardMailbox.Queue to, Object message);

    /**
     * What is handled in the place of the message that was recorded last.
     *
     * @return the message itself if nothing is to be changed; null if nobody is to handle it: if
     *     somebody waits for it, it has been answered
     */
    default Object instead(Object message) {
      return message;
    }

    /** The message that was recorded last has been handled; what it sent has not. */
    default void handled(Object message) {}
  }

  /**
   * Messages that one exit may cause before the rest are discarded and the exit ends unreplied. Far
   * above what real boards do (a write that moves every line of a PIC: 20), and low enough (about 1
   * ms) that a pause still acts at once.
   */
  public static final int MAX_MESSAGES_PER_EXIT = 10_000;

  /** Messages that a pool thread handles before other machines get their turn. */
  private static final int BATCH = 64;

  /** Messages that a vCPU handles for others before it goes back to its guest. */
  private static final int MORE = 16;

  /**
   * Looks at the slot before parking: a few microseconds, longer than most drains, about as long as
   * a park and unpark.
   */
  private static final int SPIN = 500;

  private static final VarHandle PUSHED;
  private static final VarHandle HOLDER;
  private static final VarHandle KICKED;

  static {
    try {
      var lookup = MethodHandles.lookup();
      PUSHED = lookup.findVarHandle(Board.class, "pushed", Message.class);
      HOLDER = lookup.findVarHandle(Board.class, "holder", Thread.class);
      KICKED = lookup.findVarHandle(Board.class, "kicked", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /**
   * One place in the queue. An envelope of null means: run this mailbox, it has system messages.
   */
  private static final class Message {
    final Mailbox mailbox;
    final BoardMailbox.Queue to;
    final Envelope envelope;
    final ExitSlot cause;
    final BoardMailbox.Queue from;
    Message next;

    Message(
        Mailbox mailbox,
        BoardMailbox.Queue from,
        BoardMailbox.Queue to,
        Envelope envelope,
        ExitSlot cause) {
      this.mailbox = mailbox;
      this.from = from;
      this.to = to;
      this.envelope = envelope;
      this.cause = cause;
    }
  }

  private final ExitSlot[] vcpus;
  private final Recorder recorder;

  /** The node's dispatcher; known with the first actor. */
  private volatile Executor pool;

  /** Messages sent and not yet taken, latest first. */
  private volatile Message pushed;

  /** The one drainer. */
  private volatile Thread holder;

  /** A drain is queued on the pool. */
  private volatile boolean kicked;

  /** Deterministic schedule: drained by call and settle only, never by the pool. */
  private volatile boolean stepped;

  /** The last holder let go with messages taken and not handled. */
  private volatile boolean left;

  // What follows belongs to the holder.
  /** Messages taken and not yet handled, oldest first. */
  private Message todo;

  /** The exit whose consequences are being handled. */
  private ExitSlot cause;

  /** Whose message is being handled; null for none. */
  private BoardMailbox.Queue handling;

  private long number;

  /**
   * Makes the board of one machine.
   *
   * @param vcpus the completion slots of the machine's vCPUs
   * @param recorder sees every message, or null
   */
  public Board(ExitSlot[] vcpus, Recorder recorder) {
    this.vcpus = vcpus.clone();
    this.recorder = recorder;
  }

  void pool(Executor executor) {
    pool = executor;
  }

  /**
   * Switches the deterministic schedule on, on a settled board, or off. While it is on, the pool
   * handles system messages only, and only where nothing else comes before them: they have no
   * number and no part in the machine's run.
   */
  public void stepped(boolean on) {
    stepped = on;
    if (on) {
      while (holder != null) {
        Thread.onSpinWait(); // the pool's last drain; a later one sees the switch
      }
    } else if (pushed != null || left) {
      wake(false);
    }
  }

  /** Messages taken out so far. Exact on a settled board, else a recent value. */
  public long number() {
    return number;
  }

  /** Goes on counting from there: the machine was restored. On a settled board. */
  void number(long handled) {
    number = handled;
  }

  /** True if nobody drains and nothing waits. */
  public boolean settled() {
    return pushed == null && holder == null && !left; // left is written before the holder lets go
  }

  /** Puts a message into its place; from any thread. */
  void send(Mailbox mailbox, BoardMailbox.Queue to, Envelope envelope) {
    boolean inside = holder == Thread.currentThread();
    ExitSlot root = inside ? cause : null;
    if (envelope != null && envelope.message() instanceof ExitSlot.Root r) {
      root = r.exit();
      root.sent = true;
    } else if (root != null) {
      root.open++;
    }
    Message message = new Message(mailbox, inside ? handling : null, to, envelope, root);
    Message latest;
    do {
      latest = pushed;
      message.next = latest;
    } while (!PUSHED.compareAndSet(this, latest, message));
    if (!inside && holder == null) {
      wake(envelope == null); // a holder looks again after letting go
    }
  }

  /**
   * Makes a synchronous exit: returns when all that it caused on the board has been handled. The
   * caller's thread does the work if it can.
   *
   * @param exit the calling vCPU's slot
   * @param tell sends one message that carries {@code exit}
   */
  public void call(ExitSlot exit, Runnable tell) {
    if (holder == Thread.currentThread()) {
      throw new IllegalStateException("a device may not wait for a device");
    }
    exit.begin();
    boolean mine = take();
    try {
      tell.run();
      if (!exit.sent) {
        exit.done =
            true; // the actor is no more: Pekko made a dead letter of it, never to be handled
      } else if (mine) {
        drain(exit);
      }
    } finally {
      if (mine) {
        letGo();
      }
    }
    for (int i = 0; !exit.done; i++) {
      if (take()) {
        try {
          drain(exit);
        } finally {
          letGo();
        }
      } else if (i < SPIN) {
        Thread.onSpinWait();
      } else {
        exit.waiter = Thread.currentThread();
        if (!exit.done && holder != null) {
          LockSupport.park(this);
        }
        exit.waiter = null;
      }
    }
  }

  /**
   * Drains until empty. The deterministic schedule calls it after each turn, and so leaves nothing
   * to the pool.
   */
  public void settle() {
    while (!settled()) {
      if (take()) {
        try {
          while (todo != null || pushed != null) {
            drain(null);
          }
        } finally {
          letGo();
        }
      } else {
        Thread.onSpinWait();
      }
    }
  }

  /**
   * The pool's way in: messages that no waiting vCPU takes (doorbells, the input gate, system
   * messages).
   */
  @Override
  public void run() {
    kicked = false;
    if (take()) {
      try {
        if (stepped) {
          drainSystemMessages();
        } else {
          drain(null);
        }
      } finally {
        letGo();
      }
    }
  }

  private boolean take() {
    return holder == null && HOLDER.compareAndSet(this, null, Thread.currentThread());
  }

  private void letGo() {
    boolean more = todo != null;
    left = more;
    cause = null;
    holder = null;
    if (more || pushed != null) {
      wake(false);
    }
  }

  /**
   * Someone must drain: a vCPU that waits in vain, else the pool. The former first, or waiters
   * could fill the pool.
   *
   * @param system a system message is there, which the pool may handle in any schedule
   */
  private void wake(boolean system) {
    boolean woken = false;
    for (ExitSlot exit : vcpus) {
      Thread waiter = exit.waiter;
      if (waiter != null && !exit.done) {
        LockSupport.unpark(waiter);
        woken = true;
      }
    }
    if (!woken && (!stepped || system) && KICKED.compareAndSet(this, false, true)) {
      pool.execute(this);
    }
  }

  private void drain(ExitSlot until) {
    int left = until == null ? BATCH : MORE;
    while ((until != null && !until.done) || left-- > 0) {
      Message message = next();
      if (message == null) {
        return;
      }
      handle(message);
    }
  }

  private void drainSystemMessages() {
    for (Message message = peek(); message != null && message.envelope == null; message = peek()) {
      handle(next());
    }
  }

  private void handle(Message message) {
    ExitSlot root = message.cause;
    cause = root;
    try {
      if (root != null && ++root.handled > MAX_MESSAGES_PER_EXIT) {
        return; // discarded; the exit ends when all that is queued has been
      }
      if (message.envelope != null) {
        number++;
        if (recorder != null) {
          recorder.record(number, message.from, message.to, message.envelope.message());
        }
      }
      handling = message.to;
      Envelope envelope = instead(message.envelope);
      if (envelope != null || message.envelope == null) {
        message.to.deliver(message.mailbox, envelope);
      }
      if (recorder != null && message.envelope != null) {
        recorder.handled(message.envelope.message());
      }
    } finally {
      handling = null;
      if (root != null && --root.open == 0) {
        root.end();
      }
    }
  }

  /** What is to be handled; null for nothing. */
  @SuppressWarnings("ReferenceEquality") // the very message: an equal one is none of ours to make
  private Envelope instead(Envelope envelope) {
    if (recorder == null || envelope == null) {
      return envelope;
    }
    Object message = recorder.instead(envelope.message());
    if (message == envelope.message()) {
      return envelope;
    }
    return message == null ? null : envelope.copy(message, envelope.sender());
  }

  private Message next() {
    Message message = peek();
    if (message != null) {
      todo = message.next;
    }
    return message;
  }

  private Message peek() {
    if (todo == null) {
      Message taken = (Message) PUSHED.getAndSet(this, null);
      while (taken != null) {
        Message earlier = taken.next;
        taken.next = todo;
        todo = taken;
        taken = earlier;
      }
    }
    return todo;
  }
}
