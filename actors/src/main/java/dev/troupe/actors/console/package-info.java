/** Consoles: the serial line's backend, and the input gate for what is typed. */
package dev.troupe.actors.console;
