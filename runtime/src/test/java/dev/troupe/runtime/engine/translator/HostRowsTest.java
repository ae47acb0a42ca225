package dev.troupe.runtime.engine.translator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.isa.DecodeTable;
import dev.troupe.runtime.isa.Decoder;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.InsnEncoder;
import dev.troupe.runtime.isa.InstructionTable;
import dev.troupe.runtime.isa.Row;
import java.util.EnumSet;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostRowsTest {
  private static final int NONE = 16;

  /** The form taken in the place of 32-bit code's, as 64-bit code has it at address 0. */
  @ParameterizedTest
  @CsvSource({
    "43, FFC3", // inc ebx
    "664F, 66FFCF", // dec di
    "82C105, 80C105", // add cl,5
    "A178563412, 8B042578563412", // mov eax,[12345678h]
    "66A378563412, 6689042578563412", // mov [12345678h],ax
    "A278563412, 88042578563412", // mov [12345678h],al
    "9F, 9F", // lahf
    "01D8, 01D8"
  })
  void formsThat64BitCodeLacksHaveOthers(String code, String other) {
    Insn h = HostRows.of(decoded(code));
    h.mode = 64;
    h.addressSize = 64;
    assertThat(new InsnEncoder().encode(h)).isEqualTo(HexFormat.of().parseHex(other));
  }

  /** Only what has a form of its own in 64-bit code is emitted as itself. */
  @Test
  void theOtherFormOfARowHasItsMeaningAndIsOf64BitCode() {
    for (Row row : InstructionTable.rows()) {
      Insn i = new Insn();
      i.row = row;
      i.base = NONE;
      i.index = NONE;
      Row other = HostRows.of(i).row;
      assertThat(other.meaning()).isEqualTo(row.meaning());
      assertThat(other.equals(row) || other.inMode(64)).as("%s", row).isTrue();
    }
  }

  private static Insn decoded(String code) {
    byte[] bytes = HexFormat.of().parseHex(code);
    Insn i = new Insn();
    Decoder decoder = new Decoder(DecodeTable.of(EnumSet.allOf(Feature.class)));
    assertThat(decoder.decode(32, offset -> bytes[offset] & 0xFF, i))
        .isEqualTo(Decoder.Result.DECODED);
    return i;
  }
}
