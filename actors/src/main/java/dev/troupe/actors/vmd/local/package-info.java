/**
 * A cluster on one machine: its node processes and their store, started and ended by one command.
 */
package dev.troupe.actors.vmd.local;
