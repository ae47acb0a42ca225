package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.Report;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.vmd.VmInfo;
import java.util.Optional;

/** A machine as people see it. */
final class VmView {
  private VmView() {}

  static VmInfo of(String name, VmRecord record, Optional<Report> seen, Optional<String> waits) {
    VmInfo.Builder info =
        VmInfo.newBuilder()
            .setId(record.getRegistration().getId())
            .setName(name)
            .setOwner(record.getRegistration().getOwner())
            .setOwnerUid(record.getRegistration().getOwnerUid())
            .setState(state(record, seen))
            .setEpoch(record.getEpoch())
            .setSpec(record.getSpec())
            .setStartedMillis(record.getStartedMillis());
    if (record.hasHost()) {
      info.setNode(record.getHost().getName());
      seen.ifPresent(
          report ->
              info.setPid(report.getPid())
                  .setCurrentMemoryBytes(report.getCurrentMemoryBytes())
                  .setCpuNanos(report.getCpuNanos()));
      return info.build();
    }
    info.setNode(record.getHome());
    if (record.getWanted()) {
      info.setReason(waits.orElse(""));
    } else if (record.hasOutcome()) {
      info.setOutcome(record.getOutcome()).setReason(record.getOutcome().getText());
    }
    return info.build();
  }

  private static VmState state(VmRecord record, Optional<Report> seen) {
    if (!record.hasHost()) {
      return record.getWanted() ? VmState.VM_STATE_WAITING : VmState.VM_STATE_ENDED;
    }
    if (!record.getWanted() || record.getAgain()) {
      return VmState.VM_STATE_STOPPING;
    }
    return switch (seen.map(Report::getPhase).orElse(Report.Phase.PHASE_UNSPECIFIED)) {
      case PHASE_RUNNING -> VmState.VM_STATE_RUNNING;
      case PHASE_PAUSED -> VmState.VM_STATE_PAUSED;
      case PHASE_FROZEN -> VmState.VM_STATE_FROZEN;
      // An entity that has just come here has heard nothing yet of what runs.
      default -> record.getStarted() ? VmState.VM_STATE_RUNNING : VmState.VM_STATE_STARTING;
    };
  }

  /** Whether two views differ in nothing but figures that change all the time. */
  static boolean same(VmInfo one, VmInfo other) {
    return still(one).equals(still(other));
  }

  private static VmInfo still(VmInfo info) {
    return info.toBuilder().clearCurrentMemoryBytes().clearCpuNanos().build();
  }
}
