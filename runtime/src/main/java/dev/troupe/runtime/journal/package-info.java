/**
 * The journal of a machine's run: its records, and the file that holds them. Pure format; what
 * records and replays is in the actors.
 */
package dev.troupe.runtime.journal;
