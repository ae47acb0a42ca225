/**
 * GDB's remote serial protocol, the stub's side, as a pure state machine: bytes in, bytes out. What
 * comes in is hostile until it is parsed.
 */
package dev.troupe.runtime.debug.gdb;
