package dev.troupe.oracle;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The engine under test, in the surroundings that {@link ChildProgram} has on the host: long mode
 * at CPL 3 with the same addresses mapped, Linux's user segments, the same local descriptor table,
 * and a kernel that is nothing but an IDT whose handlers halt, and a system call that may change
 * flags. For 32-bit code it can be protected mode with PAE paging instead.
 */
final class InterpretedCpu implements AutoCloseable {
  private static final long MEMORY = 16 << 20;

  // Physical layout.
  private static final int PML4 = 0x1000;
  private static final int LOW_PDPT = 0x2000;
  private static final int HIGH_PDPT = 0x3000;
  private static final int NEXT_TABLE = 0x4000;
  private static final int GDT = 0x10000;
  private static final int LDT = 0x11000;
  private static final int IDT = 0x12000;
  private static final int TSS = 0x13000;
  private static final int HANDLERS = 0x14000;
  private static final int KERNEL_STACK = 0x17000;
  private static final int SYSTEM_CALL = 0x1_8000;
  private static final int FRAMES = 0x20_0000;

  /** Where the first 2 MiB of physical memory are, for the supervisor. */
  private static final long LONG_KERNEL = 0xFFFF_8000_0000_0000L;

  private static final long PROTECTED_KERNEL = 0xC000_0000L;

  // test al,1; je on; xor r11,CF|ZF|SF|OF; test al,2; je on; xor r11,DF|ID
  // on: swapgs; swapgs; sysretq
  private static final String CALLED =
      "a801 7412 4981f3c1080000 a802 7407 4981f300042000 0f01f8 0f01f8 480f07";

  /** What Linux's system calls clear, of IF, DF and the arithmetic flags alone. */
  private static final long CALL_MASK = 0xED5;

  /** Bytes between handlers, each of them HLT. */
  private static final int HANDLER = 16;

  private static final long PRESENT = 1;
  private static final long WRITABLE = 2;
  private static final long USER = 4;
  private static final long ACCESSED_DIRTY = 0x60;
  private static final long LARGE = 0x80;

  /** CR0 and CR4 as Linux runs user code. */
  private static final long CR0 = 0x8005_0033L;

  /** PAE MCE PGE OSFXSR OSXMMEXCPT FSGSBASE OSXSAVE. */
  private static final long CR4 = 0x5_06E0L;

  /** SCE LME LMA NX. */
  private static final long EFER = 0xD01L;

  /** NX. */
  private static final long PROTECTED_EFER = 0x800L;

  /** Attributes of a data segment at CPL 3, with limits in bytes. */
  private static final int USER_DATA = 0x40F3;

  /** CR0.AM, and Linux's user code runs with AC free to choose. */
  private static final long SLICE = 100_000;

  private final GuestMemory memory = GuestMemory.allocate(MEMORY);
  private final Engine engine;
  private final Vcpu vcpu;
  private final Cpu cpu;
  private final boolean warm;
  private final boolean longMode;
  private final long kernel;
  private int nextTable = NEXT_TABLE;
  private int nextFrame = FRAMES;

  /** Physical address of what is next in an exception's frame. */
  private int frame;

  /**
   * The engine in its surroundings.
   *
   * @param warm whether the TLB has the pages of data and stack when a case begins
   */
  InterpretedCpu(CpuModel model, EngineFactory engines, boolean warm) {
    this(model, engines, warm, true);
  }

  /**
   * The same.
   *
   * @param longMode whether it is long mode, else protected mode
   */
  InterpretedCpu(CpuModel model, EngineFactory engines, boolean warm, boolean longMode) {
    this.warm = warm;
    this.longMode = longMode;
    kernel = longMode ? LONG_KERNEL : PROTECTED_KERNEL;
    map(ChildProgram.CODE, 2, USER | WRITABLE);
    map(ChildProgram.DATA, 2, USER | WRITABLE);
    map(ChildProgram.READ_ONLY, 1, USER);
    map(ChildProgram.STACK, 2, USER | WRITABLE);
    map(ChildProgram.REAL, 16, USER | WRITABLE);
    breakpoints(ChildProgram.CODE, 2);
    breakpoints(ChildProgram.REAL, 16);
    if (longMode) {
      put64(PML4, LOW_PDPT | PRESENT | WRITABLE | USER);
      put64(PML4 + 256 * 8, HIGH_PDPT | PRESENT | WRITABLE);
      put64(HIGH_PDPT, nextTable | PRESENT | WRITABLE);
    } else {
      for (int entry = LOW_PDPT; entry < LOW_PDPT + 3 * 8; entry += 8) {
        put64(entry, get64(entry) & ~(WRITABLE | USER)); // these are reserved here
      }
      put64(LOW_PDPT + 3 * 8, nextTable | PRESENT);
    }
    put64(nextTable, LARGE | ACCESSED_DIRTY | PRESENT | WRITABLE);
    writeDescriptors();
    cpu = new Cpu(model, memory, () -> 0, () -> 0);
    vcpu = new Vcpu(cpu);
    engine = engines.create(vcpu);
  }

  /** Makes the engine under test for a vCPU. */
  interface EngineFactory {
    Engine create(Vcpu vcpu);
  }

  private void map(long linear, int pages, long rights) {
    int pdpt = LOW_PDPT + (int) (linear >> 30 & 511) * 8;
    for (int page = 0; page < pages; page++) {
      long address = linear + page * 4096L;
      int directory = table(pdpt);
      int table = table(directory + (int) (address >> 21 & 511) * 8);
      put64(table + (int) (address >> 12 & 511) * 8, nextFrame | PRESENT | ACCESSED_DIRTY | rights);
      nextFrame += 4096;
    }
  }

  /** As in the child: wherever a stray branch may lead. */
  private void breakpoints(long linear, int pages) {
    byte[] page = new byte[4096];
    Arrays.fill(page, (byte) 0xCC);
    for (int n = 0; n < pages; n++) {
      memory.copyIn(physical(linear + n * 4096L), page);
    }
  }

  private int table(int entry) {
    long value = get64(entry);
    if (value == 0) {
      value = nextTable | PRESENT | WRITABLE | USER;
      put64(entry, value);
      nextTable += 4096;
    }
    return (int) (value & ~0xFFFL);
  }

  /** A descriptor with this base address. */
  private static long at(long base, long descriptor) {
    return descriptor | (base & 0xFF_FFFF) << 16 | base >>> 24 << 56;
  }

  private void writeDescriptors() {
    put64(GDT + 0x08, 0x00CF_9B00_0000_FFFFL); // kernel code, 32-bit
    put64(GDT + 0x10, 0x00AF_9B00_0000_FFFFL); // kernel code
    put64(GDT + 0x18, 0x00CF_9300_0000_FFFFL); // kernel data
    put64(GDT + 0x20, 0x00CF_FB00_0000_FFFFL); // user code, 32-bit
    put64(GDT + 0x28, 0x00CF_F300_0000_FFFFL); // user data
    put64(GDT + 0x30, 0x00AF_FB00_0000_FFFFL); // user code
    // AVL is what modify_ldt(2) calls "useable".
    put64(LDT, 0x00DF_FB00_0000_FFFFL);
    put64(LDT + 0x08, 0x00DF_F300_0000_FFFFL);
    put64(LDT + 0x10, at(ChildProgram.REAL, 0x0010_FB00_0000_FFFFL));
    put64(LDT + 0x18, at(ChildProgram.REAL, 0x0010_F300_0000_FFFFL));
    for (int v = 0; v < 256; v++) {
      long handler = kernel + HANDLERS + (long) v * HANDLER;
      long dpl = v == 3 || v == 4 || v == 0x80 ? 3 : 0;
      int gate = IDT + v * (longMode ? 16 : 8);
      put64(
          gate,
          (handler & 0xFFFF)
              | (longMode ? 0x10 : 0x08) << 16
              | (0x8E00L | dpl << 13) << 32
              | (handler >> 16 & 0xFFFF) << 48);
      if (longMode) {
        put64(gate + 8, handler >>> 32);
      }
    }
    byte[] halt = new byte[256 * HANDLER];
    Arrays.fill(halt, (byte) 0xF4);
    memory.copyIn(HANDLERS, halt);
    memory.copyIn(SYSTEM_CALL, HexFormat.of().parseHex(CALLED.replace(" ", "")));
    put64(TSS + 4, longMode ? kernel + KERNEL_STACK : kernel + KERNEL_STACK | 0x18L << 32);
    put64(TSS + 0x60, 104L << 48); // no I/O bitmap
  }

  /** Runs one case until its exception reaches the kernel. */
  CpuImage run(CpuImage in) {
    return run(in, () -> SLICE, _ -> {});
  }

  /**
   * The same in turns.
   *
   * @param slices length of each turn
   * @param turnEnd given the state at the end of each turn, and in the kernel
   */
  CpuImage run(CpuImage in, LongSupplier slices, Consumer<String> turnEnd) {
    vcpu.reset();
    load(in);
    for (CpuImage.Window w : in.windows) {
      copyWindow(w, true);
    }
    if (warm && (in.rflags & Rflags.AC) == 0) {
      fillTlb();
    }
    Exit exit;
    do {
      exit = engine.run(vcpu, slices.getAsLong());
      if (exit instanceof Exit.TurnEnd) {
        turnEnd.accept(state());
      }
    } while (exit instanceof Exit.Pause || exit instanceof Exit.TurnEnd);
    if (!(exit instanceof Exit.Halt)) {
      throw new AssertionError(
          "a case must end in an exception: exit="
              + exit
              + " rip="
              + Long.toHexString(cpu.rip)
              + " cs="
              + Integer.toHexString(cpu.selector[1])
              + " cr2="
              + Long.toHexString(cpu.cr2)
              + " cpl="
              + cpu.cpl
              + " cr0="
              + Long.toHexString(cpu.cr0)
              + " cr3="
              + Long.toHexString(cpu.cr3));
    }
    turnEnd.accept(state());
    return result(in);
  }

  private String state() {
    StringBuilder text =
        new StringBuilder(
            "rip=%x rflags=%x cs=%x ss=%x"
                .formatted(cpu.rip, Rflags.get(cpu), cpu.selector[Cpu.CS], cpu.selector[Cpu.SS]));
    for (int r = 0; r < 16; r++) {
      text.append(" %s=%x".formatted(Comparison.NAMES[r], cpu.gpr[r]));
    }
    X87 x = cpu.x87;
    text.append(" fcw=%x fsw=%x used=%x".formatted(x.control, x.statusWord(), x.used));
    text.append(" fip=%x fdp=%x fop=%x".formatted(x.instructionPointer, x.dataPointer, x.opcode));
    for (int r = 0; r < 8; r++) {
      text.append(" r%d=%04x:%016x".formatted(r, x.exponent[r], x.significand[r]));
    }
    text.append(" mxcsr=%x".formatted(cpu.mxcsr));
    for (int r = 0; r < 16; r++) {
      text.append(" x%d=%016x%016x".formatted(r, cpu.xmm[2 * r + 1], cpu.xmm[2 * r]));
    }
    return text.toString();
  }

  private void load(CpuImage in) {
    cpu.cr0 = CR0;
    cpu.cr4 = CR4;
    cpu.cr3 = longMode ? PML4 : LOW_PDPT;
    cpu.efer = longMode ? EFER : PROTECTED_EFER;
    cpu.xcr0 = 3;
    cpu.msrs.lstar = kernel + SYSTEM_CALL;
    cpu.msrs.star = 0x23_0010L << 32;
    cpu.msrs.fmask = CALL_MASK;
    cpu.cpl = 3;
    cpu.gdtBase = kernel + GDT;
    cpu.gdtLimit = 0x7F;
    cpu.idtBase = kernel + IDT;
    cpu.idtLimit = 0xFFF;
    segment(Cpu.CS, in.cs);
    segment(Cpu.SS, in.ss);
    segment(Cpu.DS, in.ds);
    segment(Cpu.ES, in.es);
    data(Cpu.FS, in.fsBase, in.fsLimit);
    data(Cpu.GS, in.gsBase, in.gsLimit);
    cpu.selector[Cpu.LDTR] = 0x50;
    cpu.segmentBase[Cpu.LDTR] = kernel + LDT;
    cpu.segmentLimit[Cpu.LDTR] = 0x1F;
    cpu.segmentAttributes[Cpu.LDTR] = 0x82;
    cpu.selector[Cpu.TR] = 0x40;
    cpu.segmentBase[Cpu.TR] = kernel + TSS;
    cpu.segmentLimit[Cpu.TR] = 103;
    cpu.segmentAttributes[Cpu.TR] = 0x8B;
    System.arraycopy(in.gpr, 0, cpu.gpr, 0, 16);
    cpu.rip = in.rip;
    Rflags.set(cpu, in.rflags, Rflags.ALL);
    FxImage.load(cpu, in.fx);
    cpu.mmu.flushAll();
    cpu.updateMode();
    if (!longMode && !cpu.mmu.loadPdptes(cpu.cr3)) {
      throw new AssertionError("reserved bits in the page directory pointers");
    }
  }

  /** Has the TLB let data and stack through. */
  private void fillTlb() {
    for (int page = 0; page < 2 * 4096; page += 4096) {
      for (long address : new long[] {ChildProgram.DATA + page, ChildProgram.STACK + page}) {
        for (int again = 0; again < 2; again++) { // the first write finds the page clean
          cpu.mmu.store8(address, cpu.mmu.load8(address));
        }
      }
    }
  }

  /** FS or GS: null but for its base, or a data segment. */
  private void data(int register, long base, long limit) {
    int selector = limit == 0 ? 0 : ChildProgram.SS64;
    cpu.setSegment(register, selector, base, limit, limit == 0 ? 0 : USER_DATA);
  }

  private void segment(int register, int selector) {
    long descriptor =
        (selector & ~3) == 0 ? 0 : get64(((selector & 4) != 0 ? LDT : GDT) + (selector & ~7));
    cpu.selector[register] = selector;
    cpu.segmentBase[register] =
        (descriptor >>> 16 & 0xFF_FFFF) | (descriptor >>> 32 & 0xFF00_0000L);
    long limit = (descriptor & 0xFFFF) | (descriptor >>> 32 & 0xF_0000);
    cpu.segmentLimit[register] = (descriptor >>> 55 & 1) != 0 ? limit << 12 | 0xFFF : limit;
    cpu.segmentAttributes[register] = (int) (descriptor >>> 40 & 0xF0FF);
  }

  private CpuImage result(CpuImage in) {
    var out = new CpuImage();
    System.arraycopy(cpu.gpr, 0, out.gpr, 0, 16);
    out.vector = (int) ((cpu.segmentBase[Cpu.CS] + cpu.rip - 1 - kernel - HANDLERS) / HANDLER);
    boolean coded = out.vector == 8 || (out.vector >= 10 && out.vector <= 14) || out.vector == 17;
    frame = (int) (cpu.gpr[Cpu.RSP] - kernel);
    if (coded) {
      out.error = pop();
    }
    out.rip = pop();
    out.cs = (int) pop();
    out.rflags = pop();
    out.gpr[Cpu.RSP] = pop();
    out.ss = (int) pop();
    out.ds = cpu.selector[Cpu.DS];
    out.es = cpu.selector[Cpu.ES];
    out.fs = cpu.selector[Cpu.FS];
    out.gs = cpu.selector[Cpu.GS];
    out.fsBase = cpu.segmentBase[Cpu.FS];
    out.gsBase = cpu.segmentBase[Cpu.GS];
    out.faultAddress = out.vector == 14 ? cpu.cr2 : 0;
    FxImage.store(cpu, out.fx);
    out.x87Instruction = cpu.x87.instructionPointer;
    out.x87Data = cpu.x87.dataPointer;
    for (CpuImage.Window w : in.windows) {
      var copy = new CpuImage.Window(w.address(), new byte[CpuImage.WINDOW]);
      copyWindow(copy, false);
      out.windows.add(copy);
    }
    return out;
  }

  /** The next word of the exception's frame. */
  private long pop() {
    long word = get64(frame);
    frame += longMode ? 8 : 4;
    return longMode ? word : word & 0xFFFF_FFFFL;
  }

  private void copyWindow(CpuImage.Window w, boolean in) {
    for (int done = 0; done < CpuImage.WINDOW; ) {
      long linear = w.address() + done;
      int length = (int) Math.min(CpuImage.WINDOW - done, 4096 - (linear & 4095));
      long physical = physical(linear);
      boolean copied =
          in
              ? memory.copyIn(physical, w.bytes(), done, length)
              : memory.copyOut(physical, w.bytes(), done, length);
      if (!copied) {
        throw new AssertionError("window outside memory: " + Long.toHexString(linear));
      }
      done += length;
    }
  }

  private long physical(long linear) {
    long entry = get64(LOW_PDPT + (int) (linear >> 30 & 511) * 8);
    entry = get64((int) (entry & ~0xFFFL) + (int) (linear >> 21 & 511) * 8);
    entry = get64((int) (entry & ~0xFFFL) + (int) (linear >> 12 & 511) * 8);
    return (entry & ~0xFFFL) + (linear & 4095);
  }

  private long get64(int physical) {
    byte[] bytes = new byte[8];
    memory.copyOut(physical, bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  private void put64(int physical, long value) {
    memory.copyIn(
        physical, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }

  @Override
  public void close() {
    memory.close();
  }
}
