package dev.troupe.actors.machine;

import dev.troupe.proto.spec.Deterministic;
import dev.troupe.proto.spec.VmSpec;

/** Machines that follow the deterministic schedule: nothing else about them is different. */
class DeterministicMachineTest extends MachineTest {
  @Override
  TestHost host() {
    return new TestHost.Local();
  }

  @Override
  int typedBytes() {
    return 300; // 10,000 instructions each
  }

  @Override
  VmSpec.Builder common(VmSpec.Builder spec) {
    return spec.setDeterministic(Deterministic.newBuilder().setSeed(7));
  }
}
