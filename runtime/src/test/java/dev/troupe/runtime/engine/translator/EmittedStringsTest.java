package dev.troupe.runtime.engine.translator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** MOVS and STOS in emitted code: what the interpreter does, to the very iteration. */
@EnabledIf("dev.troupe.runtime.engine.translator.Translator#available")
class EmittedStringsTest {
  /** Two pages, and what is near them. */
  private static final long DATA = 0x8000;

  private static final int BYTES = 0x2000;

  /** What is copied or stored begins at most so far before the second page. */
  private static final int NEAR = 96;

  // again: mov rsi,r8; mov rdi,rbx; mov rcx,rdx; (the instruction); inc rbp; jmp again
  private static String loop(String instruction) {
    int length = instruction.replace(" ", "").length() / 2;
    return "4c89c6 4889df 4889d1 %s 48ffc5 eb%02x".formatted(instruction, 0xF2 - length);
  }

  private static void fill(FlatGuest guest, SplittableRandom random) {
    for (int at = 0; at < BYTES; at += 8) {
      guest.cpu.mmu.store64(DATA + at, random.nextLong());
    }
  }

  private static void begin(FlatGuest guest, SplittableRandom random) {
    Cpu c = guest.cpu;
    c.gpr[Cpu.RAX] = random.nextLong();
    boolean near = random.nextInt(3) == 0;
    int reach = near ? NEAR : 2048;
    c.gpr[8] = DATA + 0x1000 - reach + random.nextInt(2 * reach);
    c.gpr[Cpu.RBX] =
        random.nextInt(3) == 0
            ? c.gpr[8] + random.nextInt(-12, 12)
            : DATA + 0x1000 - reach + random.nextInt(2 * reach);
    int most = random.nextInt(8) == 0 ? 700 : 20;
    c.gpr[Cpu.RDX] = random.nextInt(most);
    Rflags.set(c, random.nextInt(6) == 0 ? Rflags.DF : 0, Rflags.DF);
  }

  private static String state(FlatGuest guest) {
    Cpu c = guest.cpu;
    StringBuilder text = new StringBuilder("rip %x rflags %x".formatted(c.rip, Rflags.get(c)));
    for (int r = 0; r < 16; r++) {
      text.append(" %x".formatted(c.gpr[r]));
    }
    long sum = 0;
    for (int at = -0x1000; at < BYTES + 0x1000; at += 8) {
      sum = sum * 31 + c.mmu.load64(DATA + at);
    }
    return text.append(" memory %x".formatted(sum)).toString();
  }

  @ParameterizedTest
  @CsvSource({
    "f3 a4", "f3 66a5", "f3 a5", "f3 48a5", "a4", "66 a5", "a5", "48 a5", //
    "f3 aa", "f3 66ab", "f3 ab", "f3 48ab", "aa", "66 ab", "ab", "48 ab", "f2 a4", "f2 ab"
  })
  void eachTurnEndsAsTheInterpreters(String instruction) {
    SplittableRandom random = new SplittableRandom(instruction.hashCode());
    try (FlatGuest ours = new FlatGuest(loop(instruction), Plant.NONE);
        FlatGuest wanted = FlatGuest.interpreted(loop(instruction))) {
      long seed = random.nextLong();
      fill(ours, new SplittableRandom(seed));
      fill(wanted, new SplittableRandom(seed));
      for (int turn = 0; turn < 400; turn++) {
        // In the middle of a repetition too: what is left of it then is another one.
        seed = random.nextLong();
        begin(ours, new SplittableRandom(seed));
        begin(wanted, new SplittableRandom(seed));
        long slice = random.nextLong(1, random.nextBoolean() ? 20 : 1000);
        assertThat(ours.run(slice)).isEqualTo(wanted.run(slice));
        assertThat(state(ours)).as("turn %d", turn).isEqualTo(state(wanted));
      }
    }
  }

  @Test
  void whatLiesInOnePageIsDoneByEmittedCode() {
    try (FlatGuest guest = new FlatGuest(loop("f3 a4"), Plant.NONE)) {
      Cpu c = guest.cpu;
      c.gpr[8] = DATA;
      c.gpr[Cpu.RBX] = DATA + 0x800;
      c.gpr[Cpu.RDX] = 64;
      guest.run(100_000);
      assertThat(guest.emitted()).isGreaterThan(99_000);
    }
  }

  @Test
  void whatIsNotDoneAtOnceIsLeftToTheInterpreter() {
    try (FlatGuest guest = new FlatGuest(loop("f3 a4"), Plant.NONE)) {
      Cpu c = guest.cpu;
      c.gpr[8] = DATA;
      c.gpr[Cpu.RBX] = DATA + 0xFF0;
      c.gpr[Cpu.RDX] = 64;
      guest.run(100_000);
      assertThat(guest.emitted()).isBetween(1_000L, 20_000L);
    }
  }
}
