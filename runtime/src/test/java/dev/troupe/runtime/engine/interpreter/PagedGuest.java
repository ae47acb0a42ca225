package dev.troupe.runtime.engine.interpreter;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Msrs;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.TestEngine;
import dev.troupe.runtime.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * A guest in 64-bit mode with page tables of all page sizes, interrupted by its APIC's periodic
 * timer, that works on pseudo-random addresses with integer, x87 and SSE registers, string moves,
 * locked updates and TLB flushes: whatever a restored vCPU forgot shows in what it computes.
 */
public final class PagedGuest implements AutoCloseable {
  private static final long PML4 = 0x10000;
  private static final long PDPT = 0x11000;
  private static final long PD = 0x12000;
  private static final long PT = 0x13000;
  private static final long APIC_PD = 0x14000;
  private static final long IDT = 0x20000;
  private static final long GDT = 0x21000;
  private static final long CODE = 0x1000;

  /** Where the 4 KiB pages from 0x200000 lie, backwards. */
  private static final long FRAMES = 0x40_0000;

  private static final int HANDLER = 0xA6;
  private static final int VECTOR = 0x40;
  private static final long TABLE = 7; // present, writable, user
  private static final long GLOBAL = 0x100;
  private static final long LARGE = 0x80;

  /**
   * mov rsp,80000; mov edi,200000; mov ebx,12345; finit; sti; loop: rbx = rbx * 1103515245 + 12345;
   * rsi = rdi + (rbx >> 20 & FFFF8); mov rax,[rsi]; adc rax,rbx; mov [rsi],rax; xor [rsi+1000],eax;
   * lock xadd [rsi+2004],ecx; push rax; fild qword [rsp]; fadd st1,st; fstp st; cvtsi2sd xmm1,eax;
   * addsd xmm0,xmm1; pxor xmm2,xmm0; movups [rsi+3008],xmm2; pop rdx; then, each where some bits of
   * bx are 0: fninit, fldz and three times rep movsq; mov cr3,cr3; invlpg [rsi], rdtsc, add r8,rax;
   * hlt if bl is 7; jmp loop. The handler: inc r15, end of interrupt, iretq.
   */
  private static final String PROGRAM =
      """
      48c7c400000800bf00002000bb393000009bdbe3fb4869db6d4ec6414881c3393000004889de48c1
      ee1481e6f8ff0f004801fe488b064811d8488906318600100000f00fc18e0420000050df2c24dcc1
      ddd8f20f2ac8f20f58c1660fefd00f1196083000005af6c3307510dbe3d9ee48c7c10300000057f3
      48a55f66f7c3800375060f20d80f22d866f7c3001c75080f013e0f314901c080fb070f8575ffffff
      f4e96fffffff49ffc750b80000e0fec780b0000000000000005848cf
      """;

  public final GuestMemory memory = GuestMemory.allocate(16 << 20);
  public final Cpu cpu;
  public final Vcpu vcpu;
  private final Interpreter engine;
  public long now;

  /** The guest at the start of its program. */
  public PagedGuest() {
    this(CpuModel.DEFAULT);
  }

  PagedGuest(CpuModel model) {
    cpu = new Cpu(model, memory, () -> now, () -> 0);
    vcpu = new Vcpu(cpu);
    engine = TestEngine.of(vcpu);
    put(PML4, PDPT | TABLE);
    put(PDPT, PD | TABLE);
    put(PDPT + 8, LARGE | TABLE); // 1 GiB to 2 GiB: the first GiB again, as one page
    put(PDPT + 3 * 8, APIC_PD | TABLE);
    put(APIC_PD + 0x1F7 * 8, 0xFEE0_0000L | LARGE | TABLE);
    put(PD, LARGE | GLOBAL | TABLE);
    put(PD + 8, PT | TABLE);
    for (int i = 0; i < 512; i++) {
      put(PT + 8L * i, FRAMES + 4096L * (511 - i) | TABLE | (i % 3 == 0 ? GLOBAL : 0));
    }
    for (int i = 0; i < 256; i++) {
      put(IDT + 16L * i, CODE + HANDLER | 8L << 16 | 0x8E00L << 32);
    }
    put(GDT + 8, 0x00AF_9B00_0000_FFFFL);
    memory.copyIn(CODE, HexFormat.of().parseHex(PROGRAM.replaceAll("\\s", "")));
    cpu.gdtBase = GDT;
    cpu.gdtLimit = 0xF;
    cpu.idtBase = IDT;
    cpu.idtLimit = 0xFFF;
    cpu.cr3 = PML4;
    cpu.efer = Msrs.EFER_LME | Msrs.EFER_LMA;
    cpu.cr0 = 0x8001_0031L;
    cpu.cr4 = 0x6A0; // PAE, PGE, OSFXSR, OSXMMEXCPT
    cpu.setSegment(Cpu.CS, 8, 0, 0xFFFF_FFFFL, 0xAF9B);
    cpu.setSegment(Cpu.SS, 0, 0, 0xFFFF_FFFFL, 0xCF93);
    cpu.rip = CODE;
    cpu.updateMode();
    cpu.mmu.flushAll();
    cpu.apic.write(0xF0, 4, 0x1FF);
    cpu.apic.write(0x320, 4, 1 << 17 | VECTOR);
    cpu.apic.write(0x3E0, 4, 0xB);
    cpu.apic.write(0x380, 4, 777);
  }

  private void put(long address, long value) {
    memory.copyIn(
        address, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }

  /** Runs so many units, a nanosecond each; a halt skips to the timer. */
  public Exit run(long units) {
    Exit exit = engine.run(vcpu, units);
    now = exit instanceof Exit.Halt ? Math.max(now, vcpu.nextDeadline()) : now + units;
    return exit;
  }

  @Override
  public void close() {
    memory.close();
  }
}
