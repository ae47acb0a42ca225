package dev.troupe.privileged.rows;

import java.util.List;

/** Cases for CPUID, model-specific registers and XCR0. */
final class ModelCases extends CaseList {
  private static final String MSR_CHECK = "QEMU's WRMSR takes addresses that are not canonical";
  private static final String MSR_UNKNOWN = "QEMU's unknown MSRs read as zero and ignore writes";

  private ModelCases() {}

  static List<PrivilegedCase> all() {
    ModelCases c = new ModelCases();
    c.cpuid();
    c.msrs();
    c.xsetbv();
    return c.cases;
  }

  private PrivilegedCase cpuid(String name, int leaf, int subleaf, String code) {
    return add("CPUID " + name, 3, code)
        .with(RAX, Integer.toUnsignedLong(leaf))
        .with(RCX, subleaf)
        .withoutRegisters()
        .expect(END, code.length() / 2 + 2);
  }

  private void cpuidIs(int leaf, int subleaf, int eax, int ebx, int ecx, int edx) {
    cpuid("%x.%x".formatted(leaf, subleaf), leaf, subleaf, "0fa2")
        .expect(
            r -> {
              r.check("EAX", r.register(RAX), Integer.toUnsignedLong(eax));
              r.check("EBX", r.register(RBX), Integer.toUnsignedLong(ebx));
              r.check("ECX", r.register(RCX), Integer.toUnsignedLong(ecx));
              r.check("EDX", r.register(RDX), Integer.toUnsignedLong(edx));
            });
  }

  private void cpuid() {
    cpuidIs(0, 0, 0x1F, 0x6874_7541, 0x444D_4163, 0x6974_6E65);
    cpuidIs(0xB, 0, 0, 1, 0x100, 0);
    cpuidIs(0xB, 1, 0, 1, 0x201, 0);
    cpuidIs(0xB, 2, 0, 0, 2, 0);
    cpuidIs(0x1F, 0, 0, 1, 0x100, 0);
    cpuidIs(0x1F, 1, 0, 1, 0x201, 0);
    cpuidIs(0x1F, 7, 0, 0, 7, 0);
    cpuidIs(0x20, 0, 0, 0, 0, 0);
    cpuidIs(0x3FFF_FFFF, 0, 0, 0, 0, 0);
    cpuidIs(0x4000_0000, 0, 0x4000_0010, 0x4B4D_564B, 0x564B_4D56, 0x4D);
    cpuidIs(0x4000_0001, 0, 0x0100_0009, 0, 0, 0);
    cpuidIs(0x8000_001E, 0, 0, 0, 0, 0);
    cpuidIs(0x8000_0022, 0, 0, 0, 0, 0);
    cpuidIs(0xFFFF_FFFF, 0, 0, 0, 0, 0);
    cpuid("physical width", 0x8000_0008, 0, "0fa2")
        .expect(r -> r.check("EAX", r.register(RAX), 48 << 8 | 46));
    for (String rex : new String[] {"48", "4f", "40"}) {
      cpuid("with REX " + rex, 0, 0, rex + "0fa2")
          .expect(
              r -> {
                r.check("RAX", r.register(RAX), 0x1F);
                r.check("RBX", r.register(RBX), 0x6874_7541);
                r.check("R11", r.register(11), 0x3333_3333_0000_0B00L);
              });
    }
  }

  private void msrs() {
    for (long msr : new long[] {0x9B, 0x9E, 0x2, 0x480, 0xC001_0117L, 0xFFFF_FFFFL}) {
      add("RDMSR %x".formatted(msr), 0, "0f32").with(RCX, msr).expect(GP, 0).qemuErs(MSR_UNKNOWN);
      add("WRMSR %x".formatted(msr), 0, "0f30")
          .with(RCX, msr)
          .with(RAX, 0)
          .with(RDX, 0)
          .expect(GP, 0)
          .qemuErs(MSR_UNKNOWN);
    }
    for (long msr :
        new long[] {
          0x175, 0x176, 0xC000_0082L, 0xC000_0083L, 0xC000_0100L, 0xC000_0101L, 0xC000_0102L
        }) {
      add("WRMSR %x not canonical".formatted(msr), 0, "0f30")
          .with(RCX, msr)
          .with(RAX, 0)
          .with(RDX, 0x8000)
          .expect(GP, 0)
          .qemuErs(MSR_CHECK);
      add("WRMSR %x and back".formatted(msr), 0, "0f30 31c0 31d2 0f32")
          .with(RCX, msr)
          .with(RAX, 0x1234)
          .with(RDX, 0xFFFF_8000L)
          .expect(END, 10);
    }
    add("WRMSR EFER reserved", 0, "0f30")
        .with(RCX, 0xC000_0080L)
        .with(RAX, 0x1901)
        .with(RDX, 0)
        .expect(GP, 0)
        .qemuErs("QEMU ignores unknown bits of EFER");
    add("WRMSR EFER without LME", 0, "0f30")
        .with(RCX, 0xC000_0080L)
        .with(RAX, 0x801)
        .with(RDX, 0)
        .expect(GP, 0)
        .qemuBreaks("QEMU takes it");
    add("RDMSR EFER", 0, "0f32")
        .with(RCX, 0xC000_0080L)
        .expect(END, 4)
        .expect(r -> r.check("EAX", r.register(RAX), 0xD01));
    add("WRMSR PAT with an unknown type", 0, "0f30")
        .with(RCX, 0x277)
        .with(RAX, 2)
        .with(RDX, 0)
        .expect(GP, 0)
        .qemuErs("QEMU takes any type");
    add("SYSENTER_CS and back", 0, "0f30 31c0 31d2 0f32")
        .with(RCX, 0x174)
        .with(RAX, 0x1234)
        .with(RDX, 0)
        .expect(END, 10);
    add("TSC_AUX by RDTSCP", 0, "0f30 0f01f9 31c0 31d2")
        .with(RCX, 0xC000_0103L)
        .with(RAX, 0x77)
        .with(RDX, 0)
        .expect(END, 11)
        .expect(r -> r.check("ECX", r.register(RCX), 0x77));
  }

  private void xsetbv() {
    String enable = "0f20e0480d000004000f22e0";
    int offset = enable.length() / 2;
    String code = enable + "89f0 0f01d1";
    int at = offset + 2;
    for (int bit = 0; bit < 64; bit++) {
      PrivilegedCase c = add("XSETBV bit " + bit, 0, enable + "89f0 89fa 0f01d1");
      long value = 1 | 1L << bit;
      c.with(RCX, 0).with(6, value & 0xFFFF_FFFFL).with(7, value >>> 32);
      if (bit < 2) {
        c.expect(END, offset + 9);
      } else {
        c.expect(GP, offset + 4);
      }
    }
    add("XSETBV without x87", 0, code).with(RCX, 0).with(6, 2).with(RDX, 0).expect(GP, at);
    add("XSETBV of 0", 0, code).with(RCX, 0).with(6, 0).with(RDX, 0).expect(GP, at);
    add("XSETBV register 1", 0, code).with(RCX, 1).with(6, 1).with(RDX, 0).expect(GP, at);
    add("XSETBV register FFFFFFFF", 0, code)
        .with(RCX, 0xFFFF_FFFFL)
        .with(6, 1)
        .with(RDX, 0)
        .expect(GP, at);
    add("XSETBV without OSXSAVE", 0, "0f01d1").with(RCX, 0).with(RAX, 1).with(RDX, 0).expect(UD, 0);
    add("XGETBV without OSXSAVE", 3, "0f01d0").with(RCX, 0).expect(UD, 0);
    add("XSETBV and XGETBV", 0, enable + "89f0 31d2 0f01d1 31c0 0f01d0")
        .with(RCX, 0)
        .with(6, 3)
        .expect(END, offset + 14)
        .expect(r -> r.check("EAX", r.register(RAX), 3));
    add("XSETBV at ring 3", 3, "0f01d1")
        .after(enable)
        .with(RCX, 0)
        .with(RAX, 1)
        .with(RDX, 0)
        .expect(GP, 0);
    add("XGETBV of register 2", 3, "0f01d0").after(enable).with(RCX, 2).expect(GP, 0);
  }
}
