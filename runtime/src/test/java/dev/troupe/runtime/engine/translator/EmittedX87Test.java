package dev.troupe.runtime.engine.translator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.engine.host.HostStub;
import dev.troupe.runtime.memory.Raw;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** x87 instructions in emitted code: the interpreter's results, and the thread left as it was. */
@EnabledIf("dev.troupe.runtime.engine.translator.Translator#available")
class EmittedX87Test {
  /** RBX points to data; it begins with 0.1 as a double, then a control word. */
  private static final long DATA = 0x8000;

  // again: fld1; fadd qword [rbx]; fsqrt; fld st0; fmulp st1,st0; fsubr dword [rbx+4]; fxam;
  // fnstsw ax; fstp qword [rbx+16]; fild word [rbx+2]; fistp qword [rbx+24]; inc ecx; jmp again
  private static final String LOOP =
      "d9e8 dc03 d9fa d9c0 dec9 d86b04 d9e5 dfe0 dd5b10 df4302 df7b18 ffc1 ebe2";

  // again: fldcw [rbx+8]; fld1; fldz; fdivp; fstp st0; fwait; inc ecx; jmp again
  private static final String DIVISION = "d96b08 d9e8 d9ee def9 ddd8 9b ffc1 ebf0";

  /** Rounds upwards, all masked. */
  private static final int UP = 0x0B7F;

  private static final int ZERO_DIVIDE_UNMASKED = 0x037B;
  private static final int DEFAULT = 0x037F;

  private static FlatGuest prepared(FlatGuest guest, int control) {
    Cpu c = guest.cpu;
    c.x87.initialize();
    c.gpr[Cpu.RBX] = DATA;
    c.mmu.store64(DATA, Double.doubleToRawLongBits(0.1));
    c.mmu.store16(DATA + 8, control);
    return guest;
  }

  private static FlatGuest translated(String code, int control) {
    return prepared(new FlatGuest(code, Plant.NONE), control);
  }

  private static FlatGuest interpreted(String code, int control) {
    return prepared(FlatGuest.interpreted(code), control);
  }

  private static String state(FlatGuest guest) {
    Cpu c = guest.cpu;
    X87 x = c.x87;
    StringBuilder text = new StringBuilder();
    text.append(
        "rip %x rflags %x rax %x rcx %x fcw %x fsw %x used %x fip %x fdp %x fop %x"
            .formatted(
                c.rip,
                Rflags.get(c),
                c.gpr[Cpu.RAX],
                c.gpr[Cpu.RCX],
                x.control,
                x.statusWord(),
                x.used,
                x.instructionPointer,
                x.dataPointer,
                x.opcode));
    for (int r = 0; r < 8; r++) {
      text.append(" %04x:%016x".formatted(x.exponent[r], x.significand[r]));
    }
    for (int at = 16; at < 32; at += 8) {
      text.append(" %x".formatted(c.mmu.load64(DATA + at)));
    }
    return text.toString();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 2})
  void allRegistersAreTheInterpretersAtTheEndOfEachTurn(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    try (FlatGuest ours = translated(LOOP, DEFAULT);
        FlatGuest wanted = interpreted(LOOP, DEFAULT)) {
      long units = 0;
      for (int turn = 0; turn < 300; turn++) {
        long slice = random.nextLong(1, random.nextBoolean() ? 20 : 1000);
        units += slice;
        assertThat(ours.run(slice)).isEqualTo(wanted.run(slice));
        assertThat(state(ours)).as("turn %d", turn).isEqualTo(state(wanted));
      }
      assertThat(ours.emitted()).isGreaterThan(units * 9 / 10);
    }
  }

  @Test
  void anExceptionThatIsUnmaskedIsReportedBeforeTheNextWaitingInstruction() {
    try (FlatGuest ours = translated(DIVISION, DEFAULT);
        FlatGuest wanted = interpreted(DIVISION, DEFAULT)) {
      assertThat(ours.run(1000)).isEqualTo(wanted.run(1000)).isEqualTo(new Exit.TurnEnd());
      assertThat(state(ours)).isEqualTo(state(wanted));
      assertThat(ours.emitted()).isGreaterThan(900);
      ours.cpu.mmu.store16(DATA + 8, ZERO_DIVIDE_UNMASKED);
      wanted.cpu.mmu.store16(DATA + 8, ZERO_DIVIDE_UNMASKED);
      // With CR0.NE = 0 the board is asked.
      assertThat(ours.run(1000)).isEqualTo(wanted.run(1000)).isEqualTo(new Exit.NumericError(true));
      assertThat(state(ours)).isEqualTo(state(wanted));
      assertThat(ours.cpu.rip).isEqualTo(FlatGuest.CODE + 3); // the flag was there
    }
  }

  @Test
  void taskSwitchedIsSeenByTheFirstInstruction() {
    try (FlatGuest ours = translated(LOOP, DEFAULT);
        FlatGuest wanted = interpreted(LOOP, DEFAULT)) {
      assertThat(ours.run(1000)).isEqualTo(wanted.run(1000));
      for (FlatGuest guest : new FlatGuest[] {ours, wanted}) {
        guest.cpu.cr0 |= 8;
        guest.cpu.idtLimit = 0;
        guest.cpu.updateMode();
      }
      // #NM without a table of handlers.
      assertThat(ours.run(1000)).isEqualTo(wanted.run(1000)).isInstanceOf(Exit.Shutdown.class);
      assertThat(state(ours)).isEqualTo(state(wanted));
    }
  }

  @Test
  void theThreadHasItsOwnX87StateAfterEachTurn() {
    try (FlatGuest guest = translated("d96b08" + LOOP, UP)) { // fldcw [rbx+8] before the loop
      String own = host();
      for (int turn = 0; turn < 100; turn++) {
        assertThat(guest.run(500 + turn)).isEqualTo(new Exit.TurnEnd());
        assertThat(host()).isEqualTo(own);
      }
      assertThat(guest.cpu.x87.control).isEqualTo(UP);
      assertThat(guest.cpu.x87.status & X87.PE).isNotZero();
      assertThat(guest.emitted()).isGreaterThan(40_000);
    }
  }

  @Test
  void theThreadHasItsOwnX87StateAfterAFault() {
    Plant fault =
        (a, number) -> {
          if (number == 1) {
            a.emit(0x0F, 0x0B); // ud2
          }
        };
    // fldcw [rbx+8]; fld1; jmp second; nop; second: fld1; jmp second
    String code = "d96b08 d9e8 eb01 90 d9e8 ebfc";
    try (FlatGuest guest = prepared(new FlatGuest(code, fault), UP)) {
      String own = host();
      assertThatExceptionOfType(EmittedCodeException.class).isThrownBy(() -> guest.run(1000));
      assertThat(host()).isEqualTo(own);
      assertThat(guest.cpu.x87.control).isEqualTo(UP);
    }
  }

  private static final HostStub ENVIRONMENT =
      new HostStub(
          new byte[] {
            (byte) 0xD9, 0x37, // fnstenv [rdi]
            (byte) 0xD9, 0x27, // fldenv [rdi]: the other masks all exceptions
            (byte) 0xC3
          });

  /** The thread's control, status and tag words. */
  private static String host() {
    try (Arena arena = Arena.ofConfined()) {
      long block = arena.allocate(32, 16).address();
      ENVIRONMENT.call(block);
      return "%x %x %x".formatted(Raw.get16(block), Raw.get16(block + 4), Raw.get16(block + 8));
    }
  }
}
