package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.Desired;
import dev.troupe.proto.cluster.Registration;
import dev.troupe.proto.cluster.Report.Phase;
import dev.troupe.proto.control.VmOutcome;
import dev.troupe.proto.spec.VmSpec;

/** A machine that is here, or whose end has not been taken note of. */
final class Resident {
  final String vm;
  final long epoch;
  final VmSpec spec;
  final Registration whose;
  Phase phase = Phase.PHASE_STARTING;
  VmOutcome outcome;
  Desired desired = Desired.getDefaultInstance();
  boolean spawned;
  boolean pausing;
  boolean stopping;

  /** The entity is done with it. */
  boolean released;

  int resets;
  int presses;

  /** Which eviction its last one was; 0 for none. */
  long evicted;

  long memoryBytes;
  long processorNanos;

  Resident(String vm, long epoch, VmSpec spec, Registration whose) {
    this.vm = vm;
    this.epoch = epoch;
    this.spec = spec;
    this.whose = whose;
  }

  boolean over() {
    return phase == Phase.PHASE_ENDED;
  }

  void desire(Desired wanted) {
    if (wanted.getVersion() >= desired.getVersion()) {
      desired = wanted;
    }
  }

  /** What is desired, if it is so; else with an earlier version. */
  Desired done() {
    boolean shown =
        (phase == Phase.PHASE_PAUSED && desired.getPaused())
            || (phase == Phase.PHASE_RUNNING && !desired.getPaused() && !pausing);
    boolean all =
        shown
            && !desired.getStop()
            && resets == desired.getResets()
            && presses == desired.getPowerPresses();
    return all ? desired : Desired.getDefaultInstance();
  }
}
