/**
 * Guests that {@code vmctl run} knows by name: fetched from Debian by apt, unpacked, and kept in
 * the user's cache.
 */
package dev.troupe.actors.guest;
