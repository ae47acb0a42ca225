package dev.troupe.actors.machine;

/** Machines in a local actor system, as {@code vmctl run} has them. */
class LocalMachineTest extends MachineTest {
  @Override
  TestHost host() {
    return new TestHost.Local();
  }
}
