package dev.troupe.runtime.isa;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.isa.Decoder.Result;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DecoderTest {
  private static final DecodeTable ALL = new DecodeTable(EnumSet.allOf(Feature.class));
  private final Insn insn = new Insn();

  private Result decode(DecodeTable table, int mode, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    return new Decoder(table).decode(mode, n -> bytes[n] & 0xFF, insn);
  }

  private void decoded(int mode, String hex, String row) {
    assertThat(decode(ALL, mode, hex)).as(hex).isEqualTo(Result.DECODED);
    assertThat(insn.row.mnemonic(insn.operandSize) + " " + insn.row.syntax())
        .as(hex)
        .isEqualTo(row);
    assertThat(insn.length).as(hex).isEqualTo(hex.replace(" ", "").length() / 2);
  }

  private void undefined(int mode, String hex) {
    assertThat(decode(ALL, mode, hex)).as(hex).isEqualTo(Result.UNDEFINED);
  }

  @Test
  void operandsAreReadFromModRmSibAndRex() {
    decoded(64, "4C 8B 84 CB 10 00 00 80", "MOV Gv,Ev");
    assertThat(insn.reg).isEqualTo(8);
    assertThat(insn.base).isEqualTo(3);
    assertThat(insn.index).isEqualTo(1);
    assertThat(insn.scale).isEqualTo(3);
    assertThat(insn.displacement).isEqualTo(0xFFFF_FFFF_8000_0010L);
    assertThat(insn.operandSize).isEqualTo(64);
    decoded(64, "88 E1", "MOV Eb,Gb");
    assertThat(insn.reg).isEqualTo(16);
    decoded(64, "40 88 E1", "MOV Eb,Gb");
    assertThat(insn.reg).isEqualTo(4);
    decoded(64, "8B 05 01 00 00 00", "MOV Gv,Ev");
    assertThat(insn.ripRelative).isTrue();
    decoded(16, "8B 42 FF", "MOV Gv,Ev");
    assertThat(insn.segment).isEqualTo(2);
    assertThat(insn.displacement).isEqualTo(-1);
    decoded(64, "48 B8 88 77 66 55 44 33 22 11", "MOV Zv,Iv");
    assertThat(insn.immediate).isEqualTo(0x1122334455667788L);
    decoded(16, "9A 34 12 78 56", "CALL Ap");
    assertThat(insn.immediate).isEqualTo(0x1234);
    assertThat(insn.immediate2).isEqualTo(0x5678);
    decoded(32, "C8 34 12 05", "ENTER Iw,Ib");
    assertThat(insn.immediate).isEqualTo(0x1234);
    assertThat(insn.immediate2).isEqualTo(5);
  }

  @Test
  void rexCountsOnlyRightBeforeTheOpcode() {
    decoded(64, "48 66 89 C0", "MOV Ev,Gv");
    assertThat(insn.operandSize).isEqualTo(16);
    decoded(64, "66 48 89 C0", "MOV Ev,Gv");
    assertThat(insn.operandSize).isEqualTo(64);
    decoded(32, "48", "DEC Zv");
  }

  @Test
  void segmentOverridesOfFlatSegmentsAreIgnoredIn64BitCode() {
    decoded(64, "64 2E 8B 00", "MOV Gv,Ev");
    assertThat(insn.segment).isEqualTo(4);
    decoded(64, "3E 8B 45 00", "MOV Gv,Ev");
    assertThat(insn.segment).isEqualTo(2);
    decoded(32, "3E 8B 45 00", "MOV Gv,Ev");
    assertThat(insn.segment).isEqualTo(3);
    decoded(32, "2E A4", "MOVSB Yb,Xb");
    assertThat(insn.segment).isEqualTo(1);
  }

  @Test
  void mandatoryPrefixesPreferTheLastOfF2AndF3() {
    decoded(64, "66 0F 58 C1", "ADDPD Vpd,Wpd");
    decoded(64, "66 F3 0F 58 C1", "ADDSS Vss,Wss");
    decoded(64, "F3 F2 66 0F 58 C1", "ADDSD Vsd,Wsd");
    decoded(64, "66 F2 0F 38 F1 C1", "CRC32 Gy,Ev");
    assertThat(insn.operandSize).isEqualTo(16);
    decoded(64, "66 F3 0F B8 C1", "POPCNT Gv,Ev");
    assertThat(insn.operandSize).isEqualTo(16);
    undefined(64, "F3 0F 54 C1");
    decoded(64, "F3 90", "PAUSE ");
    decoded(64, "F3 41 90", "XCHG Zv,rAX");
    decoded(64, "66 0F 6E C0", "MOVD Vdq,Ey");
    decoded(64, "66 48 0F 6E C0", "MOVQ Vdq,Ey");
  }

  @Test
  void whatAModelLacksFallsBackOrIsUndefined() {
    DecodeTable none = new DecodeTable(Set.of());
    assertThat(decode(none, 64, "F3 0F BC C1")).isEqualTo(Result.DECODED);
    assertThat(insn.row.mnemonic()).isEqualTo("BSF");
    assertThat(decode(none, 64, "F3 0F BD C1")).isEqualTo(Result.DECODED);
    assertThat(insn.row.mnemonic()).isEqualTo("BSR");
    assertThat(decode(none, 64, "F3 0F B8 C1")).isEqualTo(Result.UNDEFINED);
    decoded(64, "F3 0F BC C1", "TZCNT Gv,Ev");
    decoded(64, "48 0F C7 0E", "CMPXCHG16B Mdq");
    decoded(64, "0F C7 0E", "CMPXCHG8B Mq");
  }

  @Test
  void lockIsAllowedWhereTheTableSaysOnly() {
    decoded(64, "F0 01 00", "ADD Ev,Gv");
    undefined(64, "F0 01 C0");
    undefined(64, "F0 03 00");
    undefined(64, "F0 39 00");
    undefined(64, "F0 90");
    decoded(64, "F0 0F C7 08", "CMPXCHG8B Mq");
  }

  @Test
  void modesSelectRows() {
    decoded(32, "63 C8", "ARPL Ew,Gw");
    decoded(64, "63 C8", "MOVSXD Gv,Ed");
    undefined(64, "06");
    undefined(64, "9A 00 00 00 00 00 00");
    decoded(32, "C5 08", "LDS Gv,Mp");
    decoded(64, "50", "PUSH Zv");
    assertThat(insn.operandSize).isEqualTo(64);
    decoded(64, "66 E8 00 00 00 00", "CALL Jz");
    decoded(16, "E8 00 00", "CALL Jz");
  }

  @Test
  void vexPrefixesCarryRegistersAndForbidOthers() {
    decoded(64, "C4 C2 F8 F2 C1", "ANDN Gy,By,Ey");
    assertThat(insn.rm).isEqualTo(9);
    assertThat(insn.vvvv).isZero();
    assertThat(insn.operandSize).isEqualTo(64);
    decoded(32, "C4 E2 78 F2 C1", "ANDN Gy,By,Ey");
    undefined(64, "66 C4 C2 F8 F2 C1");
    undefined(64, "48 C4 C2 F8 F2 C1");
    undefined(64, "C4 C2 FC F2 C1");
    undefined(64, "C4 E3 73 F0 C1 05");
    decoded(64, "C4 E3 7B F0 C1 05", "RORX Gy,Ey,Ib");
  }

  @Test
  void registersThatDoNotExistAreUndefined() {
    decoded(64, "8E D8", "MOV Sw,Ew");
    undefined(64, "8E C8");
    undefined(64, "8E F0");
    decoded(64, "0F 22 18", "MOV Cy,Ry");
    assertThat(insn.rm).isZero();
    undefined(64, "0F 22 C8");
    decoded(64, "44 0F 22 C0", "MOV Cy,Ry");
    undefined(64, "44 0F 23 C0");
  }

  @Test
  void sixteenBytesAreTooMany() {
    String prefixes = "66 ".repeat(14);
    decoded(64, prefixes + "90", "NOP ");
    assertThat(decode(ALL, 64, "66 ".repeat(15) + "90")).isEqualTo(Result.TOO_LONG);
    assertThat(decode(ALL, 64, prefixes + "05 00 00")).isEqualTo(Result.TOO_LONG);
  }
}
