package dev.troupe.runtime.isa;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class InsnEncoderTest {
  private static final long SEED = 0x15A_0001;
  private static final int CASES = 30;

  static InsnGenerator.Choices choices(SplittableRandom random) {
    return new InsnGenerator.Choices() {
      @Override
      public int below(int bound) {
        return random.nextInt(bound);
      }

      @Override
      public long bits() {
        return random.nextLong();
      }
    };
  }

  private static String text(Insn i) {
    return "mode=%d op=%d addr=%d reg=%d rm=%d mem=%s base=%d index=%d scale=%d disp=%x rip=%s seg=%d imm=%x imm2=%x lock=%s rep=%x rex=%x v=%d len=%d %s"
        .formatted(
            i.mode,
            i.operandSize,
            i.addressSize,
            i.reg,
            i.rm,
            i.memory,
            i.base,
            i.index,
            i.scale,
            i.displacement,
            i.ripRelative,
            i.segment,
            i.immediate,
            i.immediate2,
            i.lock,
            i.repeat,
            i.rex,
            i.vvvv,
            i.length,
            i.row);
  }

  @Test
  void decodingIsTheInverseOfEncodingForEveryRowInEveryMode() {
    Decoder decoder = new Decoder(new DecodeTable(EnumSet.allOf(Feature.class)));
    InsnEncoder encoder = new InsnEncoder();
    Insn insn = new Insn();
    Insn back = new Insn();
    List<String> wrong = new ArrayList<>();
    for (int mode : new int[] {16, 32, 64}) {
      for (Row row : InstructionTable.rows()) {
        if (!row.inMode(mode)) {
          continue;
        }
        SplittableRandom random = new SplittableRandom(SEED + row.number() * 3L + mode);
        int good = 0;
        for (int n = 0; n < CASES; n++) {
          InsnGenerator.generate(row, mode, InsnGenerator.Form.ANY, choices(random), insn);
          byte[] bytes = encoder.encode(insn);
          if (bytes == null) {
            continue;
          }
          Decoder.Result result = decoder.decode(mode, at -> bytes[at] & 0xFF, back);
          if (result == Decoder.Result.DECODED && text(back).equals(text(insn))) {
            good++;
          } else if (result != Decoder.Result.DECODED
              || back.row.equals(row)
              || (n == CASES - 1 && good == 0)) {
            wrong.add(
                HexFormat.of().formatHex(bytes)
                    + "\n  was "
                    + text(insn)
                    + "\n  is  "
                    + result
                    + " "
                    + (back.row == null ? "" : text(back)));
            break;
          }
        }
        if (good == 0) {
          wrong.add("no case for mode=" + mode + " row=" + row);
        }
      }
    }
    assertThat(wrong).as("seed=%x", SEED).isEmpty();
  }
}
