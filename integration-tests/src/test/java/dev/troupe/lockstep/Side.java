package dev.troupe.lockstep;

import dev.troupe.direct.DirectGuest;
import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.machine.DirectMachine;
import dev.troupe.runtime.machine.EventHeap;
import dev.troupe.runtime.machine.SeededNumbers;
import dev.troupe.runtime.snapshot.StateHasher;
import dev.troupe.runtime.snapshot.StatePart;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * One machine of a lockstep run: the whole board with one engine, in virtual time that follows from
 * what its vCPUs have retired, in turns whose lengths follow from a seed. So two of them with the
 * same guest do the same, whatever their engines are, if those are right.
 */
final class Side implements TimeSource, DirectMachine.Console, DirectMachine.Idle, AutoCloseable {
  /** As in the actors' deterministic schedule. */
  private static final long NANOS_PER_UNIT = 8;

  /** 2026-01-01 00:00:00 UTC. */
  private static final long WALL_CLOCK = 1_767_225_600_000_000_000L;

  private static final long NO_LIMIT = Long.MAX_VALUE;

  /**
   * What the last step has run.
   *
   * @param vcpu its index
   * @param granted units that it could use
   * @param failure of the engine itself; null for none
   */
  record Ran(int vcpu, Exit exit, long granted, long used, String failure) {}

  final DirectGuest guest;
  private final List<Engine> engines = new ArrayList<>();
  private final SeededNumbers lengths;
  private final int longest;
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private long retired;
  private long skipped;

  /** The vCPU in its engine now, and the units it was given; null for none. */
  private Cpu inEngine;

  private long granted;

  /** Bound of the next turn. */
  private long limit = NO_LIMIT;

  private Ran last;
  private boolean stuck;

  Side(DirectGuest.Start start, long seed, int longest, Function<Vcpu, Engine> makes) {
    this.longest = longest;
    lengths = new SeededNumbers(seed);
    guest = new DirectGuest(start, WALL_CLOCK, seed, this, this, this, vcpu -> add(vcpu, makes));
  }

  private Engine add(Vcpu vcpu, Function<Vcpu, Engine> makes) {
    Engine engine = makes.apply(vcpu);
    engines.add(engine);
    return (which, slice) -> run(which, engine, slice);
  }

  private Exit run(Vcpu vcpu, Engine engine, long slice) {
    granted = Math.min(Math.min(lengths.upTo(longest), slice), limit);
    limit = NO_LIMIT;
    inEngine = vcpu.cpu;
    Exit exit = null;
    String failure = null;
    try {
      exit = engine.run(vcpu, granted);
      return exit;
    } catch (RuntimeException e) {
      failure = e.toString();
      throw e;
    } finally {
      inEngine = null;
      long used = granted - vcpu.cpu.budget;
      retired += used;
      last = new Ran(vcpu.cpu.apicId, exit, granted, used, failure);
    }
  }

  /** One step; null if no vCPU ran, as all are halted. */
  Ran step() {
    last = null;
    try {
      guest.machine.step();
    } catch (RuntimeException e) {
      if (last == null || last.failure == null) {
        throw e;
      }
    }
    return last;
  }

  /** The next turn has at most so many units. */
  void cut(long units) {
    limit = units;
  }

  /** Runs one instruction of a vCPU, whoever's turn it is. */
  void single(int vcpu) {
    Vcpu which = guest.vcpus.get(vcpu);
    run(which, engines.get(vcpu), 1);
  }

  /** Whether the guest has ended, or nothing can happen any more. */
  boolean ended() {
    return stuck || guest.machine.outcome().isPresent();
  }

  /** How it ended, for people. */
  String end() {
    return guest.machine.outcome().map(Object::toString).orElse(stuck ? "halted for good" : "");
  }

  /** Units that all vCPUs have retired. */
  long retired() {
    return retired;
  }

  List<Engine> engines() {
    return engines;
  }

  /** What the guest has written to its console. */
  String console() {
    return output.toString(StandardCharsets.ISO_8859_1);
  }

  /** Whether a vCPU's state may be looked at. */
  boolean isQuiet(int vcpu) {
    return !guest.vcpus.get(vcpu).cpu.exitsWaiting();
  }

  /** A hash of all of a vCPU but its TLB. */
  long registers(int vcpu) {
    return StateHasher.hash(
        List.of(new StatePart("", v -> guest.vcpus.get(vcpu).state(new WithoutTlb(v)))));
  }

  /** A hash of all vCPUs with their TLBs, and of the devices. */
  long parts() {
    return StateHasher.hash(guest.parts);
  }

  // The machine's surroundings --------------------------------------------------------------------

  @Override
  public long nanos() {
    Cpu cpu = inEngine;
    long units = cpu == null ? retired : retired + granted - cpu.unitsLeft();
    return units * NANOS_PER_UNIT + skipped;
  }

  @Override
  public boolean exact() {
    return true;
  }

  @Override
  public void until(long deadline) {
    if (deadline == EventHeap.NEVER) {
      stuck = true;
    } else {
      skipped += deadline - nanos();
    }
  }

  @Override
  public void output(byte[] bytes) {
    output.writeBytes(bytes);
  }

  @Override
  public byte[] input(int room) {
    return new byte[0];
  }

  @Override
  public void close() {
    guest.close();
  }
}
