package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/** Port input and output (SDM vol. 1, chapter 19). */
public final class Ports {
  /** Where a TSS holds the offset of its I/O permission bitmap, in 32- and 64-bit format alike. */
  private static final int BITMAP_OFFSET = 0x66;

  /** The smallest limit of a TSS that has that word. */
  private static final int MINIMUM_LIMIT = 0x67;

  private static final int TSS_BUSY_32 = 0xB;

  private Ports() {}

  /**
   * #GP(0) unless IOPL or the I/O permission bitmap allow {@code bytes} ports from {@code port} on.
   */
  static void check(Cpu c, int port, int bytes) {
    permit(c, port, bytes);
    if ((c.mode & Mode.SLOW) != 0) {
      c.debug.port(port, bytes);
    }
  }

  private static void permit(Cpu c, int port, int bytes) {
    int mode = c.mode;
    if ((mode & Mode.PROTECTED) == 0) {
      return;
    }
    long iopl = (c.systemFlags & Rflags.IOPL) >> Rflags.IOPL_SHIFT;
    if ((mode & Mode.V86) == 0 && c.cpl <= iopl) {
      return;
    }
    long limit = c.segmentLimit[Cpu.TR];
    if ((c.segmentAttributes[Cpu.TR] & 0xF) != TSS_BUSY_32 || limit < MINIMUM_LIMIT) {
      throw c.fault(Fault.GP, 0);
    }
    long base = c.segmentBase[Cpu.TR];
    long at = c.mmu.loadSystem16(base + BITMAP_OFFSET) + (port >> 3);
    if (at + 1 > limit) {
      throw c.fault(Fault.GP, 0);
    }
    long bits = c.mmu.loadSystem16(base + at) >> (port & 7);
    if ((bits & ((1 << bytes) - 1)) != 0) {
      throw c.fault(Fault.GP, 0);
    }
  }

  static long read(Cpu c, int port, int bytes) {
    if (c.replay.hasNext()) {
      return c.replay.take();
    }
    throw c.leave(new Exit.PortRead(port, bytes));
  }

  @Meaning("IN")
  public static long in(Cpu c, long port, int size) {
    check(c, (int) port, size >> 3);
    return read(c, (int) port, size >> 3);
  }

  @Meaning("OUT")
  public static void out(Cpu c, long port, long value, int size) {
    check(c, (int) port, size >> 3);
    c.queueExit(new Exit.PortWrite((int) port, size >> 3, value));
  }

  @Meaning(value = "INS", flow = Flow.END)
  public static void ins(Cpu c, Insn i, int size) {
    check(c, (int) c.gpr[Cpu.RDX] & 0xFFFF, size >> 3);
    Strings.iterate(c, i, Ports::insOnce, size);
  }

  private static boolean insOnce(Cpu c, Insn i, int size) {
    int bytes = size >> 3;
    long to = Strings.destination(c, i, bytes, true);
    c.mmu.probeWrite(to, bytes);
    long value = read(c, (int) c.gpr[Cpu.RDX] & 0xFFFF, bytes);
    Operands.store(c, to, size, value);
    Strings.advanceDestination(c, i, bytes);
    return true;
  }

  @Meaning(value = "OUTS", flow = Flow.END)
  public static void outs(Cpu c, Insn i, int size) {
    check(c, (int) c.gpr[Cpu.RDX] & 0xFFFF, size >> 3);
    Strings.iterate(c, i, Ports::outsOnce, size);
  }

  private static boolean outsOnce(Cpu c, Insn i, int size) {
    int bytes = size >> 3;
    long value = Operands.load(c, Strings.source(c, i, bytes), size);
    c.queueExit(new Exit.PortWrite((int) c.gpr[Cpu.RDX] & 0xFFFF, bytes, value));
    Strings.advanceSource(c, i, bytes);
    return true;
  }
}
