package dev.troupe.actors.cluster;

import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BadImageException;
import dev.troupe.runtime.machine.Outcome;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.apache.pekko.actor.ActorPath;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;

/**
 * The one actor of a node that owns the machines running there. It obeys the entity of a machine by
 * epoch: a command of an earlier start than the one it knows changes nothing, the same command
 * twice makes one machine.
 */
public final class HostActor {
  /** How entities find hosts. */
  public static final ServiceKey<Command> KEY = ServiceKey.create(Command.class, "troupe-host");

  /** What a host understands. */
  public sealed interface Command {}

  /** Commands that may come from another node. */
  public sealed interface Remote extends Command, Wire {}

  /** Run this machine, which its spec names, under this epoch. */
  public record Run(long epoch, VmSpec spec) implements Remote {}

  /** Do this to the machine of that name, if it runs under this epoch. */
  public record Operate(String name, long epoch, Operation operation) implements Remote {}

  private record FromMachine(MachineActor.Event event) implements Command {}

  /** What can be done to a machine. */
  public enum Operation {
    PAUSE,
    RESUME,
    STOP,
    POWER_BUTTON
  }

  /**
   * The node's part in its machines: their outside ends. Called on the host's thread; must not
   * block.
   */
  public interface Backends {
    /** The outside end of a machine's console. */
    ConsoleEnd console(VmSpec spec);

    /** Where faults are injected. */
    default Doors doors(VmSpec spec) {
      return Doors.OPEN;
    }

    /** A machine has ended. */
    default void ended(String name, MachineActor.Ended end) {}

    /** A machine could not be made. */
    default void refused(String name, String reason) {}
  }

  /** A machine that runs here, or is about to end. */
  private static final class Resident {
    final String name;
    final long epoch;
    final ActorRef<MachineActor.Command> actor;
    VmState state = VmState.VM_STATE_RUNNING;
    Optional<VmStatus.Ending> ending = Optional.empty();

    /** A later start that waits for this one's end. */
    Run next;

    Resident(String name, long epoch, ActorRef<MachineActor.Command> actor) {
      this.name = name;
      this.epoch = epoch;
      this.actor = actor;
    }

    void end(VmStatus.Ending how) {
      state = VmState.VM_STATE_ENDED;
      ending = Optional.of(how);
    }
  }

  private final ActorContext<Command> context;
  private final Backends backends;
  private final BiConsumer<String, VmEntity.HostReport> entities;
  private final ActorRef<MachineActor.Event> events;
  private final Map<String, Resident> residents = new LinkedHashMap<>();
  private long spawned;

  private HostActor(
      ActorContext<Command> context,
      Backends backends,
      BiConsumer<String, VmEntity.HostReport> entities) {
    this.context = context;
    this.backends = backends;
    this.entities = entities;
    events = context.messageAdapter(MachineActor.Event.class, FromMachine::new);
  }

  /**
   * A node's host.
   *
   * @param entities tells a machine's entity
   */
  public static Behavior<Command> create(
      Backends backends, BiConsumer<String, VmEntity.HostReport> entities) {
    return Behaviors.setup(
        context -> {
          context.getSystem().receptionist().tell(Receptionist.register(KEY, context.getSelf()));
          return new HostActor(context, backends, entities).behavior();
        });
  }

  private Behavior<Command> behavior() {
    return Behaviors.receive(Command.class)
        .onMessage(Run.class, this::onRun)
        .onMessage(Operate.class, this::onOperate)
        .onMessage(FromMachine.class, this::onEvent)
        .onSignal(ChildFailed.class, this::onFailed)
        .onSignal(Terminated.class, this::onTerminated)
        .build();
  }

  private Behavior<Command> onRun(Run run) {
    String name = run.spec().getName();
    Resident resident = residents.get(name);
    if (resident == null) {
      start(run);
    } else if (run.epoch() > resident.epoch) {
      resident.next = run;
      resident.actor.tell(new MachineActor.Stop());
    } else {
      report(resident); // known already, or of the past
    }
    return Behaviors.same();
  }

  private void start(Run run) {
    String name = run.spec().getName();
    MachineParts parts;
    try {
      parts = MachineParts.prepare(run.spec());
    } catch (BadImageException | IllegalArgumentException e) {
      backends.refused(name, e.getMessage());
      entities.accept(
          name,
          new VmEntity.HostReport(
              run.epoch(),
              VmState.VM_STATE_ENDED,
              Optional.of(new VmStatus.Refused(e.getMessage()))));
      return;
    }
    long epoch = run.epoch();
    // A name for the path: a machine's own name may hold anything, and comes again with each start.
    ActorRef<MachineActor.Command> actor =
        context.spawn(
            MachineActor.create(
                parts, backends.console(run.spec()), backends.doors(run.spec()), events),
            "machine-" + spawned++,
            DispatcherSelector.fromConfig(BoardDispatcher.ID));
    context.watch(actor);
    Resident resident = new Resident(name, epoch, actor);
    residents.put(name, resident);
    actor.tell(new MachineActor.Resume());
    report(resident);
  }

  private Behavior<Command> onOperate(Operate command) {
    Resident resident = residents.get(command.name());
    if (resident == null || resident.epoch != command.epoch()) {
      return Behaviors.same();
    }
    switch (command.operation()) {
      case PAUSE -> resident.actor.tell(new MachineActor.Pause(events));
      case RESUME -> {
        resident.actor.tell(new MachineActor.Resume());
        resident.state = VmState.VM_STATE_RUNNING;
        report(resident);
      }
      case STOP -> resident.actor.tell(new MachineActor.Stop());
      case POWER_BUTTON -> resident.actor.tell(new MachineActor.PressPowerButton());
    }
    return Behaviors.same();
  }

  private Behavior<Command> onEvent(FromMachine message) {
    Resident resident = find(message.event().machine().path());
    if (resident == null) {
      return Behaviors.same();
    }
    switch (message.event()) {
      case MachineActor.StateHash _, MachineActor.Snapshot _, MachineActor.Braked _ -> {
        return Behaviors.same(); // of machines in one process only
      }
      case MachineActor.Paused _ -> resident.state = VmState.VM_STATE_PAUSED;
      case MachineActor.Ended end -> {
        resident.end(new VmStatus.Ran(end.outcome()));
        backends.ended(resident.name, end);
      }
    }
    report(resident);
    return Behaviors.same();
  }

  private Behavior<Command> onFailed(ChildFailed failed) {
    Resident resident = find(failed.getRef().path());
    if (resident != null && resident.ending.isEmpty()) {
      Outcome outcome = new Outcome.InternalFailure(failed.cause().toString(), failed.cause());
      resident.end(new VmStatus.Ran(outcome));
      report(resident);
    }
    return onTerminated(failed);
  }

  private Behavior<Command> onTerminated(Terminated gone) {
    Resident resident = find(gone.getRef().path());
    if (resident != null) {
      residents.remove(resident.name);
      if (resident.next != null) {
        start(resident.next);
      }
    }
    return Behaviors.same();
  }

  private Resident find(ActorPath machine) {
    for (Resident resident : residents.values()) {
      if (resident.actor.path().equals(machine)) {
        return resident;
      }
    }
    return null;
  }

  private void report(Resident resident) {
    entities.accept(
        resident.name, new VmEntity.HostReport(resident.epoch, resident.state, resident.ending));
  }
}
