package dev.troupe.privileged.rows;

import java.util.ArrayList;
import java.util.List;

/** Cases for the privileged rows of the instruction table, and for what surrounds them. */
final class PrivilegedCases extends CaseList {
  private static final int DB = 1;
  private static final int INTERRUPT = 0x40;
  private static final int SCRATCH = PrivilegedGuest.SCRATCH;

  private static final long IF = 0x200;
  private static final long IOPL_3 = 0x3000;

  /** Requests {@link #INTERRUPT} of the own local APIC: {@code mov dword [FEE00300], 40040}. */
  private static final String REQUEST = "bb0003e0fe c70340000400";

  private static final String CR4_HANG =
      "QEMU makes a #VMEXIT of CR4 bits that it lacks, SVM or not";

  private PrivilegedCases() {}

  static List<PrivilegedCase> all() {
    PrivilegedCases c = new PrivilegedCases();
    c.virtualization();
    c.privilege();
    c.controlRegisters();
    c.interruptWindow();
    c.flags();
    c.debug();
    c.fastCalls();
    c.rest();
    List<PrivilegedCase> all = new ArrayList<>(c.cases);
    all.addAll(ModelCases.all());
    return all;
  }

  private void virtualization() {
    String[][] instructions = {
      {"VMCALL", "0f01c1"},
      {"VMLAUNCH", "0f01c2"},
      {"VMRESUME", "0f01c3"},
      {"VMXOFF", "0f01c4"},
      {"VMFUNC", "0f01d4"},
      {"VMRUN", "0f01d8"},
      {"VMMCALL", "0f01d9"},
      {"VMLOAD", "0f01da"},
      {"VMSAVE", "0f01db"},
      {"STGI", "0f01dc"},
      {"CLGI", "0f01dd"},
      {"SKINIT", "0f01de"},
      {"INVLPGA", "0f01df"},
      {"VMREAD", "0f78c1"},
      {"VMWRITE", "0f79c1"},
      {"VMPTRLD", "0fc733"},
      {"VMCLEAR", "660fc733"},
      {"VMXON", "f30fc733"},
      {"VMPTRST", "0fc73b"},
      {"INVEPT", "660f388003"},
      {"INVVPID", "660f388103"},
      {"GETSEC", "0f37"},
      {"RSM", "0faa"}
    };
    for (int ring : new int[] {0, 3}) {
      for (String[] i : instructions) {
        add(i[0] + " at ring " + ring, ring, i[1]).with(RBX, SCRATCH).expect(UD, 0);
      }
    }
  }

  private void privilege() {
    String[][] instructions = {
      {"HLT", "f4"},
      {"MOV from CR0", "0f20c0"},
      {"MOV to CR0", "0f22c0"},
      {"MOV from CR8", "440f20c0"},
      {"MOV from DR0", "0f21c0"},
      {"MOV to DR7", "0f23f8"},
      {"CLTS", "0f06"},
      {"INVD", "0f08"},
      {"WBINVD", "0f09"},
      {"RDMSR", "0f32"},
      {"WRMSR", "0f30"},
      {"INVLPG", "0f013b"},
      {"CLI", "fa"},
      {"STI", "fb"},
      {"LMSW", "0f01f0"},
      {"LGDT", "0f0113"},
      {"LIDT", "0f011b"},
      {"LLDT", "0f00d0"},
      {"LTR", "0f00d8"},
      {"SWAPGS", "0f01f8"},
      {"SYSRET", "480f07"},
      {"IN", "e421"},
      {"OUT", "e680"},
      {"RDPMC", "0f33"}
    };
    for (String[] i : instructions) {
      add(i[0] + " at ring 3", 3, i[1]).with(RBX, SCRATCH).expect(GP, 0);
    }
  }

  private void controlRegisters() {
    for (int bit = 0; bit < 64; bit++) {
      PrivilegedCase c =
          add("CR0 bit " + bit, 0, "0f22c0").with(RAX, PrivilegedGuest.CR0 | 1L << bit);
      if (bit >= 32 || bit == 29) {
        c.expect(GP, 0);
        if (bit == 29) {
          c.qemuErs("QEMU takes CR0.NW without CD");
        } else {
          c.qemuErs("QEMU ignores the high half of CR0");
        }
      } else {
        c.expect(END, 5);
        if ((PrivilegedGuest.CR0 | 0x6005_003FL | 1L << 31)
            == (PrivilegedGuest.CR0 | 0x6005_003FL | 1L << 31 | 1L << bit)) {
          c.expect(
              r ->
                  r.check(
                      "CR0",
                      r.cr0(),
                      PrivilegedGuest.CR0 | 1L << lowest(r.register(RAX) & ~PrivilegedGuest.CR0)));
        } else {
          c.expect(r -> r.check("CR0", r.cr0(), PrivilegedGuest.CR0))
              .qemuErs("QEMU keeps reserved bits of CR0");
        }
      }
    }
    add("CR0 without PG in 64-bit code", 0, "0f22c0")
        .with(RAX, PrivilegedGuest.CR0 & ~(1L << 31))
        .expect(GP, 0)
        .qemuBreaks("QEMU takes it, and stops being in long mode");
    add("CR0 with PG and without PE", 0, "0f22c0")
        .with(RAX, PrivilegedGuest.CR0 & ~1L)
        .expect(GP, 0)
        .qemuBreaks("QEMU takes it");
    long known = 0x37_07FF | 1 << 11;
    for (int bit = 0; bit < 64; bit++) {
      PrivilegedCase c =
          add("CR4 bit " + bit, 0, "0f22e0").with(RAX, PrivilegedGuest.CR4 | 1L << bit);
      if ((known >>> bit & 1) == 0) {
        c.expect(GP, 0).qemuBreaks(CR4_HANG);
      } else {
        c.expect(END, 5);
        long expected = PrivilegedGuest.CR4 | 1L << bit;
        c.expect(r -> r.check("CR4", r.cr4(), expected));
        if (bit == 17 || bit == 11) {
          c.qemuBreaks(CR4_HANG);
        }
      }
    }
    add("CR4 without PAE", 0, "0f22e0").with(RAX, 0x600).expect(GP, 0).qemuBreaks("QEMU takes it");
    add("CR4.PCIDE with a PCID in CR3", 0, "0f20d8 4883c818 0f22d8 488b c1 0f22e0")
        .with(RCX, PrivilegedGuest.CR4 | 1 << 17)
        .expect(GP, 13)
        .qemuBreaks(CR4_HANG);
    for (int bit : new int[] {46, 51, 52, 62, 63}) {
      add("CR3 bit " + bit, 0, "0f20d8 4809c8 0f22d8")
          .with(RCX, 1L << bit)
          .expect(GP, 6)
          .qemuBreaks("QEMU takes reserved bits of CR3");
    }
    for (int register : new int[] {1, 5, 6, 7, 9, 15}) {
      String rex = register > 7 ? "44" : "";
      String modrm = Integer.toHexString(0xC0 | (register & 7) << 3);
      add("MOV from CR" + register, 0, rex + "0f20" + modrm).expect(UD, 0);
      add("MOV to CR" + register, 0, rex + "0f22" + modrm).expect(UD, 0);
    }
    add("CR8", 0, "440f22c0 440f20c1")
        .with(RAX, 9)
        .expect(END, 10)
        .expect(r -> r.check("CR8", r.register(RCX), 9));
    add("CR8 of 16", 0, "440f22c0")
        .with(RAX, 16)
        .expect(GP, 0)
        .qemuErs("QEMU ignores the high bits of CR8");
    add("LMSW and SMSW", 0, "0f01f0 0f01e1").with(RAX, 0xF).expect(END, 8);
    add("LMSW does not clear PE", 0, "0f01f0 0f01e1").with(RAX, 0).expect(END, 8);
    add("SMSW to memory", 0, "0f0123").with(RBX, SCRATCH).expect(END, 5);
    add("SMSW r16", 0, "660f01e1").expect(END, 6);
    add("CLTS", 0, "0f20c0 4883c808 0f22c0 0f06 0f20c1").expect(END, 17);
    add("CR2", 0, "0f22d0 0f20d1").with(RAX, 0x1234_5678_9ABC_DEF0L).expect(END, 8);
  }

  private static int lowest(long bits) {
    return bits == 0 ? 0 : Long.numberOfTrailingZeros(bits);
  }

  private void interruptWindow() {
    add("STI, window one instruction later", 0, "fb 90 90 90").after(REQUEST).expect(INTERRUPT, 2);
    add("STI and CLI open no window", 0, "fbfa90").after(REQUEST).expect(END, 5);
    add("what waited is still there", 0, "fb9090").expect(INTERRUPT, 2);
    add("a second STI does not extend the shadow", 0, "fbfb9090")
        .after(REQUEST)
        .expect(INTERRUPT, 2);
    add("STI and HLT", 0, "fbf490").after(REQUEST).expect(INTERRUPT, 2);
    add("POPF, window at once", 0, "68020200009d9090").after(REQUEST).expect(INTERRUPT, 6);
    add("MOV SS, then POPF: window after POPF", 0, "68020200008ed09d9090")
        .with(RAX, 0x10)
        .after(REQUEST)
        .expect(INTERRUPT, 8);
    add(
            "IRET, window at once",
            0,
            "6a10 4c8d442408 4150 6802020000 6a08 488d0502000000 50 48cf 9090")
        .after(REQUEST)
        .qemuErs("");
    cases.removeLast();
    add("CR8 holds back, and lets go", 0, "440f22c1 90 90")
        .with(RCX, 3)
        .with(RBX, 0)
        .flags(IF)
        .after("b805000000 440f22c0" + REQUEST)
        .expect(INTERRUPT, 4);
    add("STI at ring 3 with IOPL 3", 3, "fb9090").flags(IOPL_3).after(REQUEST).expect(INTERRUPT, 2);
    add("the interrupt comes between two instructions of ring 3", 3, "9090")
        .flags(IF)
        .after(REQUEST)
        .expect(INTERRUPT, 0);
  }

  private void flags() {
    long all = 0x3F_7FD5 & ~0x4000 & ~0x100 & ~0x4_0000;
    for (int ring : new int[] {0, 3}) {
      for (long iopl : new long[] {0, IOPL_3}) {
        add("POPF at ring %d, IOPL %d".formatted(ring, iopl >> 12), ring, "509d9c59")
            .with(RAX, all & ~IF)
            .flags(iopl)
            .expect(END, 6);
        add("POPFW at ring %d, IOPL %d".formatted(ring, iopl >> 12), ring, "6650669d9c59")
            .with(RAX, all & ~IF)
            .flags(iopl)
            .expect(END, 8);
      }
    }
    add("PUSHF hides RF", 3, "9c58").flags(0x1_0000).expect(END, 4);
    add("CLI at ring 3 with IOPL 3", 3, "fa").flags(IOPL_3 | IF).expect(END, 3);
    add("STAC, CLAC", 0, "0f01cb9c58 0f01ca9c59")
        .after("0f20e0 480d00002000 0f22e0")
        .expect(END, 12);
  }

  private void debug() {
    String dr7 = "0f23f9"; // mov dr7, rcx
    add("single step", 0, "68020100009d 90 90")
        .expect(DB, 7)
        .expect(r -> r.check("DR6", r.dr6(), 0xFFFF_4FF0L));
    add("a step over MOV SS traps one later", 0, "68020100009d 8ed0 90 90")
        .with(RAX, 0x10)
        .expect(DB, 9);
    add("instruction breakpoint", 0, "488d0508000000 0f23c0 " + dr7 + "909090")
        .with(RCX, 0x401)
        .expect(DB, 15)
        .expect(r -> r.check("DR6", r.dr6(), 0xFFFF_0FF1L))
        .expect(r -> r.check("RF", r.flags() & 0x1_0000, 0x1_0000));
    long write = 0x401 | 0xDL << 16;
    add("watchpoint on a write", 0, "0f23c3" + dr7 + "8b03 8903 90")
        .with(RBX, SCRATCH)
        .with(RCX, write)
        .expect(DB, 10)
        .expect(r -> r.check("DR6", r.dr6(), 0xFFFF_0FF1L));
    add("a write beside the watchpoint", 0, "0f23c3" + dr7 + "894304 90")
        .with(RBX, SCRATCH)
        .with(RCX, write)
        .expect(END, 12);
    add("a byte within the watchpoint", 0, "0f23c3" + dr7 + "884303 90")
        .with(RBX, SCRATCH)
        .with(RCX, write)
        .expect(DB, 9);
    add("watchpoint on a read", 0, "0f23c3" + dr7 + "8b03 90")
        .with(RBX, SCRATCH)
        .with(RCX, 0x401 | 0xFL << 16)
        .expect(DB, 8);
    add("watchpoint of 8 bytes", 0, "0f23c3" + dr7 + "884307 90")
        .with(RBX, SCRATCH)
        .with(RCX, 0x401 | 0x9L << 16)
        .expect(DB, 9);
    add("watchpoint by DR3, locally enabled", 0, "0f23db" + dr7 + "c60301 90")
        .with(RBX, SCRATCH)
        .with(RCX, 0x440 | 0x1L << 28)
        .expect(DB, 9)
        .expect(r -> r.check("DR6", r.dr6(), 0xFFFF_0FF8L));
    add("I/O breakpoint", 0, "0f23c3 0f22e0" + dr7 + "e680 90")
        .with(RBX, 0x80)
        .with(RAX, PrivilegedGuest.CR4 | 8)
        .with(RCX, 0x401 | 0x2L << 16)
        .expect(DB, 11);
    add("general detect", 0, dr7 + "0f21c0")
        .with(RCX, 0x2400)
        .expect(DB, 3)
        .expect(r -> r.check("DR6", r.dr6(), 0xFFFF_2FF0L))
        .qemuErs("QEMU does not know DR7.GD");
    add("DR4 is DR6", 0, "0f21e0")
        .expect(END, 5)
        .expect(r -> r.check("RAX", r.register(RAX), 0xFFFF_0FF0L));
    add("DR5 is DR7", 0, "0f21e8")
        .expect(END, 5)
        .expect(r -> r.check("RAX", r.register(RAX), 0x400));
    add("DR4 under CR4.DE", 0, "0f22e0 0f21e0").with(RAX, PrivilegedGuest.CR4 | 8).expect(UD, 3);
    add("DR8", 0, "440f21c0").expect(UD, 0);
    add("DR6 reserved bits", 0, "0f23f0 0f21f1")
        .with(RAX, 0)
        .expect(END, 8)
        .expect(r -> r.check("RCX", r.register(RCX), 0xFFFF_0FF0L));
    add("DR7 reserved bits", 0, "0f23f8 0f21f9")
        .with(RAX, 0xFFFF_DC00L)
        .expect(END, 8)
        .expect(r -> r.check("RCX", r.register(RCX), 0xFFFF_0400L))
        .qemuErs("QEMU keeps the reserved bits of DR7");
    add("DR6 high half", 0, "0f23f0").with(RAX, 1L << 32).expect(GP, 0);
    add("DR7 high half", 0, "0f23f8").with(RAX, 1L << 32).expect(GP, 0);
    add("INT1", 3, "f1").expect(DB, 1).qemuErs("QEMU's INT1 is #UD");
    add("INT3", 3, "cc").expect(3, 1);
  }

  private void fastCalls() {
    String setup =
        "b9810000c0 31c0 ba08001b00 0f30 b9820000c0"
            + "b800001800" // SCRATCH, where int FE has been put
            + "31d2 0f30 b9840000c0 b800020000 31d2 0f30";
    String end = "66c7042500001800cdfe";
    add("SYSCALL", 3, "0f05")
        .after(end + setup)
        .flags(IF)
        .expect(
            r -> {
              r.check("vector", r.vector(), END);
              r.check("RIP", r.rip(), SCRATCH + 2);
              r.check("RFLAGS", r.flags() & IF, 0);
            });
    add("SYSENTER in long mode, AMD", 3, "0f34").expect(UD, 0);
    add("SYSEXIT in long mode, AMD", 0, "0f35").expect(UD, 0);
    add("SYSCALL without SCE", 3, "0f05").after("b9800000c0 b800090000 31d2 0f30").expect(UD, 0);
    add("SYSRET with SCE again", 0, "0f30")
        .with(RCX, 0xC000_0080L)
        .with(RAX, 0x901)
        .with(RDX, 0)
        .expect(END, 4);
  }

  private void rest() {
    add("SWAPGS", 0, "0f01f8 b9020100c0 0f32")
        .after("b9010100c0 b878560000 31d2 0f30")
        .expect(END, 12)
        .expect(r -> r.check("EAX", r.register(RAX), 0x5678));
    add("WRFSBASE without FSGSBASE", 3, "f3480faed0").expect(UD, 0);
    String fsgsbase = "0f20e0 480d00000100 0f22e0";
    add("WRFSBASE and RDFSBASE", 3, "f3480faed0 f3480faec1")
        .after(fsgsbase)
        .with(RAX, 0x1234_5678_9ABCL)
        .expect(END, 12)
        .expect(r -> r.check("RCX", r.register(RCX), 0x1234_5678_9ABCL));
    add("WRGSBASE not canonical", 3, "f3480faed8")
        .after(fsgsbase)
        .with(RAX, 1L << 47)
        .expect(GP, 0)
        .qemuErs("QEMU takes addresses that are not canonical");
    add("RDTSC under TSD", 3, "0f31").after("0f20e0 4883c804 0f22e0").expect(GP, 0);
    add("RDTSCP under TSD", 3, "0f01f9").after("0f20e0 4883c804 0f22e0").expect(GP, 0);
    add("RDTSC under TSD at ring 0", 0, "0f22e0 0f31")
        .with(RAX, PrivilegedGuest.CR4 | 4)
        .withoutRegisters()
        .expect(END, 7);
    add("MONITOR at ring 3", 3, "0f01c8").expect(UD, 0);
    add("MWAIT at ring 3", 3, "0f01c9").expect(UD, 0);
    add("MONITOR with ECX", 0, "0f01c8").with(RAX, SCRATCH).with(RCX, 1).expect(GP, 0);
    add("MWAIT with ECX", 0, "0f01c9").with(RAX, 0).with(RCX, 2).expect(GP, 0);
    add("MONITOR", 0, "0f01c8").with(RAX, SCRATCH).with(RCX, 0).with(RDX, 0).expect(END, 5);
    add("INVLPG of an address that is not canonical", 0, "0f013b")
        .with(RBX, 1L << 47)
        .expect(END, 5);
    add("INVLPG", 0, "0f013b").with(RBX, SCRATCH).expect(END, 5);
    add("INVD, WBINVD", 0, "0f080f09").expect(END, 6);
    add("CLFLUSH", 3, "0fae3b").with(RBX, PrivilegedGuest.USER + SCRATCH).expect(END, 5);
    add("LLDT of 0, SLDT", 0, "0f00d0 0f00c1").with(RAX, 0).expect(END, 8);
    add("STR", 0, "0f00c8").expect(END, 5).expect(r -> r.check("EAX", r.register(RAX), 0x30));
    add("LTR of a busy TSS", 0, "0f00d8")
        .with(RAX, 0x30)
        .expect(GP, 0)
        .expect(r -> r.check("error", r.error(), 0x30));
    add("SGDT", 0, "0f0103").with(RBX, SCRATCH).expect(END, 5);
    add("SIDT", 0, "0f010b").with(RBX, SCRATCH).expect(END, 5);
    add("LGDT, LIDT of what there is", 0, "0f0103 0f0113 0f010b 0f011b")
        .with(RBX, SCRATCH)
        .expect(END, 14);
    add("RDPMC beyond the counters", 0, "0f33")
        .with(RCX, 99)
        .expect(GP, 0)
        .qemuErs("QEMU's TCG has no RDPMC");
    add("OUT and IN at ring 3 with IOPL 3", 3, "e680 e480")
        .flags(IOPL_3)
        .withoutRegisters()
        .expect(END, 6);
  }
}
