package dev.troupe.actors.debug;

import dev.troupe.actors.vcpu.Brake;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Stops;
import dev.troupe.runtime.machine.Position;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A machine that runs for the first time, and so only forwards. */
public final class LiveTarget implements DebugServer.Target {
  private final BrakedMachine machine;
  private final int vcpus;
  private final boolean writable;
  private final Runnable end;

  /** It is going to stand by itself. */
  private boolean waits;

  /** Why it stands; null while it does not. */
  private Stop stands;

  /**
   * A machine that runs, or is about to.
   *
   * @param waits whether its brake is on, so that it stands before its first instruction
   * @param writable whether what is looked at may be changed
   * @param end ends the machine
   */
  public LiveTarget(
      BrakedMachine machine, int vcpus, boolean waits, boolean writable, Runnable end) {
    this.machine = machine;
    this.vcpus = vcpus;
    this.writable = writable;
    this.end = end;
    this.waits = waits;
    if (waits) {
      machine.brake().now();
    }
  }

  @Override
  public int vcpus() {
    return vcpus;
  }

  @Override
  public <T> Optional<T> look(int vcpu, Function<Cpu, T> what) {
    return machine.brake().look(all -> what.apply(all.get(vcpu).cpu));
  }

  @Override
  public boolean writable() {
    return writable;
  }

  @Override
  public boolean reversible() {
    return false;
  }

  @Override
  public void stopAt(List<Long> addresses, List<Stops.Watchpoint> ranges) {
    var _ =
        machine
            .brake()
            .look(
                all -> {
                  all.forEach(vcpu -> vcpu.cpu.stops.set(addresses, ranges));
                  return true;
                });
  }

  @Override
  public Stop halt() {
    if (stands == null) {
      if (!waits) {
        machine.interrupt();
      }
      waits = false;
      stands = stop(machine.await());
    }
    return stands;
  }

  @Override
  public Stop move(Move how) {
    Brake brake = machine.brake();
    brake.release();
    if (how instanceof Step(int vcpu, boolean _)) {
      brake.after(vcpu, 1);
    }
    stands = stop(machine.go());
    return stands;
  }

  /** Goes to the first instruction boundary at which a goal is reached; a deterministic machine. */
  public Stop go(Brake.Goal goal) {
    machine.brake().release();
    machine.brake().at(goal);
    stands = stop(machine.go());
    return stands;
  }

  private Stop stop(BrakedMachine.Stand how) {
    Brake.Cause cause = machine.brake().cause();
    return switch (how) {
      case GONE -> new Stop(NO_VCPU, Reason.GONE, null);
      case PAUSED -> new Stop(NO_VCPU, Reason.INTERRUPTED, null);
      case BRAKED ->
          new Stop(cause.vcpu(), cause.hit() == null ? Reason.TRAP : Reason.HIT, cause.hit());
    };
  }

  @Override
  public void interrupt() {
    machine.interrupt();
  }

  @Override
  public void letGo() {
    stopAt(List.of(), List.of());
    machine.brake().release();
    stands = null;
    machine.release();
  }

  @Override
  public void kill() {
    end.run();
  }

  @Override
  public String position() {
    return machine.brake().position().map(Position::toString).orElse("of a run without positions");
  }
}
