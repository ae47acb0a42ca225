package dev.troupe.actors.cluster.logic;

import com.google.protobuf.Message;
import dev.troupe.proto.cluster.Drained;
import dev.troupe.proto.cluster.RegistryStored;

/** What the registry does; messages may be lost on their way. */
public sealed interface RegistryEffect {
  /** Store this; at most one is under way. */
  record Persist(RegistryStored event) implements RegistryEffect {}

  /** To whoever has asked. */
  record Reply(String replyTo, Message reply) implements RegistryEffect {}

  /** To a machine's entity. */
  record SendEnsure(String vm) implements RegistryEffect {}

  /** To all hosts. */
  record SendDrained(Drained drained) implements RegistryEffect {}
}
