package dev.troupe.actors.cluster;

import dev.troupe.actors.cluster.logic.Placing;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;

/**
 * What the entities of a node share.
 *
 * @param hosts the cluster's hosts, as this node sees them
 * @param registry the one registry
 * @param policy how nodes are chosen
 */
record ClusterParts(
    HostRefs hosts, EntityRef<RegistryEntity.Command> registry, Placing.Policy policy) {}
