package dev.troupe.actors.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.troupe.config.Configuration;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.machine.Outcome;
import java.io.NotSerializableException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WireSerializerTest {
  private static final AtomicReference<ActorRef<VmStatus>> REPLY = new AtomicReference<>();
  private static final ActorSystem<Void> SYSTEM =
      ActorSystem.create(
          Behaviors.setup(
              context -> {
                REPLY.set(context.spawn(Behaviors.ignore(), "reply"));
                return Behaviors.empty();
              }),
          "wire-test",
          Configuration.load(
                  Configuration.Role.NODE,
                  ConfigFactory.parseString("pekko.actor.provider = local"))
              .config());

  private final Serialization serialization = SerializationExtension.get(SYSTEM.classicSystem());

  @AfterAll
  static void stop() {
    SYSTEM.terminate();
    SYSTEM.getWhenTerminated().toCompletableFuture().join();
  }

  private static ActorRef<VmStatus> reply() {
    while (REPLY.get() == null) {
      Thread.onSpinWait();
    }
    return REPLY.get();
  }

  private static List<Wire> everyKind() {
    VmSpec spec =
        VmSpec.newBuilder()
            .setName("näme/../x")
            .setCpus(64)
            .setMemoryBytes(1L << 40)
            .setBoot(Boot.newBuilder().setKernel("/k").setCommandLine("a=b"))
            .build();
    ActorRef<VmStatus> reply = reply();
    List<Wire> all =
        new ArrayList<>(
            List.of(
                new VmEntity.Ensure(spec, reply),
                new VmEntity.Query(reply),
                new HostActor.Run(-1, spec),
                new VmEntity.HostReport(3, VmState.VM_STATE_RUNNING, Optional.empty()),
                new VmStatus("x", 0, "", VmState.VM_STATE_WAITING, Optional.empty())));
    for (HostActor.Operation operation : HostActor.Operation.values()) {
      all.add(new VmEntity.Operate(operation));
      all.add(new HostActor.Operate("x", 5, operation));
    }
    List<VmStatus.Ending> endings =
        List.of(
            new VmStatus.Refused("kernel x: no such file"),
            new VmStatus.Ran(new Outcome.PoweredOff()),
            new VmStatus.Ran(new Outcome.Reset()),
            new VmStatus.Ran(new Outcome.DebugExit(0xFFFF_FFFFL)),
            new VmStatus.Ran(new Outcome.TripleFault(63, "rip=1")),
            new VmStatus.Ran(new Outcome.Stopped()),
            new VmStatus.Ran(new Outcome.InternalFailure("why", null)));
    for (VmStatus.Ending ending : endings) {
      all.add(new VmEntity.HostReport(4, VmState.VM_STATE_ENDED, Optional.of(ending)));
      all.add(new VmStatus("y", 4, "host", VmState.VM_STATE_ENDED, Optional.of(ending)));
    }
    return all;
  }

  @Test
  void everyMessageComesBackEqual() throws Exception {
    for (Wire message : everyKind()) {
      var serializer = serialization.findSerializerFor(message);
      assertThat(serializer).isInstanceOf(WireSerializer.class);
      String manifest = Serializers.manifestFor(serializer, message);
      byte[] bytes = serializer.toBinary(message);

      assertThat(((WireSerializer) serializer).fromBinary(bytes, manifest)).isEqualTo(message);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "java.lang.Runtime", "ensure-2"})
  void aMessageFromANewerNodeIsRefusedByName(String manifest) throws Exception {
    var serializer = (WireSerializer) serialization.serializerFor(VmStatus.class);

    assertThatThrownBy(() -> serializer.fromBinary(new byte[0], manifest))
        .isInstanceOf(NotSerializableException.class)
        .hasMessageContaining(manifest);
  }

  @Test
  void truncatedBytesAreRefused() throws Exception {
    for (Wire message : everyKind()) {
      var serializer = (WireSerializer) serialization.findSerializerFor(message);
      byte[] bytes = serializer.toBinary(message);
      if (bytes.length > 0) {
        byte[] cut = Arrays.copyOf(bytes, bytes.length - 1);
        try {
          // A cut at the border of a field is a shorter message; any other must be refused by name.
          serializer.fromBinary(cut, serializer.manifest(message));
        } catch (NotSerializableException e) {
          assertThat(e).hasMessageContaining(serializer.manifest(message));
        } catch (IllegalArgumentException e) {
          assertThat(e).hasMessageContaining("pekko:"); // a reference that is cut
        }
      }
    }
  }
}
