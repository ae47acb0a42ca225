package dev.troupe.actors.wire;

import com.esotericsoftware.kryo.KryoException;

/** Bytes name a class, or a number of one, that may not cross nodes. */
final class ForeignClassException extends KryoException {
  private static final long serialVersionUID = 1;

  ForeignClassException(String message) {
    super(message);
  }
}
