package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Tlb;
import dev.troupe.runtime.engine.interpreter.Block;
import dev.troupe.runtime.engine.translator.Emission.Flags;
import dev.troupe.runtime.isa.Insn;

/** Emits what goes elsewhere: along the trace, round its loop, or out of it. */
final class Transfers {
  private static final int R11 = Assembler.R11;
  private static final int R15 = Assembler.R15;

  private final CodeArea area;
  private final Emission emission;
  private final MemoryAccess memory;
  private final IndirectJumps indirect;
  private final Assembler code;

  private Trace trace;

  /** Where the loop's head is, and what it finds there. */
  private int loopPosition;

  private Flags loopFlags;
  private boolean loopLifted;
  private Recipe loopRecipe;
  private boolean mismatch;

  Transfers(CodeArea area, Emission emission, MemoryAccess memory, IndirectJumps indirect) {
    this.area = area;
    this.emission = emission;
    this.memory = memory;
    this.indirect = indirect;
    code = emission.code;
  }

  void begin(Trace newTrace) {
    trace = newTrace;
    mismatch = false;
  }

  /** Whether the end of the loop cannot give the flags as the head has found them. */
  boolean mismatch() {
    return mismatch;
  }

  // Loops ----------------------------------------------------------------------------------------

  /**
   * The loop begins here.
   *
   * @param inMemory whether the flags have to be in memory
   */
  void loopHead(boolean inMemory) {
    loopLifted = emission.lifted();
    if (inMemory) {
      emission.toMemory();
    }
    emission.clobber();
    loopFlags = emission.flags();
    loopRecipe = emission.recipe();
    loopPosition = code.position();
  }

  /** Before the jump back: has the flags as the head found them, and keeps the host's. */
  private void toLoop() {
    mismatch |= loopLifted != emission.lifted();
    if (loopFlags == Flags.MEMORY) {
      emission.toMemory();
    } else if (emission.recipe() == null || !emission.recipe().equals(loopRecipe)) {
      mismatch = true;
    }
  }

  private boolean closesLoop() {
    return emission.at() == trace.count - 1 && trace.loop >= 0;
  }

  // Ways out -------------------------------------------------------------------------------------

  /** The block has ended with an instruction that goes to the next one. */
  void fallThrough() {
    if (closesLoop()) {
      toLoop();
      code.jumpTo(loopPosition);
    } else if (trace.way(emission.at()) == null) {
      next();
    }
  }

  /** Leaves to what follows in memory. */
  private void next() {
    if (emission.flags() == Flags.RECIPE) {
      emission.toHost();
    }
    emission.leave(ExitWord.NEXT, code.jump());
  }

  /** A jump or call goes to its target. */
  void jump() {
    if (closesLoop()) {
      toLoop();
      code.jumpTo(loopPosition);
    } else if (trace.way(emission.at()) == null) {
      if (emission.flags() == Flags.RECIPE) {
        emission.toHost();
      }
      emission.leave(ExitWord.TAKEN, code.jump());
    }
  }

  void branch(Insn i) {
    emission.toHost();
    int condition = i.row.encoding().code() & 15;
    Trace.Way way = trace.way(emission.at());
    if (way == null) {
      emission.leave(ExitWord.TAKEN, code.jump(condition));
      emission.leave(ExitWord.NEXT, code.jump());
      return;
    }
    boolean taken = way == Trace.Way.TAKEN;
    if (closesLoop()) {
      toLoop();
      code.jumpTo(taken ? condition : condition ^ 1, loopPosition);
      emission.leave(taken ? ExitWord.NEXT : ExitWord.TAKEN, code.jump());
    } else if (taken) {
      emission.leave(ExitWord.NEXT, code.jump(condition ^ 1));
    } else {
      emission.leave(ExitWord.TAKEN, code.jump(condition));
    }
  }

  /**
   * A way to code of another page, for the address that a site's jump goes to: it holds only while
   * the execute TLB says so (DESIGN.md, law on the TLB), else it leaves as the site's stub does.
   *
   * @return its address
   */
  long far(Translation.Site site, Translation to, int bank) {
    Assembler thunk = emission.stubs;
    thunk.clear();
    if (site.flagsInHost) {
      CodeArea.saveFlags(thunk);
    }
    Block target = to.trace.head();
    long page = target.linear & -4096L;
    int entry = bank + ((int) (page >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    thunk.constant(R15, page);
    thunk.state(true, 0x3B, R15, entry + Tlb.EXECUTE); // cmp
    int changed = thunk.jump(Assembler.NOT_EQUAL);
    thunk.constant(R15, target.host - target.linear);
    thunk.state(true, 0x3B, R15, entry + Tlb.ADDEND);
    int there = thunk.jump(Assembler.EQUAL);
    int moved = thunk.jump();
    thunk.patch(changed, thunk.position());
    entry = State.side(State.bankAt(bank)) + Tlb.sideEntry(page);
    thunk.state(true, 0x3B, R15, entry + Tlb.EXECUTE);
    int gone = thunk.jump(Assembler.NOT_EQUAL);
    thunk.constant(R15, target.host - target.linear);
    thunk.state(true, 0x3B, R15, entry + Tlb.ADDEND);
    int beside = thunk.jump(Assembler.EQUAL);
    thunk.patch(moved, thunk.position());
    thunk.patch(gone, thunk.position());
    thunk.push(site.word);
    int away = thunk.jump();
    long base = area.stubAddress(thunk.position());
    thunk.patch(there, to.entryWithMemoryFlags - base);
    thunk.patch(beside, to.entryWithMemoryFlags - base);
    thunk.patch(away, area.leaveByMemory() - base);
    area.addStubs(thunk.bytes());
    return base;
  }

  void call(Insn i) {
    memory.pushConstant(i.nextRip, i.operandSize / 8);
    jump();
  }

  void jumpIndirect(Insn i) {
    emission.toMemory();
    memory.target(i);
    emission.clobber();
    indirect.emit();
  }

  void callIndirect(Insn i) {
    emission.toMemory();
    memory.target(i);
    emission.clobber();
    if (i.operandSize == 64) {
      code.move(R15, R11);
      code.emit(0x49, 0xC1, 0xE7, 16); // shl r15,16
      code.emit(0x49, 0xC1, 0xFF, 16); // sar r15,16
      code.compareRegisters(R15, R11); // is it canonical
      emission.stepIf(Assembler.NOT_EQUAL);
    }
    code.store(R11, State.TARGET);
    memory.pushConstant(i.nextRip, i.operandSize / 8);
    code.load(R11, State.TARGET);
    indirect.emit();
  }

  void ret(Insn i) {
    boolean predicted = trace.way(emission.at()) == Trace.Way.RETURN;
    if (!predicted) {
      emission.toMemory();
    }
    boolean wide = i.operandSize == 64;
    memory.at(wide, Cpu.RSP);
    memory.check(i.operandSize / 8, false);
    code.memory(wide, 0x8B, R11);
    code.add(wide, Registers.RSP, Registers.RSP, popped(i));
    if (!predicted) {
      indirect.emit();
      return;
    }
    long expected = trace.insn(trace.after(emission.at())).rip;
    if (!wide || expected == (int) expected) {
      code.compare(wide, R11, (int) expected);
    } else {
      code.constant(R15, expected);
      code.compareRegisters(R11, R15);
    }
    emission.toStub(code.jump(Assembler.NOT_EQUAL), indirect.strayStub());
    if (closesLoop()) {
      toLoop();
      code.jumpTo(loopPosition);
    }
  }

  /** Bytes that a near return takes off the stack. */
  static int popped(Insn ret) {
    return ret.operandSize / 8 + ((int) ret.immediate & 0xFFFF);
  }
}
