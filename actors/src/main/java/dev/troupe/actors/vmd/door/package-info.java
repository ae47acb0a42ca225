/**
 * The daemon's door: gRPC on a Unix socket. What comes in is hostile until it has passed here; what
 * stands behind is {@link dev.troupe.actors.vmd.Control}.
 */
package dev.troupe.actors.vmd.door;
