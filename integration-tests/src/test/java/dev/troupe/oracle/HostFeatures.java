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
  private static final String CPUID =
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

  private HostFeatures() {}

  /** Whose CPU it is, by the signature of leaf 0; Intel's rules for any other than AMD. */
  static CpuModel.Vendor vendor() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(24, 8);
      new HostStub(HexFormat.of().parseHex(CPUID)).call(block.address());
      // EBX: "Auth" of "AuthenticAMD"
      boolean amd = block.get(ValueLayout.JAVA_INT, 12) == 0x6874_7541;
      return amd ? CpuModel.Vendor.AMD : CpuModel.Vendor.INTEL;
    }
  }

  static Set<Feature> read() {
    var stub = new HostStub(HexFormat.of().parseHex(CPUID));
    Set<Feature> features = EnumSet.noneOf(Feature.class);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(24, 8);
      for (Feature f : Feature.values()) {
        block.set(ValueLayout.JAVA_INT, 0, f.leaf());
        block.set(ValueLayout.JAVA_INT, 4, f.subleaf());
        stub.call(block.address());
        int word = block.get(ValueLayout.JAVA_INT, 8 + 4L * f.register().ordinal());
        if (f.bit() < 0 || (word >>> f.bit() & 1) != 0) {
          features.add(f);
        }
      }
    }
    return features;
  }
}
