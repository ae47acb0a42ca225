package dev.troupe.actors.client;

import dev.troupe.proto.control.VmOutcome;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.Explanation;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.proto.vmd.VmEvent;
import dev.troupe.proto.vmd.VmInfo;
import java.util.List;
import java.util.Locale;

/** The daemon's answers as values. The keys are promised: one is added at times, none changes. */
final class Values {
  private Values() {}

  static Value vms(List<VmInfo> vms) {
    return new Value.Items(vms.stream().map(Values::vm).toList());
  }

  static Value vm(VmInfo vm) {
    VmSpec spec = vm.getSpec();
    return new Value.FieldsBuilder()
        .put("id", Value.number(Integer.toUnsignedLong(vm.getId())))
        .put("name", Value.text(vm.getName()))
        .put("owner", Value.text(vm.getOwner()))
        .put("owner_uid", Value.number(Integer.toUnsignedLong(vm.getOwnerUid())))
        .put("state", Value.text(state(vm.getState())))
        .put("reason", Value.text(vm.getReason()))
        .put("outcome", vm.hasOutcome() ? outcome(vm.getOutcome()) : Value.NONE)
        .put("pid", vm.getPid() == 0 ? Value.NONE : Value.number(vm.getPid()))
        .put("node", Value.text(vm.getNode()))
        .put("epoch", Value.number(vm.getEpoch()))
        .put("vcpus", Value.number(Integer.toUnsignedLong(spec.getCpus())))
        .put("memory_bytes", Value.number(spec.getMemoryBytes()))
        .put("current_memory_bytes", Value.number(vm.getCurrentMemoryBytes()))
        .put("cpu_nanos", Value.number(vm.getCpuNanos()))
        .put("started", Value.time(vm.getStartedMillis()))
        .put("engine", Value.text(engine(spec.getEngine())))
        .put("cpu_model", Value.text(spec.getCpuModel()))
        .put("kernel", Value.text(spec.getBoot().getKernel()))
        .put("initrd", Value.text(spec.getBoot().getInitrd()))
        .put("command_line", Value.text(spec.getBoot().getCommandLine()))
        .put("labels", Value.texts(spec.getPlacement().getLabelsMap()))
        .put("affinity", Value.texts(spec.getPlacement().getAffinityList()))
        .put("anti_affinity", Value.texts(spec.getPlacement().getAntiAffinityList()))
        .build();
  }

  private static Value outcome(VmOutcome outcome) {
    return new Value.FieldsBuilder()
        .put("kind", Value.text(word(outcome.getKind().name(), "KIND_")))
        .put("value", Value.number(outcome.getValue()))
        .put("text", Value.text(outcome.getText()))
        .build();
  }

  static Value result(CommandResult result) {
    return new Value.FieldsBuilder()
        .put("command", Value.text(result.getId()))
        .put("result", Value.text(word(result.getKind().name(), "KIND_")))
        .put("text", Value.text(result.getText()))
        .put("vm", result.hasVm() ? vm(result.getVm()) : Value.NONE)
        .build();
  }

  static Value nodes(List<NodeInfo> nodes) {
    return new Value.Items(nodes.stream().map(Values::node).toList());
  }

  private static Value node(NodeInfo node) {
    return new Value.FieldsBuilder()
        .put("name", Value.text(node.getName()))
        .put("address", Value.text(node.getAddress()))
        .put("state", Value.text(state(node.getState())))
        .put("self", new Value.Flag(node.getSelf()))
        .put("vms", Value.number(Integer.toUnsignedLong(node.getVms())))
        .put("cores", Value.number(Integer.toUnsignedLong(node.getCores())))
        .put("cores_reserved", Value.number(Integer.toUnsignedLong(node.getCoresReserved())))
        .put("memory_bytes", Value.number(node.getMemoryBytes()))
        .put("memory_reserved_bytes", Value.number(node.getMemoryReservedBytes()))
        .put("engines", Value.texts(node.getEnginesList()))
        .put("labels", Value.texts(node.getLabelsMap()))
        .put("wire_version", Value.number(Integer.toUnsignedLong(node.getWireVersion())))
        .build();
  }

  static Value explanation(String vm, Explanation explanation) {
    return new Value.FieldsBuilder()
        .put("vm", Value.text(vm))
        .put("chosen", Value.text(explanation.getChosen()))
        .put(
            "nodes",
            new Value.Items(
                explanation.getNodesList().stream()
                    .<Value>map(
                        score ->
                            new Value.FieldsBuilder()
                                .put("name", Value.text(score.getNode()))
                                .put("fits", new Value.Flag(score.getFits()))
                                .put("score", new Value.Digits(Long.toString(score.getScore())))
                                .put("reasons", Value.texts(score.getReasonsList()))
                                .build())
                    .toList()))
        .build();
  }

  static Value event(VmEvent event) {
    return new Value.FieldsBuilder()
        .put("time", Value.time(event.getMillis()))
        .put("vm", vm(event.getVm()))
        .build();
  }

  static String state(VmState state) {
    return switch (state) {
      case VM_STATE_WAITING -> "waiting";
      case VM_STATE_STARTING -> "starting";
      case VM_STATE_RUNNING -> "running";
      case VM_STATE_PAUSED -> "paused";
      case VM_STATE_ENDED -> "stopped";
      case VM_STATE_STOPPING -> "stopping";
      case VM_STATE_FROZEN -> "frozen";
      case VM_STATE_UNSPECIFIED, UNRECOGNIZED -> "unknown";
    };
  }

  static String state(NodeInfo.State state) {
    return word(state.name(), "STATE_");
  }

  static String engine(EngineKind engine) {
    return word(engine.name(), "ENGINE_KIND_");
  }

  private static String word(String constant, String prefix) {
    String word = constant.startsWith(prefix) ? constant.substring(prefix.length()) : constant;
    return word.equals("UNSPECIFIED") || word.equals("UNRECOGNIZED")
        ? "unknown"
        : word.toLowerCase(Locale.ROOT);
  }
}
