package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Tlb;

/** Emits jumps to where r11 says: by the jump cache, if the execute TLB still has the page. */
final class IndirectJumps {
  private final CodeArea area;
  private final Emission emission;
  private final Assembler code;
  private final Assembler stubs;

  IndirectJumps(CodeArea area, Emission emission) {
    this.area = area;
    this.emission = emission;
    code = emission.code;
    stubs = emission.stubs;
  }

  /** A stub that gives back what is not used and goes to r11, in memory and in the register. */
  int strayStub() {
    int position = stubs.position();
    if (emission.flags() == Emission.Flags.RECIPE) {
      stubs.store(Assembler.R11, State.TARGET);
      emission.recipe().emit(stubs);
      emission.save(stubs);
      stubs.load(Assembler.R11, State.TARGET);
    }
    emission.refund();
    emit(stubs);
    return position;
  }

  /** On to r11; flags are in memory. */
  void emit() {
    emit(code);
  }

  /** By the jump cache, if the execute TLB still has the target's page. */
  private void emit(Assembler a) {
    if (emission.lifted()) {
      leaveIndirect(a, a.jump());
      return;
    }
    emit(a, emission.trace().head().mode, emission.bank());
  }

  /**
   * On to r11 in another mode; flags are in memory.
   *
   * @param bank offset of the TLB bank that its code is looked up in
   */
  void emit(int mode, int bank) {
    emit(code, mode, bank);
  }

  private void emit(Assembler a, int mode, int bank) {
    a.rotate(Assembler.R10, Assembler.R11, Tlb.INDEX_SHIFT);
    a.and(false, Assembler.R10, Tlb.INDEX_MASK);
    a.move(Assembler.R15, Assembler.R11);
    a.stateAt(true, 0x33, Assembler.R15, Assembler.R10, bank + Tlb.EXECUTE); // xor
    a.compare(Assembler.R15, 4095);
    a.stateAt(true, 0x8B, Assembler.R15, Assembler.R10, bank + Tlb.ADDEND);
    int elsewhere = a.jump(Assembler.ABOVE);
    int onward = a.position();
    int[] misses = new int[3];
    a.rotate(Assembler.R10, Assembler.R11, State.JUMP_FOLD);
    a.registers(false, 0x33, Assembler.R10, Assembler.R11); // xor r10d,r11d
    a.emit(0x41, 0xC1, 0xE2, State.JUMP_SHIFT); // shl r10d,
    a.and(false, Assembler.R10, State.JUMP_MASK);
    a.stateAt(true, 0x3B, Assembler.R11, Assembler.R10, State.JUMPS + State.JUMP_ADDRESS); // cmp
    misses[0] = a.jump(Assembler.NOT_EQUAL);
    a.stateAt(true, 0x3B, Assembler.R15, Assembler.R10, State.JUMPS + State.JUMP_ADDEND);
    misses[1] = a.jump(Assembler.NOT_EQUAL);
    a.stateAt(false, 0x81, 7, Assembler.R10, State.JUMPS + State.JUMP_MODE); // cmp dword [],n
    a.emit32(mode);
    misses[2] = a.jump(Assembler.NOT_EQUAL);
    a.stateAt(false, 0xFF, 4, Assembler.R10, State.JUMPS + State.JUMP_CODE); // jmp []
    if (a == stubs) {
      stubs.patch(elsewhere, stubs.position());
    } else {
      emission.toStub(elsewhere, stubs.position());
    }
    emission.lookBeside(bank, Tlb.EXECUTE, 4095);
    stubs.move(Assembler.R15, Assembler.R10);
    int found = stubs.jump(Assembler.BELOW_OR_EQUAL);
    if (a == stubs) {
      stubs.patch(found, onward);
    } else {
      emission.toCode(new Emission.Jump(true, found), onward);
    }
    leaveIndirect(a, misses);
  }

  private void leaveIndirect(Assembler a, int... misses) {
    int stub = stubs.position();
    stubs.push(emission.word(ExitWord.INDIRECT));
    emission.fromStub(stubs.jump(), area.leaveIndirect());
    for (int miss : misses) {
      if (a == stubs) {
        stubs.patch(miss, stub);
      } else {
        emission.toStub(miss, stub);
      }
    }
  }
}
