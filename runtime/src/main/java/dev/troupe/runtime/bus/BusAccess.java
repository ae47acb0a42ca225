package dev.troupe.runtime.bus;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;

/**
 * A vCPU's access as messages to the devices that it reaches. One that no device takes whole
 * becomes one message a part; one that nobody claims reads as all ones, without a message.
 */
public final class BusAccess {
  /** Who sends the messages. */
  @FunctionalInterface
  public interface Caller {
    /** Sends a message to the device of that index; gives its answer, 0 to a write. */
    long call(int device, BoardMessage message);
  }

  private BusAccess() {}

  /** Reads; gives the value. */
  public static long read(
      AddressMap addresses, AddressSpace space, long address, int size, Caller caller) {
    int device = addresses.find(space, address, size);
    if (device >= 0) {
      return caller.call(device, new BoardMessage.IoRead(space, address, size));
    }
    long value = AddressMap.allOnes(size);
    if (device == AddressMap.SPLIT) {
      for (AddressMap.Piece piece : addresses.pieces(space, address, size)) {
        var part = new BoardMessage.IoRead(space, piece.address(), piece.size());
        value = piece.insert(value, caller.call(piece.device(), part));
      }
    }
    return value;
  }

  /** Writes. */
  public static void write(
      AddressMap addresses, AddressSpace space, long address, int size, long value, Caller caller) {
    int device = addresses.find(space, address, size);
    if (device >= 0) {
      caller.call(device, new BoardMessage.IoWrite(space, address, size, value));
    } else if (device == AddressMap.SPLIT) {
      for (AddressMap.Piece piece : addresses.pieces(space, address, size)) {
        caller.call(
            piece.device(),
            new BoardMessage.IoWrite(space, piece.address(), piece.size(), piece.extract(value)));
      }
    }
  }
}
