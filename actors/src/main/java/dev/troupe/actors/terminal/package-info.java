/**
 * Consoles at a distance: what a machine's serial line puts out is kept on its node by a hub, and
 * read by offset from any node. No actor here is a machine's: its time is the host's.
 */
package dev.troupe.actors.terminal;
