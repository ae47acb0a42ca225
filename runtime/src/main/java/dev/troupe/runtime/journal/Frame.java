package dev.troupe.runtime.journal;

/**
 * Records that are stored as one.
 *
 * @param message number of the last message in it or before it
 * @param place the last place in it or before it
 */
public record Frame(byte[] records, long message, Place place) {}
