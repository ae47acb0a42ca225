package dev.troupe.actors.cluster.simulation;

import com.google.protobuf.Message;
import dev.troupe.actors.cluster.logic.Departure;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.RegistryRecord;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.cluster.Wake;
import dev.troupe.proto.spec.VmSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A cluster's life from a seed: a time of faults and commands, then a time of peace. What must hold
 * always is checked after every step, the rest in the end; the first thing that does not ends it.
 *
 * <p>Membership and sharding are Pekko's, and not simulated from inside: the majority removes who
 * has not answered for 8 to 9 s, hears of it within 300 ms, and finds a lost entity's new place
 * half a second later; who is in the minority ends itself some time after.
 */
final class Simulation {
  /** Something that must hold does not. */
  static final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1;

    Broken(String what) {
      super(what);
    }
  }

  static final String REGISTRY = "/registry";
  static final int NODES = 4;
  static final int VMS = 14;
  static final int CORES = 64;

  /** Of a node, at first. */
  static final long MEMORY = 8;

  private static final long HOUR = 3_600_000;
  private static final long REMOVED_AFTER = 8 * SimClock.SECOND;

  final SimClock clock;
  final SimStore store;
  final Bug bug;
  final SimClients clients;

  /** Nodes by index, from 1; the last life of each. */
  final Map<Integer, SimNode> nodes = new TreeMap<>();

  /** Former lives that may not know yet that they are over. */
  private final List<SimNode> ghosts = new ArrayList<>();

  /** The cluster's members, as most of it sees them. */
  private List<HostId> members = new ArrayList<>();

  /** Who is to be a member as soon as all members know that. */
  private final List<HostId> joining = new ArrayList<>();

  private final Map<String, SimNode> places = new LinkedHashMap<>();
  private final Map<HostId, Long> removed = new HashMap<>();

  /** Nodes that are cut off from the others; of the same part they hear each other. */
  private final Set<HostId> cut = new HashSet<>();

  boolean faults = true;
  long changes;
  private long uids = 1;

  Simulation(long seed, Bug bug) {
    this.bug = bug;
    clock = new SimClock(seed);
    store = new SimStore(clock);
    store.forgetful = bug == Bug.FORGETFUL_STORE;
    clients = new SimClients(this);
    List<HostId> first = new ArrayList<>();
    for (int i = 1; i <= NODES; i++) {
      nodes.put(i, new SimNode(this, i, uids++, List.of()));
      first.add(nodes.get(i).id);
    }
    members = first;
    nodes.values().forEach(node -> node.members(first, List.of()));
  }

  /**
   * Lives it.
   *
   * @param seconds of faults and commands
   */
  void run(long seconds) {
    clients.begin(seconds * SimClock.SECOND);
    clock.within(1000, 5000, this::fault);
    until(seconds * SimClock.SECOND);
    peace();
    until(clock.now() + 240 * SimClock.SECOND);
    checkEnd();
    long before = changes;
    until(clock.now() + 60 * SimClock.SECOND);
    if (changes != before) {
      throw new Broken("not quiet: " + (changes - before) + " changes in a minute of peace");
    }
  }

  private void until(long time) {
    while (clock.step(time)) {
      checkAlways();
    }
  }

  // Faults -------------------------------------------------------------------------------------

  private void fault() {
    if (!faults) {
      return;
    }
    clock.within(500, 12_000, this::fault);
    List<SimNode> well = well();
    if (well.isEmpty()) {
      return;
    }
    boolean canLose = 2 * (well.size() - 1) > members.size();
    SimNode victim = well.get(clock.random.nextInt(well.size()));
    switch (clock.random.nextInt(9)) {
      case 0 -> {
        if (canLose) {
          victim.die();
          lost(victim);
        }
      }
      case 1, 2 -> {
        if (canLose) {
          victim.frozen = true;
          clock.within(500, 30_000, victim::thaw);
          lost(victim);
        }
      }
      case 3 -> {
        if (canLose && cut.isEmpty()) {
          cut.add(victim.id);
          lost(victim);
          clock.within(500, 30_000, cut::clear);
        }
      }
      case 4 -> {
        store.down = true;
        clock.within(100, 15_000, () -> store.down = false);
      }
      case 5 -> victim.offer(MEMORY / 2 + clock.random.nextLong(MEMORY));
      case 6 -> victim.setClock(clock.random.nextBoolean() ? HOUR : -HOUR);
      case 7 -> {
        if (canLose) {
          leave(victim);
        }
      }
      default -> rebalance();
    }
  }

  private List<SimNode> well() {
    return nodes.values().stream()
        .filter(n -> n.alive && !n.frozen && members.contains(n.id) && !cut.contains(n.id))
        .toList();
  }

  /** An entity moves, as shards do for no reason that it can see. */
  private void rebalance() {
    if (places.isEmpty()) {
      return;
    }
    List<String> names = new ArrayList<>(places.keySet());
    String name = names.get(clock.random.nextInt(names.size()));
    SimNode place = places.get(name);
    if (well().contains(place)) {
      place.entities.remove(name);
      places.remove(name);
    }
  }

  /** A node does not answer any more: if that lasts the majority removes it. */
  private void lost(SimNode node) {
    clock.after(
        REMOVED_AFTER + clock.random.nextLong(SimClock.SECOND),
        () -> {
          if (unreachable(null, node.id) && members.contains(node.id)) {
            remove(node);
          }
        });
  }

  /**
   * A node is stopped, as an operator does, in so little time that some machines do not get away.
   */
  private void leave(SimNode node) {
    node.leave(Departure.MOVE);
    clock.within(
        1000,
        8000,
        () -> {
          node.here(() -> node.leave(Departure.ASK));
          clock.within(
              500,
              3000,
              () -> {
                node.here(() -> node.leave(Departure.END));
                clock.within(0, 500, () -> gone(node));
              });
        });
  }

  /** It tells the others that it goes, if it can, and its process ends. */
  private void gone(SimNode node) {
    if (!node.alive) {
      return; // the others have found out, or will
    }
    if (node.frozen) {
      clock.within(500, 1000, () -> gone(node)); // it goes on where it was
      return;
    }
    node.die();
    if (members.contains(node.id)) {
      remove(node);
    }
  }

  private void remove(SimNode node) {
    members = new ArrayList<>(members);
    members.remove(node.id);
    removed.put(node.id, clock.now());
    tellMembers();
    ghosts.add(node);
    if (node.alive) {
      clock.within(0, 3000, () -> node.here(() -> end(node))); // finds out by itself
    }
    clock.within(4000, 20_000, () -> restart(node.index));
  }

  private static void end(SimNode node) {
    node.die();
  }

  private void restart(int index) {
    SimNode old = nodes.get(index);
    if (old.alive) {
      clock.within(1000, 3000, () -> restart(index)); // its port is taken
      return;
    }
    if (members.contains(old.id)) {
      return;
    }
    SimNode node = new SimNode(this, index, uids++, List.of());
    nodes.put(index, node);
    joining.add(node.id);
    tellMembers();
    join(node);
  }

  /** A node becomes a member when each member has heard that it joins. */
  private void join(SimNode node) {
    clock.within(
        300,
        600,
        () -> {
          if (members.stream().allMatch(member -> node(member).hasHeardOf(node.id))) {
            joining.remove(node.id);
            members = new ArrayList<>(members);
            members.add(node.id);
            tellMembers();
          } else {
            tellMembers();
            join(node);
          }
        });
  }

  private void tellMembers() {
    List<HostId> now = members;
    List<HostId> coming = List.copyOf(joining);
    for (SimNode node : nodes.values()) {
      if (now.contains(node.id)) {
        clock.within(
            0,
            300,
            () ->
                node.here(
                    () -> {
                      if (members.equals(now) && joining.equals(coming)) {
                        node.members(now, coming);
                      }
                    }));
      }
    }
  }

  private void peace() {
    faults = false;
    store.down = false;
    cut.clear();
    nodes.values().stream().filter(node -> node.frozen).forEach(SimNode::thaw);
    // A drain ends when there is room elsewhere.
    nodes.values().stream().filter(node -> node.alive).forEach(node -> node.offer(MEMORY));
    clients.peace();
  }

  // Network ------------------------------------------------------------------------------------

  /** Whether a host cannot be heard by a node, or by most if that is null. */
  boolean unreachable(SimNode from, HostId to) {
    SimNode node = node(to);
    boolean apart = from == null ? cut.contains(to) : cut.contains(from.id) != cut.contains(to);
    return node == null || !node.alive || node.frozen || (apart && (from == null || from != node));
  }

  private SimNode node(HostId id) {
    for (SimNode node : nodes.values()) {
      if (node.id.equals(id)) {
        return node;
      }
    }
    return ghosts.stream().filter(ghost -> ghost.id.equals(id)).findFirst().orElse(null);
  }

  /** To a node; lost, doubled and delayed as networks do. */
  void send(SimNode from, HostId to, Message message) {
    SimNode node = node(to);
    if (node != null) {
      carry(from, node, () -> node.receive(message));
    }
  }

  private void carry(SimNode from, SimNode to, Runnable arrive) {
    boolean own = from == to;
    if (!own && cut.contains(from.id) != cut.contains(to.id)) {
      return;
    }
    int times = faults && !own ? (clock.chance(0.02) ? 0 : clock.chance(0.02) ? 2 : 1) : 1;
    for (int i = 0; i < times; i++) {
      if (faults && !own && clock.chance(0.005)) {
        clock.within(100, 60_000, () -> to.here(arrive)); // out of order, and of date
      } else {
        clock.within(0, 3, () -> to.here(arrive));
      }
    }
  }

  void toEntity(SimNode from, String name, Message message) {
    SimNode place = place(from, name);
    if (place != null) {
      carry(
          from,
          place,
          () -> {
            SimEntity entity = place.entities.get(name);
            if (entity != null) {
              entity.receive(message);
            }
          });
    }
  }

  void toRegistry(SimNode from, Message message) {
    toEntity(from, REGISTRY, message);
  }

  void wake(SimNode from) {
    toRegistry(from, Wake.getDefaultInstance());
  }

  /** Where an entity is, for one who sends from there; null if nobody can say just now. */
  private SimNode place(SimNode from, String name) {
    SimNode known = places.get(name);
    if (known != null && (members.contains(known.id) || !members.contains(from.id))) {
      return known;
    }
    if (!members.contains(from.id) || cut.contains(from.id)) {
      return null;
    }
    if (known != null && clock.now() - removed.get(known.id) < 500 * SimClock.MILLI) {
      return null;
    }
    List<SimNode> well = well();
    if (well.isEmpty()) {
      return null;
    }
    SimNode place = well.get(clock.random.nextInt(well.size()));
    places.put(name, place);
    place.entities.put(
        name,
        name.equals(REGISTRY) ? new SimEntity.OfRegistry(place) : new SimEntity.OfVm(place, name));
    return place;
  }

  /** A node that clients can speak to; null if there is none. */
  SimNode gate() {
    List<SimNode> well = well();
    return well.isEmpty() ? null : well.get(clock.random.nextInt(well.size()));
  }

  void toClient(SimNode from, String replyTo, Message message) {
    if (!faults || !clock.chance(0.05)) {
      clock.within(0, 3, () -> clients.answered(replyTo, message));
    }
  }

  // What must hold -----------------------------------------------------------------------------

  private List<SimNode> lives() {
    List<SimNode> all = new ArrayList<>(nodes.values());
    ghosts.stream().filter(ghost -> ghost.alive && !nodes.containsValue(ghost)).forEach(all::add);
    return all;
  }

  private void checkAlways() {
    Map<String, SimNode> emitting = new HashMap<>();
    for (SimNode node : lives()) {
      long memory = 0;
      for (SimNode.Machine machine : node.machines.values()) {
        memory += machine.spec.getMemoryBytes();
        if (node.emits(machine)) {
          SimNode other = emitting.put(machine.vm, node);
          if (other != null) {
            throw new Broken(
                "two machines of %s: epoch %d on %s and epoch %d on %s"
                    .formatted(
                        machine.vm,
                        machine.epoch,
                        node.id.getName(),
                        other.machines.get(machine.vm).epoch,
                        other.id.getName()));
          }
        }
      }
      if (memory > node.ceiling()) {
        throw new Broken("above capacity: " + memory + " on " + node.id.getName());
      }
    }
  }

  private void checkEnd() {
    clients.checkAllEnded();
    for (String vm : clients.names()) {
      VmRecord record = (VmRecord) store.read(vm, VmRecord.getDefaultInstance());
      List<SimNode> running =
          nodes.values().stream()
              .filter(node -> node.alive && node.machines.containsKey(vm))
              .toList();
      if (clients.wanted(vm) != null && clients.wanted(vm) != record.getWanted()) {
        throw new Broken(
            vm + ": wanted " + clients.wanted(vm) + " by its commands, not by its record");
      }
      if (!record.getWanted()) {
        if (!running.isEmpty()) {
          throw new Broken(vm + ": runs, and should not");
        }
      } else if (record.hasHost()) {
        boolean there =
            running.size() == 1
                && running.getFirst().id.equals(record.getHost())
                && running.getFirst().machines.get(vm).epoch == record.getEpoch();
        if (!there) {
          throw new Broken(vm + ": lost: should run on " + record.getHost().getName());
        }
      } else if (fitsSomewhere(record.getSpec())) {
        throw new Broken(vm + ": waits though it fits");
      }
    }
  }

  /** A drained node keeps what fits nowhere else, and its drain goes on. */
  boolean waitsForRoom(String node) {
    return nodes.values().stream()
        .filter(one -> one.id.getName().equals(node))
        .flatMap(one -> one.machines.values().stream())
        .anyMatch(machine -> !fitsSomewhere(machine.spec));
  }

  private boolean fitsSomewhere(VmSpec spec) {
    // A drain that was under way when peace came may have been taken after its undrain.
    RegistryRecord registry =
        (RegistryRecord) store.read(REGISTRY, RegistryRecord.getDefaultInstance());
    return nodes.values().stream()
        .filter(node -> node.alive && !registry.getDrainedList().contains(node.id.getName()))
        .anyMatch(
            node ->
                node.machines.values().stream().mapToLong(m -> m.spec.getMemoryBytes()).sum()
                        + spec.getMemoryBytes()
                    <= node.capacity());
  }
}
