package dev.troupe.runtime.debug;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.isa.DecodeTable;
import dev.troupe.runtime.isa.Decoder;
import dev.troupe.runtime.isa.Disassembler;
import dev.troupe.runtime.isa.Insn;
import java.util.HexFormat;

/** Instructions in guest memory, as text. */
public final class CodeListing {
  private static final int MAX_LENGTH = 15;

  private CodeListing() {}

  /**
   * Some instructions, a line each: address, bytes, text. Ends where nothing is mapped.
   *
   * @param cpu in whose mode they are read
   * @param linear of the first
   */
  public static String of(Cpu cpu, long linear, int count) {
    boolean wide = (cpu.mode & Mode.CODE_64) != 0;
    int size = wide ? 64 : (cpu.mode & Mode.CODE_32) != 0 ? 32 : 16;
    Decoder decoder = new Decoder(DecodeTable.of(cpu.model.features()));
    StringBuilder text = new StringBuilder();
    long address = linear;
    for (int i = 0; i < count; i++) {
      byte[] bytes = LinearMemory.read(cpu, address, MAX_LENGTH);
      if (bytes.length == 0) {
        return text.append("nothing is mapped at 0x%x\n".formatted(address)).toString();
      }
      Insn insn = new Insn();
      Decoder.Result result =
          decoder.decode(size, at -> at < bytes.length ? bytes[at] & 0xFF : 0, insn);
      boolean good = result == Decoder.Result.DECODED && insn.length <= bytes.length;
      int length = good ? insn.length : 1;
      text.append(
          "%16x:  %-30s %s\n"
              .formatted(
                  address,
                  HexFormat.ofDelimiter(" ").formatHex(bytes, 0, Math.min(length, bytes.length)),
                  good ? Disassembler.text(insn, address) : "(bad)"));
      address += length;
    }
    return text.toString();
  }
}
