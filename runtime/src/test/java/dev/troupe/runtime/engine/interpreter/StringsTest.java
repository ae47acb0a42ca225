package dev.troupe.runtime.engine.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Rflags;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Repeated CMPS and SCAS against the same comparisons one by one: SDM vol. 2, REP. */
class StringsTest {
  private static final String REPE = "f3";
  private static final String REPNE = "f2";
  private static final String CMPSB = "a6";

  private static final long SOURCE = 0x10000;
  private static final long TARGET = 0x20000;
  private static final int PAGE = 4096;
  private static final int[] LENGTHS = {0, 1, 2, 3, 5, 7, 8, 9, 15, 17, 40};

  /** Places of source and target in their pages; the last are less than an element from the end. */
  private static final int[][] PLACES = {
    {0, 0},
    {1, 0},
    {0, 3},
    {5, 6},
    {PAGE - 24, 8},
    {16, PAGE - 17},
    {PAGE - 9, PAGE - 11},
    {PAGE - 1, PAGE - 1}
  };

  /** Flags that no comparison leaves: CF and OF with ZF and SF. */
  private static final long BEFORE = Rflags.CF | Rflags.ZF | Rflags.SF | Rflags.OF;

  private static final long SEED = 20261126;

  /** What a comparison leaves: registers, flags and how many there were. */
  private record Result(long rsi, long rdi, long rcx, long flags, long iterations) {
    static Result of(Cpu c, long iterations) {
      long[] g = c.gpr;
      return new Result(g[Cpu.RSI], g[Cpu.RDI], g[Cpu.RCX], Rflags.arithmetic(c), iterations);
    }
  }

  /** A string instruction: its code without a repeat prefix, its width in bytes. */
  private record Operation(String code, int bytes, boolean strings) {
    static Operation of(String code) {
      int bytes = code.startsWith("66") ? 2 : code.startsWith("48") ? 8 : 4;
      int opcode = Integer.parseInt(code.substring(code.length() - 2), 16);
      return new Operation(code, (opcode & 1) == 0 ? 1 : bytes, opcode < 0xAE);
    }
  }

  private static void start(FlatCpu m, int[] place, long count, long value) {
    Cpu c = m.cpu;
    c.activity = Cpu.Activity.ACTIVE;
    c.rip = FlatCpu.CODE;
    c.gpr[Cpu.RSI] = SOURCE + place[0];
    c.gpr[Cpu.RDI] = TARGET + place[1];
    c.gpr[Cpu.RCX] = count;
    c.gpr[Cpu.RAX] = value;
    Rflags.setArithmetic(c, BEFORE);
  }

  /** Runs code that ends in HLT. */
  private static Result repeated(FlatCpu m, long slice) {
    long before = m.engine.retired();
    for (int n = 0; n < 1000; n++) {
      if (m.run(slice) instanceof Exit.Halt) {
        // Without iterations the instruction counts as one.
        return Result.of(m.cpu, m.engine.retired() - before - 1);
      }
    }
    throw new AssertionError("no end with slices of " + slice);
  }

  private static Result oneByOne(FlatCpu m, boolean equal) {
    Cpu c = m.cpu;
    int iterations = 0;
    boolean more = true;
    while (c.gpr[Cpu.RCX] != 0 && more) {
      c.rip = FlatCpu.CODE;
      m.run(1);
      c.gpr[Cpu.RCX]--;
      iterations++;
      more = ((Rflags.arithmetic(c) & Rflags.ZF) != 0) == equal;
    }
    return Result.of(c, Math.max(iterations, 1));
  }

  /**
   * Operands such that the element at {@code end} is the first to end the repetition; those behind
   * it are anything.
   */
  private static void operands(
      FlatCpu m, Operation o, int[] place, int count, int end, boolean equal, long value) {
    Random random = new Random(SEED + 64L * count + end);
    ByteBuffer source = ByteBuffer.allocate(8 * (count + 1)).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer target = ByteBuffer.allocate(8 * (count + 1)).order(ByteOrder.LITTLE_ENDIAN);
    // Differences that borrow from their neighbours, or are all but none.
    long[] differences = {1, 1L << (8 * o.bytes - 1), -1, 0x80, 1L << (8 * o.bytes - 8)};
    for (int k = 0; k < count; k++) {
      long element = o.strings ? random.nextLong() : value;
      boolean same = k == end ? !equal : k > end ? random.nextBoolean() : equal;
      long other = same ? element : element ^ differences[random.nextInt(differences.length)];
      source.putLong(k * o.bytes, element);
      target.putLong(k * o.bytes, other);
    }
    m.memory.copyIn(SOURCE + place[0], source.array());
    m.memory.copyIn(TARGET + place[1], target.array());
  }

  @ParameterizedTest
  @ValueSource(strings = {"a6", "66a7", "a7", "48a7", "ae", "66af", "af", "48af"})
  void repeatedComparisonsAreTheSameAsOneByOne(String code) {
    Operation o = Operation.of(code);
    long value = 0x8000_0000_0001_0100L;
    for (String prefix : new String[] {REPE, REPNE}) {
      boolean equal = prefix.equals(REPE);
      try (FlatCpu whole = new FlatCpu().code(prefix + code + "f4");
          FlatCpu single = new FlatCpu().code(code + "f4")) {
        for (int[] place : PLACES) {
          for (int count : LENGTHS) {
            for (int end = 0; end <= count; end++) {
              operands(whole, o, place, count, end, equal, value);
              operands(single, o, place, count, end, equal, value);
              start(single, place, count, value);
              Result want = oneByOne(single, equal);
              for (int slice : new int[] {1000, 1, 3}) {
                start(whole, place, count, value);
                assertThat(repeated(whole, slice))
                    .as(
                        "%s %s at +%d, +%d: %d elements, the end at %d, slices of %d",
                        prefix, code, place[0], place[1], count, end, slice)
                    .isEqualTo(want);
              }
            }
          }
        }
      }
    }
  }

  @Test
  void theTurnEndsAtTheVeryIterationAskedForWithTheFlagsFromBefore() {
    try (FlatCpu m = new FlatCpu().code(REPE + CMPSB + "f4")) {
      int[] place = {PAGE - 30, PAGE - 50};
      for (int units = 1; units < 100; units++) {
        start(m, place, 100, 0);
        long before = m.engine.retired();
        assertThat(m.run(units)).isInstanceOf(Exit.TurnEnd.class);
        assertThat(m.engine.retired() - before).isEqualTo(units);
        assertThat(Result.of(m.cpu, units))
            .isEqualTo(
                new Result(
                    SOURCE + place[0] + units,
                    TARGET + place[1] + units,
                    100 - units,
                    BEFORE,
                    units));
        assertThat(m.cpu.rip).as("on the instruction").isEqualTo(FlatCpu.CODE);
      }
    }
  }

  @Test
  void whatIsNoRamIsAskedForElementByElement() {
    long end = 16 << 20;
    try (FlatCpu m = new FlatCpu().code(REPE + "66a7" + "f4")) {
      start(m, new int[] {0, 0}, 50, 0);
      m.cpu.gpr[Cpu.RDI] = end - 6;
      for (int k = 0; k < 4; k++) {
        assertThat(m.run(1000)).isEqualTo(new Exit.MemoryRead(end + 2L * k, 2));
        assertThat(m.cpu.gpr[Cpu.RCX]).isEqualTo(50 - 3 - k);
        assertThat(Rflags.arithmetic(m.cpu)).isEqualTo(BEFORE);
        m.vcpu.complete(k == 3 ? 1 : 0);
      }
      m.run(1000);
      assertThat(m.cpu.gpr[Cpu.RCX]).isEqualTo(50 - 7);
      assertThat(Rflags.arithmetic(m.cpu) & (Rflags.ZF | Rflags.CF)).isEqualTo(Rflags.CF);
      assertThat(m.engine.retired()).as("seven iterations and HLT").isEqualTo(8);
    }
  }

  @Test
  void aFaultInTheSecondPageIsAtItsElementWithTheFlagsFromBefore() {
    for (String code : new String[] {"f348a7", "f2af", "f348a5", "f366ab"}) {
      try (Ring r = new Ring(3)) {
        map(r, 0x41);
        int bytes = Operation.of(code.substring(2)).bytes;
        long first = 0x41000 - 5L * bytes;
        r.cpu.gpr[Cpu.RSI] = 0x50000;
        r.cpu.gpr[Cpu.RDI] = first;
        r.cpu.gpr[Cpu.RCX] = 700;
        r.cpu.gpr[Cpu.RAX] = 1;
        Rflags.setArithmetic(r.cpu, BEFORE);
        assertThat(r.vectorOf(code)).as(code).isEqualTo(Fault.PF);
        assertThat(r.cpu.cr2).as(code).isEqualTo(0x41000);
        assertThat(r.cpu.gpr[Cpu.RCX]).as(code).isEqualTo(695);
        assertThat(r.cpu.gpr[Cpu.RDI]).as(code).isEqualTo(0x41000);
        assertThat(r.saved(0)).as(code).isEqualTo(Ring.CODE);
        assertThat(r.saved(2) & Rflags.ARITHMETIC).as(code).isEqualTo(BEFORE);
        assertThat(r.engine.retired()).as("five, the fault and HLT").isEqualTo(7);
      }
    }
  }

  /** Turns paging on: all of memory at its own address, but for one page. */
  private static void map(Ring r, int absent) {
    long tables = 0x90000;
    ByteBuffer entries = ByteBuffer.allocate(4 * PAGE).order(ByteOrder.LITTLE_ENDIAN);
    for (int level = 0; level < 3; level++) {
      entries.putLong(level * PAGE, tables + (level + 1L) * PAGE | 7);
    }
    for (int page = 0; page < 256; page++) {
      entries.putLong(3 * PAGE + 8 * page, page == absent ? 0 : page * (long) PAGE | 7);
    }
    r.memory.copyIn(tables, entries.array());
    r.cpu.cr3 = tables;
    r.cpu.cr4 |= 0x20;
    r.cpu.cr0 |= 1L << 31;
    r.cpu.updateMode();
    r.cpu.mmu.flushAll();
  }

  @Test
  void aWatchpointTrapsAfterTheElementThatMeetsIt() {
    try (Ring r = new Ring(3)) {
      r.cpu.gpr[Cpu.RDI] = 0x40000;
      r.cpu.gpr[Cpu.RCX] = 200;
      r.cpu.gpr[Cpu.RAX] = 7;
      r.code("f2ae f4").run(); // the TLB has the page
      r.cpu.activity = Cpu.Activity.ACTIVE;
      r.cpu.gpr[Cpu.RAX] = 7;
      r.cpu.gpr[Cpu.RDI] = 0x40000;
      r.cpu.gpr[Cpu.RCX] = 200;
      r.cpu.debug.write(1, 0x40021);
      r.cpu.debug.write(7, 0x404 | 0x3L << 20); // one byte, read or written
      assertThat(r.vectorOf("f2ae")).isEqualTo(Fault.DB);
      assertThat(r.cpu.gpr[Cpu.RDI]).isEqualTo(0x40022);
      assertThat(r.cpu.gpr[Cpu.RCX]).isEqualTo(200 - 0x22);
      assertThat(r.saved(0)).isEqualTo(Ring.CODE);
    }
  }

  @Test
  void anOffsetThatWrapsIsFollowedToTheSegmentsBeginning() {
    // fs rep movsb with 32-bit addresses: the byte after offset FFFFFFFF is that at FS:0.
    try (Ring r = new Ring(3)) {
      map(r, 0);
      long base = 0x42800 - (1L << 32);
      r.cpu.segmentBase[Cpu.FS] = base;
      r.cpu.gpr[Cpu.RSI] = 0xFFFF_FF00L;
      r.cpu.gpr[Cpu.RDI] = 0x50000;
      r.cpu.gpr[Cpu.RCX] = 0x200;
      assertThat(r.vectorOf("6467f3a4")).isEqualTo(Fault.PF);
      assertThat(r.cpu.cr2).isEqualTo(base);
      assertThat(r.cpu.gpr[Cpu.RSI]).isZero();
      assertThat(r.cpu.gpr[Cpu.RCX]).isEqualTo(0x100);
    }
  }
}
