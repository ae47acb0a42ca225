/**
 * What command lines have in common: the terminal, sizes, durations, where the daemon's socket is.
 */
package dev.troupe.actors.cli;
