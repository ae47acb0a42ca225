/**
 * Machines in a cluster: a small sharded entity for each, which knows what should run and where,
 * and one host actor per node, whose children the machines are. Moving the entity never moves the
 * machine.
 */
package dev.troupe.actors.cluster;
