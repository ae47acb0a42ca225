package dev.troupe.actors.vmctl;

/** Where this process's machine runs: a local actor system, or a cluster of one node. */
interface MachineHost extends AutoCloseable {
  /** Ends the machine at once; its end is told as every other. */
  void stop();

  @Override
  void close();
}
