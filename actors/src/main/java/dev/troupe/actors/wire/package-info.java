/** What crosses nodes and is not stored: registered classes, their numbers, their form. */
package dev.troupe.actors.wire;
