package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Tlb;
import dev.troupe.runtime.engine.interpreter.Block;
import dev.troupe.runtime.engine.interpreter.op.Operands;
import dev.troupe.runtime.engine.translator.Operations.FlagUse;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.InsnEncoder;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.OperandCode.Kind;
import dev.troupe.runtime.isa.OperandCode.Size;
import dev.troupe.runtime.isa.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Makes the code of one block. What it does not emit, and every access that the TLB does not let
 * through, leaves the code before the instruction; the interpreter does that one.
 *
 * <p>Arithmetic flags are in the host's, in memory ({@link State#FLAGS}), or in both. What would
 * destroy the host's (TLB checks, the budget) saves them first if they are nowhere else, so that at
 * every place where code is left they are exact.
 */
final class BlockEmitter {
  /** Instructions of a block, at most. */
  static final int MAX_BLOCK = Block.MAX_COUNT;

  /** Code and stubs of a block, at most: an instruction takes less than 200 bytes. */
  static final int MAX_BYTES = 200 * MAX_BLOCK;

  private static final int R10 = Assembler.R10;
  private static final int R11 = Assembler.R11;
  private static final int R15 = Assembler.R15;
  private static final int RSP = Assembler.R9; // the guest's

  /** Where the flags are. */
  private enum Flags {
    HOST,
    MEMORY,
    BOTH
  }

  /** What a block wants the flags to be in when it begins. */
  private enum Wanted {
    HOST,
    MEMORY,
    /** It sets them all before it needs them. */
    NEITHER
  }

  /** A jump from the block's code to a stub, or from a stub to somewhere. */
  private record Fixup(int site, long target) {}

  private final CodeArea area;
  private final Set<Feature> host;
  private final Plant plant;
  private final InsnEncoder encoder = new InsnEncoder();
  private final Assembler code = new Assembler();
  private final Assembler stubs = new Assembler();
  private final List<Fixup> toStubs = new ArrayList<>();
  private final List<Fixup> fromStubs = new ArrayList<>();

  // The block in hand.
  private Block block;
  private int number;
  private int bank;

  /** What copied instructions become. */
  private final byte[][] copies = new byte[MAX_BLOCK][];

  /** Which instructions are emitted, a bit each. */
  private long emitted;

  private int chargedAt;
  private boolean charged;
  private Flags flags;
  private int at;

  /** The stub of the instruction in hand, -1 if it has none yet, and where it finds the flags. */
  private int stepStub;

  private int nextSite;
  private int nextStub;
  private boolean nextInHost;
  private int takenSite;
  private int takenStub;
  private boolean takenInHost;

  BlockEmitter(CodeArea area, Set<Feature> host, Plant plant) {
    this.area = area;
    this.host = host;
    this.plant = plant;
  }

  /** Whether a guest's register is in one of the host's. */
  static boolean inRegister(int register) {
    return register < 9 || (register > 11 && register < 15);
  }

  /** The host's register that holds a guest's. */
  static int host(int register) {
    return register == Cpu.RSP ? RSP : register;
  }

  /**
   * Emits a block into the area, which has {@link #MAX_BYTES} left.
   *
   * @param newBank offset of the TLB bank from the state
   */
  Translation emit(Translator owner, Block newBlock, int newNumber, int newBank) {
    begin(newBlock, newNumber, newBank);
    int[] resume = new int[block.count];
    int entryHost;
    int entryMemory;
    switch (wanted()) {
      case MEMORY -> {
        entryHost = code.position();
        CodeArea.saveFlags(code);
        entryMemory = code.position();
        flags = Flags.MEMORY;
      }
      case HOST -> {
        entryMemory = code.position();
        CodeArea.restoreFlags(code);
        entryHost = code.position();
        flags = Flags.HOST;
      }
      default -> {
        entryMemory = code.position();
        entryHost = entryMemory;
        flags = Flags.MEMORY;
      }
    }
    plant.into(code, number);
    boolean open = true;
    for (at = 0; at < block.count; at++) {
      resume[at] = code.position();
      stepStub = -1;
      open = instruction(block.insns[at]);
    }
    if (open) {
      at = block.count - 1;
      next();
    }
    return finish(owner, entryHost, entryMemory, resume);
  }

  private void begin(Block newBlock, int newNumber, int newBank) {
    block = newBlock;
    number = newNumber;
    bank = newBank;
    code.clear();
    stubs.clear();
    toStubs.clear();
    fromStubs.clear();
    nextSite = -1;
    takenSite = -1;
    charged = false;
    emitted = 0;
    chargedAt = 0;
    for (int k = block.count - 1; k >= 0; k--) {
      Insn i = block.insns[k];
      copies[k] = null;
      if (isKnown(i, k)) {
        emitted |= 1L << k;
        chargedAt = touchesMemory(i) ? k : chargedAt;
      }
    }
  }

  private Translation finish(Translator owner, int entryHost, int entryMemory, int[] resume) {
    long codeBase = area.blockAddress();
    long stubBase = area.stubAddress(stubs.position());
    for (Fixup jump : toStubs) {
      code.patch(jump.site, stubBase + jump.target - codeBase);
    }
    for (Fixup jump : fromStubs) {
      stubs.patch(jump.site, jump.target - stubBase);
    }
    long[] addresses = new long[resume.length];
    for (int k = 0; k < resume.length; k++) {
      addresses[k] = codeBase + resume[k];
    }
    Translation made =
        new Translation(
            owner,
            number,
            block,
            codeBase + entryHost,
            codeBase + entryMemory,
            addresses,
            emitted,
            chargedAt,
            code.position() + stubs.position());
    at = block.count - 1;
    charged = true;
    if (nextSite >= 0) {
      made.next = site(made, codeBase + nextSite, stubBase + nextStub, ExitWord.NEXT, nextInHost);
    }
    if (takenSite >= 0) {
      made.taken =
          site(made, codeBase + takenSite, stubBase + takenStub, ExitWord.TAKEN, takenInHost);
    }
    area.addStubs(stubs.bytes());
    area.addBlock(code.bytes());
    return made;
  }

  private Translation.Site site(Translation from, long site, long stub, int kind, boolean inHost) {
    return new Translation.Site(from, site, stub, word(kind), inHost);
  }

  private int word(int kind) {
    return ExitWord.of(number, at, kind, charged);
  }

  /**
   * A way to code of another page, for the address that a site's jump goes to: it holds only while
   * the execute TLB says so (DESIGN.md, law on the TLB), else it leaves as the site's stub does.
   *
   * @return its address
   */
  long far(Translation.Site site, Translation to, int newBank) {
    stubs.clear();
    fromStubs.clear();
    if (site.flagsInHost) {
      CodeArea.saveFlags(stubs);
    }
    Block target = to.block;
    long page = target.linear & -4096L;
    int entry = newBank + ((int) (page >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    stubs.constant(R15, page);
    stubs.state(true, 0x3B, R15, entry + Tlb.EXECUTE); // cmp
    int changed = stubs.jump(Assembler.NOT_EQUAL);
    stubs.constant(R15, target.host - target.linear);
    stubs.state(true, 0x3B, R15, entry + Tlb.ADDEND);
    int moved = stubs.jump(Assembler.NOT_EQUAL);
    fromStubs.add(new Fixup(stubs.jump(), to.entryWithMemoryFlags));
    stubs.patch(changed, stubs.position());
    stubs.patch(moved, stubs.position());
    stubs.push(site.word);
    fromStubs.add(new Fixup(stubs.jump(), area.leaveByMemory()));
    long base = area.stubAddress(stubs.position());
    for (Fixup jump : fromStubs) {
      stubs.patch(jump.site, jump.target - base);
    }
    area.addStubs(stubs.bytes());
    return base;
  }

  /** By the first instruction that asks for the flags in one place. */
  private Wanted wanted() {
    for (int k = 0; k < block.count; k++) {
      Insn i = block.insns[k];
      if (k == chargedAt || !known(k) || touchesMemory(i)) {
        return Wanted.MEMORY;
      }
      switch (i.row.meaning().equals("JCC") ? FlagUse.READS : Operations.flags(i)) {
        case READS, CHANGES -> {
          return Wanted.HOST;
        }
        case SETS -> {
          return Wanted.NEITHER;
        }
        case NONE -> {}
      }
    }
    return Wanted.MEMORY;
  }

  // Flags ----------------------------------------------------------------------------------------

  /** The host's flags are about to be lost. */
  private void clobber() {
    if (flags == Flags.HOST) {
      CodeArea.saveFlags(code);
    }
    flags = Flags.MEMORY;
  }

  private void toHost() {
    if (flags == Flags.MEMORY) {
      CodeArea.restoreFlags(code);
      flags = Flags.BOTH;
    }
  }

  // Leaving --------------------------------------------------------------------------------------

  /** A stub that leaves with this word; gives its offset. */
  private int stub(int kind) {
    int position = stubs.position();
    stubs.push(word(kind));
    long way = flags == Flags.HOST ? area.leaveByHost() : area.leaveByMemory();
    fromStubs.add(new Fixup(stubs.jump(), way));
    return position;
  }

  /** The interpreter does the instruction in hand if the condition holds; flags are in memory. */
  private void stepIf(int condition) {
    if (stepStub < 0) {
      stepStub = stub(ExitWord.STEP);
    }
    toStubs.add(new Fixup(code.jump(condition), stepStub));
  }

  private boolean step() {
    toStubs.add(new Fixup(code.jump(), stub(ExitWord.STEP)));
    flags = Flags.BOTH;
    return true;
  }

  private void charge() {
    clobber();
    charged = true;
    code.state(false, 0x83, 5, State.BUDGET); // sub dword [],n
    code.emit(block.count);
    toStubs.add(new Fixup(code.jump(Assembler.SIGN), stub(ExitWord.BUDGET)));
  }

  private boolean next() {
    nextInHost = flags == Flags.HOST;
    nextStub = stub(ExitWord.NEXT);
    nextSite = code.jump();
    toStubs.add(new Fixup(nextSite, nextStub));
    return false;
  }

  private boolean taken(int site) {
    takenInHost = flags == Flags.HOST;
    takenStub = stub(ExitWord.TAKEN);
    takenSite = site;
    toStubs.add(new Fixup(takenSite, takenStub));
    return false;
  }

  /** On to r11, by the jump cache if the execute TLB still has its page. */
  private boolean indirect() {
    clobber();
    code.rotate(R10, R11, Tlb.INDEX_SHIFT);
    code.and32(R10, Tlb.INDEX_MASK);
    code.move(R15, R11);
    code.stateAt(true, 0x33, R15, R10, bank + Tlb.EXECUTE); // xor
    code.compare(R15, 4095);
    code.stateAt(true, 0x8B, R15, R10, bank + Tlb.ADDEND);
    int stub = stubs.position();
    stubs.push(word(ExitWord.INDIRECT));
    fromStubs.add(new Fixup(stubs.jump(), area.leaveIndirect()));
    toStubs.add(new Fixup(code.jump(Assembler.ABOVE), stub));
    code.registers(false, 0x8B, R10, R11); // mov r10d,r11d
    code.emit(0x41, 0xC1, 0xE2, State.JUMP_SHIFT); // shl r10d,
    code.and32(R10, State.JUMP_MASK);
    code.stateAt(true, 0x3B, R11, R10, State.JUMPS + State.JUMP_ADDRESS); // cmp
    toStubs.add(new Fixup(code.jump(Assembler.NOT_EQUAL), stub));
    code.stateAt(true, 0x3B, R15, R10, State.JUMPS + State.JUMP_ADDEND);
    toStubs.add(new Fixup(code.jump(Assembler.NOT_EQUAL), stub));
    code.stateAt(false, 0x81, 7, R10, State.JUMPS + State.JUMP_MODE); // cmp dword [],constant
    code.emit32(block.mode);
    toStubs.add(new Fixup(code.jump(Assembler.NOT_EQUAL), stub));
    code.stateAt(false, 0xFF, 4, R10, State.JUMPS + State.JUMP_CODE); // jmp []
    return false;
  }

  // Memory ---------------------------------------------------------------------------------------

  /** {@code to = base + index * scale + displacement}; changes no flags, uses r10 and r11. */
  private void effective(Insn i, int to, boolean wide) {
    int base = in(i.base, R11);
    int index = in(i.index, R10);
    long displacement = i.displacement;
    if (base < 0 && index < 0) {
      code.constant(to, wide ? displacement : displacement & 0xFFFF_FFFFL);
      return;
    }
    int rex = 0x40 | (wide ? 8 : 0) | to >> 3 << 2;
    rex |= index < 0 ? 0 : index >> 3 << 1;
    rex |= base < 0 ? 0 : base >> 3;
    code.emit(rex, 0x8D);
    int reg = (to & 7) << 3;
    boolean small = displacement == (byte) displacement;
    int mod = base < 0 ? 0 : displacement == 0 && (base & 7) != 5 ? 0 : small ? 0x40 : 0x80;
    if (index >= 0 || base < 0 || (base & 7) == 4) {
      code.emit(mod | reg | 4);
      int sibIndex = index < 0 ? 4 : index & 7;
      code.emit(i.scale << 6 | sibIndex << 3 | (base < 0 ? 5 : base & 7));
    } else {
      code.emit(mod | reg | (base & 7));
    }
    if (base < 0 || mod == 0x80) {
      code.emit32((int) displacement);
    } else if (mod == 0x40) {
      code.emit((int) displacement);
    }
  }

  /** The host's register with a guest's; one in memory is loaded into {@code scratch}. */
  private int in(int register, int scratch) {
    if (register == Cpu.ZERO) {
      return -1;
    }
    if (inRegister(register)) {
      return host(register);
    }
    code.load(scratch, State.register(register));
    return scratch;
  }

  /** The linear address of the memory operand, in r11. */
  private void address(Insn i) {
    clobber();
    effective(i, R11, i.addressSize == 64);
    if (i.addressing == Operands.BASED || i.addressing == Operands.FLAT_BASED) {
      code.state(true, 0x03, R11, i.segment == Cpu.FS ? State.FS_BASE : State.GS_BASE);
    }
  }

  /**
   * Looks up r11 in the TLB: goes on with the host address in r11 + r10, or leaves before the
   * instruction.
   */
  private void check(int bytes, boolean write) {
    clobber();
    code.rotate(R10, R11, Tlb.INDEX_SHIFT);
    code.and32(R10, Tlb.INDEX_MASK);
    code.move(R15, R11);
    code.stateAt(true, 0x33, R15, R10, bank + (write ? Tlb.WRITE : Tlb.READ)); // xor
    code.compare(R15, 4096 - bytes);
    code.stateAt(true, 0x8B, R10, R10, bank + Tlb.ADDEND);
    stepIf(Assembler.ABOVE);
  }

  // Instructions ---------------------------------------------------------------------------------

  private static OperandCode memoryOperand(Insn i) {
    for (OperandCode operand : i.row.operands()) {
      if (operand.kind().mayBeMemory()) {
        return operand;
      }
    }
    return null;
  }

  private boolean known(int index) {
    return (emitted >>> index & 1) != 0;
  }

  private boolean isKnown(Insn i, int index) {
    if (i.form == Block.RAISE) {
      return false;
    }
    return switch (i.row.meaning()) {
      case "NOP",
          "LEA",
          "JMP",
          "JCC",
          "CALL",
          "RET",
          "JMP_E",
          "CALL_E",
          "PUSH",
          "POP",
          "LEAVE",
          "DIV",
          "IDIV" ->
          isSpecial(i);
      default -> {
        copies[index] = encoded(i);
        yield copies[index] != null;
      }
    };
  }

  private static boolean addressable(Insn i) {
    return !i.memory || i.addressing != Operands.CHECKED;
  }

  private static boolean isSpecial(Insn i) {
    boolean wide = i.operandSize == 64;
    return addressable(i)
        && switch (i.row.meaning()) {
          case "NOP", "JCC", "JMP" -> true;
          case "LEA" -> i.operandSize > 16;
          case "DIV", "IDIV" -> i.row.operand(0).size() != Size.B && i.operandSize > 16;
          case "POP" -> wide && !i.memory;
          default -> wide;
        };
  }

  /** Of an instruction that is emitted. */
  private static boolean touchesMemory(Insn i) {
    return switch (i.row.meaning()) {
      case "NOP", "LEA", "JMP", "JCC" -> false;
      case "CALL", "RET", "CALL_E", "PUSH", "POP", "LEAVE" -> true;
      default -> i.memory;
    };
  }

  /** Emits one; false if the block ends with it. */
  private boolean instruction(Insn i) {
    if (at == chargedAt) {
      charge();
    }
    if (!known(at)) {
      step();
      return at < block.count - 1;
    }
    return switch (i.row.meaning()) {
      case "NOP" -> true;
      case "LEA" -> loadAddress(i);
      case "JMP" -> taken(code.jump());
      case "JCC" -> branch(i);
      case "CALL" -> call(i);
      case "CALL_E" -> callIndirect(i);
      case "JMP_E" -> {
        target(i);
        yield indirect();
      }
      case "RET" -> ret(i);
      case "PUSH" -> push(i);
      case "POP" -> pop(i);
      case "LEAVE" -> leave();
      case "DIV", "IDIV" -> divide(i);
      default -> copy(i);
    };
  }

  /**
   * The bytes of an instruction that is copied, with registers and address replaced; null if it
   * cannot be.
   */
  private byte[] encoded(Insn i) {
    if (!addressable(i) || !Operations.isCopied(i, host)) {
      return null;
    }
    if (i.memory) {
      OperandCode operand = memoryOperand(i);
      if (operand == null || operand.bits(i.operandSize) == 0) {
        return null;
      }
    }
    Insn h = new Insn();
    h.row = i.row;
    h.mode = 64;
    h.operandSize = i.operandSize;
    h.addressSize = 64;
    h.reg = uses(i, true) ? mapped(i.reg, scratch(i)) : i.reg;
    h.rm = i.memory ? -1 : uses(i, false) ? mapped(i.rm, R11) : i.rm;
    h.vvvv = mapped(i.vvvv, R15);
    h.memory = i.memory;
    h.base = i.memory ? R11 : Cpu.ZERO;
    h.index = i.memory ? R10 : Cpu.ZERO;
    h.segment = Cpu.DS;
    h.immediate = i.immediate;
    h.immediate2 = i.immediate2;
    h.lock = i.lock;
    if (i.memory && h.vvvv == R15 && h.reg == R15 && i.vvvv != i.reg) {
      return null; // both in memory, and one scratch register left
    }
    return encoder.encode(h);
  }

  /** Whether ModRM.reg (or the opcode), else ModRM.rm, names a general register. */
  private static boolean uses(Insn i, boolean reg) {
    for (OperandCode operand : i.row.operands()) {
      Kind kind = operand.kind();
      if (reg
          ? kind == Kind.REG || kind == Kind.OPCODE
          : kind == Kind.RM || kind == Kind.RM_REGISTER) {
        return true;
      }
    }
    return false;
  }

  /** What ModRM.reg's register is loaded into, if it lives in memory. */
  private static int scratch(Insn i) {
    return i.memory ? R15 : i.reg == i.rm ? R11 : R10;
  }

  private static int mapped(int register, int scratch) {
    if (register >= 16) {
      return register; // AH to BH
    }
    return inRegister(register) ? host(register) : scratch;
  }

  private boolean copy(Insn i) {
    Row row = i.row;
    FlagUse use = Operations.flags(i);
    if (i.memory) {
      OperandCode operand = memoryOperand(i);
      int size = operand.bits(i.operandSize) / 8;
      address(i);
      if (size == 16 && !row.has(Row.UNALIGNED)) {
        code.emit(0x41, 0xF6, 0xC3, 0x0F); // test r11b,15
        stepIf(Assembler.NOT_EQUAL);
      }
      check(size, row.writes(row.operands().indexOf(operand)));
    }
    if (use == FlagUse.READS || use == FlagUse.CHANGES) {
      toHost();
    }
    spilled(i, true);
    code.emit(copies[at]);
    spilled(i, false);
    if (use == FlagUse.SETS || use == FlagUse.CHANGES) {
      flags = Flags.HOST;
    }
    return true;
  }

  /** Loads or stores the registers of an instruction that live in memory. */
  private void spilled(Insn i, boolean load) {
    for (int n = 0; n < i.row.operands().size(); n++) {
      if (!load && !i.row.writes(n)) {
        continue;
      }
      switch (i.row.operand(n).kind()) {
        case REG, OPCODE -> spill(i.reg, scratch(i), load);
        case RM, RM_REGISTER -> {
          if (!i.memory) {
            spill(i.rm, R11, load);
          }
        }
        case VVVV -> spill(i.vvvv, R15, load);
        default -> {}
      }
    }
  }

  private void spill(int register, int scratch, boolean load) {
    if (register < 16 && !inRegister(register)) {
      if (load) {
        code.load(scratch, State.register(register));
      } else {
        code.store(scratch, State.register(register));
      }
    }
  }

  private void set(int register, int from) {
    if (inRegister(register)) {
      code.move(host(register), from);
    } else {
      code.store(from, State.register(register));
    }
  }

  private boolean loadAddress(Insn i) {
    boolean wide = i.operandSize == 64 && i.addressSize == 64;
    if (inRegister(i.reg)) {
      effective(i, host(i.reg), wide);
    } else {
      effective(i, R11, wide);
      code.store(R11, State.register(i.reg));
    }
    return true;
  }

  private boolean branch(Insn i) {
    toHost();
    taken(code.jump(i.row.encoding().code() & 15));
    return next();
  }

  /** Room for a push, checked: the value goes to r11 + r10, then the guest's RSP becomes r11. */
  private void reserve() {
    clobber();
    code.add(R11, RSP, -8);
    check(8, true);
  }

  private void pushConstant(long value) {
    reserve();
    if (value == (int) value) {
      code.memory(true, 0xC7, 0);
      code.emit32((int) value);
    } else {
      code.constant(R15, value);
      code.memory(true, 0x89, R15);
    }
    code.move(RSP, R11);
  }

  private boolean call(Insn i) {
    pushConstant(i.nextRip);
    return taken(code.jump());
  }

  /** The value of the ModRM operand, in r11. */
  private void target(Insn i) {
    if (i.memory) {
      address(i);
      check(8, false);
      code.memory(true, 0x8B, R11);
    } else if (inRegister(i.rm)) {
      code.move(R11, host(i.rm));
    } else {
      code.load(R11, State.register(i.rm));
    }
  }

  private boolean callIndirect(Insn i) {
    target(i);
    clobber();
    code.move(R15, R11);
    code.emit(0x49, 0xC1, 0xE7, 16); // shl r15,16
    code.emit(0x49, 0xC1, 0xFF, 16); // sar r15,16
    code.registers(true, 0x3B, R15, R11); // cmp: is it canonical
    stepIf(Assembler.NOT_EQUAL);
    code.store(R11, State.TARGET);
    pushConstant(i.nextRip);
    code.load(R11, State.TARGET);
    return indirect();
  }

  private boolean ret(Insn i) {
    code.move(R11, RSP);
    check(8, false);
    code.memory(true, 0x8B, R11);
    code.add(RSP, RSP, popped(i));
    return indirect();
  }

  /** Bytes that a near return takes off the stack. */
  static int popped(Insn ret) {
    return 8 + ((int) ret.immediate & 0xFFFF);
  }

  private boolean push(Insn i) {
    if (i.row.operand(0).kind() == Kind.IMMEDIATE) {
      pushConstant(i.immediate);
      return true;
    }
    int register = i.row.operand(0).kind() == Kind.OPCODE ? i.reg : i.rm;
    if (i.memory) {
      target(i);
      code.store(R11, State.TARGET);
    }
    reserve();
    if (i.memory) {
      code.load(R15, State.TARGET);
      code.memory(true, 0x89, R15);
    } else {
      code.memory(true, 0x89, in(register, R15));
    }
    code.move(RSP, R11);
    return true;
  }

  private boolean pop(Insn i) {
    int register = i.row.operand(0).kind() == Kind.OPCODE ? i.reg : i.rm;
    code.move(R11, RSP);
    check(8, false);
    code.memory(true, 0x8B, R15);
    code.add(RSP, RSP, 8);
    set(register, R15);
    return true;
  }

  private boolean leave() {
    code.move(R11, Cpu.RBP);
    check(8, false);
    code.add(RSP, R11, 8);
    code.memory(true, 0x8B, Cpu.RBP);
    return true;
  }

  /** Only what cannot fault; flags stay as they were, as the interpreter leaves them. */
  private boolean divide(Insn i) {
    boolean wide = i.operandSize == 64;
    if (i.memory) {
      address(i);
      check(i.operandSize / 8, false);
      code.memory(wide, 0x8B, R11);
    } else {
      clobber();
      code.registers(wide, 0x8B, R11, in(i.rm, R11));
    }
    if (i.row.meaning().equals("DIV")) {
      code.registers(wide, 0x3B, Cpu.RDX, R11); // cmp: the quotient fits, and no zero
      stepIf(Assembler.ABOVE_OR_EQUAL);
      code.registers(wide, 0xF7, 6, R11);
    } else {
      code.registers(wide, 0x8B, R10, Cpu.RAX);
      code.emit(wide ? 0x49 : 0x41, 0xC1, 0xFA, wide ? 63 : 31); // sar r10,
      code.registers(wide, 0x3B, R10, Cpu.RDX);
      stepIf(Assembler.NOT_EQUAL);
      code.registers(wide, 0x8B, R10, R11);
      code.registers(wide, 0xFF, 0, R10); // inc: neither 0 nor -1
      code.registers(wide, 0x83, 7, R10);
      code.emit(1); // cmp r10,1
      stepIf(Assembler.BELOW_OR_EQUAL);
      code.registers(wide, 0xF7, 7, R11);
    }
    return true;
  }
}
