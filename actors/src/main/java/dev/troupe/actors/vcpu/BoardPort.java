package dev.troupe.actors.vcpu;

import dev.troupe.actors.schedule.Board;
import dev.troupe.actors.schedule.BoardCommand;
import dev.troupe.actors.schedule.ExitSlot;
import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.bus.AddressMap;
import dev.troupe.runtime.bus.BusAccess;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * One vCPU's way to the board: finds the device behind an address, sends it the exit as a message
 * and waits for it.
 */
public final class BoardPort {
  /** No actor answered: a device failed, stopped, or caused messages without end. */
  public static final class UnansweredException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnansweredException(String message) {
      super(message);
    }
  }

  private final Board board;
  private final AddressMap addresses;
  private final List<ActorRef<BoardCommand>> devices;
  private final int interruptController;
  private final int ioApic;
  private final int numericError;

  /** What messages carry as their sender's time. */
  private long time;

  private final ExitSlot slot;
  private final BusAccess.Caller caller = this::call;
  private int sent;

  /**
   * Makes a vCPU's port.
   *
   * @param devices the board's actors by index
   * @param interruptController index of the device that acknowledges interrupts
   * @param ioApic index of the device that sees the end of level-triggered ones
   * @param numericError index of the device that the vCPUs' FERR# pins lead to
   * @param slot this vCPU's alone
   */
  public BoardPort(
      Board board,
      AddressMap addresses,
      List<ActorRef<BoardCommand>> devices,
      int interruptController,
      int ioApic,
      int numericError,
      ExitSlot slot) {
    this.board = board;
    this.addresses = addresses;
    this.devices = List.copyOf(devices);
    this.interruptController = interruptController;
    this.ioApic = ioApic;
    this.numericError = numericError;
    this.slot = slot;
  }

  /** Messages that the last access has sent. */
  int sent() {
    return sent;
  }

  /** Sets the virtual time of the accesses that follow. */
  BoardPort at(long now) {
    time = now;
    return this;
  }

  long read(AddressSpace space, long address, int size) {
    sent = 0;
    return BusAccess.read(addresses, space, address, size, caller);
  }

  void write(AddressSpace space, long address, int size, long value) {
    sent = 0;
    BusAccess.write(addresses, space, address, size, value, caller);
  }

  long acknowledge(int vcpu) {
    sent = 0;
    return call(interruptController, new BoardMessage.InterruptAcknowledge(vcpu));
  }

  void endOfInterrupt(int vector) {
    sent = 0;
    call(ioApic, new BoardMessage.EndOfInterrupt(vector));
  }

  void numericError(int vcpu, boolean asserted) {
    sent = 0;
    call(numericError, new BoardMessage.LineLevel(vcpu, asserted));
  }

  private long call(int device, BoardMessage message) {
    ActorRef<BoardCommand> actor = devices.get(device);
    BoardCommand.Call call = new BoardCommand.Call(slot, message, time);
    board.call(slot, () -> actor.tell(call));
    sent++;
    if (!slot.replied()) {
      throw new UnansweredException(
          slot.overrun()
              ? "%s to %s caused more than %d messages"
                  .formatted(message, actor.path().name(), Board.MAX_MESSAGES_PER_EXIT)
              : "%s was not answered by %s, messages=%d"
                  .formatted(message, actor.path().name(), slot.messages()));
    }
    return slot.value();
  }
}
