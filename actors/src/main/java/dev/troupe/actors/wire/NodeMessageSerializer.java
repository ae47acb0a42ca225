package dev.troupe.actors.wire;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Registration;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.KryoBufferOverflowException;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.util.Pool;
import java.io.NotSerializableException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.JSerializer;
import org.apache.pekko.serialization.SerializationExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes {@link NodeMessage}s by Kryo, by the numbers of {@link NodeMessages} and no others. What
 * cannot be read is refused, counted and logged; the message is lost, its sender's affair. For any
 * number of threads.
 */
public final class NodeMessageSerializer extends JSerializer {
  /** Chosen once, for ever; 0 to 40 are Pekko's. */
  static final int IDENTIFIER = 7_002;

  /** The first byte of each message: how the rest is written. */
  static final byte FORMAT = 1;

  /** Longest message, bytes; Artery takes 256 KiB with its own words around it. */
  public static final int MAX_MESSAGE = 128 * 1024;

  /** Records within records. More is a loop, or somebody after the stack. */
  static final int MAX_DEPTH = 8;

  private static final Logger LOG = LoggerFactory.getLogger(NodeMessageSerializer.class);

  /** What was refused since the start. */
  public record Refused(long foreign, long malformed) {}

  private final ExtendedActorSystem system;
  private final Pool<Kryo> kryos;
  private final AtomicLong foreign = new AtomicLong();
  private final AtomicLong malformed = new AtomicLong();
  private volatile ActorRefResolver references;

  /** Called by Pekko. */
  public NodeMessageSerializer(ExtendedActorSystem system) {
    this(system, NodeMessages.all());
  }

  NodeMessageSerializer(ExtendedActorSystem system, NodeMessages messages) {
    this.system = system;
    kryos =
        new Pool<>(true, true) {
          @Override
          protected Kryo create() {
            return kryo(messages);
          }
        };
    kryos.free(kryos.obtain()); // a table that is wrong is seen at once
  }

  /** A system's own, for its counters. */
  public static NodeMessageSerializer get(ActorSystem<?> system) {
    var serialization = SerializationExtension.get(Adapter.toClassic(system));
    return (NodeMessageSerializer) serialization.serializerByIdentity().apply(IDENTIFIER);
  }

  /** What was refused since the start. */
  public Refused refused() {
    return new Refused(foreign.get(), malformed.get());
  }

  private Kryo kryo(NodeMessages messages) {
    Kryo kryo = new Kryo(new RegisteredClasses(), null);
    kryo.setRegistrationRequired(true);
    kryo.setReferences(false);
    kryo.setMaxDepth(MAX_DEPTH);
    messages
        .byNumber()
        .forEach((number, type) -> kryo.register(new Registration(type, serializer(type), number)));
    return kryo;
  }

  private <T> RecordSerializer<T> serializer(Class<T> type) {
    return new RecordSerializer<>(
        type,
        reference -> references().toSerializationFormat(reference),
        text -> references().resolveActorRef(text));
  }

  private ActorRefResolver references() {
    ActorRefResolver known = references;
    if (known == null) {
      known = ActorRefResolver.get(Adapter.toTyped(system));
      references = known;
    }
    return known;
  }

  @Override
  public int identifier() {
    return IDENTIFIER;
  }

  @Override
  public boolean includeManifest() {
    return false;
  }

  /**
   * Writes a message.
   *
   * @throws IllegalArgumentException if its class has no number, or it is too long
   */
  @Override
  public byte[] toBinary(Object message) {
    if (!(message instanceof NodeMessage)) {
      throw new IllegalArgumentException(message.getClass().getName() + ": no message of ours");
    }
    Kryo kryo = kryos.obtain();
    try {
      Output output = new Output(256, MAX_MESSAGE);
      output.writeByte(FORMAT);
      kryo.writeClassAndObject(output, message);
      return output.toBytes();
    } catch (KryoBufferOverflowException e) {
      throw new IllegalArgumentException(
          message.getClass().getName() + ": more than " + MAX_MESSAGE + " bytes", e);
    } catch (KryoException e) {
      throw new IllegalArgumentException(message.getClass().getName() + ": " + e.getMessage(), e);
    } finally {
      kryos.free(kryo);
    }
  }

  @Override
  public Object fromBinaryJava(byte[] bytes, Class<?> manifest) {
    Kryo kryo = kryos.obtain();
    try {
      return read(kryo, bytes);
    } catch (ForeignClassException e) {
      throw refuse(foreign, "a foreign class", e);
    } catch (RuntimeException e) { // whatever a constructor, a reference or Kryo finds wrong
      throw refuse(malformed, "a malformed message", e);
    } finally {
      kryos.free(kryo);
    }
  }

  private static Object read(Kryo kryo, byte[] bytes) {
    if (bytes.length > MAX_MESSAGE) {
      throw new KryoException(bytes.length + " bytes, expected at most " + MAX_MESSAGE);
    }
    Input input = new Input(bytes);
    byte format = input.readByte();
    if (format != FORMAT) {
      throw new KryoException("format " + format + ", expected " + FORMAT);
    }
    Object message = kryo.readClassAndObject(input);
    if (input.position() != bytes.length) {
      throw new KryoException((bytes.length - input.position()) + " bytes after the message");
    }
    return message;
  }

  /** The first few are logged, then fewer and fewer: whoever sends them must not fill the disk. */
  private static RuntimeException refuse(AtomicLong counter, String what, RuntimeException why) {
    long count = counter.incrementAndGet();
    String message = "refused " + what + ": " + why.getMessage();
    if (count <= 10 || Long.bitCount(count) == 1) {
      LOG.warn("{} (number {})", message, count);
    }
    return sneak(new NotSerializableException(message));
  }

  /** Pekko drops a message on this exception, and does not declare it for Java. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <E extends Exception> E sneak(Exception checked) throws E {
    throw (E) checked;
  }
}
