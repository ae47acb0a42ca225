package dev.troupe.actors.wire;

import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Registration;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.util.DefaultClassResolver;

/** Finds classes by their number alone: a name in the bytes is reported, and never loaded. */
final class RegisteredClasses extends DefaultClassResolver {
  /** Kryo writes a class's number plus this; 1 says that a name follows. */
  private static final int OFFSET = 2;

  /** Of a foreign class's name, in the log. */
  private static final int MAX_NAME = 200;

  @Override
  public Registration readClass(Input input) {
    int written = input.readVarInt(true);
    if (written == 1) {
      input.readVarInt(true); // the name's own number
      throw new ForeignClassException("class " + name(input));
    }
    Registration registration = written == 0 ? null : getRegistration(written - OFFSET);
    if (registration == null || !NodeMessage.class.isAssignableFrom(registration.getType())) {
      throw new ForeignClassException("class number " + (written - OFFSET));
    }
    return registration;
  }

  /** As Kryo writes text, without trusting its length. */
  private static String name(Input input) {
    byte[] rest = input.readBytes(Math.min(MAX_NAME, input.limit() - input.position()));
    Input text = new Input(rest);
    StringBuilder name = new StringBuilder();
    try {
      if (text.readVarIntFlag()) {
        int length = text.readVarIntFlag(true) - 1;
        while (name.length() < length) {
          name.append(printable(text.readByte()));
        }
      } else {
        byte next;
        do { // ASCII, the last byte of which has its upper bit set
          next = text.readByte();
          name.append(printable((byte) (next & 0x7F)));
        } while (next >= 0);
      }
    } catch (KryoException e) {
      name.append("..."); // cut, by us or by the sender
    }
    return name.toString();
  }

  private static char printable(byte b) {
    return b > ' ' && b < 0x7F ? (char) b : '?';
  }
}
