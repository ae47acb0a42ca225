package dev.troupe.actors.machine;

import dev.troupe.actors.vcpu.VcpuCounters;
import java.util.List;

/**
 * What a machine has done since power-on.
 *
 * @param vcpus the figures of all vCPUs together
 * @param messages board messages by {@link MessageKind}'s order
 * @param calls board messages for which somebody waited: the vCPUs' exits, and the machine's own
 *     resets
 * @param resets calls that the machine itself has made
 * @param virtualNanos the machine's clock
 * @param states where each vCPU is, for people
 */
public record MachineStatistics(
    VcpuCounters vcpus,
    long[] messages,
    long calls,
    long resets,
    long virtualNanos,
    List<String> states) {
  public MachineStatistics {
    states = List.copyOf(states);
  }

  /** Board messages of this kind. */
  public long messages(MessageKind kind) {
    return messages[kind.ordinal()];
  }
}
