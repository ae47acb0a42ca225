package dev.troupe.actors.cluster.logic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Register;
import dev.troupe.proto.cluster.Registration;
import dev.troupe.proto.cluster.RegistryRecord;
import dev.troupe.proto.cluster.RegistryReply;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The registry's writes. */
class RegistryLogicTest {
  private static final Surroundings NOW =
      new Surroundings(
          0,
          0,
          new Surroundings.Hosts() {
            @Override
            public List<HostId> present() {
              return List.of();
            }

            @Override
            public boolean gone(HostId host) {
              return false;
            }
          });

  private final RegistryLogic registry = new RegistryLogic(RegistryRecord.getDefaultInstance());
  private final List<RegistryReply> replies = new ArrayList<>();
  private int writes;

  private void register(String name) {
    perform(
        registry.on(
            new RegistryLogic.Registering(
                Register.newBuilder().setName(name).setReplyTo(name).build()),
            NOW));
  }

  private void perform(List<RegistryEffect> effects) {
    for (RegistryEffect effect : effects) {
      switch (effect) {
        case RegistryEffect.Persist _ -> writes++;
        case RegistryEffect.Reply(String _, var reply) -> replies.add((RegistryReply) reply);
        default -> {}
      }
    }
  }

  @Test
  void allWhoComeWhileTheStoreWritesAreWrittenTogether() {
    for (int i = 1; i <= 100; i++) {
      register("vm" + i);
      register("vm" + i); // again, as when an answer was lost
    }
    assertThat(writes).isEqualTo(1);
    assertThat(replies).isEmpty();
    perform(registry.stored(NOW));
    perform(registry.stored(NOW));
    assertThat(writes).isEqualTo(2);
    assertThat(registry.storing()).isNull();
    assertThat(registry.record().getVmsList()).hasSize(100);
    assertThat(registry.record().getVmsList().stream().map(Registration::getId).distinct())
        .hasSize(100);
    assertThat(registry.record().getLastId()).isEqualTo(100);
    assertThat(replies).hasSize(200);
    assertThat(replies).allSatisfy(reply -> assertThat(reply.getVmsCount()).isEqualTo(1));
  }

  @Test
  void whenAWriteFailsAllWhomItWasForAreTold() {
    register("vm1");
    register("vm2");
    register("vm3");
    perform(registry.notStored("gone", NOW));
    assertThat(replies).hasSize(1);
    assertThat(replies.getFirst().getFailure().getText()).isEqualTo("gone");
    perform(registry.notStored("gone", NOW));
    assertThat(replies).hasSize(3);
    assertThat(registry.storing()).isNull();
    assertThat(registry.record().getVmsList()).isEmpty();
  }
}
