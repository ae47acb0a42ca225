package dev.troupe.oracle;

import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.InsnEncoder;
import dev.troupe.runtime.isa.InsnGenerator;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.Row;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Makes cases of a row: an encoding by {@link InsnGenerator}, then registers and memory such that
 * its operands lie in the windows that are compared, now and then across a page's end, in read-only
 * memory or nowhere.
 */
final class CaseGenerator {
  /** A case, and what it is, for the report. */
  record Case(Row row, int mode, long seed, byte[] bytes, Insn insn, CpuImage image) {}

  private static final int CODE_OFFSET = 0x40;
  private static final int REAL_CODE = 0x1000;
  private static final int REAL_DATA = 0x4000;
  private static final int REAL_TARGET = 0x6000;
  private static final int REAL_STACK = 0x8800;
  private static final int REAL_END = 0xFF00;

  private static final int[] SELECTORS = {
    0, 3, 0x23, 0x2B, 0x33, 0x07, 0x0F, 0x17, 0x1F, 0x10, 0x18, 0xFF, 0x27
  };

  /** Where Linux keeps the number of the CPU, as a limit. */
  private static final int CPU_NODE = 0x78;

  /** INT with this number is no exception on the host but a system call. */
  private static final int LINUX_SYSTEM_CALL = 0x80;

  private static final int RAX = 0;
  private static final int RCX = 1;
  private static final int RDX = 2;
  private static final int RSP = 4;
  private static final int RBP = 5;
  private static final int RSI = 6;
  private static final int RDI = 7;
  private static final int NONE = 16;
  private static final int FS = 4;
  private static final int GS = 5;

  private final InsnEncoder encoder = new InsnEncoder();

  /** The case of that row, code size and seed; null if the drawn form cannot be encoded. */
  Case make(Row row, int mode, long seed) {
    return new Draft(row, mode, seed).make();
  }

  /** One case in the making. */
  private final class Draft {
    private final Row row;
    private final RowShape shape;
    private final int mode;
    private final long seed;
    private final SplittableRandom random;
    private final CaseValues values;
    private final CpuImage image = new CpuImage();
    private final Insn insn = new Insn();
    private final byte[] code = new byte[CpuImage.WINDOW];
    private final byte[] data = new byte[CpuImage.WINDOW];
    private final byte[] target = new byte[CpuImage.WINDOW];
    private final byte[] stack = new byte[CpuImage.WINDOW];

    /** Offsets in their segments: base 0 but in 16-bit code. */
    private final long codeAt;

    /** Of the instruction in the code window. */
    private final int codeOffset;

    private final long dataAt;

    /** Moved to where an operand at an edge is, so that its surroundings are set and compared. */
    private long targetAt;

    private final long stackAt;
    private final long segmentBase;
    private final long stackPointer;

    Draft(Row row, int mode, long seed) {
      this.row = row;
      shape = new RowShape(row);
      this.mode = mode;
      this.seed = seed;
      random =
          // Not a multiple of SplittableRandom's own step, or seeds would share their numbers.
          new SplittableRandom(
              (seed * 0xD134_2543_DE82_EF95L ^ row.opcode().hashCode()) * 0xAF25_1AF3_B0F0_25B5L
                  + mode);
      values = new CaseValues(random);
      boolean real = mode == 16;
      segmentBase = real ? ChildProgram.REAL : 0;
      // Mostly in the open; sometimes across two pages, or where code or writable data ends.
      int before = 1 + values.below(16);
      switch (values.below(24)) {
        case 0 -> {
          codeAt = real ? REAL_CODE + 0xF80 : ChildProgram.CODE + 0xF80;
          codeOffset = 0x80 - before;
        }
        case 1 -> {
          codeAt = real ? REAL_END : ChildProgram.CODE + 0x1F00;
          codeOffset = CpuImage.WINDOW - before;
        }
        default -> {
          codeAt = real ? REAL_CODE : ChildProgram.CODE + 0x100;
          codeOffset = CODE_OFFSET;
        }
      }
      int place = new int[] {0xF80, 0x1F00, 0x1F00, 0x800}[Math.min(3, values.below(24))];
      if (shape.isArea()) { // three windows one after another
        dataAt = real ? REAL_DATA : ChildProgram.DATA + (values.oneIn(4) ? 0x1D00 : 0x800);
        targetAt = dataAt + CpuImage.WINDOW;
        stackAt = targetAt + CpuImage.WINDOW;
      } else {
        dataAt = real ? REAL_DATA + (place & 0xFFF) : ChildProgram.DATA + place;
        targetAt = real ? REAL_TARGET : ChildProgram.DATA + 0x400;
        stackAt = stack(real);
      }
      stackPointer = stackPointer();
    }

    Case make() {
      InsnGenerator.generate(row, mode, InsnGenerator.Form.ANY, choices(), insn);
      registers();
      values.fill(data);
      values.fill(target);
      values.fill(stack);
      values.floatingPoint(image.fx);
      branches();
      address();
      strings();
      selectors();
      returns();
      byte[] bytes = encoder.encode(insn);
      if (bytes == null || (shape.isExtendedState() && (addressedBy(0) || addressedBy(RDX)))) {
        return null;
      }
      if (ChildProgram.isOwn(image.gpr[RSP])) { // where another operand made RSP what it is
        return null;
      }
      bytes = Prefixes.add(bytes, insn, values);
      Arrays.fill(code, (byte) 0xCC);
      int room = Math.min(bytes.length, CpuImage.WINDOW - codeOffset);
      System.arraycopy(bytes, 0, code, codeOffset, room);
      place();
      insn.length = bytes.length;
      return new Case(row, mode, seed, bytes, insn, image);
    }

    private InsnGenerator.Choices choices() {
      return new InsnGenerator.Choices() {
        @Override
        public int below(int bound) {
          return random.nextInt(bound);
        }

        @Override
        public long bits() {
          return random.nextLong();
        }
      };
    }

    private void place() {
      image.windows.add(new CpuImage.Window(segmentBase + codeAt, code));
      image.windows.add(new CpuImage.Window(segmentBase + dataAt, data));
      image.windows.add(new CpuImage.Window(segmentBase + targetAt, target));
      image.windows.add(new CpuImage.Window(segmentBase + stackAt, stack));
      image.rip = codeAt + codeOffset;
      if (mode == 32) {
        image.cs = ChildProgram.CS32;
        image.ss = image.ds = image.es = ChildProgram.DS32;
      } else if (mode == 16) {
        image.cs = ChildProgram.CS16;
        image.ss = image.ds = image.es = ChildProgram.DS16;
      }
    }

    private void registers() {
      for (int r = 0; r < 16; r++) {
        image.gpr[r] = values.integer();
        if (ChildProgram.isOwn(image.gpr[r] & 0xFFFF_FFFFL)) {
          image.gpr[r] ^= 1L << 31; // what the child itself has there is nowhere for us
        }
      }
      if (mode != 64) {
        for (int r = 0; r < 16; r++) {
          image.gpr[r] = r < 8 ? image.gpr[r] & 0xFFFF_FFFFL : 0;
        }
      }
      if (values.oneIn(3)) { // so that comparisons come out equal, and CMPXCHG exchanges
        image.gpr[0] = image.gpr[insn.reg & 7];
      }
      image.gpr[RSP] = stackPointer;
      if (row.meaning().equals("LEAVE") || values.oneIn(4)) {
        image.gpr[RBP] = stackAt + 0x40 + 8L * values.below(8);
      }
      image.rflags = 0x202 | (values.bits() & 0x8D5);
      if (values.oneIn(8)) {
        image.rflags |= 0x400; // DF
      }
      if (values.oneIn(12)) {
        image.rflags |= 0x100; // TF
      }
      if (values.oneIn(16)) {
        image.rflags |= 0x40000; // AC
      }
      if (mode == 64 && values.oneIn(2)) {
        image.fsBase = (values.bits() & 0xFFFF) - 0x8000;
        image.gsBase = values.bits() & 0x7FFF_FFFFL;
      }
      if (row.meaning().equals("XGETBV")) {
        image.gpr[RCX] = values.oneIn(4) ? 2 : 0; // 1 is what the host offers and our models do not
      }
      if (row.meaning().startsWith("DIV") || row.meaning().startsWith("IDIV")) {
        image.gpr[RDX] = values.oneIn(2) ? 0 : image.gpr[RDX] >>> (1 + values.below(63));
      }
    }

    /** Mostly in the open; sometimes at an end of what is mapped, or of the segment. */
    private long stack(boolean real) {
      int end = real && codeAt == REAL_END ? 2 : values.below(32);
      return switch (end) {
        case 0 -> real ? 0 : ChildProgram.STACK;
        case 1 -> real ? REAL_END : ChildProgram.STACK + 0x1F00;
        default -> real ? REAL_STACK : ChildProgram.STACK + 0x800;
      };
    }

    private long stackPointer() {
      if ((stackAt & 0xF00) == 0) {
        return stackAt + values.below(24);
      }
      if ((stackAt & 0xF00) == 0xF00) {
        return stackAt + CpuImage.WINDOW - 1 - values.below(24);
      }
      return switch (values.below(mode == 64 ? 40 : 39)) {
        case 0 -> stackAt + 0x80 + values.below(8);
        case 39 -> 0x8000_0000_0000_0000L >>> values.below(17) | stackAt + 0x80;
        default -> stackAt + 0x80;
      };
    }

    /** Branch distances and targets within the code window, where only breakpoints are. */
    private void branches() {
      for (OperandCode operand : row.operands()) {
        if (operand.kind() == OperandCode.Kind.RELATIVE) {
          // At the end of 64 KiB not past it: what other cases left there is no breakpoints.
          insn.immediate =
              values.oneIn(2) || codeAt == REAL_END
                  ? -CODE_OFFSET + 8 + values.below(24)
                  : 16 + values.below(0x40);
        }
        if (operand.kind() == OperandCode.Kind.FAR_POINTER) {
          insn.immediate = landing();
          insn.immediate2 = (int) farTarget();
        }
      }
      if (row.meaning().equals("INT") && insn.immediate == LINUX_SYSTEM_CALL) {
        insn.immediate++;
      }
      if (shape.isIndirect() && !insn.memory) {
        image.gpr[insn.rm & 15] = landing();
      }
    }

    /** Somewhere in the code window, but not in the instruction itself, which would not end. */
    private long landing() {
      return codeAt + values.below(CODE_OFFSET);
    }

    /** Fits base, index or displacement so that the ModRM operand lies where we want it. */
    private void address() {
      if (row.meaning().equals("CLZERO") && !values.oneIn(8)) {
        image.gpr[RAX] = dataAt + values.below(CpuImage.WINDOW) - segmentBase();
      }
      if (!insn.memory || (!row.encoding().modRm() && !shape.isOffset())) {
        return;
      }
      int size = 1 << values.below(6);
      int offset = values.below(CpuImage.WINDOW / size) * size;
      if (values.oneIn(3)) {
        offset = values.below(CpuImage.WINDOW - 64);
      }
      if (row.operands().stream().anyMatch(o -> o.bits(insn.operandSize) == 128)
          && !values.oneIn(8)) {
        offset &= ~15;
      }
      if (shape.isArea()) {
        offset = values.below(3) * 64 + (values.oneIn(8) ? values.below(64) : 0);
        area(offset);
      }
      long wanted = dataAt + offset;
      if (shape.isBitString() && !values.oneIn(4)) {
        wanted = dataAt + 0x40 + (offset & 0x3F);
        image.gpr[insn.reg & 15] = values.below(1024) - 512L;
      }
      if (values.oneIn(16)) {
        wanted = edge();
      } else if (mode == 64 && values.oneIn(64)) {
        wanted = 0x8000_0000_0000_0000L >>> values.below(17) | wanted; // not canonical, mostly
      }
      if (insn.ripRelative) {
        insn.displacement = 0x20L + values.below(0x60);
        if (segmentBase() != 0) { // from there into the data, not to where the child's own are
          image.fsBase = image.gsBase = dataAt - codeAt;
        }
        return;
      }
      wanted -= segmentBase();
      long mask = insn.addressSize == 64 ? -1 : (1L << insn.addressSize) - 1;
      if (insn.addressSize == 16 && mode != 16) {
        return; // 16-bit addresses of flat code: page zero, unmapped
      }
      int base = insn.base;
      int index = insn.index;
      if (base == NONE || base == index) {
        long small = values.below(1 << 8);
        long scaled = 0;
        if (index != NONE) {
          image.gpr[index] = small;
          scaled = (small << insn.scale) + (base == NONE ? 0 : small);
        }
        insn.displacement = fit(wanted - scaled);
      } else {
        long rest = insn.displacement;
        if (index != NONE) {
          rest += image.gpr[index] << insn.scale;
        }
        image.gpr[base] = wanted - rest & mask;
        if (values.oneIn(3) && insn.addressSize < mode) {
          image.gpr[base] |= values.bits() << insn.addressSize;
          image.gpr[base] &= mode == 64 ? -1 : 0xFFFF_FFFFL;
        }
      }
      wanted += segmentBase();
      if (shape.isIndirect()) {
        operand(wanted, landing());
      }
      if (shape.isSelectorRow()) {
        operand(wanted, selector());
      }
      if (shape.isFarMemory()) {
        int width = insn.operandSize / 8;
        boolean branch = row.meaning().equals("CALLF_M") || row.meaning().equals("JMPF_M");
        operand(wanted, landing());
        operand(wanted + width, branch ? farTarget() : selector());
      }
    }

    /**
     * Where a far branch goes. A call from 16-bit to 64-bit code is left out: AMD's processors push
     * on all of RSP then, whose upper half is undefined (SDM vol. 1, 3.4.1.1; Linux has an address
     * of its own there), and Linux runs an instruction of 16-bit code that faults on an address
     * beyond 4 GiB again for ever (is_errata100() in arch/x86/mm/fault.c).
     */
    private long farTarget() {
      long selector = codeSelector();
      boolean wide = (selector & ~3) == (ChildProgram.CS64 & ~3);
      return mode == 16 && wide && row.meaning().startsWith("CALLF") ? 0 : selector;
    }

    private long codeSelector() {
      if (values.oneIn(2)) {
        return selector();
      }
      return mode == 64 ? ChildProgram.CS64 : mode == 32 ? ChildProgram.CS32 : ChildProgram.CS16;
    }

    /** Read-only, unmapped or beyond the segment's limit, or across the way there. */
    private long edge() {
      if (shape.isArea()) { // processors take areas apart at a segment's end, each model in its way
        return dataAt + values.below(3 * CpuImage.WINDOW);
      }
      int distance = values.below(64) - 32;
      if (codeAt == REAL_END) {
        return dataAt + values.below(64); // not into the code
      }
      if (mode == 16) {
        targetAt = REAL_END;
        return 0x10000L - Math.abs(distance);
      }
      targetAt = ChildProgram.READ_ONLY - CpuImage.WINDOW;
      return (values.oneIn(2) ? ChildProgram.READ_ONLY : ChildProgram.UNMAPPED) + distance;
    }

    /** What FS and GS add to an address in 64-bit code. */
    private long segmentBase() {
      return insn.segment == FS ? image.fsBase : insn.segment == GS ? image.gsBase : 0;
    }

    private long fit(long displacement) {
      return shape.isOffset()
          ? displacement & (insn.addressSize == 64 ? -1 : (1L << insn.addressSize) - 1)
          : insn.addressSize == 16 ? (short) displacement : (int) displacement;
    }

    private boolean addressedBy(int register) {
      return insn.base == register || insn.index == register;
    }

    private long selector() {
      if (!values.oneIn(8)) {
        return SELECTORS[values.below(SELECTORS.length)];
      }
      long any = values.bits() & 0xFFFF;
      return (any & ~3) == CPU_NODE ? 0 : any;
    }

    private void selectors() {
      if (shape.isSelectorRow() && !insn.memory) {
        int r = insn.rm & 15;
        image.gpr[r] = (image.gpr[r] & ~0xFFFFL) | selector();
      }
      if (row.meaning().equals("POP_S")) {
        put(stack, stackPointer - stackAt, selector());
      }
    }

    private void strings() {
      for (OperandCode operand : row.operands()) {
        switch (operand.kind()) {
          case SOURCE_STRING ->
              image.gpr[RSI] =
                  (values.oneIn(12) ? edge() : dataAt + 0x40 + values.below(0x40)) - segmentBase();
          case TARGET_STRING ->
              image.gpr[RDI] = values.oneIn(12) ? edge() : targetAt + 0x40 + values.below(0x40);
          case XLAT -> image.gpr[3] = dataAt - segmentBase();
          default -> {}
        }
      }
      if (row.has(Row.REP | Row.REPZ)) {
        image.gpr[RCX] = values.below(9);
        if (values.oneIn(3)) {
          Arrays.fill(data, (byte) 7);
          Arrays.fill(target, (byte) 7);
        }
      }
      if (row.meaning().startsWith("LOOP") || row.meaning().equals("JCXZ")) {
        image.gpr[RCX] = values.oneIn(2) ? values.below(3) : image.gpr[RCX];
      }
      if (row.meaning().startsWith("MASKMOV")) {
        image.gpr[RDI] = targetAt + 0x40 + values.below(0x40) - segmentBase();
      }
    }

    /** Return addresses and frames on the stack. */
    private void returns() {
      int width = insn.operandSize / 8;
      switch (row.meaning()) {
        // At the pointer, wherever in the window: elsewhere, what other cases left there would run.
        case "RET" -> put(stack, stackPointer - stackAt, landing());
        case "RETF", "IRET" -> {
          // Upwards, as each put overwrites what follows.
          put(stack, 0x80, landing());
          put(stack, 0x80 + width, values.oneIn(3) ? selector() : codeSelector());
          put(stack, 0x80 + 2L * width, values.bits() & 0xCD5);
          put(stack, 0x80 + 3L * width, stackAt + 0x80);
          put(
              stack,
              0x80 + 4L * width,
              mode == 64 ? ChildProgram.SS64 : mode == 32 ? ChildProgram.DS32 : ChildProgram.DS16);
        }
        case "POPF" -> put(stack, 0x80, values.bits() & 0x4FFFF);
        default -> {}
      }
    }

    private void area(int offset) {
      byte[] all = shape.area(values, offset);
      if (shape.isExtendedState()) {
        image.gpr[RDX] = 0;
        image.gpr[0] = values.below(4); // what the oracle compares of the host's components
      }
      System.arraycopy(all, 0, data, 0, CpuImage.WINDOW);
      System.arraycopy(all, CpuImage.WINDOW, target, 0, CpuImage.WINDOW);
      System.arraycopy(all, 2 * CpuImage.WINDOW, stack, 0, CpuImage.WINDOW);
    }

    /** Puts part of an operand wherever that is; at an edge more than one window may be there. */
    private void operand(long at, long value) {
      put(data, at - dataAt, value);
      put(target, at - targetAt, value);
      put(stack, at - stackAt, value);
    }

    private void put(byte[] window, long offset, long value) {
      for (int n = 0; n < 8; n++) {
        if (offset + n >= 0 && offset + n < CpuImage.WINDOW) {
          window[(int) offset + n] = (byte) (value >>> (8 * n));
        }
      }
    }
  }
}
