package dev.troupe.runtime.engine.interpreter;

import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Leave;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.CodeTrace;
import dev.troupe.runtime.isa.Disassembler;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import java.util.ArrayList;
import java.util.List;

/** An interpreter that tells of the blocks that it decodes and runs. */
public final class TracedInterpreter extends Interpreter {
  private final CodeTrace trace;
  private int blocks;

  /** An engine for this vCPU. */
  public TracedInterpreter(Vcpu vcpu, CodeTrace trace) {
    super(vcpu);
    this.trace = trace;
  }

  /** A block that has been told of. */
  private record Told(int vcpu, int number, Block block) implements Compiled, CodeTrace.Code {
    @Override
    public void drop() {}

    @Override
    public List<CodeTrace.Instruction> guest() {
      List<CodeTrace.Instruction> all = new ArrayList<>();
      for (Insn insn : block.insns) {
        long distance = insn.rip - block.insns[0].rip;
        long linear = block.linear + distance;
        String text = insn.row == null ? "(no instruction)" : Disassembler.text(insn, linear);
        all.add(new CodeTrace.Instruction(linear, bytes(distance, insn.length), text));
      }
      return all;
    }

    /** Those in guest memory; none where that is no RAM. */
    private byte[] bytes(long distance, int length) {
      if (block.host == GuestMemory.NO_RAM || block.secondHost < 0) {
        return new byte[0];
      }
      long first = GuestMemory.PAGE_SIZE - (block.host & (GuestMemory.PAGE_SIZE - 1));
      byte[] bytes = new byte[length];
      for (int n = 0; n < length; n++) {
        long at = distance + n;
        boolean second = at >= first;
        bytes[n] =
            Raw.get8(
                second
                    ? (block.secondHost & -GuestMemory.PAGE_SIZE) + at - first
                    : block.host + at);
      }
      return bytes;
    }

    @Override
    public List<CodeTrace.Instruction> hot() {
      return List.of();
    }

    @Override
    public List<CodeTrace.Instruction> stubs() {
      return List.of();
    }
  }

  @Override
  protected void chain(long floor) {
    for (Block block = guard(cache.find()); block != null; block = guard(next(block))) {
      int number = number(block);
      trace.entered(cpu.apicId, number, block.linear, 0, cpu.budget);
      boolean goesOn;
      try {
        goesOn = interpret(block, floor);
      } catch (Fault | Leave | Resync e) {
        trace.left(cpu.apicId, number, cpu.budget - cpu.undone); // what was done is charged later
        throw e;
      }
      trace.left(cpu.apicId, number, cpu.budget);
      if (!goesOn || cpu.stops.isPending()) {
        return;
      }
    }
  }

  private int number(Block block) {
    if (block.compiled instanceof Told told) {
      return told.number;
    }
    Told told = new Told(cpu.apicId, blocks++, block);
    block.compiled = told;
    trace.translated(told);
    return told.number;
  }
}
