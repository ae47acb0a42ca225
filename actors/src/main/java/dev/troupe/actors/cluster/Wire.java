package dev.troupe.actors.cluster;

import com.google.protobuf.Message;

/**
 * What crosses nodes to control machines, and what is stored of them: a protobuf message, written
 * by {@link WireSerializer}. Who gets one that is not for it says so in the log and goes on.
 */
public record Wire(Message body)
    implements VmEntity.Command, HostActor.Command, RegistryEntity.Command, NodeActor.Command {}
