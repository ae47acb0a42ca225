package dev.troupe.actors.machine;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.device.DeviceActor;
import dev.troupe.actors.schedule.Boards;
import dev.troupe.actors.schedule.HostTimer;
import dev.troupe.actors.vcpu.VcpuActor;
import dev.troupe.runtime.device.PowerEvent;
import dev.troupe.runtime.machine.Outcome;
import dev.troupe.runtime.machine.Position;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.ActorPath;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * One machine: spawns its actors, and takes it through its life. A machine whose guest ends, or one
 * of whose actors fails, stops alone.
 *
 * <p>Everything that changes the machine as a whole happens at rest: a wish is noted, the vCPUs are
 * asked to pause, which they do within a turn, and when the last has answered the wish is done.
 */
public final class MachineActor {
  /** What a machine understands. */
  public sealed interface Command {}

  /** Power on, or go on after {@link Pause}. */
  public record Resume() implements Command {}

  /**
   * Stand still, the clock included.
   *
   * @param replyTo told when the machine stands
   */
  public record Pause(ActorRef<Event> replyTo) implements Command {}

  /** Press the power button. */
  public record PressPowerButton() implements Command {}

  /** Start anew at once, as the reset button does. */
  public record Reset() implements Command {}

  /** End at once, without asking the guest. */
  public record Stop() implements Command {}

  private record FromVcpu(VcpuActor.Report report) implements Command {}

  private record FromDevice(DeviceActor.Report report) implements Command {}

  private record FromConsole(ConsoleActor.Report report) implements Command {}

  /** Whether the outside is behind with the console's output: the vCPUs are held meanwhile. */
  private record ConsoleBehind(boolean behind) implements Command {}

  /** What a machine tells. */
  public sealed interface Event {
    /** Which one. */
    ActorRef<Command> machine();
  }

  /** The machine stands still. */
  public record Paused(ActorRef<Command> machine) implements Event {}

  /**
   * The machine stands where its {@link dev.troupe.actors.vcpu.Brake} has stopped it, and goes on
   * with {@link Resume}.
   */
  public record Braked(ActorRef<Command> machine) implements Event {}

  /** A deterministic machine's state has this hash. */
  public record StateHash(ActorRef<Command> machine, Position position, long hash)
      implements Event {}

  /**
   * A snapshot was taken, or could not be.
   *
   * @param failure why not; empty if it was
   */
  public record Snapshot(
      ActorRef<Command> machine, Position position, long hash, Path file, Optional<String> failure)
      implements Event {}

  /** The machine has ended, and its actors are about to stop. */
  public record Ended(ActorRef<Command> machine, Outcome outcome, MachineStatistics statistics)
      implements Event {}

  /** Guest code: runs, is asked to pause, or stands. */
  private enum Motion {
    STANDING,
    RUNNING,
    PAUSING
  }

  private final ActorContext<Command> context;
  private final Machine machine;
  private final ActorRef<Event> listener;

  private Motion motion = Motion.STANDING;
  private boolean poweredOn;
  private boolean started;

  /** The operator wants it to run. */
  private boolean wanted;

  /** A vCPU stands in the middle of a turn; until {@link Resume}. */
  private boolean braked;

  private boolean brakedTold;

  /** Nobody takes the console's output fast enough. */
  private boolean consoleBehind;

  private final boolean[] vcpuPaused;
  private final List<ActorRef<Event>> pausers = new ArrayList<>();
  private boolean resetting;
  private Outcome outcome;
  private boolean flushing;

  private MachineActor(ActorContext<Command> context, Machine machine, ActorRef<Event> listener) {
    this.context = context;
    this.machine = machine;
    this.listener = listener;
    vcpuPaused = new boolean[machine.spec().getCpus()];
    Arrays.fill(vcpuPaused, true);
  }

  /**
   * A machine, switched off. To be spawned on {@link dev.troupe.actors.schedule.BoardDispatcher}.
   *
   * @param parts taken over: closed when the machine has stopped
   * @param console the outside end of the serial line
   * @param doors where faults are injected; {@link Doors#OPEN} for none
   * @param listener told how the machine ended
   */
  public static Behavior<Command> create(
      MachineParts parts, ConsoleEnd console, Doors doors, ActorRef<Event> listener) {
    return Behaviors.setup(
        context -> {
          ActorPath path = Adapter.toClassic(context.getSelf()).path();
          var system = context.getSystem().classicSystem();
          Boards boards = Boards.of(system);
          Machine machine =
              Machine.spawn(
                  context,
                  parts,
                  console,
                  doors,
                  HostTimer.of(system),
                  board -> boards.enter(path, board),
                  new Machine.Supervisor(
                      context.messageAdapter(VcpuActor.Report.class, FromVcpu::new),
                      context.messageAdapter(DeviceActor.Report.class, FromDevice::new),
                      context.messageAdapter(ConsoleActor.Report.class, FromConsole::new),
                      behind -> context.getSelf().tell(new ConsoleBehind(behind)),
                      note -> listener.tell(event(context.getSelf(), note))));
          return new MachineActor(context, machine, listener).behavior(boards, path);
        });
  }

  private static Event event(ActorRef<Command> self, QuietPoints.Note note) {
    return switch (note) {
      case QuietPoints.Hash(Position at, long hash) -> new StateHash(self, at, hash);
      case QuietPoints.Saved(Position at, long hash, Path file) ->
          new Snapshot(self, at, hash, file, Optional.empty());
      case QuietPoints.NotSaved(Position at, Path file, String reason) ->
          new Snapshot(self, at, 0, file, Optional.of(reason));
    };
  }

  private Behavior<Command> behavior(Boards boards, ActorPath path) {
    return Behaviors.receive(Command.class)
        .onMessage(Resume.class, this::onResume)
        .onMessage(Pause.class, this::onPause)
        .onMessage(PressPowerButton.class, this::onPowerButton)
        .onMessage(Reset.class, this::onReset)
        .onMessage(Stop.class, stop -> end(new Outcome.Stopped()))
        .onMessage(FromVcpu.class, message -> onVcpu(message.report()))
        .onMessage(FromDevice.class, message -> onDevice(message.report()))
        .onMessage(FromConsole.class, message -> onConsole(message.report()))
        .onMessage(ConsoleBehind.class, this::onConsoleBehind)
        .onSignal(ChildFailed.class, this::onChildFailed)
        .onSignal(Terminated.class, this::onChildStopped)
        .onSignal(
            PostStop.class,
            signal -> {
              // The children have stopped before: no thread is left in guest memory.
              boards.remove(path);
              machine.close();
              return Behaviors.same();
            })
        .build();
  }

  private Behavior<Command> onResume(Resume command) {
    wanted = true;
    braked = false;
    if (!poweredOn) {
      poweredOn = true;
      resetting = true;
    }
    return settle();
  }

  private Behavior<Command> onPause(Pause command) {
    wanted = false;
    pausers.add(command.replyTo());
    return settle();
  }

  private Behavior<Command> onPowerButton(PressPowerButton command) {
    machine.pressPowerButton();
    return Behaviors.same();
  }

  private Behavior<Command> onReset(Reset command) {
    resetting = true;
    return settle();
  }

  private Behavior<Command> onVcpu(VcpuActor.Report report) {
    return switch (report) {
      case VcpuActor.Paused paused -> {
        vcpuPaused[paused.vcpu()] = true;
        yield settle();
      }
      case VcpuActor.Braked _ -> {
        brakedTold &= braked; // several vCPUs may have stopped
        braked = true;
        yield settle();
      }
      case VcpuActor.TripleFault fault -> end(new Outcome.TripleFault(fault.vcpu(), fault.state()));
      case VcpuActor.Broken broken -> end(failed(broken.reason()));
    };
  }

  private Behavior<Command> onDevice(DeviceActor.Report report) {
    return switch (report) {
      case DeviceActor.Broken broken ->
          end(failed("device " + broken.device() + ": " + broken.reason()));
      case DeviceActor.Power(PowerEvent.PowerOff _) -> end(new Outcome.PoweredOff());
      case DeviceActor.Power(PowerEvent.DebugExit(long value)) -> end(new Outcome.DebugExit(value));
      case DeviceActor.Power(PowerEvent.Reset _) -> {
        if (machine.spec().getNoReboot()) {
          yield end(new Outcome.Reset());
        }
        resetting = true;
        yield settle();
      }
    };
  }

  private Behavior<Command> onConsole(ConsoleActor.Report report) {
    return switch (report) {
      case ConsoleActor.Flushed _ -> finish();
      case ConsoleActor.Broken broken -> end(failed("console: " + broken.reason()));
    };
  }

  private Behavior<Command> onConsoleBehind(ConsoleBehind message) {
    consoleBehind = message.behind();
    return settle();
  }

  private Behavior<Command> onChildFailed(ChildFailed failed) {
    machine.childGone(failed.getRef(), vcpuPaused);
    return end(failed(failed.getRef().path().name() + ": " + failed.cause()));
  }

  private Behavior<Command> onChildStopped(Terminated gone) {
    machine.childGone(gone.getRef(), vcpuPaused);
    return end(failed(gone.getRef().path().name() + " stopped by itself"));
  }

  /** What we throw says all in its message; of anything else its kind is what helps. */
  private static String reason(RuntimeException e) {
    return e instanceof IllegalStateException ? e.getMessage() : e.toString();
  }

  private static Outcome failed(String reason) {
    return new Outcome.InternalFailure(reason, null);
  }

  /** The first reason counts. */
  private Behavior<Command> end(Outcome reason) {
    if (outcome == null) {
      outcome = reason;
      machine.closeTurns();
    }
    return settle();
  }

  /** Does what is wished as far as it can be done now; called after each change. */
  private Behavior<Command> settle() {
    boolean run = wanted && !braked && outcome == null && !resetting && !consoleBehind;
    if (motion == Motion.RUNNING && !run) {
      motion = Motion.PAUSING;
      machine.pauseVcpus();
    }
    if (motion == Motion.PAUSING && allPaused()) {
      motion = Motion.STANDING;
      machine.stand(!wanted || braked || outcome != null);
    }
    if (motion != Motion.STANDING) {
      return Behaviors.same();
    }
    return atRest();
  }

  private Behavior<Command> atRest() {
    if (outcome != null) {
      if (!flushing) {
        flushing = true;
        machine.flushConsole();
      }
      return Behaviors.same();
    }
    if (resetting) {
      resetting = false;
      try {
        if (started) {
          machine.reset();
        } else {
          machine.powerOn();
          started = true;
        }
      } catch (RuntimeException e) {
        return end(failed((started ? "reset: " : "power-on: ") + reason(e)));
      }
    }
    if (braked && !brakedTold) {
      brakedTold = true;
      listener.tell(new Braked(context.getSelf()));
    }
    if (wanted && !braked && !consoleBehind) {
      motion = Motion.RUNNING;
      Arrays.fill(vcpuPaused, false);
      machine.go();
    }
    if (!wanted || motion == Motion.RUNNING) {
      // A pause that was taken back meanwhile has still happened.
      pausers.forEach(pauser -> pauser.tell(new Paused(context.getSelf())));
      pausers.clear();
    }
    return Behaviors.same();
  }

  private boolean allPaused() {
    for (boolean paused : vcpuPaused) {
      if (!paused) {
        return false;
      }
    }
    return true;
  }

  private Behavior<Command> finish() {
    context.getLog().debug("machine {} ended: {}", context.getSelf().path().name(), outcome);
    pausers.forEach(pauser -> pauser.tell(new Paused(context.getSelf())));
    machine.ended(outcome);
    listener.tell(new Ended(context.getSelf(), outcome, machine.statistics()));
    return Behaviors.stopped();
  }
}
