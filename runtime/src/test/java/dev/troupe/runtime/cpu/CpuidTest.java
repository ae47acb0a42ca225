package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.isa.Feature;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CpuidTest {
  private static Cpuid query(TestCpu t, int leaf, int subleaf) {
    t.cpu.cpuid.query(leaf, subleaf);
    return t.cpu.cpuid;
  }

  private static String text(int... words) {
    ByteBuffer b = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int w : words) {
      b.putInt(w);
    }
    return new String(b.array(), StandardCharsets.ISO_8859_1);
  }

  @Test
  void vendorAndHypervisorNameThemselves() {
    try (TestCpu t = new TestCpu()) {
      Cpuid c = query(t, 0, 0);
      assertThat(text(c.ebx, c.edx, c.ecx)).isEqualTo("AuthenticAMD");
      c = query(t, 0x4000_0000, 0);
      assertThat(text(c.ebx, c.ecx, c.edx)).isEqualTo("KVMKVMKVM\0\0\0");
      assertThat(c.eax).isGreaterThanOrEqualTo(0x4000_0001);
      c = query(t, 0x4000_0001, 0);
      assertThat(c.eax).isEqualTo(1 | 1 << 3 | 1 << 24);
      c = query(t, 0x4000_0010, 0);
      assertThat(c.eax).isEqualTo(1_000_000);
      assertThat(c.ebx).isEqualTo(1_000_000);
    }
  }

  @Test
  void theBrandStringIsWhole() {
    try (TestCpu t = new TestCpu()) {
      StringBuilder brand = new StringBuilder();
      for (int leaf = 0x8000_0002; leaf <= 0x8000_0004; leaf++) {
        Cpuid c = query(t, leaf, 0);
        brand.append(text(c.eax, c.ebx, c.ecx, c.edx));
      }
      assertThat(brand.toString().replace("\0", "")).isEqualTo("Troupe v1 virtual CPU");
    }
  }

  @Test
  void leavesBeyondTheHighestAreZeroOnAmdAndTheHighestBasicOnIntel() {
    try (TestCpu t = new TestCpu()) {
      for (int leaf : new int[] {0x20, 0x2000_0000, 0x4000_0011, 0x8000_0022, 0xC000_0000, -1}) {
        Cpuid c = query(t, leaf, 0);
        assertThat(c.eax | c.ebx | c.ecx | c.edx).as("leaf %x", leaf).isZero();
      }
    }
    try (TestCpu t = new TestCpu(TestCpu.model("pentium3"))) {
      Cpuid c = query(t, 2, 0);
      int expected = c.eax;
      for (int leaf : new int[] {3, 0x8000_0000, 0x8000_0001, -1}) {
        assertThat(query(t, leaf, 0).eax).as("leaf %x", leaf).isEqualTo(expected);
      }
    }
  }

  @Test
  void theSignatureIsThatOfLeafOneAndOfReset() {
    try (TestCpu t = new TestCpu()) {
      assertThat(query(t, 1, 0).eax).isEqualTo(0x00A0_0F11);
      assertThat(t.cpu.gpr[Cpu.RDX]).isEqualTo(0x00A0_0F11);
      assertThat(query(t, 0x8000_0001, 0).eax).isEqualTo(0x00A0_0F11);
    }
    try (TestCpu t = new TestCpu(TestCpu.model("pentium3"))) {
      assertThat(query(t, 1, 0).eax).isEqualTo(0x683);
    }
  }

  @Test
  void topologyIsOnePackageOfSingleThreadedCores() {
    try (TestCpu t = new TestCpu(CpuModel.DEFAULT, 5, 6)) {
      for (int leaf : new int[] {0xB, 0x1F}) {
        Cpuid c = query(t, leaf, 0);
        assertThat(new int[] {c.eax, c.ebx, c.ecx, c.edx}).containsExactly(0, 1, 0x100, 5);
        c = query(t, leaf, 1);
        assertThat(new int[] {c.eax, c.ebx, c.ecx, c.edx}).containsExactly(3, 6, 0x201, 5);
        c = query(t, leaf, 2);
        assertThat(new int[] {c.eax, c.ebx, c.ecx, c.edx}).containsExactly(0, 0, 2, 5);
      }
      assertThat(query(t, 0x8000_0008, 0).ecx).isEqualTo(3 << 12 | 5);
      Cpuid c = query(t, 0x8000_001E, 0);
      assertThat(c.eax).isEqualTo(5);
      assertThat(c.ebx).isEqualTo(5);
      c = query(t, 1, 0);
      assertThat(c.ebx >>> 24).isEqualTo(5);
      assertThat(c.ebx >>> 16 & 0xFF).isEqualTo(8);
      assertThat(c.edx >>> 28 & 1).isEqualTo(1);
    }
  }

  @Test
  void oneProcessorHasNoHyperThreadingBit() {
    try (TestCpu t = new TestCpu()) {
      assertThat(query(t, 1, 0).edx >>> 28 & 1).isZero();
      assertThat(query(t, 0xB, 1).ebx).isEqualTo(1);
    }
  }

  @Test
  void physicalWidthIsTheModels() {
    for (CpuModel model : CpuModel.all()) {
      if (model.highestExtended() != 0) {
        try (TestCpu t = new TestCpu(model)) {
          assertThat(query(t, 0x8000_0008, 0).eax)
              .as(model.name())
              .isEqualTo(48 << 8 | model.physicalBits());
        }
      }
    }
  }

  @Test
  void osxsaveAndApicBitsFollowTheirRegisters() {
    try (TestCpu t = new TestCpu()) {
      assertThat(query(t, 1, 0).ecx >>> 27 & 1).isZero();
      t.cpu.control.writeCr4(ControlRegisters.OSXSAVE);
      assertThat(query(t, 1, 0).ecx >>> 27 & 1).isEqualTo(1);
      assertThat(query(t, 1, 0).edx >>> 9 & 1).isEqualTo(1);
      t.writeMsr(0x1B, 0xFEE0_0100L);
      assertThat(query(t, 1, 0).edx >>> 9 & 1).isZero();
    }
  }

  @Test
  void everyFeatureOfAModelIsAnnouncedAndNoOther() {
    for (CpuModel model : CpuModel.all()) {
      try (TestCpu t = new TestCpu(model)) {
        for (Feature f : Feature.values()) {
          if (f.bit() < 0
              || (Integer.compareUnsigned(f.leaf(), 0x8000_0000) >= 0
                  && Integer.compareUnsigned(f.leaf(), model.highestExtended()) > 0)
              || f.leaf() > model.highestBasic()) {
            continue;
          }
          Cpuid c = query(t, f.leaf(), f.subleaf());
          int register =
              switch (f.register()) {
                case EAX -> c.eax;
                case EBX -> c.ebx;
                case ECX -> c.ecx;
                case EDX -> c.edx;
              };
          assertThat((register >>> f.bit() & 1) != 0)
              .as("%s of %s", f, model.name())
              .isEqualTo(model.has(f));
        }
      }
    }
  }

  /** The C library enumerates leaf 4 where leaf 2 says so, and asks for nothing else. */
  @Test
  void whereLeaf2PointsToLeaf4ItsListOfCachesEnds() {
    for (CpuModel model : CpuModel.all()) {
      try (TestCpu t = new TestCpu(model)) {
        Cpuid c = query(t, 2, 0);
        boolean pointsTo4 = false;
        for (int register : new int[] {c.eax & ~0xFF, c.ebx, c.ecx, c.edx}) {
          for (int shift = 0; shift < 32 && register >= 0; shift += 8) {
            pointsTo4 |= (register >>> shift & 0xFF) == 0xFF;
          }
        }
        int caches = 0;
        while (pointsTo4 && (query(t, 4, caches).eax & 0x1F) != 0) {
          assertThat(++caches).as(model.name()).isLessThan(16);
        }
      }
    }
  }

  @Test
  void namesAreUniqueAndFound() {
    assertThat(CpuModel.all()).extracting(CpuModel::name).doesNotHaveDuplicates();
    assertThat(CpuModel.byName("troupe-v1")).contains(CpuModel.DEFAULT);
    assertThat(CpuModel.byName("z80")).isEmpty();
  }

  @Test
  void extendedStateFitsTheComponents() {
    try (TestCpu t = new TestCpu()) {
      Cpuid c = query(t, 0xD, 0);
      assertThat(new int[] {c.eax, c.ebx, c.ecx, c.edx}).containsExactly(3, 576, 576, 0);
    }
    try (TestCpu t = new TestCpu(TestCpu.model("troupe-v1-noxsave"))) {
      Cpuid c = query(t, 0xD, 0);
      assertThat(c.eax | c.ebx | c.ecx | c.edx).isZero();
    }
  }
}
