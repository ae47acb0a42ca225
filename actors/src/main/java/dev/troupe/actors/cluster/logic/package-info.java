/**
 * What entities, hosts and nodes of a cluster decide, as state machines: messages and time in,
 * effects out. No actor, clock, thread or store of their own, so that a simulation can drive a
 * whole cluster of them from one seed; the actors around are thin.
 */
package dev.troupe.actors.cluster.logic;
