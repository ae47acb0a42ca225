package dev.troupe.actors.cluster.logic;

import java.util.Map;
import java.util.Set;

/**
 * What a node offers to machines.
 *
 * @param memoryBytes of all machines together
 * @param cores vCPUs of all machines together; more than the host's own where they are shared
 * @param engines names of {@link dev.troupe.proto.spec.EngineKind}s without their prefix, lower
 *     case
 * @param labels what machines may ask for
 */
public record Capacity(
    long memoryBytes, int cores, Set<String> engines, Map<String, String> labels) {}
