/** Records the run of a machine, and replays it. */
package dev.troupe.actors.journal;
