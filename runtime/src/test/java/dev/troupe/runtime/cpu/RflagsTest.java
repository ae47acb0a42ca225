package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RflagsTest {
  @Test
  void everyCombinationOfArithmeticFlagsComesBack() {
    try (TestCpu t = new TestCpu()) {
      for (int i = 0; i < 64; i++) {
        long image =
            (i & 1)
                | (i & 2) << 1
                | (i & 4) << 2
                | (i & 8) << 3
                | (i & 16) << 3
                | (long) (i & 32) << 6;
        Rflags.setArithmetic(t.cpu, image);
        assertThat(Rflags.arithmetic(t.cpu)).as("image %x", image).isEqualTo(image);
      }
    }
  }

  @Test
  void onlyMaskedFlagsChangeAndBitOneIsAlwaysSet() {
    long seed = 7;
    SplittableRandom random = new SplittableRandom(seed);
    try (TestCpu t = new TestCpu()) {
      for (int i = 0; i < 1000; i++) {
        long before = Rflags.get(t.cpu);
        long image = random.nextLong();
        long mask = random.nextLong();
        Rflags.set(t.cpu, image, mask);
        long expected = (((before & ~mask) | (image & mask)) & Rflags.ALL) | Rflags.FIXED;
        assertThat(Rflags.get(t.cpu)).as("seed %d, round %d", seed, i).isEqualTo(expected);
      }
    }
  }

  @Test
  void settingIfAsksForAttentionOnlyIfSomethingWaits() {
    try (TestCpu t = new TestCpu()) {
      t.vcpu.service();
      assertThat(t.cpu.attention()).isFalse();
      Rflags.set(t.cpu, Rflags.IF, Rflags.IF);
      assertThat(t.cpu.attention()).isFalse();
      Rflags.set(t.cpu, 0, Rflags.IF);
      t.vcpu.post(new dev.troupe.proto.message.Interrupt.Intr(true));
      t.vcpu.service();
      assertThat(t.cpu.attention()).isFalse();
      Rflags.set(t.cpu, Rflags.IF, Rflags.IF);
      assertThat(t.cpu.attention()).isTrue();
    }
  }
}
