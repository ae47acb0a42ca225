package dev.troupe.actors.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import com.typesafe.config.ConfigFactory;
import dev.troupe.config.Configuration;
import dev.troupe.proto.cluster.ClusterProto;
import dev.troupe.proto.cluster.Desired;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Want;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.VmSpec;
import java.io.NotSerializableException;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WireSerializerTest {
  private static final ActorSystem<Void> SYSTEM =
      ActorSystem.create(
          Behaviors.empty(),
          "wire-test",
          Configuration.load(
                  Configuration.Role.NODE,
                  ConfigFactory.parseString("pekko.actor.provider = local"))
              .config());

  private static final Want WANT =
      Want.newBuilder()
          .setVm("web")
          .setEpoch(-1)
          .setHost(HostId.newBuilder().setName("n1").setAddress("pekko://t@127.0.0.1:1").setUid(7))
          .setSpec(
              VmSpec.newBuilder()
                  .setName("näme/../x")
                  .setCpus(64)
                  .setMemoryBytes(1L << 40)
                  .setBoot(Boot.newBuilder().setKernel("/k").setCommandLine("a=b")))
          .setDesired(Desired.newBuilder().setVersion(3).setPaused(true))
          .build();

  /** Messages that are only ever parts of others. */
  private static final Set<String> PARTS =
      Set.of("HostId", "Desired", "Failure", "Registration", "CommandRecord");

  private final Serialization serialization = SerializationExtension.get(SYSTEM.classicSystem());
  private final WireSerializer serializer = new WireSerializer();

  @AfterAll
  static void stop() {
    SYSTEM.terminate();
    SYSTEM.getWhenTerminated().toCompletableFuture().join();
  }

  static Stream<String> messages() {
    return ClusterProto.getDescriptor().getMessageTypes().stream()
        .map(Descriptor::getName)
        .filter(name -> !PARTS.contains(name));
  }

  @ParameterizedTest
  @MethodSource("messages")
  void everyMessageOfTheSchemaCanBeReadBack(String name) throws Exception {
    Wire read = (Wire) serializer.fromBinary(new byte[0], name);

    assertThat(serializer.manifest(read)).isEqualTo(name);
    assertThat(serializer.toBinary(read)).isEmpty();
  }

  @Test
  void whatIsWrittenIsReadBackByThePlatform() throws Exception {
    Wire wire = new Wire(WANT);
    var chosen = serialization.findSerializerFor(wire);

    assertThat(chosen).isInstanceOf(WireSerializer.class);
    assertThat(
            serialization
                .deserialize(
                    serialization.serialize(wire).get(),
                    chosen.identifier(),
                    Serializers.manifestFor(chosen, wire))
                .get())
        .isEqualTo(wire);
  }

  @Test
  void aMessageOfANewerNodeIsRefusedByName() {
    assertThatThrownBy(() -> serializer.fromBinary(new byte[0], "Teleport"))
        .isInstanceOf(NotSerializableException.class)
        .hasMessageContaining("Teleport");
  }

  @Test
  void aFieldOfANewerNodeIsPassedOver() throws Exception {
    Message newer =
        WANT.toBuilder()
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .addField(999, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                    .build())
            .build();

    Want read = (Want) ((Wire) serializer.fromBinary(newer.toByteArray(), "Want")).body();

    assertThat(read.toBuilder().setUnknownFields(UnknownFieldSet.getDefaultInstance()).build())
        .isEqualTo(WANT);
  }

  @Test
  void everyCutOfAMessageIsReadOrRefusedByName() {
    byte[] whole = WANT.toByteArray();
    int refused = 0;
    for (int length = 0; length < whole.length; length++) {
      try {
        serializer.fromBinary(Arrays.copyOf(whole, length), "Want");
      } catch (NotSerializableException e) {
        assertThat(e).hasMessageStartingWith("Want: ");
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  @Test
  void whatIsNoMessageOfTheClusterIsNotSent() {
    assertThatThrownBy(() -> serializer.manifest(new Wire(VmSpec.getDefaultInstance())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("VmSpec");
  }
}
