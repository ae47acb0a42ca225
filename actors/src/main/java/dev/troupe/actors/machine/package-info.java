/**
 * A machine's supervisor and life cycle: the same whether the command line or a cluster's host
 * spawns it.
 */
package dev.troupe.actors.machine;
