/** The node daemon: its process, its door for vmctl, and what the door asks of the cluster. */
package dev.troupe.actors.vmd;
