package dev.troupe.runtime.engine.host;

import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.memory.Raw;
import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;

/** What the host's own CPU says of itself, by its CPUID instruction (Intel SDM vol. 2A). */
public final class HostCpuid {
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

  /** Made only where there are stubs. */
  private static final class Stub {
    static final HostStub CPUID = new HostStub(HexFormat.of().parseHex(CODE));
  }

  private static final Set<Feature> FEATURES = read();

  private HostCpuid() {}

  /** One register of a leaf; only where {@link HostStub#available()}. */
  public static int register(int leaf, int subleaf, Feature.Register register) {
    try (Arena arena = Arena.ofConfined()) {
      long block = arena.allocate(24, 8).address();
      Raw.put32(block, leaf);
      Raw.put32(block + 4, subleaf);
      Stub.CPUID.call(block);
      return Raw.get32(block + 8 + 4L * register.ordinal());
    }
  }

  /** The features that the host has; none where there are no stubs. */
  public static Set<Feature> features() {
    return FEATURES;
  }

  /**
   * The processor's own name, leaves 0x80000002 to 4; empty where there are no stubs or no name.
   */
  public static String name() {
    if (!HostStub.available()
        || Integer.compareUnsigned(register(0x8000_0000, 0, Feature.Register.EAX), 0x8000_0004)
            < 0) {
      return "";
    }
    StringBuilder name = new StringBuilder();
    for (int leaf = 0x8000_0002; leaf <= 0x8000_0004; leaf++) {
      for (Feature.Register part : Feature.Register.values()) {
        int four = register(leaf, 0, part);
        for (int i = 0; i < Integer.SIZE; i += Byte.SIZE) {
          int letter = four >>> i & 0xFF;
          if (letter >= ' ' && letter < 0x7F) {
            name.append((char) letter);
          }
        }
      }
    }
    return name.toString().strip();
  }

  private static Set<Feature> read() {
    Set<Feature> features = EnumSet.noneOf(Feature.class);
    if (HostStub.available()) {
      for (Feature f : Feature.values()) {
        if (f.bit() < 0 || (register(f.leaf(), f.subleaf(), f.register()) >>> f.bit() & 1) != 0) {
          features.add(f);
        }
      }
    }
    return Collections.unmodifiableSet(features);
  }
}
