package dev.troupe.oracle;

import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.engine.host.HostStub;
import dev.troupe.runtime.isa.Feature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;

/** What the host's own CPU offers, by its CPUID instruction. */
final class HostFeatures {
  // rdi: leaf, subleaf, then room for EAX, EBX, ECX, EDX
  private static final String CODE =
      "53" // push rbx
          + "8b07" // mov eax,[rdi]
          + "8b4f04" // mov ecx,[rdi+4]
          + "0fa2" // cpuid
          + "894708" // mov [rdi+8],eax
          + "895f0c" // mov [rdi+12],ebx
          + "894f10" // mov [rdi+16],ecx
          + "895714" // mov [rdi+20],edx
          + "5b" // pop rbx
          + "c3"; // ret

  private static final HostStub CPUID = new HostStub(HexFormat.of().parseHex(CODE));

  private HostFeatures() {}

  /** Whose CPU it is, by the signature of leaf 0; Intel's rules for any other than AMD. */
  static CpuModel.Vendor vendor() {
    boolean amd = word(0, 0, 1) == 0x6874_7541; // EBX: "Auth" of "AuthenticAMD"
    return amd ? CpuModel.Vendor.AMD : CpuModel.Vendor.INTEL;
  }

  static Set<Feature> read() {
    Set<Feature> features = EnumSet.noneOf(Feature.class);
    for (Feature f : Feature.values()) {
      if (f.bit() < 0
          || (word(f.leaf(), f.subleaf(), f.register().ordinal()) >>> f.bit() & 1) != 0) {
        features.add(f);
      }
    }
    return features;
  }

  /** Whether the host's kernel has set CR4.PKE: leaf 7's OSPKE (SDM vol. 2A, CPUID). */
  static boolean protectionKeys() {
    return (word(7, 0, 2) >>> 4 & 1) != 0;
  }

  /** One register of a leaf: 0 for EAX to 3 for EDX. */
  private static int word(int leaf, int subleaf, int register) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(24, 8);
      block.set(ValueLayout.JAVA_INT, 0, leaf);
      block.set(ValueLayout.JAVA_INT, 4, subleaf);
      CPUID.call(block.address());
      return block.get(ValueLayout.JAVA_INT, 8 + 4L * register);
    }
  }
}
