package dev.troupe.actors.cluster.simulation;

/**
 * What can be planted, one for each thing that must hold, so that the simulation is seen to find
 * it.
 */
enum Bug {
  /** Nothing is planted. */
  NONE,
  /** A node runs machines without its lease. */
  NO_LEASE,
  /** An entity takes a host for gone as soon as it cannot be reached. */
  IMPATIENT,
  /** An entity that has moved has forgotten the results of its commands. */
  AMNESIA,
  /** The store acknowledges what it has not stored. */
  FORGETFUL_STORE,
  /** Nobody looks after machines whose entity is lost. */
  NO_REGISTRY,
  /** A host takes more than there is. */
  CAPACITY,
  /** Who is drained changes all the time. */
  RESTLESS
}
