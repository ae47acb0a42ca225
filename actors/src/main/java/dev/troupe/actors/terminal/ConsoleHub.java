package dev.troupe.actors.terminal;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.wire.NodeMessage;
import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * One machine's console on its node, for longer than one run of it. It takes all output at once and
 * keeps the last of it; readers fetch it by {@link Place}, so that none of them can hold up the
 * guest, and a message that is lost or comes twice costs nothing but the time of asking again. Of
 * those who are there one may type.
 *
 * <p>It is to be stopped only when none of its machine's starts runs.
 */
public final class ConsoleHub {
  /** Most bytes of output in one message. */
  public static final int MAX_CHUNK = 32 * 1024;

  /** Most bytes of input in one message. */
  public static final int MAX_INPUT = 4096;

  /** A reader for whom there is nothing is answered after so long, and asks again. */
  static final Duration LONG_POLL = Duration.ofSeconds(1);

  /** A writer who has not been heard of for so long is one no more, if another wants to be. */
  static final Duration WRITER_LAPSES = Duration.ofSeconds(20);

  /** What a hub understands. */
  public sealed interface Command {}

  /** Commands that may come from another node. */
  public sealed interface Remote extends Command, NodeMessage {}

  /**
   * Where is the last of the output? Answered with {@link Attached}, or {@link Nothing} before the
   * machine's first start.
   *
   * @param request named in the answer
   * @param scrollback bytes of what came before that are wanted, as far as they are kept
   */
  public record Attach(long request, long scrollback, ActorRef<Reply> replyTo) implements Remote {}

  /**
   * What is at this place? Answered when there is something, at the latest with {@link Nothing}.
   *
   * @param reader whose earlier question, if it waits, this one replaces
   * @param request named in the answer
   * @param max most bytes that are wanted, 1 to {@link #MAX_CHUNK}
   */
  public record Read(String reader, long request, Place at, int max, ActorRef<Reply> replyTo)
      implements Remote {}

  /**
   * Wants to type, or still does; answered with {@link Claimed} or {@link NotWriter}. To be
   * repeated within {@link #WRITER_LAPSES}.
   *
   * @param session of somebody at a console; one that has lost the writing never gets it again
   * @param who for the others
   * @param force takes the writing from whoever has it
   */
  public record Claim(String session, String who, boolean force, ActorRef<Reply> replyTo)
      implements Remote {}

  /**
   * Types; answered with {@link Taken}, {@link NotTaken} or {@link NotWriter}.
   *
   * @param epoch of the machine that it is meant for
   * @param sequence greater with each new input, the same when it is sent again
   * @param bytes at most {@link #MAX_INPUT}
   */
  public record Write(
      String session, long epoch, long sequence, byte[] bytes, ActorRef<Reply> replyTo)
      implements Remote {}

  /** The writer leaves. */
  public record Release(String session) implements Remote {}

  /** What a hub tells those who read and type. */
  public sealed interface Reply extends NodeMessage {}

  /** What a hub tells a reader, with the number of its question. */
  public sealed interface Answer extends Reply {
    /** The question's number. */
    long request();
  }

  /** Reading begins there. */
  public record Attached(long request, Place at) implements Answer {}

  /** Output. */
  public record Chunk(long request, Place at, byte[] bytes) implements Answer {}

  /** So many bytes from there on are not kept any more. */
  public record Lost(long request, Place at, long bytes) implements Answer {}

  /** All of that epoch was read; this one follows. */
  public record NewEpoch(long request, Place at, long epoch) implements Answer {}

  /** The machine has ended there, and has not been started again here. */
  public record Closed(long request, Place at) implements Answer {}

  /** The machine here may not be the one that counts: ask where it is. */
  public record Fenced(long request) implements Answer {}

  /** Nothing yet; ask again. */
  public record Nothing(long request) implements Answer {}

  /** There is no such place here; this is where reading could go on. */
  public record Unknown(long request, Place instead) implements Answer {}

  /** This session is the writer, of the machine of this epoch. */
  public record Claimed(String session, long epoch) implements Reply {}

  /**
   * This session is not the writer, or not any longer.
   *
   * @param who is; empty for nobody
   */
  public record NotWriter(String session, String who) implements Reply {}

  /** The guest has been given this input. */
  public record Taken(String session, long sequence) implements Reply {}

  /**
   * This input is given up. The guest may have had a part of it, if it ended meanwhile.
   *
   * @param epoch of the machine that would take input now
   */
  public record NotTaken(String session, long sequence, long epoch, String reason)
      implements Reply {}

  /** From the machine's node: asks for the counts. */
  public record Inspect(ActorRef<Counts> replyTo) implements Command {}

  /**
   * What happened since the hub's start.
   *
   * @param written bytes of output that were taken
   * @param overwritten those of them that are not kept any more
   * @param refused bytes that the fence kept back
   * @param typed bytes of input that the guest was given
   * @param waiting readers for whom there is nothing at present
   */
  public record Counts(long written, long overwritten, long refused, long typed, int waiting) {}

  /** The machine's console is open. */
  record Opened(HubEnd end, ActorRef<ConsoleActor.Command> console) implements Command {}

  /** Output of the machine. */
  record Output(HubEnd end, byte[] bytes) implements Command {}

  /** The machine's guest has been given the last input. */
  record InputTaken(HubEnd end) implements Command {}

  /** The machine's console is closed. */
  record Ended(HubEnd end) implements Command {}

  private enum Tick implements Command {
    TICK
  }

  private final HubState state;
  private final TimerScheduler<Command> timers;

  private ConsoleHub(HubState state, TimerScheduler<Command> timers) {
    this.state = state;
    this.timers = timers;
  }

  /**
   * A machine's hub.
   *
   * @param vm the machine's name, for the log
   * @param capacity bytes of output that are kept, 1 or more
   */
  public static Behavior<Command> create(String vm, int capacity) {
    return Behaviors.withTimers(
        timers -> new ConsoleHub(new HubState(vm, capacity, System::nanoTime), timers).behavior());
  }

  /**
   * A machine's outside end at its hub, for one start of it.
   *
   * @param epoch of the start; the hub takes none that is not later than those before
   */
  public static ConsoleEnd end(ActorRef<Command> hub, long epoch, Fence fence) {
    return new HubEnd(hub, epoch, fence);
  }

  private Behavior<Command> behavior() {
    return Behaviors.receive(Command.class)
        .onMessage(Command.class, this::onCommand)
        .onSignal(PostStop.class, this::onStop)
        .build();
  }

  private Behavior<Command> onCommand(Command command) {
    if (command == Tick.TICK) {
      state.tick();
    } else {
      state.handle(command);
    }
    if (state.waiting() > 0 && !timers.isTimerActive(Tick.TICK)) {
      timers.startSingleTimer(Tick.TICK, Tick.TICK, LONG_POLL.dividedBy(2));
    }
    return Behaviors.same();
  }

  private Behavior<Command> onStop(PostStop signal) {
    state.stop();
    return Behaviors.same();
  }
}
