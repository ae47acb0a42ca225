package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.DrainReport;
import dev.troupe.proto.cluster.Evict;
import dev.troupe.proto.cluster.Offer;
import dev.troupe.proto.cluster.Registration;
import dev.troupe.proto.cluster.Report;
import dev.troupe.proto.spec.VmSpec;

/** What a host does. Machines are its own; messages may be lost on their way. */
public sealed interface HostEffect {
  /**
   * Make this machine and run it. Told back by {@link HostLogic.Ran} or how it ended.
   *
   * @param whose whose it is; the default if nobody has said
   */
  record Spawn(String vm, long epoch, VmSpec spec, Registration whose) implements HostEffect {}

  /** Do this to a machine; once, as soon as it can be. */
  record Operate(String vm, long epoch, Operation operation) implements HostEffect {}

  /** To a machine's entity. */
  record SendReport(Report report) implements HostEffect {}

  /** To a machine's entity. */
  record SendEvict(Evict evict) implements HostEffect {}

  /** To whoever has asked for it, else to the machine's entity. */
  record SendOffer(String vm, String replyTo, Offer offer) implements HostEffect {}

  /** To the registry. */
  record SendDrainReport(DrainReport report) implements HostEffect {}

  /** What can be done to a machine. */
  enum Operation {
    PAUSE,
    RESUME,
    RESET,
    STOP,
    POWER_BUTTON
  }
}
