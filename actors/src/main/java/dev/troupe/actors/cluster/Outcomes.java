package dev.troupe.actors.cluster;

import dev.troupe.proto.control.VmOutcome;
import dev.troupe.runtime.machine.Outcome;

/** A machine's outcome as it crosses nodes and is stored. */
final class Outcomes {
  private Outcomes() {}

  static VmOutcome write(Outcome ending) {
    VmOutcome.Builder outcome = VmOutcome.newBuilder();
    return switch (ending) {
      case Outcome.PoweredOff() ->
          outcome.setKind(VmOutcome.Kind.KIND_POWERED_OFF).setText("powered off").build();
      case Outcome.Reset() -> outcome.setKind(VmOutcome.Kind.KIND_RESET).setText("reset").build();
      case Outcome.DebugExit(long value) ->
          outcome
              .setKind(VmOutcome.Kind.KIND_DEBUG_EXIT)
              .setValue(value)
              .setText("debug exit " + value)
              .build();
      case Outcome.TripleFault(int vcpu, String state) ->
          outcome
              .setKind(VmOutcome.Kind.KIND_TRIPLE_FAULT)
              .setValue(vcpu)
              .setText("triple fault of vCPU " + vcpu + ": " + state)
              .build();
      case Outcome.Stopped() ->
          outcome.setKind(VmOutcome.Kind.KIND_STOPPED).setText("stopped").build();
      case Outcome.InternalFailure(String message, Throwable _) ->
          outcome.setKind(VmOutcome.Kind.KIND_INTERNAL_ERROR).setText(message).build();
    };
  }
}
