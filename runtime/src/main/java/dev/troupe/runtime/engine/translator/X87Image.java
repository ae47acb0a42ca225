package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.memory.Raw;

/**
 * The x87 part of {@link State}'s FXSAVE area (SDM vol. 1, 10.5.1), with which the host's x87 state
 * is loaded and saved. FIP, FDP and FOP have places of their own: those of the host are not the
 * guest's.
 */
final class X87Image {
  private static final int CONTROL = State.FX;
  private static final int STATUS = State.FX + 2;
  private static final int TAGS = State.FX + 4;
  private static final int OPCODE = State.FX + 6;
  private static final int INSTRUCTION = State.FX + 8;
  private static final int DATA = State.FX + 16;
  private static final int REGISTERS = State.FX + 32;
  private static final int REGISTER_BYTES = 16;

  private static final int ALL_MASKED = 0x3F;

  private X87Image() {}

  /** Whether the host can have this state: no exception is to be reported, now or later. */
  static boolean fits(X87 x) {
    return (x.control & ALL_MASKED) == ALL_MASKED;
  }

  /** To the area. */
  static void store(X87 x, long state) {
    Raw.put16(state + CONTROL, (short) x.control);
    Raw.put16(state + STATUS, (short) x.statusWord());
    Raw.put16(state + TAGS, (short) x.used);
    Raw.put16(state + OPCODE, (short) 0);
    Raw.put64(state + INSTRUCTION, 0);
    Raw.put64(state + DATA, 0);
    for (int n = 0; n < 8; n++) {
      long place = state + REGISTERS + (long) n * REGISTER_BYTES;
      int r = x.physical(n);
      Raw.put64(place, x.significand[r]);
      Raw.put64(place + 8, x.exponent[r]);
    }
    Raw.put64(state + State.X87_INSTRUCTION, x.instructionPointer);
    Raw.put64(state + State.X87_DATA, x.dataPointer);
    Raw.put64(state + State.X87_OPCODE, x.opcode);
  }

  /** From the area. */
  static void load(X87 x, long state) {
    x.setControlWord(Raw.get16(state + CONTROL) & 0xFFFF);
    x.setStatusWord(Raw.get16(state + STATUS) & 0xFFFF);
    x.used = Raw.get8(state + TAGS) & 0xFF;
    for (int n = 0; n < 8; n++) {
      long place = state + REGISTERS + (long) n * REGISTER_BYTES;
      int r = x.physical(n);
      x.significand[r] = Raw.get64(place);
      x.exponent[r] = Raw.get16(place + 8) & 0xFFFF;
    }
    x.instructionPointer = Raw.get64(state + State.X87_INSTRUCTION);
    x.dataPointer = Raw.get64(state + State.X87_DATA);
    x.opcode = (int) Raw.get64(state + State.X87_OPCODE);
  }
}
