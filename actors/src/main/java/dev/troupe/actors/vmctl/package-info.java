/** The command line. */
package dev.troupe.actors.vmctl;
