/**
 * Machines that somebody looks at from outside: moved by instructions, forwards and, where they are
 * replays, backwards; and the socket that GDB connects to. None of it is part of a machine.
 */
package dev.troupe.actors.debug;
