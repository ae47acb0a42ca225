package dev.troupe.runtime.boot;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import java.util.Arrays;

/**
 * How the first vCPU enters a kernel: the register values that differ from those after RESET.
 * Interrupts are off and the segments flat in all of them.
 */
public sealed interface EntryState {
  /** Selectors as Linux's boot protocol wants them: __BOOT_CS and __BOOT_DS. */
  int CODE_SELECTOR = 0x10;

  int DATA_SELECTOR = 0x18;

  /** Sets a vCPU that has just been reset. */
  void apply(Cpu cpu);

  /**
   * 64-bit mode with paging on (Linux boot protocol section 1.14).
   *
   * @param rip where it starts
   * @param rsi guest-physical address of the zero page
   * @param rsp top of a small stack
   * @param cr3 identity page tables
   * @param gdt where the table with the two selectors is
   */
  record LongMode(long rip, long rsi, long rsp, long cr3, long gdt) implements EntryState {
    @Override
    public void apply(Cpu cpu) {
      flat(cpu, Attributes.CODE_64);
      cpu.gdtBase = gdt;
      cpu.gdtLimit = LinuxTables.GDT_BYTES - 1;
      cpu.cr0 = ControlRegisters.PE | ControlRegisters.ET | ControlRegisters.PG;
      cpu.cr3 = cr3;
      cpu.cr4 = ControlRegisters.PAE;
      cpu.efer = Attributes.EFER_LME | Attributes.EFER_LMA;
      cpu.gpr[Cpu.RSI] = rsi;
      cpu.gpr[Cpu.RSP] = rsp;
      cpu.rip = rip;
      modeChanged(cpu);
    }
  }

  /**
   * 32-bit protected mode without paging (multiboot, PVH). There is no valid GDT: the kernel loads
   * its own.
   *
   * @param eip where it starts
   * @param eax multiboot's magic, else 0
   * @param ebx multiboot's or PVH's information structure
   */
  record ProtectedMode(long eip, long eax, long ebx) implements EntryState {
    @Override
    public void apply(Cpu cpu) {
      withoutPaging(cpu);
      cpu.gpr[Cpu.RAX] = eax;
      cpu.gpr[Cpu.RBX] = ebx;
      cpu.rip = eip;
      modeChanged(cpu);
    }
  }

  /**
   * 32-bit protected mode without paging, the GDT loaded (Linux boot protocol, "32-bit boot
   * protocol"): EBP, EDI and EBX are zero.
   *
   * @param eip where it starts
   * @param esi guest-physical address of the zero page
   * @param gdt where the table with the two selectors is
   */
  record Linux32(long eip, long esi, long gdt) implements EntryState {
    @Override
    public void apply(Cpu cpu) {
      withoutPaging(cpu);
      cpu.gdtBase = gdt;
      cpu.gdtLimit = LinuxTables.GDT_BYTES - 1;
      cpu.gpr[Cpu.RSI] = esi;
      cpu.rip = eip;
      modeChanged(cpu);
    }
  }

  private static void withoutPaging(Cpu cpu) {
    flat(cpu, Attributes.CODE_32);
    cpu.cr0 = ControlRegisters.PE | ControlRegisters.ET;
    cpu.cr3 = 0;
    cpu.cr4 = 0;
    cpu.efer = 0;
  }

  private static void flat(Cpu cpu, int code) {
    Arrays.fill(cpu.gpr, 0);
    for (int segment = Cpu.ES; segment <= Cpu.GS; segment++) {
      cpu.selector[segment] = segment == Cpu.CS ? CODE_SELECTOR : DATA_SELECTOR;
      cpu.segmentBase[segment] = 0;
      cpu.segmentLimit[segment] = 0xFFFF_FFFFL;
      cpu.segmentAttributes[segment] = segment == Cpu.CS ? code : Attributes.DATA;
    }
    cpu.selector[Cpu.TR] = 0;
    cpu.segmentBase[Cpu.TR] = 0;
    cpu.segmentLimit[Cpu.TR] = 0x67;
    cpu.segmentAttributes[Cpu.TR] = Attributes.BUSY_TSS;
    cpu.cpl = 0;
    cpu.systemFlags = 0;
    Rflags.setArithmetic(cpu, 0);
  }

  private static void modeChanged(Cpu cpu) {
    cpu.mmu.flushAll();
    cpu.updateMode();
  }
}
