package dev.troupe.runtime.engine.translator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A fault in emitted code ends its machine, with a report, and no other. */
@EnabledIf("dev.troupe.runtime.engine.translator.Translator#available")
class EmittedFaultTest {
  // Two blocks: inc rax; jmp second; ...; second: inc rcx; add rdx,rcx; jmp first
  private static final String CODE = "48ffc0 eb01 90 48ffc1 4801ca ebf2";

  private static final long UNMAPPED = 0x10;
  private static final long NOT_CANONICAL = 0x4000_0000_0000_0000L;

  enum Kind {
    UNDEFINED("SIGILL", "exception 6"),
    BREAKPOINT("SIGTRAP", "exception 3"),
    DIVIDE("SIGFPE", "exception 0"),
    STORE_UNMAPPED("SIGSEGV", "address 0x10)"),
    STORE_NOT_CANONICAL("SIGSEGV", "exception 13, no address"),
    JUMP_UNMAPPED("SIGSEGV", "rip 0x10\n"),
    JUMP_NOT_CANONICAL("SIGSEGV", "exception 13, no address"),
    /** Behind what a stub pushes. */
    IN_STUB("SIGILL", "exception 6");

    private final String signal;
    private final String detail;

    Kind(String signal, String detail) {
      this.signal = signal;
      this.detail = detail;
    }

    void into(Assembler a) {
      switch (this) {
        case UNDEFINED -> undefined(a);
        case BREAKPOINT -> a.emit(0xCC);
        case DIVIDE -> {
          a.constant(Assembler.R11, 0);
          a.emit(0x49, 0xF7, 0xF3); // div r11
        }
        case STORE_UNMAPPED -> store(a, UNMAPPED);
        case STORE_NOT_CANONICAL -> store(a, NOT_CANONICAL);
        case JUMP_UNMAPPED -> jump(a, UNMAPPED);
        case JUMP_NOT_CANONICAL -> jump(a, NOT_CANONICAL);
        case IN_STUB -> {
          a.push(1);
          undefined(a);
        }
      }
    }
  }

  private static void undefined(Assembler a) {
    a.emit(0x0F, 0x0B); // ud2
  }

  private static void store(Assembler a, long address) {
    a.constant(Assembler.R11, address);
    a.emit(0x4D, 0x89, 0x1B); // mov [r11],r11
  }

  private static void jump(Assembler a, long address) {
    a.constant(Assembler.R11, address);
    a.emit(0x41, 0xFF, 0xE3); // jmp r11
  }

  /** In the second code that is emitted. */
  private static Plant second(Consumer<Assembler> code) {
    return (a, number) -> {
      if (number == 1) {
        code.accept(a);
      }
    };
  }

  @ParameterizedTest
  @EnumSource
  void aFaultEndsItsMachineWithAReportAndNoOther(Kind kind) throws Exception {
    try (CountingGuest other = new CountingGuest();
        FlatGuest guest = new FlatGuest(CODE, second(kind::into))) {
      guest.cpu.gpr[Cpu.RSI] = 0x1234_5678_9ABCL;
      assertThatExceptionOfType(EmittedCodeException.class)
          .isThrownBy(() -> guest.run(1000))
          .withMessageStartingWith("emitted code: " + kind.signal)
          .withMessageContaining(kind.detail)
          .withMessageContaining("inc    rcx")
          .withMessageContaining("rsi=0000123456789abc");
      assertThat(guest.cpu.gpr[Cpu.RSI]).isEqualTo(0x1234_5678_9ABCL);
      assertThat(other.end()).isPositive();
    }
  }

  @Test
  void theReportNamesTheBlockAndItsInstruction() {
    Plant atEach = (a, number) -> a.emit(0x90);
    try (FlatGuest guest = new FlatGuest(CODE, atEach)) {
      assertThat(guest.run(1000)).isEqualTo(new Exit.TurnEnd());
    }
    try (FlatGuest guest = new FlatGuest(CODE, second(EmittedFaultTest::undefined))) {
      assertThatExceptionOfType(EmittedCodeException.class)
          .isThrownBy(() -> guest.run(1000))
          .withMessageContaining("before the first instruction of block at 0x1006, its code at 0x")
          .withMessageContaining("\n  1006: 48 ff c1  inc    rcx @")
          .withMessageContaining("\n  1009: 48 01 ca  add    rdx,rcx @")
          .withMessageContaining(": 0f 0b ");
    }
  }

  /** What a machine's memory gives when the host cannot: here a file that has become shorter. */
  @Test
  void memoryThatTheHostCannotGiveIsABusError(@TempDir Path folder) throws IOException {
    try (Arena arena = Arena.ofConfined();
        FileChannel file =
            FileChannel.open(
                folder.resolve("short"),
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
      long address = file.map(FileChannel.MapMode.READ_WRITE, 0, 4096, arena).address();
      file.truncate(0);
      try (FlatGuest guest = new FlatGuest(CODE, second(a -> store(a, address)))) {
        assertThatExceptionOfType(EmittedCodeException.class)
            .isThrownBy(() -> guest.run(1000))
            .withMessageStartingWith("emitted code: SIGBUS")
            .withMessageContaining("address %#x)".formatted(address));
      }
    }
  }

  @Test
  void aThousandFaultsLeaveTheThreadAsItWas() {
    for (int n = 0; n < 1000; n++) {
      Kind kind = Kind.values()[n % Kind.values().length];
      try (FlatGuest guest = new FlatGuest(CODE, second(kind::into))) {
        guest.cpu.mxcsr = 0x7F80; // the guest rounds to zero
        assertThatExceptionOfType(EmittedCodeException.class).isThrownBy(() -> guest.run(1000));
        assertThat((n + 1.0) / (n * 10.0 + 10)).isEqualTo(0.1); // rounded up
      }
    }
  }
}
