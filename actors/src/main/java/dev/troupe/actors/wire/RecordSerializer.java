package dev.troupe.actors.wire;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * A record's components in their order, within a frame of known length. A frame that has more than
 * this version knows is from a newer one: the rest is skipped. One that ends early, between two
 * components, is from an older one: what is missing is 0, false, an empty text or no bytes.
 *
 * <p>Bytes are hostile: no length is believed before that many bytes are seen to be there.
 */
final class RecordSerializer<T> extends Serializer<T> {
  /** Longest text, in bytes of UTF-8: names, reasons, actor references. */
  static final int MAX_TEXT = 8 * 1024;

  private static final int LENGTH_BYTES = 4;

  private final Class<T> type;
  private final Function<ActorRef<?>, String> toText;
  private final Function<String, ActorRef<?>> fromText;
  private final Class<?>[] types;
  private final Method[] getters;
  private final Constructor<T> constructor;

  /**
   * For one record class.
   *
   * @param toText how an actor reference is written
   * @param fromText and read
   * @throws IllegalArgumentException if a component is of a type that cannot be written
   */
  RecordSerializer(
      Class<T> type, Function<ActorRef<?>, String> toText, Function<String, ActorRef<?>> fromText) {
    super(false, true);
    this.type = type;
    this.toText = toText;
    this.fromText = fromText;
    RecordComponent[] components = type.getRecordComponents();
    types = new Class<?>[components.length];
    getters = new Method[components.length];
    for (int i = 0; i < components.length; i++) {
      types[i] = components[i].getType();
      if (!writable(types[i])) {
        throw new IllegalArgumentException(
            type.getName() + "." + components[i].getName() + ": cannot be written: " + types[i]);
      }
      getters[i] = components[i].getAccessor();
      getters[i].setAccessible(true);
    }
    try {
      constructor = type.getDeclaredConstructor(types);
    } catch (NoSuchMethodException e) {
      throw new IllegalArgumentException(type.getName() + ": no record", e);
    }
    constructor.setAccessible(true);
  }

  private static boolean writable(Class<?> component) {
    return component == long.class
        || component == int.class
        || component == boolean.class
        || component == String.class
        || component == byte[].class
        || component == ActorRef.class
        || NodeMessage.class.isAssignableFrom(component);
  }

  @Override
  public void write(Kryo kryo, Output output, T value) {
    int start = output.position();
    output.writeInt(0);
    try {
      for (int i = 0; i < types.length; i++) {
        write(kryo, output, types[i], getters[i].invoke(value));
      }
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new KryoException(type.getName(), e);
    }
    int end = output.position();
    output.setPosition(start);
    output.writeInt(end - start - LENGTH_BYTES);
    output.setPosition(end);
  }

  private void write(Kryo kryo, Output output, Class<?> component, Object value) {
    if (component == long.class) {
      output.writeVarLong((long) value, true);
    } else if (component == int.class) {
      output.writeVarInt((int) value, true);
    } else if (component == boolean.class) {
      output.writeBoolean((boolean) value);
    } else if (component == String.class) {
      text(output, (String) value);
    } else if (component == byte[].class) {
      byte[] bytes = (byte[]) value;
      output.writeVarInt(bytes.length, true);
      output.writeBytes(bytes);
    } else if (component == ActorRef.class) {
      text(output, toText.apply((ActorRef<?>) value));
    } else {
      kryo.writeClassAndObject(output, value);
    }
  }

  private void text(Output output, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > MAX_TEXT) {
      throw new KryoException(
          type.getName() + ": text of " + bytes.length + " bytes, expected at most " + MAX_TEXT);
    }
    output.writeVarInt(bytes.length, true);
    output.writeBytes(bytes);
  }

  @Override
  public T read(Kryo kryo, Input input, Class<? extends T> actual) {
    int length = input.readInt();
    int outer = input.limit();
    if (length < 0 || length > outer - input.position()) {
      throw new KryoException(
          "length " + Integer.toUnsignedString(length) + " of " + (outer - input.position()));
    }
    int end = input.position() + length;
    input.setLimit(end);
    Object[] values = new Object[types.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = input.position() < end ? component(kryo, input, types[i]) : nothing(types[i]);
    }
    input.setPosition(end);
    input.setLimit(outer);
    try {
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw new KryoException(String.valueOf(e.getCause().getMessage()), e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new KryoException(type.getName(), e);
    }
  }

  private Object component(Kryo kryo, Input input, Class<?> component) {
    if (component == long.class) {
      return input.readVarLong(true);
    }
    if (component == int.class) {
      return input.readVarInt(true);
    }
    if (component == boolean.class) {
      return input.readBoolean();
    }
    if (component == String.class) {
      return text(input);
    }
    if (component == byte[].class) {
      return input.readBytes(length(input, Integer.MAX_VALUE));
    }
    if (component == ActorRef.class) {
      return fromText.apply(text(input));
    }
    Class<?> found = kryo.readClass(input).getType();
    if (!component.isAssignableFrom(found)) {
      throw new ForeignClassException(found.getName() + " for " + component.getName());
    }
    return kryo.readObject(input, found);
  }

  private static String text(Input input) {
    byte[] bytes = input.readBytes(length(input, MAX_TEXT));
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new KryoException("text that is not UTF-8", e);
    }
  }

  private static int length(Input input, int most) {
    int length = input.readVarInt(true);
    int rest = input.limit() - input.position();
    if (length < 0 || length > rest || length > most) {
      throw new KryoException(
          "length "
              + Integer.toUnsignedString(length)
              + ", expected at most "
              + Math.min(rest, most));
    }
    return length;
  }

  private Object nothing(Class<?> component) {
    if (component == long.class) {
      return 0L;
    }
    if (component == int.class) {
      return 0;
    }
    if (component == boolean.class) {
      return false;
    }
    if (component == String.class) {
      return "";
    }
    if (component == byte[].class) {
      return new byte[0];
    }
    throw new KryoException(type.getName() + ": ends before its " + component.getSimpleName());
  }
}
