package dev.troupe.runtime.engine.translator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.isa.DecodeTable;
import dev.troupe.runtime.isa.Decoder;
import dev.troupe.runtime.isa.Disassembler;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import java.util.EnumSet;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the assembler writes, read by the decoder. */
class AssemblerTest {
  private static final String[][] NAMES = {
    {
      "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b",
      "r13b", "r14b", "r15b"
    },
    {
      "ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w",
      "r14w", "r15w"
    },
    {
      "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d",
      "r13d", "r14d", "r15d"
    },
    {
      "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
      "r13", "r14", "r15"
    },
  };

  private final Assembler assembler = new Assembler();

  private static String name(int bits, int register) {
    return NAMES[Integer.numberOfTrailingZeros(bits) - 3][register];
  }

  /** All that has been written, one instruction with one blank between words. */
  private String text() {
    byte[] bytes = assembler.bytes();
    Insn i = new Insn();
    Decoder decoder = new Decoder(DecodeTable.of(EnumSet.allOf(Feature.class)));
    assertThat(decoder.decode(64, at -> at < bytes.length ? bytes[at] & 0xFF : 0x90, i))
        .isEqualTo(Decoder.Result.DECODED);
    assertThat(i.length).isEqualTo(bytes.length);
    return Disassembler.text(i, 0).replaceAll(" +", " ");
  }

  private static Stream<Arguments> widthsAndRegisters() {
    return Stream.of(8, 16, 32, 64)
        .flatMap(
            bits ->
                Stream.of(0, 4, 5, 7, 9, 12, 15)
                    .flatMap(to -> Stream.of(3, 4, 6, 11, 15).map(f -> Arguments.of(bits, to, f))));
  }

  @ParameterizedTest
  @MethodSource("widthsAndRegisters")
  void arithmeticOfTwoRegistersHasTheWidthAndTheRegisters(int bits, int to, int from) {
    for (Arithmetic operation : Arithmetic.values()) {
      boolean binary = !operation.shift() && operation != Arithmetic.NEG;
      if (!binary || operation == Arithmetic.IMUL3) {
        continue;
      }
      if (operation == Arithmetic.IMUL2 && bits == 8) {
        continue; // there is none
      }
      assembler.clear();
      assembler.arithmetic(operation, bits, to, from);
      String mnemonic =
          operation == Arithmetic.IMUL2 ? "imul" : operation.name().toLowerCase(Locale.ROOT);
      assertThat(text()).isEqualTo(mnemonic + " " + name(bits, to) + "," + name(bits, from));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"ADD", "OR", "AND", "SUB", "XOR", "CMP"})
  void constantsAreSignExtended(Arithmetic operation) {
    String mnemonic = operation.name().toLowerCase(Locale.ROOT);
    assembler.arithmeticConstant(operation, 64, 15, -2);
    assertThat(text()).isEqualTo(mnemonic + " r15,0xfffffffffffffffe");
    assembler.clear();
    assembler.arithmeticConstant(operation, 32, 12, 0x1234_5678);
    assertThat(text()).isEqualTo(mnemonic + " r12d,0x12345678");
    assembler.clear();
    assembler.arithmeticConstant(operation, 16, 6, 0x1234);
    assertThat(text()).isEqualTo(mnemonic + " si,0x1234");
    assembler.clear();
    assembler.arithmeticConstant(operation, 8, 6, 0x12);
    assertThat(text()).isEqualTo(mnemonic + " sil,0x12");
  }

  @Test
  void operationsWithOneRegister() {
    assembler.arithmetic(Arithmetic.NEG, 64, 15, 15);
    assertThat(text()).isEqualTo("neg r15");
    assembler.clear();
    assembler.arithmeticConstant(Arithmetic.SHL, 16, 15, 3);
    assertThat(text()).isEqualTo("shl r15w,0x3");
    assembler.clear();
    assembler.arithmeticConstant(Arithmetic.SAR, 8, 6, 7);
    assertThat(text()).isEqualTo("sar sil,0x7");
    assembler.clear();
    assembler.arithmeticConstant(Arithmetic.TEST, 64, 9, 5);
    assertThat(text()).isEqualTo("test r9,0x5");
    assembler.clear();
    assembler.arithmeticConstant(Arithmetic.IMUL3, 32, 15, 0x1000);
    assertThat(text()).isEqualTo("imul r15d,r15d,0x1000");
  }

  @Test
  void operandsInTheStateAreFoundByTheStackPointer() {
    assembler.arithmeticState(Arithmetic.SUB, 64, 15, 200);
    assertThat(text()).isEqualTo("sub r15,QWORD PTR [rsp+0xc8]");
    assembler.clear();
    assembler.arithmeticState(Arithmetic.CMP, 8, 6, 64);
    assertThat(text()).isEqualTo("cmp sil,BYTE PTR [rsp+0x40]");
    assembler.clear();
    assembler.arithmeticState(Arithmetic.IMUL2, 32, 15, 8);
    assertThat(text()).isEqualTo("imul r15d,DWORD PTR [rsp+0x8]");
    assembler.clear();
    assembler.stateAt(true, 0x33, 15, 10, 0x1000);
    assertThat(text()).isEqualTo("xor r15,QWORD PTR [rsp+r10*1+0x1000]");
  }

  @Test
  void theShortestMoveOfAConstantIsTaken() {
    assembler.constant(11, 5);
    assertThat(text()).isEqualTo("mov r11d,0x5");
    assembler.clear();
    assembler.constant(11, -5);
    assertThat(text()).isEqualTo("mov r11,0xfffffffffffffffb");
    assembler.clear();
    assembler.constant(2, 0x1234_5678_9ABC_DEF0L);
    assertThat(text()).isEqualTo("movabs rdx,0x123456789abcdef0");
  }
}
