package dev.troupe.actors.cluster;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.proto.control.EnsureVm;
import dev.troupe.proto.control.OperateVm;
import dev.troupe.proto.control.QueryVm;
import dev.troupe.proto.control.RunVm;
import dev.troupe.proto.control.VmOutcome;
import dev.troupe.runtime.machine.Outcome;
import java.io.NotSerializableException;
import java.util.Optional;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Writes what crosses nodes as protobuf. The manifest names the message, not its class, so that
 * classes may be renamed; what a newer node sends and this one does not know is refused by name.
 */
public final class WireSerializer extends SerializerWithStringManifest {
  /** Chosen once, for ever; 0 to 40 are Pekko's. */
  private static final int IDENTIFIER = 7_001;

  private static final String ENSURE = "ensure";
  private static final String QUERY = "query";
  private static final String OPERATE_ENTITY = "operate-entity";
  private static final String OPERATE_HOST = "operate-host";
  private static final String RUN = "run";
  private static final String REPORT = "report";
  private static final String STATUS = "status";

  private final ExtendedActorSystem system;
  private ActorRefResolver references;

  /** Called by Pekko. */
  public WireSerializer(ExtendedActorSystem system) {
    this.system = system;
  }

  @Override
  public int identifier() {
    return IDENTIFIER;
  }

  @Override
  public String manifest(Object message) {
    return switch ((Wire) message) {
      case VmEntity.Ensure _ -> ENSURE;
      case VmEntity.Query _ -> QUERY;
      case VmEntity.Operate _ -> OPERATE_ENTITY;
      case VmEntity.HostReport _ -> REPORT;
      case HostActor.Run _ -> RUN;
      case HostActor.Operate _ -> OPERATE_HOST;
      case VmStatus _ -> STATUS;
    };
  }

  @Override
  public byte[] toBinary(Object message) {
    return switch ((Wire) message) {
      case VmEntity.Ensure(var spec, var replyTo) ->
          EnsureVm.newBuilder().setSpec(spec).setReplyTo(write(replyTo)).build().toByteArray();
      case VmEntity.Query(var replyTo) ->
          QueryVm.newBuilder().setReplyTo(write(replyTo)).build().toByteArray();
      case VmEntity.Operate(var operation) ->
          OperateVm.newBuilder().setOperation(write(operation)).build().toByteArray();
      case VmEntity.HostReport(long epoch, var state, var ending) -> {
        var report =
            dev.troupe.proto.control.HostReport.newBuilder().setEpoch(epoch).setState(state);
        ending.ifPresent(how -> report.setOutcome(write(how)));
        yield report.build().toByteArray();
      }
      case HostActor.Run(long epoch, var spec) ->
          RunVm.newBuilder().setEpoch(epoch).setSpec(spec).build().toByteArray();
      case HostActor.Operate(String name, long epoch, var operation) ->
          OperateVm.newBuilder()
              .setName(name)
              .setEpoch(epoch)
              .setOperation(write(operation))
              .build()
              .toByteArray();
      case VmStatus(String name, long epoch, String host, var state, var outcome) -> {
        var status =
            dev.troupe.proto.control.VmStatus.newBuilder()
                .setName(name)
                .setEpoch(epoch)
                .setHost(host)
                .setState(state);
        outcome.ifPresent(how -> status.setOutcome(write(how)));
        yield status.build().toByteArray();
      }
    };
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
    try {
      return read(bytes, manifest);
    } catch (InvalidProtocolBufferException e) {
      throw new NotSerializableException(manifest + ": " + e.getMessage());
    }
  }

  private Wire read(byte[] bytes, String manifest)
      throws InvalidProtocolBufferException, NotSerializableException {
    return switch (manifest) {
      case ENSURE -> {
        EnsureVm ensure = EnsureVm.parseFrom(bytes);
        yield new VmEntity.Ensure(ensure.getSpec(), reference(ensure.getReplyTo()));
      }
      case QUERY -> new VmEntity.Query(reference(QueryVm.parseFrom(bytes).getReplyTo()));
      case OPERATE_ENTITY ->
          new VmEntity.Operate(operation(OperateVm.parseFrom(bytes).getOperation()));
      case OPERATE_HOST -> {
        OperateVm operate = OperateVm.parseFrom(bytes);
        yield new HostActor.Operate(
            operate.getName(), operate.getEpoch(), operation(operate.getOperation()));
      }
      case RUN -> {
        RunVm run = RunVm.parseFrom(bytes);
        yield new HostActor.Run(run.getEpoch(), run.getSpec());
      }
      case REPORT -> {
        var report = dev.troupe.proto.control.HostReport.parseFrom(bytes);
        Optional<VmStatus.Ending> ending =
            report.hasOutcome() ? Optional.of(ending(report.getOutcome())) : Optional.empty();
        yield new VmEntity.HostReport(report.getEpoch(), report.getState(), ending);
      }
      case STATUS -> {
        var status = dev.troupe.proto.control.VmStatus.parseFrom(bytes);
        Optional<VmStatus.Ending> ending =
            status.hasOutcome() ? Optional.of(ending(status.getOutcome())) : Optional.empty();
        yield new VmStatus(
            status.getName(), status.getEpoch(), status.getHost(), status.getState(), ending);
      }
      default -> throw new NotSerializableException("unknown message: " + manifest);
    };
  }

  private ActorRefResolver references() {
    if (references == null) {
      references = ActorRefResolver.get(Adapter.toTyped(system));
    }
    return references;
  }

  private String write(ActorRef<?> reference) {
    return references().toSerializationFormat(reference);
  }

  private ActorRef<VmStatus> reference(String text) {
    return references().resolveActorRef(text);
  }

  private static OperateVm.Operation write(HostActor.Operation operation) {
    return switch (operation) {
      case PAUSE -> OperateVm.Operation.OPERATION_PAUSE;
      case RESUME -> OperateVm.Operation.OPERATION_RESUME;
      case STOP -> OperateVm.Operation.OPERATION_STOP;
      case POWER_BUTTON -> OperateVm.Operation.OPERATION_POWER_BUTTON;
    };
  }

  private static HostActor.Operation operation(OperateVm.Operation operation)
      throws NotSerializableException {
    return switch (operation) {
      case OPERATION_PAUSE -> HostActor.Operation.PAUSE;
      case OPERATION_RESUME -> HostActor.Operation.RESUME;
      case OPERATION_STOP -> HostActor.Operation.STOP;
      case OPERATION_POWER_BUTTON -> HostActor.Operation.POWER_BUTTON;
      case OPERATION_UNSPECIFIED, UNRECOGNIZED ->
          throw new NotSerializableException("unknown operation: " + operation);
    };
  }

  private static VmOutcome write(VmStatus.Ending ending) {
    VmOutcome.Builder outcome = VmOutcome.newBuilder();
    return switch (ending) {
      case VmStatus.Refused(String reason) ->
          outcome.setKind(VmOutcome.Kind.KIND_REFUSED).setText(reason).build();
      case VmStatus.Ran(Outcome.PoweredOff()) ->
          outcome.setKind(VmOutcome.Kind.KIND_POWERED_OFF).build();
      case VmStatus.Ran(Outcome.Reset()) -> outcome.setKind(VmOutcome.Kind.KIND_RESET).build();
      case VmStatus.Ran(Outcome.DebugExit(long value)) ->
          outcome.setKind(VmOutcome.Kind.KIND_DEBUG_EXIT).setValue(value).build();
      case VmStatus.Ran(Outcome.TripleFault(int vcpu, String state)) ->
          outcome.setKind(VmOutcome.Kind.KIND_TRIPLE_FAULT).setValue(vcpu).setText(state).build();
      case VmStatus.Ran(Outcome.Stopped()) -> outcome.setKind(VmOutcome.Kind.KIND_STOPPED).build();
      case VmStatus.Ran(Outcome.InternalFailure(String message, Throwable _)) ->
          outcome.setKind(VmOutcome.Kind.KIND_INTERNAL_ERROR).setText(message).build();
    };
  }

  private static VmStatus.Ending ending(VmOutcome outcome) throws NotSerializableException {
    return switch (outcome.getKind()) {
      case KIND_REFUSED -> new VmStatus.Refused(outcome.getText());
      case KIND_POWERED_OFF -> new VmStatus.Ran(new Outcome.PoweredOff());
      case KIND_RESET -> new VmStatus.Ran(new Outcome.Reset());
      case KIND_DEBUG_EXIT -> new VmStatus.Ran(new Outcome.DebugExit(outcome.getValue()));
      case KIND_TRIPLE_FAULT ->
          new VmStatus.Ran(new Outcome.TripleFault((int) outcome.getValue(), outcome.getText()));
      case KIND_STOPPED -> new VmStatus.Ran(new Outcome.Stopped());
      case KIND_INTERNAL_ERROR ->
          new VmStatus.Ran(new Outcome.InternalFailure(outcome.getText(), null));
      case KIND_UNSPECIFIED, UNRECOGNIZED ->
          throw new NotSerializableException("unknown outcome: " + outcome.getKindValue());
    };
  }
}
