package dev.troupe.actors.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.troupe.actors.terminal.ConsoleHub;
import dev.troupe.actors.terminal.Place;
import dev.troupe.config.Configuration;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.apache.pekko.serialization.JSerializer;
import org.junit.jupiter.api.Test;

/** Nodes that speak otherwise than they should. */
class NodesTest {
  private static ActorSystem<Void> node(String more) {
    return ActorSystem.create(
        Behaviors.empty(),
        "nodes",
        Configuration.load(Configuration.Role.NODE, ConfigFactory.parseString(more)).config());
  }

  private static void stop(ActorSystem<?> system) {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().join();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  /** Writes what an attacker would, under our serializer's number. */
  public static final class Evil extends JSerializer {
    @Override
    public int identifier() {
      return NodeMessageSerializer.IDENTIFIER;
    }

    @Override
    public boolean includeManifest() {
      return false;
    }

    @Override
    public byte[] toBinary(Object message) {
      String name = "javax.naming.InitialContext";
      byte[] bytes = new byte[6 + name.length()];
      bytes[0] = NodeMessageSerializer.FORMAT;
      bytes[1] = 1; // a class by its name
      bytes[2] = 0;
      bytes[3] = (byte) (0x80 | (name.length() + 1));
      byte[] text = name.getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(text, 0, bytes, 4, text.length);
      return bytes;
    }

    @Override
    public Object fromBinaryJava(byte[] bytes, Class<?> manifest) {
      throw new UnsupportedOperationException();
    }
  }

  /** Row 37. */
  @Test
  void aForeignClassFromAnotherNodeIsRefusedAndCountedAndTheNextMessageArrives()
      throws InterruptedException {
    ActorSystem<Void> victim = node("pekko.actor.provider = remote");
    ActorSystem<Void> evil =
        node(
            "pekko.actor.provider = remote\npekko.actor.serializers.troupe-node = \""
                + Evil.class.getName()
                + "\"");
    ActorSystem<Void> good = node("pekko.actor.provider = remote");
    try {
      BlockingQueue<NodeMessage> got = new LinkedBlockingQueue<>();
      ActorRef<NodeMessage> target =
          victim.systemActorOf(
              Behaviors.receiveMessage(
                  message -> {
                    got.add(message);
                    return Behaviors.same();
                  }),
              "target",
              Props.empty());
      String address = ActorRefResolver.get(victim).toSerializationFormat(target);
      ActorRefResolver.get(evil).<NodeMessage>resolveActorRef(address).tell(new Place(1, 1));
      NodeMessageSerializer serializer = NodeMessageSerializer.get(victim);
      await(() -> serializer.refused().foreign() == 1);
      assertThat(got).isEmpty();

      ConsoleHub.Release message = new ConsoleHub.Release("s");
      ActorRefResolver.get(good).<NodeMessage>resolveActorRef(address).tell(message);
      assertThat(got.poll(60, TimeUnit.SECONDS)).isEqualTo(message);
      assertThat(serializer.refused()).isEqualTo(new NodeMessageSerializer.Refused(1, 0));
    } finally {
      stop(good);
      stop(evil);
      stop(victim);
    }
  }

  @Test
  void aNodeOfTheNextVersionJoinsAndOneOfTheVersionAfterDoesNot() throws InterruptedException {
    ActorSystem<Void> first = node("");
    ActorSystem<Void> next = node(WireVersion.PATH + " = " + (WireVersion.CURRENT + 1));
    ActorSystem<Void> tooNew = node(WireVersion.PATH + " = " + (WireVersion.CURRENT + 2));
    try {
      var address = Cluster.get(first).selfMember().address();
      Cluster.get(first).manager().tell(Join.create(address));
      await(() -> Cluster.get(first).selfMember().status().equals(MemberStatus.up()));
      var seeds = new JoinSeedNodes(java.util.List.of(address));
      Cluster.get(next).manager().tell(seeds);
      await(() -> Cluster.get(next).selfMember().status().equals(MemberStatus.up()));

      Cluster.get(tooNew).manager().tell(seeds);
      await(() -> tooNew.getWhenTerminated().toCompletableFuture().isDone());
      assertThat(Cluster.get(first).state().getMembers()).hasSize(2);
    } finally {
      stop(next);
      stop(tooNew);
      stop(first);
    }
  }
}
