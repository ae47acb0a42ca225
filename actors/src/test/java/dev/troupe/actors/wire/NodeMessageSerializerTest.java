package dev.troupe.actors.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.io.Output;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.typesafe.config.ConfigFactory;
import dev.troupe.actors.terminal.ConsoleHub;
import dev.troupe.actors.terminal.Place;
import dev.troupe.config.Configuration;
import java.io.NotSerializableException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.serialization.SerializationExtension;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodeMessageSerializerTest {
  private static final AtomicReference<ActorRef<ConsoleHub.Reply>> REPLY = new AtomicReference<>();
  private static final ActorSystem<Void> SYSTEM =
      ActorSystem.create(
          Behaviors.setup(
              context -> {
                REPLY.set(context.spawn(Behaviors.ignore(), "reply"));
                return Behaviors.empty();
              }),
          "node-message-test",
          Configuration.load(
                  Configuration.Role.NODE,
                  ConfigFactory.parseString("pekko.actor.provider = local"))
              .config());

  /** Each of its kind counts for itself. */
  private final NodeMessageSerializer serializer = serializer(NodeMessages.all());

  private static NodeMessageSerializer serializer(NodeMessages messages) {
    return new NodeMessageSerializer((ExtendedActorSystem) Adapter.toClassic(SYSTEM), messages);
  }

  @AfterAll
  static void stop() {
    SYSTEM.terminate();
    SYSTEM.getWhenTerminated().toCompletableFuture().join();
  }

  private static ActorRef<ConsoleHub.Reply> reply() {
    while (REPLY.get() == null) {
      Thread.onSpinWait();
    }
    return REPLY.get();
  }

  /** A message of this class, its components drawn from a seed. */
  private static NodeMessage some(Class<? extends NodeMessage> type, SplittableRandom random) {
    RecordComponent[] components = type.getRecordComponents();
    Object[] values = new Object[components.length];
    Class<?>[] types = new Class<?>[components.length];
    for (int i = 0; i < components.length; i++) {
      types[i] = components[i].getType();
      values[i] = some(types[i], type, random);
    }
    try {
      var constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(type.getName(), e);
    }
  }

  private static Object some(Class<?> component, Class<?> of, SplittableRandom random) {
    if (component == long.class) {
      return random.nextLong() >> random.nextInt(64);
    } else if (component == int.class) {
      return random.nextInt() >> random.nextInt(32);
    } else if (component == boolean.class) {
      return random.nextBoolean();
    } else if (component == String.class) {
      return "äöü€𝄞 ../x\n".repeat(random.nextInt(20));
    } else if (component == byte[].class) {
      byte[] bytes = new byte[random.nextInt(5000)];
      random.nextBytes(bytes);
      return bytes;
    } else if (component == ActorRef.class) {
      return reply();
    } else if (component == Place.class) {
      return some(Place.class, random);
    }
    throw new AssertionError(of + ": " + component);
  }

  private static List<NodeMessage> everyKind(SplittableRandom random) {
    List<NodeMessage> all = new ArrayList<>();
    for (Class<? extends NodeMessage> type : NodeMessages.all().classes()) {
      all.add(some(type, random));
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void everyMessageComesBackEqual(long seed) {
    for (NodeMessage message : everyKind(new SplittableRandom(seed))) {
      assertThat(serializer.fromBinary(serializer.toBinary(message)))
          .usingRecursiveComparison()
          .isEqualTo(message);
    }
    assertThat(serializer.refused()).isEqualTo(new NodeMessageSerializer.Refused(0, 0));
  }

  @Test
  void pekkoHasItForEveryMessage() {
    var serialization = SerializationExtension.get(Adapter.toClassic(SYSTEM));
    for (NodeMessage message : everyKind(new SplittableRandom(1))) {
      assertThat(serialization.findSerializerFor(message))
          .isSameAs(NodeMessageSerializer.get(SYSTEM));
    }
  }

  @Test
  void everyRecordThatMayCrossNodesHasANumber() {
    Set<String> found =
        new ClassFileImporter()
                .importUrl(NodeMessage.class.getProtectionDomain().getCodeSource().getLocation())
                .stream()
                .filter(type -> type.isAssignableTo(NodeMessage.class) && !type.isInterface())
                .map(JavaClass::getName)
                .collect(Collectors.toSet());

    assertThat(found).isNotEmpty();
    assertThat(NodeMessages.all().classes().stream().map(Class::getName))
        .containsExactlyInAnyOrderElementsOf(found);
  }

  @Test
  void manyThreadsDoNotDisturbEachOther() throws Exception {
    try (var pool = Executors.newFixedThreadPool(4)) {
      List<Callable<Void>> tasks = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        SplittableRandom random = new SplittableRandom(i);
        tasks.add(
            () -> {
              for (int round = 0; round < 10; round++) {
                for (NodeMessage message : everyKind(random)) {
                  assertThat(serializer.fromBinary(serializer.toBinary(message)))
                      .usingRecursiveComparison()
                      .isEqualTo(message);
                }
              }
              return null;
            });
      }
      for (var result : pool.invokeAll(tasks)) {
        result.get();
      }
    }
  }

  // What is hostile.

  private void assertRefused(byte[] bytes, boolean foreign, String text) {
    NodeMessageSerializer.Refused before = serializer.refused();
    assertThatThrownBy(() -> serializer.fromBinary(bytes))
        .isInstanceOf(NotSerializableException.class)
        .hasMessageContaining(text);
    assertThat(serializer.refused())
        .isEqualTo(
            new NodeMessageSerializer.Refused(
                before.foreign() + (foreign ? 1 : 0), before.malformed() + (foreign ? 0 : 1)));
  }

  private static boolean loaded;

  /** Says when it is loaded and run. */
  static final class Gadget implements java.io.Serializable {
    private static final long serialVersionUID = 1;

    static {
      loaded = true;
    }
  }

  @Test
  void aForeignClassIsRefusedByItsNameAndNeverMade() {
    Kryo attacker = new Kryo();
    attacker.setRegistrationRequired(false);
    for (Class<?> type : List.of(ArrayList.class, HashMap.class)) {
      Output output = new Output(256, -1);
      output.writeByte(NodeMessageSerializer.FORMAT);
      attacker.writeClass(output, type);
      attacker.reset();
      output.writeBytes(new byte[20]);
      assertRefused(output.toBytes(), true, "class " + type.getName());
    }
    Output output = new Output(256, -1);
    output.writeByte(NodeMessageSerializer.FORMAT);
    output.writeVarInt(1, true);
    output.writeVarInt(0, true);
    output.writeString(NodeMessageSerializerTest.class.getName() + "$Gadget");
    assertRefused(output.toBytes(), true, "$Gadget");
    assertThat(loaded).isFalse();
  }

  @Test
  void aNameIsNotBelievedToBeAsLongAsItSays() {
    for (int length : new int[] {1 << 30, Integer.MAX_VALUE}) {
      Output output = new Output(256, -1);
      output.writeByte(NodeMessageSerializer.FORMAT);
      output.writeVarInt(1, true);
      output.writeVarInt(0, true);
      output.writeVarIntFlag(true, length, true);
      output.writeAscii("evil\n\u001b[2J");
      assertRefused(output.toBytes(), true, "class evil??[2");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-2, -1, 0, 1, 8, 9, 99, 5_000, Integer.MAX_VALUE - 2})
  void aNumberThatNoClassHasIsRefusedByThatNumber(int number) {
    Output output = new Output(256, -1);
    output.writeByte(NodeMessageSerializer.FORMAT);
    output.writeVarInt(number + 2, true);
    output.writeBytes(new byte[40]);
    assertRefused(output.toBytes(), true, number == -1 ? "class" : "class number " + number);
  }

  @Test
  void whatIsCutAnywhereIsRefused() {
    for (NodeMessage message : everyKind(new SplittableRandom(4))) {
      byte[] bytes = serializer.toBinary(message);
      for (int length = 0; length < Math.min(bytes.length, 80); length++) {
        byte[] cut = Arrays.copyOf(bytes, length);
        assertThatThrownBy(() -> serializer.fromBinary(cut))
            .isInstanceOf(NotSerializableException.class);
      }
    }
    assertThat(serializer.refused().foreign()).isZero();
  }

  @Test
  void lengthsBeyondTheBytesAreRefusedBeforeAnythingIsAllocated() {
    byte[] good = serializer.toBinary(new ConsoleHub.Release("s"));
    byte[] frame = good.clone();
    frame[2] = 0x7F; // the frame's length, behind format and class
    assertRefused(frame, false, "length");
    byte[] text = good.clone();
    int at = text.length - 2;
    assertThat(text[at]).isEqualTo((byte) 1);
    text[at] = 0x7F;
    assertRefused(text, false, "length 127");
  }

  @Test
  void bytesAfterTheMessageAreRefused() {
    byte[] good = serializer.toBinary(new ConsoleHub.Release("s"));
    assertRefused(Arrays.copyOf(good, good.length + 1), false, "1 bytes after the message");
  }

  @Test
  void anotherFormatIsRefused() {
    byte[] good = serializer.toBinary(new ConsoleHub.Release("s"));
    good[0] = 9;
    assertRefused(good, false, "format 9");
  }

  @Test
  void aMessageWithinADifferentOneIsRefused() {
    byte[] good = serializer.toBinary(new ConsoleHub.Chunk(1, new Place(1, 1), new byte[0]));
    int place = 2 + 4 + 1; // format, class, length, request
    assertThat(good[place]).isEqualTo((byte) 102);
    good[place] = (byte) (105 + 2);
    assertRefused(good, true, "ConsoleHub$Release for dev.troupe.actors.terminal.Place");
  }

  /** A message within itself. */
  record Doll(Object nothing, NodeMessage inner) implements NodeMessage {}

  record Nested(long value, NodeMessage inner) implements NodeMessage {}

  @Test
  void aRecordOfWhatCannotBeWrittenIsRefusedAtTheStart() {
    assertThatThrownBy(() -> serializer(new NodeMessages(Map.of(200, Doll.class))))
        .hasMessageContaining("Doll.nothing");
    assertThatThrownBy(() -> new NodeMessages(Map.of(9, Place.class)))
        .hasMessageContaining("a number from 100");
    assertThatThrownBy(() -> new NodeMessages(Map.of(200, Place.class, 201, Place.class)))
        .hasMessageContaining("two numbers");
  }

  @Test
  void depthIsBounded() {
    NodeMessageSerializer nested =
        serializer(new NodeMessages(Map.of(100, Place.class, 200, Nested.class)));
    NodeMessage deep = new Place(1, 1);
    for (int i = 0; i < 2; i++) {
      deep = new Nested(i, deep);
    }
    assertThat(nested.fromBinary(nested.toBinary(deep))).isEqualTo(deep);
    NodeMessage tooDeep = deep;
    for (int i = 0; i < NodeMessageSerializer.MAX_DEPTH; i++) {
      tooDeep = new Nested(i, tooDeep);
    }
    NodeMessage all = tooDeep;
    assertThatThrownBy(() -> nested.toBinary(all)).hasMessageContaining("depth");

    // By hand, as nobody writes it for us: frames within frames, as many as fit.
    int levels = 10_000;
    Output output = new Output(NodeMessageSerializer.MAX_MESSAGE, -1);
    output.writeByte(NodeMessageSerializer.FORMAT);
    for (int i = levels; i > 0; i--) {
      output.writeVarInt(202, true);
      output.writeInt(i * 7);
      output.writeVarInt(1, true);
    }
    output.writeBytes(new byte[levels]);
    assertThat(catchThrowable(() -> nested.fromBinary(output.toBytes())))
        .isInstanceOf(NotSerializableException.class)
        .hasMessageContaining("depth");
  }

  @Test
  void aMessageThatIsTooLongIsRefusedByItsWriter() {
    byte[] bytes = new byte[NodeMessageSerializer.MAX_MESSAGE];
    assertThatThrownBy(() -> serializer.toBinary(new ConsoleHub.Chunk(1, new Place(1, 1), bytes)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Chunk");
    assertThatThrownBy(() -> serializer.toBinary("text"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {101, 102, 103, 104})
  void whateverTheBytesAreTheyAreAMessageOrRefused(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long refused = 0;
    for (int round = 0; round < 100; round++) {
      for (NodeMessage message : everyKind(random)) {
        byte[] bytes = serializer.toBinary(message);
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes; i++) {
          int place = random.nextInt(random.nextBoolean() ? bytes.length : 8);
          bytes[place % bytes.length] = (byte) random.nextInt();
        }
        Throwable failure = catchThrowable(() -> serializer.fromBinary(bytes));
        if (failure != null) {
          assertThat(failure).as("seed %s", seed).isInstanceOf(NotSerializableException.class);
          refused++;
        }
      }
    }
    assertThat(serializer.refused().foreign() + serializer.refused().malformed())
        .isEqualTo(refused)
        .isPositive();
  }

  // Versions.

  record Before(long a, String b) implements NodeMessage {}

  record After(long a, String b, boolean c, byte[] d, int e, String f) implements NodeMessage {}

  record AfterByRecord(long a, String b, Place c) implements NodeMessage {}

  private static NodeMessageSerializer version(Class<? extends NodeMessage> type) {
    Map<Integer, Class<? extends NodeMessage>> classes = new HashMap<>();
    classes.put(100, Place.class);
    classes.put(300, type);
    return serializer(new NodeMessages(classes));
  }

  @Test
  void anOlderNodeReadsWhatItKnowsOfANewerOnes() {
    byte[] newer = version(After.class).toBinary(new After(7, "x", true, new byte[] {1}, 2, "y"));
    assertThat(version(Before.class).fromBinary(newer)).isEqualTo(new Before(7, "x"));
  }

  @Test
  void aNewerNodeReadsAnOlderOnesWithNothingForWhatWasNotThere() {
    byte[] older = version(Before.class).toBinary(new Before(7, "x"));
    assertThat(version(After.class).fromBinary(older))
        .usingRecursiveComparison()
        .isEqualTo(new After(7, "x", false, new byte[0], 0, ""));
    assertThatThrownBy(() -> version(AfterByRecord.class).fromBinary(older))
        .isInstanceOf(NotSerializableException.class)
        .hasMessageContaining("ends before its Place");
  }

  @Test
  void anOlderNodeSkipsARecordThatItDoesNotKnow() {
    byte[] newer =
        version(AfterByRecord.class).toBinary(new AfterByRecord(7, "x", new Place(1, 2)));
    NodeMessageSerializer older = serializer(new NodeMessages(Map.of(300, Before.class)));
    assertThat(older.fromBinary(newer)).isEqualTo(new Before(7, "x"));
    assertThat(older.refused().foreign()).isZero();
  }

  @Test
  void versionsThatDoNotFollowEachOtherDoNotJoin() {
    var config = Configuration.load(Configuration.Role.NODE).config();
    assertThat(WireVersion.of(config)).isEqualTo(WireVersion.CURRENT);
    WireVersion check = new WireVersion();
    for (int version = -1; version <= 4; version++) {
      var other = ConfigFactory.parseString(WireVersion.PATH + " = " + version);
      var result = check.check(other, config);
      assertThat(result.equals(org.apache.pekko.cluster.Valid$.MODULE$))
          .as("version %s", version)
          .isEqualTo(Math.abs(version - WireVersion.CURRENT) <= 1);
    }
    assertThat(check.check(ConfigFactory.empty(), config).toString())
        .contains("has no troupe.wire-version, expected 0 to 2");
    assertThat(check.check(ConfigFactory.parseString(WireVersion.PATH + " = 7"), config).toString())
        .contains("is 7, expected 0 to 2");
  }
}
