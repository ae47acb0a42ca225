package dev.troupe.actors.cluster.logic;

import dev.troupe.actors.cluster.logic.HostEffect.Operation;
import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.cluster.Chosen;
import dev.troupe.proto.cluster.Desired;
import dev.troupe.proto.cluster.DrainReport;
import dev.troupe.proto.cluster.Evict;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Offer;
import dev.troupe.proto.cluster.Release;
import dev.troupe.proto.cluster.Report;
import dev.troupe.proto.cluster.Report.Phase;
import dev.troupe.proto.cluster.Want;
import dev.troupe.proto.control.VmOutcome;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Explanation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The host of one node: which machines are here, under which epochs, and what was done to them. It
 * never goes back: an epoch that is over here stays over, whatever comes late.
 *
 * <p>Its node's lease says whether machines may run. Without it they stand, and nothing that their
 * guests have written since leaves the node.
 */
public final class HostLogic {
  /** What a host is told. */
  public sealed interface Input {}

  /** From an entity. */
  public record Wanted(Want want) implements Input {}

  /** From an entity. */
  public record Released(Release release) implements Input {}

  /** From an entity, or somebody who is curious. */
  public record Asked(Bid bid) implements Input {}

  /** From an entity: where its machine is to go. */
  public record Told(Chosen chosen) implements Input {}

  /** Of a machine: it has been made, and runs. */
  public record Ran(String vm, long epoch) implements Input {}

  /** Of a machine: it stands. */
  public record Stood(String vm, long epoch) implements Input {}

  /** Of a machine: it has ended, or could not be made. */
  public record Over(String vm, long epoch, VmOutcome outcome) implements Input {}

  /** Who takes nothing, as the registry says. */
  public record Draining(boolean draining) implements Input {}

  /** The node is about to go; so far as is said here, and it never goes back. */
  public record Leaving(Departure how) implements Input {}

  /**
   * Of a machine: something that its guest wrote was kept back, as the node had no lease at that
   * moment. What has been lost cannot be had again, so the machine starts anew.
   */
  public record Fenced(String vm, long epoch) implements Input {}

  /**
   * What a machine uses; told with the next report.
   *
   * @param memoryBytes that the host has given pages to
   * @param processorNanos of its vCPUs
   */
  public record Measured(String vm, long epoch, long memoryBytes, long processorNanos)
      implements Input {}

  /** The node offers something else from now on. */
  public record Offering(Capacity capacity) implements Input {}

  /** Time has passed, or the lease has been lost or had again. */
  public record Tick(long nanos, boolean leased) implements Input {}

  private final HostId self;
  private final long pid;
  private final Map<String, Resident> residents = new LinkedHashMap<>();

  /** The highest epoch of each machine that is over here. */
  private final Map<String, Long> closed =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
          return size() > Limits.TOMBSTONES;
        }
      };

  private final Promises promises = new Promises();
  private final List<HostEffect> effects = new ArrayList<>();
  private Capacity capacity;
  private boolean draining;

  /** Null while the node stays. */
  private Departure leaving;

  /** Counts the machines that were sent away, each time. */
  private long evictions;

  private boolean leased;
  private long nextReport;
  private boolean reported;

  /** A host without machines, and without a lease. */
  public HostLogic(HostId self, long pid, Capacity capacity) {
    this.self = self;
    this.pid = pid;
    this.capacity = capacity;
  }

  /** Handles an input; gives what is to be done, in order. */
  public List<HostEffect> on(Input input) {
    switch (input) {
      case Wanted(Want want) -> onWant(want);
      case Released(Release release) -> onRelease(release);
      case Asked(Bid bid) -> onBid(bid);
      case Told(Chosen chosen) -> {
        promises.forget(chosen.getVm());
        if (chosen.getHost().equals(self) && !residents.containsKey(chosen.getVm())) {
          promises.add(chosen.getVm(), chosen.getSpec());
        }
      }
      case Ran(String vm, long epoch) -> onRan(vm, epoch);
      case Stood(String vm, long epoch) -> onStood(vm, epoch);
      case Over(String vm, long epoch, VmOutcome outcome) -> onOver(vm, epoch, outcome);
      case Draining(boolean now) -> draining = now;
      case Leaving(Departure how) -> onLeaving(how);
      case Fenced(String vm, long epoch) -> {
        Resident resident = find(vm, epoch);
        if (resident != null && !resident.over()) {
          end(resident);
        }
      }
      case Measured(String vm, long epoch, long memoryBytes, long processorNanos) -> {
        Resident resident = find(vm, epoch);
        if (resident != null) {
          resident.memoryBytes = memoryBytes;
          resident.processorNanos = processorNanos;
        }
      }
      case Offering(Capacity now) -> capacity = now;
      case Tick(long nanos, boolean now) -> onTick(nanos, now);
    }
    List<HostEffect> out = List.copyOf(effects);
    effects.clear();
    return out;
  }

  private void onWant(Want want) {
    String vm = want.getVm();
    if (!want.getHost().equals(self)) {
      return; // of an earlier life of this node
    }
    Resident resident = residents.get(vm);
    if (want.getEpoch() <= closed.getOrDefault(vm, 0L)
        || (resident != null && want.getEpoch() < resident.epoch)) {
      report(vm, want.getEpoch(), Phase.PHASE_RELEASED, "");
    } else if (resident == null) {
      admit(want);
    } else if (want.getEpoch() == resident.epoch) {
      resident.desire(want.getDesired());
      drive(resident);
      report(resident);
    } else {
      // The entity has closed the earlier epoch; its next Want finds this one gone.
      end(resident);
    }
  }

  private void admit(Want want) {
    String vm = want.getVm();
    promises.forget(vm);
    List<String> against = shut().map(List::of).orElseGet(() -> room().against(want.getSpec()));
    if (want.getDesired().getStop()) {
      close(vm, want.getEpoch());
      report(vm, want.getEpoch(), Phase.PHASE_RELEASED, "");
    } else if (!against.isEmpty()) {
      close(vm, want.getEpoch());
      report(vm, want.getEpoch(), Phase.PHASE_NO_ROOM, String.join(", ", against));
    } else {
      Resident resident = new Resident(vm, want.getEpoch(), want.getSpec(), want.getRegistration());
      residents.put(vm, resident);
      resident.desire(want.getDesired());
      drive(resident);
      report(resident);
    }
  }

  private void onRelease(Release release) {
    String vm = release.getVm();
    if (!release.getHost().equals(self)) {
      return;
    }
    close(vm, release.getEpoch());
    Resident resident = residents.get(vm);
    if (resident == null || resident.epoch > release.getEpoch()) {
      report(vm, release.getEpoch(), Phase.PHASE_RELEASED, "");
    } else {
      end(resident);
    }
  }

  /** The entity is done with a machine: drops it, once nothing of it runs. */
  private void end(Resident resident) {
    resident.released = true;
    if (resident.over()) {
      forget(resident);
    } else if (resident.spawned && !resident.stopping) {
      resident.stopping = true;
      operate(resident, Operation.STOP);
    } else if (!resident.spawned) {
      forget(resident);
    }
  }

  private void forget(Resident resident) {
    residents.remove(resident.vm);
    close(resident.vm, resident.epoch);
    report(resident.vm, resident.epoch, Phase.PHASE_RELEASED, "");
  }

  private void close(String vm, long epoch) {
    long highest = Math.max(epoch, closed.getOrDefault(vm, 0L));
    closed.remove(vm); // the youngest now
    closed.put(vm, highest);
  }

  private void onBid(Bid bid) {
    Promises.Round round = promises.round(room(), bid);
    Explanation.Score.Builder score = round.score();
    shut()
        .or(
            () ->
                leased ? Optional.empty() : Optional.of("has lost touch with most of the cluster"))
        .ifPresent(reason -> score.setFits(false).clearReasons().addReasons(reason));
    effects.add(
        new HostEffect.SendOffer(
            bid.getVm(),
            bid.getReplyTo(),
            Offer.newBuilder()
                .setRound(bid.getRound())
                .setHost(self)
                .setScore(score.setNode(self.getName()))
                .setPassing(!leased)
                .setOpen(round.open())
                .build()));
  }

  /** Why the node takes nothing at all; empty if it does. */
  private Optional<String> shut() {
    if (draining) {
      return Optional.of("is drained");
    }
    return leaving != null ? Optional.of("is about to go") : Optional.empty();
  }

  private Room room() {
    return new Room(
        capacity, residents.values().stream().filter(r -> !r.over()).map(r -> r.spec).toList());
  }

  private void onRan(String vm, long epoch) {
    Resident resident = find(vm, epoch);
    if (resident != null && !resident.over()) {
      resident.phase = Phase.PHASE_RUNNING;
      drive(resident);
      report(resident);
    }
  }

  private void onStood(String vm, long epoch) {
    Resident resident = find(vm, epoch);
    if (resident != null && !resident.over()) {
      resident.phase = leased ? Phase.PHASE_PAUSED : Phase.PHASE_FROZEN;
      resident.pausing = false;
      drive(resident);
      report(resident);
    }
  }

  private void onOver(String vm, long epoch, VmOutcome outcome) {
    Resident resident = find(vm, epoch);
    if (resident == null) {
      return;
    }
    resident.phase = Phase.PHASE_ENDED;
    resident.outcome = outcome;
    if (resident.released) {
      forget(resident);
    } else {
      report(resident);
    }
  }

  private void onLeaving(Departure how) {
    leaving = how;
    for (Resident resident : List.copyOf(residents.values())) {
      if (how == Departure.END || !resident.spawned) {
        end(resident);
      } else if (how == Departure.ASK && !resident.over() && !resident.released) {
        resident.released = true;
        if (resident.phase != Phase.PHASE_RUNNING) {
          operate(resident, Operation.RESUME);
        }
        if (resident.presses == 0) { // else it was asked when it was sent away
          operate(resident, Operation.POWER_BUTTON);
        }
      }
    }
  }

  private Resident find(String vm, long epoch) {
    Resident resident = residents.get(vm);
    return resident != null && resident.epoch == epoch ? resident : null;
  }

  private void onTick(long nanos, boolean now) {
    boolean changed = leased != now;
    leased = now;
    promises.tick(nanos);
    boolean due = !reported || nanos - nextReport >= 0;
    if (leaving == Departure.MOVE) {
      // Guests have their own time to switch off besides.
      evict(Limits.LEAVING_AT_ONCE);
    } else if (due && leaving == null) {
      evict();
    }
    if (due) {
      reported = true;
      nextReport = nanos + Limits.REPORT_NANOS;
    }
    for (Resident resident : residents.values()) {
      if (changed) {
        drive(resident);
      }
      if (due) {
        report(resident);
      }
    }
  }

  private void evict() {
    if (!draining) {
      return;
    }
    List<Resident> left = residents.values().stream().filter(r -> !r.over()).toList();
    long going = left.stream().filter(HostLogic::goes).count();
    evict(Limits.EVICTED_AT_ONCE - going);
    effects.add(
        new HostEffect.SendDrainReport(
            DrainReport.newBuilder().setNode(self.getName()).setVms(left.size()).build()));
  }

  /** Whether a machine has been asked to switch off, or stopped. */
  private static boolean goes(Resident resident) {
    return resident.released || resident.presses > 0 || resident.stopping;
  }

  /**
   * Sends machines away: those that have waited the longest since they were last sent. One that
   * fits nowhere holds up none of the others.
   */
  private void evict(long count) {
    residents.values().stream()
        .filter(resident -> !resident.over() && !goes(resident))
        .sorted(Comparator.comparingLong(resident -> resident.evicted))
        .limit(Math.max(0, count))
        .forEach(
            resident -> {
              resident.evicted = ++evictions;
              effects.add(
                  new HostEffect.SendEvict(
                      Evict.newBuilder()
                          .setVm(resident.vm)
                          .setEpoch(resident.epoch)
                          .setHost(self)
                          .build()));
            });
  }

  /** Does to a machine what is desired and the lease allows. */
  private void drive(Resident resident) {
    if (resident.over() || resident.released) {
      return;
    }
    Desired desired = resident.desired;
    if (!resident.spawned) {
      if (desired.getStop()) {
        onOver(
            resident.vm,
            resident.epoch,
            VmOutcome.newBuilder().setKind(VmOutcome.Kind.KIND_STOPPED).build());
      } else if (leased) {
        resident.spawned = true;
        effects.add(
            new HostEffect.Spawn(resident.vm, resident.epoch, resident.spec, resident.whose));
      }
      return;
    }
    if (desired.getStop() && !resident.stopping) {
      resident.stopping = true;
      operate(resident, Operation.STOP);
    }
    if (resident.phase == Phase.PHASE_STARTING || resident.stopping) {
      return;
    }
    boolean stand = desired.getPaused() || !leased;
    if (stand && resident.phase == Phase.PHASE_RUNNING && !resident.pausing) {
      resident.pausing = true;
      operate(resident, Operation.PAUSE);
    } else if (!stand && (resident.phase != Phase.PHASE_RUNNING || resident.pausing)) {
      resident.pausing = false;
      resident.phase = Phase.PHASE_RUNNING;
      operate(resident, Operation.RESUME);
    } else if (resident.phase == Phase.PHASE_FROZEN && leased) {
      resident.phase = Phase.PHASE_PAUSED;
    }
    if (resident.resets < desired.getResets()) {
      resident.resets = desired.getResets();
      operate(resident, Operation.RESET);
    }
    if (resident.presses < desired.getPowerPresses()) {
      resident.presses = desired.getPowerPresses();
      operate(resident, Operation.POWER_BUTTON);
    }
  }

  private void operate(Resident resident, Operation operation) {
    effects.add(new HostEffect.Operate(resident.vm, resident.epoch, operation));
  }

  private void report(Resident resident) {
    Report.Builder report =
        Report.newBuilder()
            .setVm(resident.vm)
            .setEpoch(resident.epoch)
            .setHost(self)
            .setPhase(resident.phase)
            .setDone(resident.done())
            .setPid(pid)
            .setCurrentMemoryBytes(resident.memoryBytes)
            .setCpuNanos(resident.processorNanos);
    if (resident.outcome != null) {
      report.setOutcome(resident.outcome);
    }
    effects.add(new HostEffect.SendReport(report.build()));
  }

  private void report(String vm, long epoch, Phase phase, String reason) {
    effects.add(
        new HostEffect.SendReport(
            Report.newBuilder()
                .setVm(vm)
                .setEpoch(epoch)
                .setHost(self)
                .setPhase(phase)
                .setReason(reason)
                .build()));
  }

  /** Names of the machines that are here and not over, with their epochs. */
  public Map<String, Long> live() {
    Map<String, Long> live = new LinkedHashMap<>();
    residents.values().stream().filter(r -> !r.over()).forEach(r -> live.put(r.vm, r.epoch));
    return live;
  }

  /** Settings of the machines for which room is kept. */
  public Collection<VmSpec> reserved() {
    return room().residents();
  }

  /** What the node offers. */
  public Capacity capacity() {
    return capacity;
  }

  /** Whether the node takes nothing until it is undrained. */
  public boolean draining() {
    return draining;
  }

  /** Whether the node is about to go. */
  public boolean leaving() {
    return leaving != null;
  }
}
