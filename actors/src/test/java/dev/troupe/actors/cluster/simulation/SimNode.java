package dev.troupe.actors.cluster.simulation;

import com.google.protobuf.Message;
import dev.troupe.actors.cluster.logic.Capacity;
import dev.troupe.actors.cluster.logic.Departure;
import dev.troupe.actors.cluster.logic.HostEffect;
import dev.troupe.actors.cluster.logic.HostLogic;
import dev.troupe.actors.cluster.logic.NodeLease;
import dev.troupe.actors.cluster.logic.Surroundings;
import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.cluster.Chosen;
import dev.troupe.proto.cluster.Drained;
import dev.troupe.proto.cluster.Heartbeat;
import dev.troupe.proto.cluster.HeartbeatAck;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Release;
import dev.troupe.proto.cluster.VmChanged;
import dev.troupe.proto.cluster.Want;
import dev.troupe.proto.control.VmOutcome;
import dev.troupe.proto.spec.VmSpec;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One life of a node's process: its host with machines, its lease, and the entities that live
 * there.
 */
final class SimNode implements Surroundings.Hosts {
  static final long LEASE = 4 * SimClock.SECOND;
  private static final long GRACE = LEASE + SimClock.SECOND;
  private static final long TICK = 250 * SimClock.MILLI;

  /** It stays above 0 when it is set back by hours. */
  private static final long TWO_DAYS = 2 * 24 * 3_600_000L;

  /** What a guest does when its power button is pressed. */
  private static final double DEAF = 0.1;

  /** A machine on this node. */
  static final class Machine {
    final String vm;
    final long epoch;
    final VmSpec spec;
    boolean made;
    boolean running;
    boolean stop;

    Machine(String vm, long epoch, VmSpec spec) {
      this.vm = vm;
      this.epoch = epoch;
      this.spec = spec;
    }
  }

  final Simulation world;
  final int index;
  final HostId id;
  final Map<String, SimEntity> entities = new LinkedHashMap<>();
  final Map<String, Machine> machines = new LinkedHashMap<>();
  private final SimClock clock;
  private final HostLogic host;
  private final NodeLease votes;
  private final Map<HostId, Long> removedAt = new HashMap<>();
  private List<HostId> members;
  private List<HostId> heardOf = List.of();
  private long leaseUntil;
  private long capacity = Simulation.MEMORY;
  private long ceiling = Simulation.MEMORY;

  /** Milliseconds by which the wall clock is ahead. */
  private long wall = TWO_DAYS;

  boolean alive = true;
  boolean frozen;
  private final List<Runnable> whileFrozen = new ArrayList<>();
  private int ticks;

  SimNode(Simulation world, int index, long uid, List<HostId> members) {
    this.world = world;
    this.index = index;
    clock = world.clock;
    id =
        HostId.newBuilder()
            .setName("n" + index)
            .setAddress("pekko://sim@127.0.0." + index + ":1")
            .setUid(uid)
            .build();
    host = new HostLogic(id, index, offer());
    votes = new NodeLease(id, LEASE);
    leaseUntil = clock.now() - 1;
    this.members = List.of();
    members(members, List.of());
    clock.after(clock.random.nextLong(TICK), this::tick);
  }

  SimClock clock() {
    return clock;
  }

  private Capacity offer() {
    long memory = world.bug == Bug.CAPACITY ? 2 * capacity : capacity;
    return new Capacity(memory, Simulation.CORES, Set.of("interpreter"), Map.of());
  }

  /** Offers more or less from now on. What is here already stays. */
  void offer(long memory) {
    ceiling = Math.max(memory, Math.max(ceiling, capacity));
    capacity = memory;
    perform(new HostLogic.Offering(offer()));
  }

  long capacity() {
    return capacity;
  }

  /** What may be here: what is offered, or what was here when that became less. */
  long ceiling() {
    long reserved = host.reserved().stream().mapToLong(VmSpec::getMemoryBytes).sum();
    ceiling = Math.max(capacity, Math.min(ceiling, reserved));
    return ceiling;
  }

  /** Does something in this process: not when it is dead, and later when it is frozen. */
  void here(Runnable what) {
    if (!alive) {
      return;
    }
    if (frozen) {
      whileFrozen.add(what);
    } else {
      what.run();
    }
  }

  void thaw() {
    frozen = false;
    List<Runnable> waiting = List.copyOf(whileFrozen);
    whileFrozen.clear();
    // A process that wakes up finds its timers and its messages in any order.
    waiting.forEach(what -> clock.within(0, 50, () -> here(what)));
  }

  void die() {
    alive = false;
    machines.clear();
    entities.clear();
    whileFrozen.clear();
  }

  boolean hasHeardOf(HostId joining) {
    return alive && !frozen && heardOf.contains(joining);
  }

  void leave(Departure how) {
    perform(new HostLogic.Leaving(how));
  }

  /**
   * Hears of the cluster's members.
   *
   * @param joining who is to be one as soon as all members have heard of it
   */
  void members(List<HostId> now, List<HostId> joining) {
    for (HostId member : members) {
      if (!now.contains(member)) {
        removedAt.put(member, clock.now());
      }
    }
    now.forEach(removedAt::remove);
    members = List.copyOf(now);
    heardOf = List.copyOf(joining);
    List<HostId> byAddress = new ArrayList<>(now);
    byAddress.addAll(joining);
    byAddress.sort(Comparator.comparing(HostId::getAddress));
    votes.members(now.contains(id) ? byAddress : List.of());
  }

  @Override
  public List<HostId> present() {
    return members;
  }

  @Override
  public boolean gone(HostId other) {
    long grace = world.bug == Bug.IMPATIENT ? 0 : GRACE;
    if (world.bug == Bug.IMPATIENT && world.unreachable(this, other)) {
      return true;
    }
    if (members.contains(other)) {
      return false;
    }
    return clock.now() - removedAt.computeIfAbsent(other, unseen -> clock.now()) >= grace
        && leased();
  }

  Surroundings surroundings() {
    return new Surroundings(clock.now(), clock.now() / SimClock.MILLI + 1 + wall, this);
  }

  /** The wall clock is set forwards or back. */
  void setClock(long millis) {
    wall += millis;
  }

  boolean leased() {
    return world.bug == Bug.NO_LEASE || clock.now() - leaseUntil < 0;
  }

  /** A byte that the guest writes now would leave the node. */
  boolean emits(Machine machine) {
    return alive && !frozen && machine.made && machine.running && leased();
  }

  private void tick() {
    if (!alive) {
      return;
    }
    clock.after(TICK, () -> here(this::tick));
    leaseUntil = votes.until(clock.now());
    perform(new HostLogic.Tick(clock.now(), leased()));
    for (HostId member : members) {
      if (!member.equals(id)) {
        world.send(this, member, Heartbeat.newBuilder().setFrom(id).setNanos(clock.now()).build());
      }
    }
    List.copyOf(entities.values()).forEach(SimEntity::tick);
    if (ticks++ % 8 == 0 && members.contains(id)) {
      world.wake(this);
    }
  }

  /** A message that has come here. */
  void receive(Message message) {
    switch (message) {
      case Heartbeat heartbeat -> {
        if (members.contains(heartbeat.getFrom())) {
          world.send(
              this,
              heartbeat.getFrom(),
              HeartbeatAck.newBuilder().setFrom(id).setNanos(heartbeat.getNanos()).build());
        }
      }
      case HeartbeatAck ack -> votes.answered(ack.getFrom(), ack.getNanos());
      case Want want -> perform(new HostLogic.Wanted(want));
      case Release release -> perform(new HostLogic.Released(release));
      case Chosen chosen -> perform(new HostLogic.Told(chosen));
      case Bid bid -> perform(new HostLogic.Asked(bid));
      case Drained drained ->
          perform(new HostLogic.Draining(drained.getNodesList().contains(id.getName())));
      case VmChanged _ -> {}
      default -> throw new IllegalStateException("not for a node: " + message);
    }
  }

  private void perform(HostLogic.Input input) {
    for (HostEffect effect : host.on(input)) {
      switch (effect) {
        case HostEffect.Spawn(String vm, long epoch, VmSpec spec, var _) -> spawn(vm, epoch, spec);
        case HostEffect.Operate(String vm, long epoch, HostEffect.Operation operation) ->
            operate(vm, epoch, operation);
        case HostEffect.SendReport(var report) -> world.toEntity(this, report.getVm(), report);
        case HostEffect.SendEvict(var evict) -> world.toEntity(this, evict.getVm(), evict);
        case HostEffect.SendOffer(String vm, String _, var offer) ->
            world.toEntity(this, vm, offer);
        case HostEffect.SendDrainReport(var report) -> world.toRegistry(this, report);
      }
    }
  }

  private void spawn(String vm, long epoch, VmSpec spec) {
    Machine machine = new Machine(vm, epoch, spec);
    machines.put(vm, machine);
    clock.within(
        20,
        800,
        () ->
            here(
                () -> {
                  if (machine.stop || clock.chance(0.02)) {
                    over(machine, VmOutcome.Kind.KIND_REFUSED);
                  } else {
                    machine.made = true;
                    machine.running = true;
                    perform(new HostLogic.Ran(vm, epoch));
                  }
                }));
  }

  private void operate(String vm, long epoch, HostEffect.Operation operation) {
    Machine machine = machines.get(vm);
    if (machine == null || machine.epoch != epoch) {
      return;
    }
    switch (operation) {
      case PAUSE ->
          clock.within(
              0,
              5,
              () ->
                  here(
                      () -> {
                        machine.running = false;
                        perform(new HostLogic.Stood(vm, epoch));
                      }));
      case RESUME -> clock.within(0, 5, () -> here(() -> machine.running = true));
      case RESET -> {}
      case STOP -> {
        machine.stop = true;
        if (machine.made) {
          clock.within(0, 200, () -> here(() -> over(machine, VmOutcome.Kind.KIND_STOPPED)));
        }
      }
      case POWER_BUTTON -> {
        if (!clock.chance(DEAF)) {
          clock.within(100, 3000, () -> here(() -> over(machine, VmOutcome.Kind.KIND_POWERED_OFF)));
        }
      }
    }
  }

  private void over(Machine machine, VmOutcome.Kind how) {
    if (machines.get(machine.vm) == machine) {
      machines.remove(machine.vm);
      perform(
          new HostLogic.Over(
              machine.vm, machine.epoch, VmOutcome.newBuilder().setKind(how).build()));
    }
  }
}
