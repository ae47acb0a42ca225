/**
 * The command line of what a daemon does: a thin process that asks it and ends. Nothing here leads
 * to an actor system or to a machine, so that it starts in a third of a second.
 */
package dev.troupe.actors.client;
