package dev.troupe.runtime.cpu;

import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Feature.Register;
import java.nio.charset.StandardCharsets;

/**
 * What CPUID returns (Intel SDM vol. 2A, CPUID; AMD APM vol. 3, appendix E): the model's leaves,
 * the machine's topology of one package of single-threaded cores, and KVM's hypervisor leaves.
 */
public final class Cpuid {
  private static final int HYPERVISOR = 0x4000_0000;

  /**
   * KVM ends at 0x40000001. Leaf 0x40000010, the TSC and APIC frequency in kHz, is read only by
   * guests that look at the highest leaf first; Linux takes the KVM signature with any highest leaf
   * from 0x40000001 up.
   */
  private static final int HIGHEST_HYPERVISOR = 0x4000_0010;

  private static final int EXTENDED = 0x8000_0000;

  /** PV clock by the old and by the new MSRs, and its time is stable over all vCPUs. */
  private static final int KVM_FEATURES = 1 | 1 << 3 | 1 << 24;

  private static final int LINE = 64;

  /** Bytes of the XSAVE area with x87 and SSE state: legacy region and header. */
  private static final int XSAVE_SIZE = 576;

  private final Cpu cpu;
  private final CpuModel model;

  /** The four registers of the last {@link #query}. */
  public int eax;

  public int ebx;
  public int ecx;
  public int edx;

  Cpuid(Cpu cpu) {
    this.cpu = cpu;
    this.model = cpu.model;
  }

  /** Answers leaf {@code leaf}, sub-leaf {@code subleaf} in the four fields. */
  public void query(int leaf, int subleaf) {
    int range = leaf >>> 24;
    boolean known =
        switch (range) {
          case 0x00 -> leaf <= model.highestBasic();
          case 0x40 -> model.has(SystemFeature.HYPERVISOR) && leaf <= HIGHEST_HYPERVISOR;
          case 0x80 ->
              model.highestExtended() != 0
                  && Integer.compareUnsigned(leaf, model.highestExtended()) <= 0;
          default -> false;
        };
    int answered = leaf;
    if (!known) {
      if (model.vendor() == CpuModel.Vendor.AMD) {
        set(0, 0, 0, 0);
        return;
      }
      answered = model.highestBasic();
    }
    if (answered >>> 24 == 0x40) {
      hypervisor(answered);
    } else if (answered < 0) {
      extended(answered, subleaf);
    } else {
      basic(answered, subleaf);
    }
  }

  private void set(int a, int b, int c, int d) {
    eax = a;
    ebx = b;
    ecx = c;
    edx = d;
  }

  /** The model's feature bits in one register of a leaf. */
  private int bits(int leaf, int subleaf, Register register) {
    int bits = 0;
    for (Feature f : model.features()) {
      if (f.leaf() == leaf && f.subleaf() == subleaf && f.register() == register && f.bit() >= 0) {
        bits |= 1 << f.bit();
      }
    }
    for (SystemFeature f : model.system()) {
      if (f.leaf() == leaf && subleaf == 0 && f.register() == register) {
        bits |= 1 << f.bit();
      }
    }
    return bits;
  }

  private void features(int leaf, int subleaf) {
    set(
        bits(leaf, subleaf, Register.EAX),
        bits(leaf, subleaf, Register.EBX),
        bits(leaf, subleaf, Register.ECX),
        bits(leaf, subleaf, Register.EDX));
  }

  private boolean intel() {
    return model.vendor() == CpuModel.Vendor.INTEL;
  }

  /** Bits that number the cores of the package. */
  private int coreBits() {
    return 32 - Integer.numberOfLeadingZeros(cpu.count - 1);
  }

  private void basic(int leaf, int subleaf) {
    switch (leaf) {
      case 0 -> vendor(model.highestBasic());
      case 1 -> identification();
      case 2 -> descriptors();
      case 4 -> {
        set(0, 0, 0, 0);
        if (intel()) {
          cache(subleaf, coreBits() == 0 ? 0 : (1 << coreBits()) - 1);
        }
      }
      // Monitor lines of 64 bytes; extensions, and interrupts that break MWAIT though masked.
      case 5 -> {
        boolean monitor = model.has(Feature.MONITOR);
        set(monitor ? LINE : 0, monitor ? LINE : 0, monitor ? 3 : 0, 0);
      }
      case 7 -> {
        set(0, 0, 0, 0);
        if (subleaf == 0) {
          features(7, 0);
          eax = 0;
        }
      }
      case 0xB, 0x1F -> topology(subleaf);
      case 0xD -> extendedState(subleaf);
      // TSC = crystal x 1 / 1; the crystal, which also drives the APIC timer, runs at 1 GHz.
      case 0x15 -> set(1, 1, Msrs.TSC_HERTZ, 0);
      case 0x16 -> set(Msrs.TSC_HERTZ / 1_000_000, Msrs.TSC_HERTZ / 1_000_000, 100, 0);
      default -> features(leaf, subleaf);
    }
  }

  /**
   * Intel's descriptors of caches and TLBs (SDM vol. 2A, CPUID): "see leaf 4" where there is one,
   * or else a Pentium III's; one call is enough.
   */
  private void descriptors() {
    if (!intel()) {
      set(0, 0, 0, 0);
    } else if (model.highestBasic() >= 4) {
      set(0x00FE_FF01, 0, 0, 0);
    } else {
      set(0x0302_0101, 0, 0, 0x0C04_0882);
    }
  }

  private void vendor(int highest) {
    String name = model.vendor().signature();
    set(highest, four(name, 0), four(name, 8), four(name, 4));
  }

  private static int four(String text, int at) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    int value = 0;
    for (int i = 3; i >= 0; i--) {
      value = value << 8 | (at + i < bytes.length ? bytes[at + i] & 0xFF : 0);
    }
    return value;
  }

  private void identification() {
    features(1, 0);
    eax = model.signature();
    ebx = cpu.apicId << 24 | (1 << coreBits()) << 16;
    if (model.has(Feature.CLFSH)) {
      ebx |= (LINE / 8) << 8;
    }
    if (cpu.count > 1) {
      edx |= 1 << 28;
    }
    if (!cpu.apic.enabled()) {
      edx &= ~(1 << SystemFeature.APIC.bit());
    }
    if ((cpu.cr4 & ControlRegisters.OSXSAVE) != 0) {
      ecx |= 1 << 27;
    }
  }

  /** Level 0: one thread a core. Level 1: the package's cores. */
  private void topology(int subleaf) {
    switch (subleaf) {
      case 0 -> set(0, 1, 1 << 8, cpu.apicId);
      case 1 -> set(coreBits(), cpu.count, 1 | 2 << 8, cpu.apicId);
      default -> set(0, 0, subleaf & 0xFF, cpu.apicId);
    }
  }

  private void extendedState(int subleaf) {
    set(0, 0, 0, 0);
    if (!model.has(Feature.XSAVE)) {
      return;
    }
    if (subleaf == 0) {
      // Both components lie in the legacy region: the size does not depend on XCR0.
      set((int) cpu.control.xcr0Bits(), XSAVE_SIZE, XSAVE_SIZE, 0);
    } else if (subleaf == 1) {
      features(0xD, 1);
      ebx = model.has(Feature.XSAVEC) ? XSAVE_SIZE : 0;
    }
  }

  /** Leaf 4 and 0x8000001D: L1 data, L1 instruction, L2 of each core; L3 of the package. */
  private void cache(int index, int coresMinusOne) {
    switch (index) {
      case 0 -> cache(1, 1, 0, 8, 64, coresMinusOne);
      case 1 -> cache(2, 1, 0, 8, 64, coresMinusOne);
      case 2 -> cache(3, 2, 0, 8, 1024, coresMinusOne);
      case 3 -> cache(3, 3, (1 << coreBits()) - 1, 16, 16384, coresMinusOne);
      default -> set(0, 0, 0, 0);
    }
  }

  private void cache(int type, int level, int sharing, int ways, int sets, int coresMinusOne) {
    int a = type | level << 5 | 1 << 8 | sharing << 14;
    set(intel() ? a | coresMinusOne << 26 : a, (ways - 1) << 22 | (LINE - 1), sets - 1, 0);
  }

  private void hypervisor(int leaf) {
    switch (leaf - HYPERVISOR) {
      case 0 -> set(HIGHEST_HYPERVISOR, four("KVMK", 0), four("VMKV", 0), four("M\0\0\0", 0));
      case 1 -> set(KVM_FEATURES, 0, 0, 0);
      case 0x10 -> set(Msrs.TSC_HERTZ / 1000, ApicTimer.HERTZ / 1000, 0, 0);
      default -> set(0, 0, 0, 0);
    }
  }

  private void extended(int leaf, int subleaf) {
    switch (leaf - EXTENDED) {
      case 0 -> {
        vendor(model.highestExtended());
        if (intel()) {
          set(eax, 0, 0, 0);
        }
      }
      case 1 -> extendedIdentification();
      case 2, 3, 4 -> {
        int at = (leaf - EXTENDED - 2) * 16;
        String b = model.brand();
        set(four(b, at), four(b, at + 4), four(b, at + 8), four(b, at + 12));
      }
      // AMD's form of the caches that leaf 0x8000001D describes. TLBs: what there is, is software.
      case 5 ->
          set(
              0,
              0,
              amd(32 << 24 | 8 << 16 | 1 << 8 | LINE),
              amd(32 << 24 | 8 << 16 | 1 << 8 | LINE));
      case 6 ->
          set(0, 0, 512 << 16 | 6 << 12 | 1 << 8 | LINE, amd(32 << 18 | 8 << 12 | 1 << 8 | LINE));
      case 7 -> features(leaf, 0);
      case 8 -> {
        features(leaf, 0);
        eax = model.physicalBits() | (model.has(SystemFeature.LM) ? 48 : 32) << 8;
        ecx = amd(coreBits() << 12 | (cpu.count - 1));
      }
      case 0x1D -> {
        set(0, 0, 0, 0);
        if (model.has(SystemFeature.TOPOLOGY)) {
          cache(subleaf, 0);
        }
      }
      case 0x1E -> {
        set(0, 0, 0, 0);
        if (model.has(SystemFeature.TOPOLOGY)) {
          set(cpu.apicId, cpu.apicId & 0xFF, 0, 0);
        }
      }
      default -> features(leaf, 0);
    }
  }

  private int amd(int value) {
    return intel() ? 0 : value;
  }

  private void extendedIdentification() {
    // AMD repeats most of leaf 1's EDX here.
    int repeated = amd(bits(1, 0, Register.EDX) & 0x0183_F3FF);
    features(EXTENDED + 1, 0);
    eax = amd(model.signature());
    edx |= repeated;
    if (!cpu.apic.enabled()) {
      edx &= ~(1 << SystemFeature.APIC.bit());
    }
    if (intel() && (cpu.mode & Mode.CODE_64) == 0) {
      // Intel: SYSCALL exists in 64-bit mode only.
      edx &= ~(1 << Feature.SYSCALL.bit());
    }
    if (cpu.count > 1) {
      ecx |= amd(1 << 1);
    }
  }
}
