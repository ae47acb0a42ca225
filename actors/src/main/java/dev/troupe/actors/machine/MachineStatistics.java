package dev.troupe.actors.machine;

import dev.troupe.actors.vcpu.VcpuCounters;
import dev.troupe.runtime.engine.EngineCounters;
import dev.troupe.runtime.machine.Position;
import java.util.List;
import java.util.Optional;

/**
 * What a machine has done since power-on.
 *
 * @param vcpus the figures of all vCPUs together
 * @param engine the figures of all engines together
 * @param messages board messages by {@link MessageKind}'s order
 * @param calls board messages for which somebody waited: the vCPUs' exits, and the machine's own
 *     resets
 * @param resets calls that the machine itself has made
 * @param virtualNanos the machine's clock
 * @param stateHash the hash of a deterministic machine's state
 * @param states where each vCPU is, for people
 */
public record MachineStatistics(
    VcpuCounters vcpus,
    EngineCounters engine,
    long[] messages,
    long calls,
    long resets,
    long virtualNanos,
    Optional<StateHash> stateHash,
    List<String> states) {
  /** A deterministic machine's state, where it stands. */
  public record StateHash(Position position, long hash) {}

  public MachineStatistics {
    states = List.copyOf(states);
  }

  /** Board messages of this kind. */
  public long messages(MessageKind kind) {
    return messages[kind.ordinal()];
  }
}
