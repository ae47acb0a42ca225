package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.CommandRecord;
import dev.troupe.proto.cluster.Desired;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.cluster.VmStored;
import java.util.List;

/** How stored events change a machine's record. */
public final class VmRecords {
  private VmRecords() {}

  /** The record after an event; a pure function of both. */
  public static VmRecord apply(VmRecord before, VmStored event) {
    VmRecord.Builder after = before.toBuilder().setRevision(before.getRevision() + 1);
    if (event.hasRegistration()) {
      after.setRegistration(event.getRegistration());
    }
    if (event.hasAccepted()) {
      after.addCommands(event.getAccepted());
    }
    if (event.hasSpec()) {
      after.setSpec(event.getSpec());
    }
    if (event.hasWanted()) {
      after.setWanted(event.getWanted());
    }
    if (event.hasAgain()) {
      after.setAgain(event.getAgain());
    }
    if (event.hasDesired()) {
      after.setDesired(event.getDesired());
    }
    if (event.hasPlaced()) {
      after
          .setEpoch(before.getEpoch() + 1)
          .setHost(event.getPlaced())
          .setDesired(Desired.getDefaultInstance())
          .setStarted(false)
          .clearHome()
          .clearOutcome();
    }
    if (!event.getHome().isEmpty()) {
      after.setHome(event.getHome());
    }
    if (event.getStartedMillis() != 0) {
      after.setStarted(true).setStartedMillis(event.getStartedMillis());
    }
    if (event.getClosed()) {
      after.clearHost();
      if (event.hasOutcome()) {
        after.setOutcome(event.getOutcome());
      }
    }
    List<CommandRecord> commands =
        CommandRecords.ended(after.getCommandsList(), event.getResultsList());
    return after.clearCommands().addAllCommands(commands).build();
  }
}
