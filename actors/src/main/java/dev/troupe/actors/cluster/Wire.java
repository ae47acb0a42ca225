package dev.troupe.actors.cluster;

/** A message that may cross nodes: written as protobuf by {@link WireSerializer}. */
public sealed interface Wire permits VmEntity.Remote, HostActor.Remote, VmStatus {}
