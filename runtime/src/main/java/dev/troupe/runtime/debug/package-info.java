/**
 * Looking at a guest from outside, and moving it: what a debugger of any kind asks of a machine
 * ({@link dev.troupe.runtime.debug.DebugTarget}), and what it sees. Knows no actor and no socket.
 */
package dev.troupe.runtime.debug;
