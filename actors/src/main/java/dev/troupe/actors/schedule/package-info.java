/**
 * The board queue, turns, the clock and the event heap: who runs when, and in which order messages
 * are handled.
 *
 * <p>A machine's devices exchange messages through one {@link dev.troupe.actors.schedule.Board}.
 * vCPUs run guest code beside it in turns on the node's {@link
 * dev.troupe.actors.schedule.TurnPool}; a vCPU that waits for a device lends its thread to the
 * board.
 */
package dev.troupe.actors.schedule;
