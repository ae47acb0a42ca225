package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;

/**
 * Control flow within a code segment. The engine has put a relative branch's target, cut to the
 * operand size, into {@link Insn#displacement}; {@code cpu.rip} is that of the next instruction
 * already. An operand size of 64 means 64-bit code and the other way round.
 */
public final class Control {
  private static final Exit PAUSE = new Exit.Pause();

  private Control() {}

  /**
   * Goes on at a target that a guest's register or memory gave, or #GP(0) if code cannot be there.
   */
  static void jump(Cpu c, long target, int size) {
    if (!reachable(c, target, size)) {
      throw c.fault(Fault.GP, 0);
    }
    c.rip = target;
  }

  private static boolean reachable(Cpu c, long target, int size) {
    return size == 64 ? target << 16 >> 16 == target : target <= c.segmentLimit[Cpu.CS];
  }

  /** Goes on at a relative branch's target. */
  private static void branch(Cpu c, Insn i, int size) {
    if (size == 64) {
      c.rip = i.displacement;
    } else {
      jump(c, i.displacement, size);
    }
  }

  @Meaning(value = "JCC", flow = Flow.BRANCH)
  public static void jcc(Cpu c, boolean holds, Insn i, int size) {
    if (holds) {
      branch(c, i, size);
    }
  }

  @Meaning(value = "JMP", flow = Flow.BRANCH)
  public static void jmp(Cpu c, Insn i, int size) {
    branch(c, i, size);
  }

  @Meaning(value = "JMP_E", flow = Flow.BRANCH)
  public static void jmpE(Cpu c, Insn i, int size) {
    jump(c, Operands.load(c, i, size), size);
  }

  @Meaning(value = "CALL", flow = Flow.BRANCH)
  public static void call(Cpu c, Insn i, int size) {
    if (size == 64) {
      Stack.push(c, i.nextRip, 64);
      c.rip = i.displacement;
    } else {
      call(c, i, i.displacement, size);
    }
  }

  @Meaning(value = "CALL_E", flow = Flow.BRANCH)
  public static void callE(Cpu c, Insn i, int size) {
    call(c, i, Operands.load(c, i, size), size);
  }

  private static void call(Cpu c, Insn i, long target, int size) {
    // A bad target faults after the push, as on processors; the stack pointer is as it was.
    long pointer = c.gpr[Cpu.RSP];
    Stack.push(c, i.nextRip, size);
    if (!reachable(c, target, size)) {
      c.gpr[Cpu.RSP] = pointer;
      throw c.fault(Fault.GP, 0);
    }
    c.rip = target;
  }

  @Meaning(value = "RET", flow = Flow.BRANCH)
  public static void ret(Cpu c, Insn i, int size) {
    long pointer = c.gpr[Cpu.RSP];
    long target = Operands.load(c, Stack.linear(c, pointer, size >> 3, false), size);
    jump(c, target, size);
    Stack.setPointer(c, pointer + (size >> 3) + (i.immediate & 0xFFFF));
  }

  private static long count(Cpu c, Insn i) {
    return Operands.cut(c.gpr[Cpu.RCX], i.addressSize);
  }

  private static void loop(Cpu c, Insn i, int size, boolean holds) {
    long left = Operands.cut(c.gpr[Cpu.RCX] - 1, i.addressSize);
    if (holds && left != 0) {
      branch(c, i, size);
    }
    Operands.setRegister(c, Cpu.RCX, i.addressSize, left);
  }

  @Meaning(value = "LOOP", flow = Flow.BRANCH)
  public static void loop(Cpu c, Insn i, int size) {
    loop(c, i, size, true);
  }

  @Meaning(value = "LOOPE", flow = Flow.BRANCH)
  public static void loope(Cpu c, Insn i, int size) {
    loop(c, i, size, Flags.zero(c));
  }

  @Meaning(value = "LOOPNE", flow = Flow.BRANCH)
  public static void loopne(Cpu c, Insn i, int size) {
    loop(c, i, size, !Flags.zero(c));
  }

  @Meaning(value = "JCXZ", flow = Flow.BRANCH)
  public static void jcxz(Cpu c, Insn i, int size) {
    if (count(c, i) == 0) {
      branch(c, i, size);
    }
  }

  @Meaning(value = "PAUSE", flow = Flow.END)
  public static void pause(Cpu c, Insn i) {
    if (c.untoldPauses > 0) {
      c.untoldPauses--;
    } else {
      c.queueExit(PAUSE);
    }
  }
}
