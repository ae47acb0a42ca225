package dev.troupe.actors.cluster;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.cluster.Chosen;
import dev.troupe.proto.cluster.CommandReply;
import dev.troupe.proto.cluster.DrainReport;
import dev.troupe.proto.cluster.Drained;
import dev.troupe.proto.cluster.Ensure;
import dev.troupe.proto.cluster.Evict;
import dev.troupe.proto.cluster.FindConsole;
import dev.troupe.proto.cluster.FoundConsole;
import dev.troupe.proto.cluster.Heartbeat;
import dev.troupe.proto.cluster.HeartbeatAck;
import dev.troupe.proto.cluster.Lookup;
import dev.troupe.proto.cluster.Offer;
import dev.troupe.proto.cluster.Query;
import dev.troupe.proto.cluster.QueryNode;
import dev.troupe.proto.cluster.Register;
import dev.troupe.proto.cluster.RegistryRecord;
import dev.troupe.proto.cluster.RegistryReply;
import dev.troupe.proto.cluster.RegistryStored;
import dev.troupe.proto.cluster.Release;
import dev.troupe.proto.cluster.Report;
import dev.troupe.proto.cluster.Settled;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.cluster.VmChanged;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.cluster.VmStored;
import dev.troupe.proto.cluster.Wake;
import dev.troupe.proto.cluster.Want;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.proto.vmd.VmInfo;
import java.io.NotSerializableException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Writes what crosses nodes or is stored as protobuf. The manifest names the message, not its
 * class, so that classes may be renamed; what a newer node sends and this one does not know is
 * refused by name.
 */
public final class WireSerializer extends SerializerWithStringManifest {
  /** Chosen once, for ever; 0 to 40 are Pekko's. */
  private static final int IDENTIFIER = 7_001;

  private static final Map<String, Message> KNOWN =
      List.<Message>of(
              Bid.getDefaultInstance(),
              Chosen.getDefaultInstance(),
              CommandReply.getDefaultInstance(),
              DrainReport.getDefaultInstance(),
              Drained.getDefaultInstance(),
              Ensure.getDefaultInstance(),
              Evict.getDefaultInstance(),
              FindConsole.getDefaultInstance(),
              FoundConsole.getDefaultInstance(),
              Heartbeat.getDefaultInstance(),
              HeartbeatAck.getDefaultInstance(),
              Lookup.getDefaultInstance(),
              NodeInfo.getDefaultInstance(),
              Offer.getDefaultInstance(),
              Query.getDefaultInstance(),
              QueryNode.getDefaultInstance(),
              Register.getDefaultInstance(),
              RegistryRecord.getDefaultInstance(),
              RegistryReply.getDefaultInstance(),
              RegistryStored.getDefaultInstance(),
              Release.getDefaultInstance(),
              Report.getDefaultInstance(),
              Settled.getDefaultInstance(),
              Submit.getDefaultInstance(),
              VmChanged.getDefaultInstance(),
              VmInfo.getDefaultInstance(),
              VmRecord.getDefaultInstance(),
              VmStored.getDefaultInstance(),
              Wake.getDefaultInstance(),
              Want.getDefaultInstance())
          .stream()
          .collect(Collectors.toUnmodifiableMap(WireSerializer::name, Function.identity()));

  private static String name(Message message) {
    return message.getDescriptorForType().getName();
  }

  @Override
  public int identifier() {
    return IDENTIFIER;
  }

  @Override
  public String manifest(Object message) {
    String name = name(((Wire) message).body());
    if (!KNOWN.containsKey(name)) {
      throw new IllegalArgumentException("no message of the cluster's: " + name);
    }
    return name;
  }

  @Override
  public byte[] toBinary(Object message) {
    return ((Wire) message).body().toByteArray();
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
    Message known = KNOWN.get(manifest);
    if (known == null) {
      throw new NotSerializableException("unknown message: " + manifest);
    }
    try {
      return new Wire(known.getParserForType().parseFrom(bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new NotSerializableException(manifest + ": " + e.getMessage());
    }
  }
}
