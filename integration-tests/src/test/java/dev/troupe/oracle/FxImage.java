package dev.troupe.oracle;

import dev.troupe.runtime.cpu.Cpu;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The FXSAVE area (Intel SDM vol. 1, 10.5.1), moved to and from a {@link Cpu} without its own
 * instructions.
 */
final class FxImage {
  private static final int MXCSR = 24;
  private static final int ST = 32;
  private static final int XMM = 160;

  private FxImage() {}

  static void load(Cpu cpu, byte[] fx) {
    ByteBuffer b = ByteBuffer.wrap(fx).order(ByteOrder.LITTLE_ENDIAN);
    cpu.x87.initialize();
    cpu.x87.setControlWord(Short.toUnsignedInt(b.getShort(0)));
    cpu.x87.setStatusWord(Short.toUnsignedInt(b.getShort(2)));
    int abridged = Byte.toUnsignedInt(b.get(4));
    for (int i = 0; i < 8; i++) {
      int p = cpu.x87.physical(i);
      cpu.x87.significand[p] = b.getLong(ST + 16 * i);
      cpu.x87.exponent[p] = Short.toUnsignedInt(b.getShort(ST + 16 * i + 8));
    }
    cpu.x87.used = abridged;
    cpu.mxcsr = b.getInt(MXCSR);
    for (int i = 0; i < 32; i++) {
      cpu.xmm[i] = b.getLong(XMM + 8 * i);
    }
  }

  static void store(Cpu cpu, byte[] fx) {
    ByteBuffer b = ByteBuffer.wrap(fx).order(ByteOrder.LITTLE_ENDIAN);
    b.putShort(0, (short) cpu.x87.control);
    b.putShort(2, (short) cpu.x87.statusWord());
    b.put(4, (byte) cpu.x87.used);
    for (int i = 0; i < 8; i++) {
      int p = cpu.x87.physical(i);
      b.putLong(ST + 16 * i, cpu.x87.significand[p]);
      b.putShort(ST + 16 * i + 8, (short) cpu.x87.exponent[p]);
    }
    b.putInt(MXCSR, cpu.mxcsr);
    for (int i = 0; i < 32; i++) {
      b.putLong(XMM + 8 * i, cpu.xmm[i]);
    }
  }
}
