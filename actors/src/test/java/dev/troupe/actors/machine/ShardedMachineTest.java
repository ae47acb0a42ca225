package dev.troupe.actors.machine;

/** Machines behind sharded entities, as {@code vmctl run --sharded} has them. */
class ShardedMachineTest extends MachineTest {
  @Override
  TestHost host() {
    return new TestHost.Sharded();
  }
}
