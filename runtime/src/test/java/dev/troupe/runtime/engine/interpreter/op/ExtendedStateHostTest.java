package dev.troupe.runtime.engine.interpreter.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.engine.host.HostStub;
import dev.troupe.runtime.isa.Insn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * FXRSTOR and FXSAVE, XRSTOR and XSAVE of the same random images by the meanings and by the host's
 * CPU; and what only the manual says: initial states, headers, alignment.
 */
class ExtendedStateHostTest {
  private static final int LEGACY = 512;
  private static final int AREA = 576;
  private static final long FROM = 0x4000;
  private static final long TO = 0x5000;
  private static final int X87_SSE = 3;

  private final Cpu c = VectorCpu.make();

  private static Insn at(long address, int size) {
    Insn i = new Insn();
    i.memory = true;
    i.base = Cpu.ZERO;
    i.index = Cpu.ZERO;
    i.displacement = address;
    i.segment = Cpu.DS;
    i.addressing = Operands.PLAIN;
    i.operandSize = size;
    i.addressSize = 64;
    return i;
  }

  /** An image that no instruction faults on. */
  private static long[] image(SplittableRandom random) {
    long[] image = new long[AREA / 8];
    for (int n = 0; n < LEGACY / 8; n++) {
      image[n] = random.nextLong();
    }
    // MXCSR, and the low 16 bits of what MXCSR_MASK's place holds do not matter.
    image[3] = (image[3] & ~0xFFFF_FFFFL) | random.nextInt(0x10000);
    return image;
  }

  private void put(long address, long[] image) {
    for (int n = 0; n < image.length; n++) {
      c.mmu.store64(address + 8L * n, image[n]);
    }
  }

  private long[] get(long address) {
    long[] image = new long[AREA / 8];
    for (int n = 0; n < image.length; n++) {
      image[n] = c.mmu.load64(address + 8L * n);
    }
    return image;
  }

  /** FIP, FDP, FOP, FCS and FDS are ours; so is what a host leaves in reserved places. */
  private static void maskOurs(long[] image) {
    image[0] &= 0x0000_FFFF_FFFF_FFFFL;
    image[1] = 0;
    image[2] = 0;
    image[3] = image[3] & 0xFFFF_FFFFL;
    for (int n = 416 / 8; n < LEGACY / 8; n++) {
      image[n] = 0;
    }
  }

  private static HostStub stub(int... instructions) {
    byte[] code = new byte[instructions.length + 16];
    int n = 0;
    for (int b : instructions) {
      code[n++] = (byte) b;
    }
    // fninit; push 1F80h; ldmxcsr [rsp]; pop rax; ret
    for (int b :
        new int[] {0xDB, 0xE3, 0x68, 0x80, 0x1F, 0, 0, 0x0F, 0xAE, 0x14, 0x24, 0x58, 0xC3}) {
      code[n++] = (byte) b;
    }
    return new HostStub(code);
  }

  private static MemorySegment block(long[] first, long[] second) {
    MemorySegment block = Arena.global().allocate(2048, 64);
    MemorySegment.copy(first, 0, block, ValueLayout.JAVA_LONG, 0, first.length);
    MemorySegment.copy(second, 0, block, ValueLayout.JAVA_LONG, 1024, second.length);
    return block;
  }

  @Test
  void fxrstorAndFxsaveAgreeWithTheHost() {
    assumeTrue(HostStub.available(), "not an x86-64 Linux host");
    // fxrstor64 [rdi]; fxsave64 [rdi+1024]
    HostStub host = stub(0x48, 0x0F, 0xAE, 0x0F, 0x48, 0x0F, 0xAE, 0x87, 0, 4, 0, 0);
    SplittableRandom random = new SplittableRandom(5);
    for (int n = 0; n < 2000; n++) {
      long[] from = image(random);
      long[] old = image(random);
      MemorySegment block = block(from, old);
      host.call(block.address());
      put(FROM, from);
      put(TO, old);
      ExtendedState.fxrstor(c, at(FROM, 64));
      ExtendedState.fxsave(c, at(TO, 64));
      long[] actual = get(TO);
      long[] expected = block.asSlice(1024, AREA).toArray(ValueLayout.JAVA_LONG);
      maskOurs(actual);
      maskOurs(expected);
      assertThat(actual).as("case %d of seed 5", n).isEqualTo(expected);
    }
  }

  @Test
  void xrstorAndXsaveAgreeWithTheHostForEveryChoiceOfComponents() {
    assumeTrue(HostStub.available(), "not an x86-64 Linux host");
    c.xcr0 = X87_SSE;
    SplittableRandom random = new SplittableRandom(6);
    // mov eax,esi is not there: the choice is in the code. xor edx,edx; mov eax,imm; xrstor64
    // [rdi]; mov eax,3; xsave64
    for (int choice = 0; choice < 4; choice++) {
      HostStub host =
          stub(
              0x31, 0xD2, 0xB8, X87_SSE, 0, 0, 0, 0x48, 0x0F, 0xAE, 0x2F, // xrstor64 [rdi]
              0x31, 0xD2, 0xB8, choice, 0, 0, 0, 0x48, 0x0F, 0xAE, 0xA7, 0, 4, 0,
              0); // xsave64 [rdi+1024]
      for (int n = 0; n < 500; n++) {
        long[] from = image(random);
        from[LEGACY / 8] = random.nextInt(4);
        long[] old = image(random);
        MemorySegment block = block(from, old);
        host.call(block.address());
        put(FROM, from);
        put(TO, old);
        c.gpr[Cpu.RDX] = 0;
        c.gpr[Cpu.RAX] = X87_SSE;
        ExtendedState.xrstor(c, at(FROM, 64));
        c.gpr[Cpu.RAX] = choice;
        ExtendedState.xsave(c, at(TO, 64));
        long[] actual = get(TO);
        long[] expected = block.asSlice(1024, AREA).toArray(ValueLayout.JAVA_LONG);
        maskOurs(actual);
        maskOurs(expected);
        // What is in use is ours; what was not asked for stays.
        actual[LEGACY / 8] &= ~choice;
        expected[LEGACY / 8] &= ~choice;
        assertThat(actual).as("components %d, case %d of seed 6", choice, n).isEqualTo(expected);
      }
    }
  }

  @Test
  void componentsThatAreAbsentBecomeInitial() {
    c.xcr0 = X87_SSE;
    c.x87.used = 0xFF;
    c.x87.significand[3] = 7;
    c.xmm[5] = 9;
    c.mxcsr = 0x1FA0;
    long[] image = new long[AREA / 8];
    image[3] = 0x7F80;
    put(FROM, image);
    c.gpr[Cpu.RAX] = X87_SSE;
    c.gpr[Cpu.RDX] = 0;
    ExtendedState.xrstor(c, at(FROM, 64));
    assertThat(c.x87.control).isEqualTo(X87.INITIAL_CONTROL);
    assertThat(c.x87.used).isZero();
    assertThat(c.x87.significand).containsOnly(0);
    assertThat(c.xmm[5]).isZero();
    // The standard form loads MXCSR whatever XSTATE_BV says.
    assertThat(c.mxcsr).isEqualTo(0x7F80);
    ExtendedState.xsave(c, at(TO, 64));
    assertThat(c.mmu.load64(TO + LEGACY)).as("nothing is in use").isZero();
    c.xmm[0] = 1;
    ExtendedState.xsavec(c, at(TO, 64));
    assertThat(c.mmu.load64(TO + LEGACY)).isEqualTo(2);
    assertThat(c.mmu.load64(TO + LEGACY + 8)).isEqualTo(1L << 63 | X87_SSE);
  }

  @Test
  void badHeadersAndAddressesAreGeneralProtectionFaults() {
    c.xcr0 = X87_SSE;
    c.gpr[Cpu.RAX] = X87_SSE;
    c.gpr[Cpu.RDX] = 0;
    faults(FROM + 8, image -> {});
    faults(FROM, image -> image[LEGACY / 8] = 4);
    faults(FROM, image -> image[LEGACY / 8 + 1] = 1);
    faults(FROM, image -> image[LEGACY / 8 + 2] = 1);
    faults(FROM, image -> image[3] = 0x1_0000);
    faults(
        FROM,
        image -> {
          image[LEGACY / 8] = 1;
          image[LEGACY / 8 + 1] = 1L << 63 | 2;
        });
    assertThatThrownBy(() -> ExtendedState.fxsave(c, at(TO + 8, 64))).isInstanceOf(Fault.class);
  }

  private void faults(long address, java.util.function.Consumer<long[]> change) {
    long[] image = new long[AREA / 8];
    image[3] = 0x1F80;
    change.accept(image);
    put(FROM, image);
    assertThatThrownBy(() -> ExtendedState.xrstor(c, at(address, 64)))
        .isInstanceOfSatisfying(Fault.class, f -> assertThat(f.vector).isEqualTo(Fault.GP));
  }
}
