package dev.troupe.actors.cluster;

import com.google.protobuf.Message;
import dev.troupe.actors.cluster.logic.Capacity;
import dev.troupe.actors.cluster.logic.Departure;
import dev.troupe.actors.cluster.logic.HostEffect;
import dev.troupe.actors.cluster.logic.HostEffect.Operation;
import dev.troupe.actors.cluster.logic.HostLogic;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.machine.TurnTimes;
import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.actors.wire.WireVersion;
import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.cluster.Chosen;
import dev.troupe.proto.cluster.Drained;
import dev.troupe.proto.cluster.FindConsole;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.QueryNode;
import dev.troupe.proto.cluster.Release;
import dev.troupe.proto.cluster.Report;
import dev.troupe.proto.cluster.VmChanged;
import dev.troupe.proto.cluster.Want;
import dev.troupe.proto.control.VmOutcome;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.runtime.boot.BadImageException;
import dev.troupe.runtime.boot.ImageFiles;
import dev.troupe.runtime.machine.Outcome;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.ActorPath;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/**
 * The one actor of a node that owns the machines running there. What it decides is {@link
 * HostLogic}'s; it makes machines, passes on what is done to them and says what became of them.
 */
public final class HostActor {
  /** How entities find hosts. */
  public static final ServiceKey<Command> KEY = ServiceKey.create(Command.class, "troupe-host");

  /** What a host understands: {@link Wire}, from anywhere, and its node's. */
  public sealed interface Command
      permits Wire, Tick, FromMachine, Prepared, Fenced, Looked, Offering, Leave {}

  /** Time has passed; whether the node's lease is held. */
  record Tick(long nanos, boolean leased) implements Command {}

  private record FromMachine(MachineActor.Event event) implements Command {}

  /** A machine's parts are ready, or could not be had. */
  private record Prepared(String vm, long epoch, MachineParts parts, String failure)
      implements Command {}

  /** Output of a machine was kept back. */
  private record Fenced(String vm, long epoch) implements Command {}

  /** What machines use. */
  private record Looked(MachineMeter.Round round) implements Command {}

  /** The node offers something else from now on. */
  public record Offering(Capacity capacity) implements Command {}

  /**
   * The node is about to go, and its machines before it.
   *
   * @param replyTo told when none runs here any more
   */
  public record Leave(Departure how, ActorRef<Left> replyTo) implements Command {}

  /** No machine runs here any more. */
  public record Left() {}

  /**
   * The node's part in its machines: their outside ends. Called on the host's thread; must not
   * block.
   */
  public interface Backends {
    /** The outside end of a machine's console; empty for one that people attach to. */
    default Optional<ConsoleEnd> console(VmSpec spec) {
      return Optional.empty();
    }

    /** Where faults are injected. */
    default Doors doors(VmSpec spec) {
      return Doors.OPEN;
    }

    /** A machine has ended. */
    default void ended(String name, MachineActor.Ended end) {}

    /** A machine could not be made. */
    default void refused(String name, String reason) {}
  }

  /** A machine, from the wish for it to its end. */
  private static final class Resident {
    final String vm;
    final long epoch;

    /** Null until it is made. */
    ActorRef<MachineActor.Command> actor;

    /** Null until then. */
    MachineMeter.Subject subject;

    /** What is to be done to it when it is. */
    final Deque<Operation> early = new ArrayDeque<>();

    /** How it ended; null before. */
    VmOutcome outcome;

    Resident(String vm, long epoch) {
      this.vm = vm;
      this.epoch = epoch;
    }
  }

  private final ActorContext<Command> context;
  private final HostId self;
  private final Backends backends;
  private final Executor preparing;
  private final EventFeed feed;
  private final HostLogic logic;
  private final ClusterSharding sharding;
  private final ActorRefResolver references;
  private final ActorRef<MachineActor.Event> events;
  private final HostConsoles consoles;
  private final MachineMeter meter;
  private final TurnTimes turnTimes = TurnTimes.ofHost();

  /** Those that are made or being made, by name. */
  private final Map<String, Resident> residents = new HashMap<>();

  /** As the node's last tick said. */
  private boolean leased;

  private ActorRef<Left> leaving;
  private long spawned;

  private HostActor(
      ActorContext<Command> context,
      HostId self,
      NodeSettings settings,
      Lease lease,
      EventFeed feed,
      Backends backends,
      Executor preparing) {
    this.context = context;
    this.self = self;
    this.feed = feed;
    this.backends = backends;
    this.preparing = preparing;
    consoles = new HostConsoles(context, lease, settings.consoleRing());
    logic = new HostLogic(self, ProcessHandle.current().pid(), settings.capacity());
    sharding = ClusterSharding.get(context.getSystem());
    references = ActorRefResolver.get(context.getSystem());
    events = context.messageAdapter(MachineActor.Event.class, FromMachine::new);
    ActorRef<Command> me = context.getSelf();
    meter = new MachineMeter(preparing, round -> me.tell(new Looked(round)));
  }

  /**
   * A node's host.
   *
   * @param lease what consoles look at before they let a byte out
   * @param feed told what happens to the cluster's machines
   * @param preparing where images are read; may block
   */
  static Behavior<Command> create(
      HostId self,
      NodeSettings settings,
      Lease lease,
      EventFeed feed,
      Backends backends,
      Executor preparing) {
    return Behaviors.setup(
        context -> {
          context.getSystem().receptionist().tell(Receptionist.register(KEY, context.getSelf()));
          return new HostActor(context, self, settings, lease, feed, backends, preparing)
              .behavior();
        });
  }

  private Behavior<Command> behavior() {
    return Behaviors.receive(Command.class)
        .onMessage(Wire.class, this::onWire)
        .onMessage(Tick.class, this::onTick)
        .onMessage(Looked.class, this::onLooked)
        .onMessage(Offering.class, offer -> perform(new HostLogic.Offering(offer.capacity())))
        .onMessage(Prepared.class, this::onPrepared)
        .onMessage(Fenced.class, this::onFenced)
        .onMessage(FromMachine.class, this::onEvent)
        .onMessage(Leave.class, this::onLeave)
        .onSignal(ChildFailed.class, this::onFailed)
        .onSignal(Terminated.class, this::onTerminated)
        .build();
  }

  private Behavior<Command> onWire(Wire wire) {
    switch (wire.body()) {
      case Want want -> perform(new HostLogic.Wanted(want));
      case Release release -> perform(new HostLogic.Released(release));
      case Chosen chosen -> perform(new HostLogic.Told(chosen));
      case Bid bid -> perform(new HostLogic.Asked(bid));
      case Drained drained ->
          perform(new HostLogic.Draining(drained.getNodesList().contains(self.getName())));
      case VmChanged changed -> feed.changed(changed.getVm());
      case FindConsole find -> answer(find.getReplyTo(), consoles.found(find.getVm()));
      case QueryNode query -> answer(query.getReplyTo(), info());
      case Message other ->
          context.getLog().warn("not for a host: {}", other.getDescriptorForType());
    }
    return Behaviors.same();
  }

  private Behavior<Command> onTick(Tick tick) {
    if (leased != tick.leased()) {
      leased = tick.leased();
      if (leased) {
        context.getLog().info("the lease is held: machines may run");
      } else {
        context.getLog().warn("the lease has run out: machines stand");
      }
    }
    if (leaving == null) {
      meter.tick(
          tick.nanos(),
          residents.values().stream().map(r -> r.subject).filter(Objects::nonNull).toList());
    }
    return perform(new HostLogic.Tick(tick.nanos(), leased));
  }

  private Behavior<Command> onLooked(Looked message) {
    meter.over(message.round());
    message.round().news().forEach(this::perform);
    return Behaviors.same();
  }

  private Behavior<Command> onFenced(Fenced fenced) {
    context
        .getLog()
        .warn("vm {}: epoch {} wrote without a lease: it ends", fenced.vm(), fenced.epoch());
    return perform(new HostLogic.Fenced(fenced.vm(), fenced.epoch()));
  }

  private NodeInfo info() {
    Capacity capacity = logic.capacity();
    Collection<VmSpec> reserved = logic.reserved();
    NodeInfo.State state = NodeInfo.State.STATE_UP;
    if (logic.leaving()) {
      state = NodeInfo.State.STATE_LEAVING;
    } else if (logic.draining()) {
      state = reserved.isEmpty() ? NodeInfo.State.STATE_DRAINED : NodeInfo.State.STATE_DRAINING;
    }
    return NodeInfo.newBuilder()
        .setName(self.getName())
        .setAddress(self.getAddress())
        .setState(state)
        .setMemoryBytes(capacity.memoryBytes())
        .setMemoryReservedBytes(reserved.stream().mapToLong(VmSpec::getMemoryBytes).sum())
        .setCores(capacity.cores())
        .setCoresReserved(reserved.stream().mapToInt(VmSpec::getCpus).sum())
        .setVms(reserved.size())
        .addAllEngines(capacity.engines().stream().sorted().toList())
        .putAllLabels(capacity.labels())
        .setWireVersion(WireVersion.of(context.getSystem().settings().config()))
        .build();
  }

  private Behavior<Command> perform(HostLogic.Input input) {
    for (HostEffect effect : logic.on(input)) {
      switch (effect) {
        case HostEffect.Spawn spawn -> prepare(spawn);
        case HostEffect.Operate(String vm, long epoch, Operation operation) ->
            operate(vm, epoch, operation);
        case HostEffect.SendReport(Report report) -> toEntity(report.getVm(), report);
        case HostEffect.SendEvict(var evict) -> toEntity(evict.getVm(), evict);
        case HostEffect.SendOffer(String vm, String replyTo, var offer) -> {
          if (replyTo.isEmpty()) {
            toEntity(vm, offer);
          } else {
            answer(replyTo, offer);
          }
        }
        case HostEffect.SendDrainReport(var report) ->
            sharding.entityRefFor(RegistryEntity.KEY, RegistryEntity.ID).tell(new Wire(report));
      }
    }
    return Behaviors.same();
  }

  private void toEntity(String vm, Message message) {
    sharding.entityRefFor(VmEntity.KEY, vm).tell(new Wire(message));
  }

  private void answer(String replyTo, Message message) {
    references.<Wire>resolveActorRef(replyTo).tell(new Wire(message));
  }

  // Machines -----------------------------------------------------------------------------------

  private void prepare(HostEffect.Spawn spawn) {
    residents.put(spawn.vm(), new Resident(spawn.vm(), spawn.epoch()));
    ActorRef<Command> me = context.getSelf();
    preparing.execute(() -> me.tell(prepared(spawn)));
  }

  private static Prepared prepared(HostEffect.Spawn spawn) {
    String vm = spawn.vm();
    long epoch = spawn.epoch();
    try {
      ImageFiles files = OwnersFiles.of(spawn.whose());
      return new Prepared(vm, epoch, MachineParts.prepare(spawn.spec(), files), null);
    } catch (BadImageException | IllegalArgumentException e) {
      return new Prepared(vm, epoch, null, e.getMessage());
    } catch (OutOfMemoryError e) {
      return new Prepared(vm, epoch, null, "no memory for it on this node: " + e.getMessage());
    } catch (RuntimeException e) {
      return new Prepared(vm, epoch, null, e.toString());
    }
  }

  private Behavior<Command> onPrepared(Prepared prepared) {
    String vm = prepared.vm();
    Resident resident = residents.get(vm);
    boolean stopped = resident.early.contains(Operation.STOP);
    if (prepared.parts() == null || stopped) {
      residents.remove(vm);
      if (prepared.parts() != null) {
        prepared.parts().close();
      }
      VmOutcome.Builder outcome = VmOutcome.newBuilder();
      if (stopped) {
        outcome.setKind(VmOutcome.Kind.KIND_STOPPED);
      } else {
        backends.refused(vm, prepared.failure());
        outcome.setKind(VmOutcome.Kind.KIND_REFUSED).setText(prepared.failure());
      }
      end(resident, outcome.build());
      return Behaviors.same();
    }
    spawn(resident, prepared.parts());
    context.getLog().info("vm {}: epoch {} runs here", vm, prepared.epoch());
    return perform(new HostLogic.Ran(vm, prepared.epoch()));
  }

  private void spawn(Resident resident, MachineParts parts) {
    VmSpec spec = parts.spec();
    resident.subject =
        new MachineMeter.Subject(resident.vm, resident.epoch, parts.measure(turnTimes));
    // A name for the path: a machine's own name comes again with each start.
    resident.actor =
        context.spawn(
            MachineActor.create(parts, console(spec, resident.epoch), backends.doors(spec), events),
            "machine-" + spawned++,
            DispatcherSelector.fromConfig(BoardDispatcher.ID));
    context.watch(resident.actor);
    resident.actor.tell(new MachineActor.Resume());
    while (!resident.early.isEmpty()) {
      operate(resident, resident.early.remove());
    }
  }

  private ConsoleEnd console(VmSpec spec, long epoch) {
    ActorRef<Command> me = context.getSelf();
    String vm = spec.getName();
    return backends
        .console(spec)
        .orElseGet(() -> consoles.end(vm, epoch, () -> me.tell(new Fenced(vm, epoch))));
  }

  private void operate(String vm, long epoch, Operation operation) {
    Resident resident = residents.get(vm);
    if (resident == null || resident.epoch != epoch) {
      return; // has ended just now, which is on its way
    }
    if (resident.actor == null) {
      resident.early.add(operation);
    } else {
      operate(resident, operation);
    }
  }

  private void operate(Resident resident, Operation operation) {
    resident.actor.tell(
        switch (operation) {
          case PAUSE -> new MachineActor.Pause(events);
          case RESUME -> new MachineActor.Resume();
          case RESET -> new MachineActor.Reset();
          case STOP -> new MachineActor.Stop();
          case POWER_BUTTON -> new MachineActor.PressPowerButton();
        });
  }

  private Behavior<Command> onEvent(FromMachine message) {
    Resident resident = find(message.event().machine().path());
    if (resident == null) {
      return Behaviors.same();
    }
    switch (message.event()) {
      case MachineActor.StateHash _, MachineActor.Snapshot _, MachineActor.Braked _ -> {} // local
      case MachineActor.Paused _ -> perform(new HostLogic.Stood(resident.vm, resident.epoch));
      case MachineActor.Ended end -> {
        backends.ended(resident.vm, end);
        over(resident, Outcomes.write(end.outcome()));
      }
    }
    return Behaviors.same();
  }

  /**
   * The machine is over for its entity once its actor is gone, too: its memory is the node's again.
   */
  private static void over(Resident resident, VmOutcome outcome) {
    if (resident.outcome == null) {
      resident.outcome = outcome;
    }
  }

  private Behavior<Command> onFailed(ChildFailed failed) {
    Resident resident = find(failed.getRef().path());
    if (resident != null) {
      over(
          resident,
          Outcomes.write(new Outcome.InternalFailure(failed.cause().toString(), failed.cause())));
    }
    return onTerminated(failed);
  }

  private Behavior<Command> onTerminated(Terminated gone) {
    Resident resident = find(gone.getRef().path());
    if (resident != null) {
      residents.remove(resident.vm);
      over(resident, Outcomes.write(new Outcome.InternalFailure("ended without a word", null)));
      end(resident, resident.outcome);
    }
    return Behaviors.same();
  }

  private void end(Resident resident, VmOutcome outcome) {
    context
        .getLog()
        .info("vm {}: epoch {} is over here: {}", resident.vm, resident.epoch, outcome.getKind());
    perform(new HostLogic.Over(resident.vm, resident.epoch, outcome));
    left();
  }

  private Resident find(ActorPath machine) {
    for (Resident resident : residents.values()) {
      if (resident.actor != null && resident.actor.path().equals(machine)) {
        return resident;
      }
    }
    return null;
  }

  // The end ------------------------------------------------------------------------------------

  private Behavior<Command> onLeave(Leave command) {
    leaving = command.replyTo();
    if (!residents.isEmpty()) {
      context.getLog().info("leaving: {} machines here; {}", residents.size(), command.how());
    }
    perform(new HostLogic.Leaving(command.how()));
    left();
    return Behaviors.same();
  }

  private void left() {
    if (leaving != null && residents.isEmpty()) {
      leaving.tell(new Left());
    }
  }
}
