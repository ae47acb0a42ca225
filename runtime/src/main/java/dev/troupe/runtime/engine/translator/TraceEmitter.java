package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.engine.translator.Emission.Flags;
import dev.troupe.runtime.engine.translator.LoopPages.Group;
import dev.troupe.runtime.engine.translator.Operations.FlagUse;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.OperandCode;
import java.util.List;
import java.util.Set;

/**
 * Makes the code of a trace. What it does not emit, and every access that the TLB does not let
 * through, leaves the code before the instruction; the interpreter does that one.
 */
final class TraceEmitter {
  /** Code and stubs of a trace, at most: an instruction takes less than 250 bytes, few 400. */
  static final int MAX_BYTES = 300 * Trace.MAX_COUNT;

  /**
   * Instructions of a trace that may run before its first segment is charged; the budget is kept so
   * much too low.
   */
  static final int MAX_DELAY = 16;

  private static final int NOWHERE = -1;
  private static final int R10 = Assembler.R10;
  private static final int R11 = Assembler.R11;
  private static final int R15 = Assembler.R15;

  /** What a trace wants the flags to be in when it begins. */
  private enum Wanted {
    HOST,
    MEMORY,
    /** It sets them all before it needs them. */
    NEITHER
  }

  private final CodeArea area;
  private final Plant plant;

  /** Whether flags that the host leaves otherwise than the guest's processor are put right. */
  private final boolean amends;

  private final Emission emission;
  private final LoopPages pages = new LoopPages();
  private final MemoryAccess memory;
  private final Copies copies;
  private final X87Emitter x87;
  private final StackRuns stackRuns;
  private final StringEmitter strings;
  private final Transfers transfers;
  private final SystemCalls systemCalls;
  private final Assembler code;

  private Trace trace;

  /** What is wanted, and the instruction before which the first segment is charged. */
  private Wanted wanted;

  private int chargedAt;

  TraceEmitter(CodeArea area, Set<Feature> host, boolean amends, Plant plant) {
    this.area = area;
    this.amends = amends;
    this.plant = plant;
    emission = new Emission(area);
    memory = new MemoryAccess(emission, pages);
    copies = new Copies(emission, memory, host);
    x87 = new X87Emitter(emission, memory, host);
    stackRuns = new StackRuns(emission, memory);
    strings = new StringEmitter(emission, memory);
    IndirectJumps indirect = new IndirectJumps(area, emission);
    transfers = new Transfers(area, emission, memory, indirect);
    systemCalls = new SystemCalls(area, emission, indirect);
    code = emission.code;
  }

  /** What is to be done about one instruction. */
  Plan plan(Insn insn, int mode) {
    Insn i = HostRows.of(insn);
    Kind kind = Operations.kind(i, mode);
    byte[] copy =
        switch (kind) {
          case COPY -> copies.encoded(i);
          case X87 -> x87.encoded(i);
          default -> null;
        };
    if (kind == Kind.STEP || (copy == null && (kind == Kind.COPY || kind == Kind.X87))) {
      return Plan.step(i);
    }
    FlagUse flags =
        switch (kind) {
          case COPY, X87 -> Operations.flags(i);
          case JCC -> FlagUse.READS;
          default -> FlagUse.NONE;
        };
    int writes = Operations.writes(i, kind);
    UndefinedFlags undefined =
        amends && kind == Kind.COPY ? UndefinedFlags.of(i, writes) : UndefinedFlags.AS_HOST;
    return undefined == UndefinedFlags.STEP
        ? Plan.step(i)
        : new Plan(i, kind, flags, copy, Operations.access(i, kind), writes, undefined);
  }

  /**
   * Emits a trace into the area, which has {@link #MAX_BYTES} left.
   *
   * @param bank offset of the TLB bank from the state
   * @param lifted the bank while EFLAGS.AC is set
   * @param unsteady groups of accesses that are to have no slot
   */
  Translation emit(
      Translator owner, Trace newTrace, int number, int bank, int lifted, List<Group> unsteady) {
    trace = newTrace;
    begin();
    Translation made = emit(owner, number, bank, lifted, unsteady, false);
    return transfers.mismatch() ? emit(owner, number, bank, lifted, unsteady, true) : made;
  }

  private Translation emit(
      Translator owner,
      int number,
      int bank,
      int lifted,
      List<Group> unsteady,
      boolean loopInMemory) {
    emission.begin(trace, number, bank, lifted);
    pages.begin(trace, unsteady);
    transfers.begin(trace);
    int entryHost;
    int entryMemory;
    switch (wanted) {
      case MEMORY -> {
        entryHost = code.position();
        CodeArea.saveFlags(code);
        entryMemory = code.position();
        emission.flagsAre(Flags.MEMORY, null);
      }
      case HOST -> {
        entryMemory = code.position();
        CodeArea.restoreFlags(code);
        entryHost = code.position();
        emission.flagsAre(Flags.HOST, null);
      }
      default -> {
        entryMemory = code.position();
        entryHost = entryMemory;
        emission.flagsAre(Flags.MEMORY, null);
      }
    }
    plant.into(code, number);
    int[] resume = new int[trace.count];
    int x87From = Translation.NO_X87;
    stackRuns.clear();
    for (int at = 0; at < trace.count; at++) {
      emission.instruction(at);
      if (at == trace.loop) {
        transfers.loopHead(loopInMemory);
      }
      boolean behind = emission.flagsNeedSlots() || isStored(at);
      resume[at] = behind ? NOWHERE : code.position();
      if (at == chargedAt || at == trace.loop) {
        emission.charge();
      }
      Plan plan = trace.plan(at);
      int run = stackRuns.lengthAt(trace, at);
      if (run > 1) {
        stackRuns.emit(trace, at, run);
        at += run - 1;
        emission.instruction(at);
        plan = trace.plan(at);
      } else {
        instruction(plan);
      }
      x87From = plan.kind() == Kind.X87 ? Math.min(x87From, at + 1) : x87From;
      if (trace.endsBlock(at) && !plan.kind().transfers() && plan.kind() != Kind.STEP) {
        transfers.fallThrough();
      }
    }
    if (transfers.mismatch()) {
      return null;
    }
    stackRuns.finish(resume, at -> instruction(trace.plan(at)));
    long base = area.blockAddress();
    long[] addresses = new long[resume.length];
    for (int k = 0; k < resume.length; k++) {
      addresses[k] = resume[k] == NOWHERE ? Translation.NOWHERE : base + resume[k];
    }
    Translation made =
        new Translation(
            owner,
            number,
            trace,
            base + entryHost,
            base + entryMemory,
            addresses,
            chargedAt,
            x87From,
            pages.groups(),
            unsteady,
            code.position(),
            area.stubAddress(emission.stubs.position()),
            code.position() + emission.stubs.position());
    emission.finish(made);
    return made;
  }

  /** See {@link Transfers#far}. */
  long far(Translation.Site site, Translation to, int bank) {
    return transfers.far(site, to, bank);
  }

  /** Decides where the first segment is charged, and what entries there are. */
  private void begin() {
    wanted = null;
    chargedAt = -1;
    for (int k = 0; chargedAt < 0; k++) {
      Plan plan = trace.plan(k);
      boolean last = plan.kind().transfers() || k == trace.segmentEnd(0) - 1 || k == MAX_DELAY - 1;
      if (plan.clobbers() || last) {
        chargedAt = k;
        wanted = wanted == null ? Wanted.MEMORY : wanted;
        return;
      }
      switch (plan.flags()) {
        case READS, CHANGES -> wanted = wanted == null ? Wanted.HOST : wanted;
        case SETS -> {
          wanted = wanted == null ? Wanted.NEITHER : wanted;
          chargedAt = k + 1;
        }
        case NONE -> {}
      }
    }
  }

  // Instructions ---------------------------------------------------------------------------------

  private void instruction(Plan plan) {
    Insn i = plan.insn();
    switch (plan.kind()) {
      case STEP -> emission.step();
      case NOP -> {}
      case COPY -> {
        int at = emission.at();
        boolean seen = UndefinedFlags.seen(trace, at, chargedAt);
        copies.emit(plan, Recipe.of(trace, at, chargedAt), seen, place(at));
      }
      case X87 -> x87.emit(plan);
      case LEA -> loadAddress(i);
      case DIV -> divide(i);
      case PUSH -> push(i);
      case POP -> pop(i);
      case LEAVE -> leave(i.operandSize / 8);
      case PUSHF -> pushFlags(i.operandSize / 8);
      case SWAPGS -> {
        code.load(R15, State.GS_BASE);
        code.load(R11, State.KERNEL_GS_BASE);
        code.store(R15, State.KERNEL_GS_BASE);
        code.store(R11, State.GS_BASE);
      }
      case CLI -> {
        emission.clobber();
        systemFlags(4, ~(int) Rflags.IF); // and
      }
      case STI -> {
        emission.clobber();
        code.state(false, 0x83, 7, State.EVENTS); // cmp dword [],0
        code.emit(0);
        emission.stepIf(Assembler.NOT_EQUAL);
        systemFlags(1, (int) Rflags.IF); // or
      }
      case STAC -> {
        emission.clobber();
        systemFlags(1, (int) Rflags.AC);
        emission.lift(true);
      }
      case CLAC -> {
        emission.clobber();
        systemFlags(4, ~(int) Rflags.AC);
        emission.lift(false);
      }
      case PAUSE -> {
        emission.clobber();
        code.state(false, 0x83, 7, State.PAUSES); // cmp dword [],0
        code.emit(0);
        emission.stepIf(Assembler.EQUAL);
        code.state(false, 0xFF, 1, State.PAUSES); // dec dword []
        code.emit(0xF3, 0x90); // pause
      }
      case MOVS -> strings.emit(i, true);
      case STOS -> strings.emit(i, false);
      case RDTSC -> systemCalls.readClock(false);
      case RDTSCP -> systemCalls.readClock(true);
      case JCC -> transfers.branch(i);
      case JMP -> transfers.jump();
      case JMP_INDIRECT -> transfers.jumpIndirect(i);
      case CALL -> transfers.call(i);
      case CALL_INDIRECT -> transfers.callIndirect(i);
      case RET -> transfers.ret(i);
      case SYSCALL -> systemCalls.call(i);
      case SYSRET -> systemCalls.callReturn();
    }
  }

  private Copies.Place place(int at) {
    if (isStored(at)) {
      return Copies.Place.OF_LOAD;
    }
    return SamePlace.loads(trace, at) ? Copies.Place.ALSO_STORE : Copies.Place.OWN;
  }

  /** Whether an instruction stores to where the one before it has loaded from. */
  private boolean isStored(int at) {
    return at > 0 && SamePlace.loads(trace, at - 1);
  }

  private void set(int register, int from) {
    if (Registers.inRegister(register)) {
      code.move(Registers.host(register), from);
    } else {
      code.store(from, State.register(register));
    }
  }

  private void loadAddress(Insn i) {
    boolean wide = i.operandSize == 64 && i.addressSize == 64;
    if (Registers.inRegister(i.reg)) {
      memory.effective(i, Registers.host(i.reg), wide);
    } else {
      memory.effective(i, R11, wide);
      code.store(R11, State.register(i.reg));
    }
  }

  private void push(Insn i) {
    if (i.row.operand(0).kind() == OperandCode.Kind.IMMEDIATE) {
      memory.pushConstant(i.immediate, i.operandSize / 8);
      return;
    }
    int register = i.row.operand(0).kind() == OperandCode.Kind.OPCODE ? i.reg : i.rm;
    if (i.memory) {
      memory.target(i);
      code.store(R11, State.TARGET);
    }
    memory.reserve(i.operandSize / 8);
    if (i.memory) {
      code.load(R15, State.TARGET);
    }
    int from = i.memory ? R15 : memory.in(register, R15);
    code.memory(i.operandSize == 64, 0x89, from);
    code.move(Registers.RSP, R11);
  }

  private void pop(Insn i) {
    int register = i.row.operand(0).kind() == OperandCode.Kind.OPCODE ? i.reg : i.rm;
    boolean wide = i.operandSize == 64;
    memory.at(wide, Cpu.RSP);
    memory.check(i.operandSize / 8, false);
    code.memory(wide, 0x8B, R15);
    code.add(wide, Registers.RSP, Registers.RSP, i.operandSize / 8);
    set(register, R15);
  }

  private void systemFlags(int digit, int constant) {
    code.state(false, 0x81, digit, State.SYSTEM_FLAGS);
    code.emit32(constant);
  }

  private void pushFlags(int bytes) {
    emission.toMemory();
    memory.reserve(bytes);
    FlagImage.whole(code);
    code.memory(bytes == 8, 0x89, R15);
    code.move(Registers.RSP, R11);
  }

  private void leave(int bytes) {
    boolean wide = bytes == 8;
    memory.at(wide, Cpu.RBP);
    memory.check(bytes, false);
    code.add(wide, Registers.RSP, R11, bytes);
    code.memory(wide, 0x8B, Cpu.RBP);
  }

  /** Only what cannot fault; flags stay as they were, as the interpreter leaves them. */
  private void divide(Insn i) {
    boolean wide = i.operandSize == 64;
    if (i.memory) {
      memory.address(i);
      memory.check(i.operandSize / 8, false);
      code.memory(wide, 0x8B, R11);
    } else {
      emission.clobber();
      code.registers(wide, 0x8B, R11, memory.in(i.rm, R11));
    }
    if (i.row.meaning().equals("DIV")) {
      code.registers(wide, 0x3B, Cpu.RDX, R11); // cmp: the quotient fits, and no zero
      emission.stepIf(Assembler.ABOVE_OR_EQUAL);
      code.registers(wide, 0xF7, 6, R11);
    } else {
      code.registers(wide, 0x8B, R10, Cpu.RAX);
      code.emit(wide ? 0x49 : 0x41, 0xC1, 0xFA, wide ? 63 : 31); // sar r10,
      code.registers(wide, 0x3B, R10, Cpu.RDX);
      emission.stepIf(Assembler.NOT_EQUAL);
      code.registers(wide, 0x8B, R10, R11);
      code.registers(wide, 0xFF, 0, R10); // inc: neither 0 nor -1
      code.registers(wide, 0x83, 7, R10);
      code.emit(1); // cmp r10,1
      emission.stepIf(Assembler.BELOW_OR_EQUAL);
      code.registers(wide, 0xF7, 7, R11);
    }
  }
}
