package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.cluster.Chosen;
import dev.troupe.proto.cluster.CommandReply;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Release;
import dev.troupe.proto.cluster.VmStored;
import dev.troupe.proto.cluster.Want;
import dev.troupe.proto.vmd.VmInfo;

/** What an entity does; messages may be lost on their way. */
public sealed interface VmEffect {
  /** Store this; at most one is under way. Ends with {@link VmLogic#stored} or its failure. */
  record Persist(VmStored event) implements VmEffect {}

  /** To a host. */
  record SendWant(Want want) implements VmEffect {}

  /** To a host. */
  record SendRelease(Release release) implements VmEffect {}

  /** To one host. */
  record SendBid(HostId host, Bid bid) implements VmEffect {}

  /** To one host that it has asked. */
  record SendChosen(HostId host, Chosen chosen) implements VmEffect {}

  /** To whoever has sent a command. */
  record Reply(String replyTo, CommandReply reply) implements VmEffect {}

  /** Something that people see of the machine has changed. */
  record Changed(VmInfo vm) implements VmEffect {}

  /** To the registry: whether somebody has to look after the machine if this entity is lost. */
  record Settled(boolean settled) implements VmEffect {}
}
