/** Fault rules: what happens to which messages between a machine's actors, for tests of guests. */
package dev.troupe.actors.fault;
