package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.host.HostStub;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.memory.Raw;
import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;

/** What the host's CPU offers, by its CPUID instruction (SDM vol. 2A). */
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

  private static final Set<Feature> FEATURES = read();

  private HostFeatures() {}

  static Set<Feature> get() {
    return FEATURES;
  }

  private static Set<Feature> read() {
    Set<Feature> features = EnumSet.noneOf(Feature.class);
    if (!HostStub.available()) {
      return features;
    }
    HostStub cpuid = new HostStub(HexFormat.of().parseHex(CPUID));
    try (Arena arena = Arena.ofConfined()) {
      long block = arena.allocate(24, 8).address();
      for (Feature f : Feature.values()) {
        Raw.put32(block, f.leaf());
        Raw.put32(block + 4, f.subleaf());
        cpuid.call(block);
        int word = Raw.get32(block + 8 + 4L * f.register().ordinal());
        if (f.bit() < 0 || (word >>> f.bit() & 1) != 0) {
          features.add(f);
        }
      }
    }
    return Collections.unmodifiableSet(features);
  }
}
