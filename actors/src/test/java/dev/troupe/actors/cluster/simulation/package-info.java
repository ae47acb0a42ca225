/**
 * A whole cluster in one thread and from one seed: the real entities, hosts, registry and leases
 * ({@code actors.cluster.logic}) on simulated nodes, with a network that drops, doubles and delays,
 * nodes that die, freeze and are cut off, and a store that fails.
 */
package dev.troupe.actors.cluster.simulation;
