package dev.troupe.runtime.isa;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DisassemblerTest {
  private final Decoder decoder = new Decoder(new DecodeTable(EnumSet.allOf(Feature.class)));

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "64 | 4889e5               | mov    rbp,rsp",
        "64 | 64488b042528000000   | mov    rax,QWORD PTR fs:0x28",
        "64 | f04c0fb13d00100000   | lock cmpxchg QWORD PTR [rip+0x1000],r15        # 0x2009",
        "64 | f348a5               | rep movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]",
        "64 | 48b8efcdab8967452301 | movabs rax,0x123456789abcdef",
        "64 | e8fbffffff           | call   0x1000",
        "64 | c3                   | ret",
        "64 | 660f3a0fc108         | palignr xmm0,xmm1,0x8",
        "32 | ea785634123412       | jmp    0x1234:0x12345678",
        "64 | 836c240004           | sub    DWORD PTR [rsp+0x0],0x4",
        "64 | 418b80f8ffffff       | mov    eax,DWORD PTR [r8-0x8]",
        "64 | 8b042400             | mov    eax,DWORD PTR [rsp]",
        "64 | 418b0424             | mov    eax,DWORD PTR [r12]",
        "64 | 678b442000           | mov    eax,DWORD PTR [eax+eiz*1+0x0]",
        "64 | 488b0420             | mov    rax,QWORD PTR [rax+riz*1]",
        "64 | 8b044500000000       | mov    eax,DWORD PTR [rax*2+0x0]",
        "32 | 8d742600             | lea    esi,[esi+eiz*1+0x0]",
        "32 | 8db600000000         | lea    esi,[esi+0x0]",
        "16 | 8b4600               | mov    ax,WORD PTR [bp+0x0]",
        "32 | 66cf                 | iretw",
        "16 | 268a4702             | mov    al,BYTE PTR es:[bx+0x2]",
        "16 | 75fe                 | jne    0x1000",
        "16 | dfe0                 | fnstsw ax",
      })
  void textIsObjdumps(int mode, String hex, String text) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    Insn insn = new Insn();
    assertThat(decoder.decode(mode, at -> bytes[at] & 0xFF, insn))
        .isEqualTo(Decoder.Result.DECODED);
    assertThat(Disassembler.text(insn, 0x1000)).isEqualTo(text);
  }
}
