package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.CodeTrace;
import dev.troupe.runtime.isa.DecodeTable;
import dev.troupe.runtime.isa.Decoder;
import dev.troupe.runtime.isa.Disassembler;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.Raw;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;

/** A translation as a {@link CodeTrace} is shown it, read from memory when it is asked for. */
record TracedCode(int vcpu, Translation code) implements CodeTrace.Code {
  private static final DecodeTable HOST = DecodeTable.of(EnumSet.allOf(Feature.class));

  @Override
  public int number() {
    return code.number;
  }

  @Override
  public List<CodeTrace.Instruction> guest() {
    List<CodeTrace.Instruction> all = new ArrayList<>();
    for (int k = 0; k < code.trace.count; k++) {
      all.add(new CodeTrace.Instruction(code.linear(k), code.guestBytes(k), code.guestText(k)));
    }
    return all;
  }

  @Override
  public List<CodeTrace.Instruction> hot() {
    return disassemble(code.start(), code.codeBytes);
  }

  @Override
  public List<CodeTrace.Instruction> stubs() {
    return disassemble(code.stubs, code.bytes - code.codeBytes);
  }

  private static List<CodeTrace.Instruction> disassemble(long from, int length) {
    List<CodeTrace.Instruction> all = new ArrayList<>();
    Decoder decoder = new Decoder(HOST);
    long end = from + length;
    for (long at = from; at < end; ) {
      Insn insn = new Insn();
      long start = at;
      boolean good =
          decoder.decode(64, offset -> Raw.get8(start + offset) & 0xFF, insn)
                  == Decoder.Result.DECODED
              && at + insn.length <= end;
      byte[] bytes = Translation.bytes(at, good ? insn.length : 1);
      String text = good ? Disassembler.text(insn, at) : "(bad)";
      all.add(new CodeTrace.Instruction(at, bytes, text));
      at += bytes.length;
    }
    return all;
  }
}
