package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.CodeTrace;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.EngineWatch;

/** A translator with an error. */
public final class PlantedEngine {
  private static final int HOT = 8;
  private static final int HOTTER = 2;

  /** In place of an address in CR2 the one so many bytes farther. */
  private static final int ELSEWHERE = 8;

  /** Of each class of errors that a translator can have, one. */
  public enum Mistake implements Plant {
    /** Code that begins with flags in the host's destroys them. */
    FLAGS {
      @Override
      public void into(Assembler code, int number) {
        code.registers(false, 0x33, Assembler.R15, Assembler.R15); // xor r15d,r15d
      }
    },
    /** A jump to another page goes on to what was there when it was linked. */
    TLB {
      @Override
      public boolean omits(Duty duty) {
        return duty == Duty.LOOK;
      }
    },
    /** Code stays when its bytes change. */
    SELF_MODIFYING_CODE {
      @Override
      public boolean omits(Duty duty) {
        return duty == Duty.DROP;
      }
    },
    /** A turn ends an instruction late for each entry into code. */
    BUDGET {
      @Override
      public void into(Assembler code, int number) {
        code.state(false, 0x8B, Assembler.R15, State.BUDGET);
        code.add(Assembler.R15, Assembler.R15, 1);
        code.state(false, 0x89, Assembler.R15, State.BUDGET);
      }
    },
    /** CR2 has another address. */
    FAULT_STATE {
      @Override
      public void faulting(Fault fault) {
        fault.address += ELSEWHERE;
      }
    };

    @Override
    public void into(Assembler code, int number) {}
  }

  private PlantedEngine() {}

  /** With that error. */
  public static Engine with(Mistake error, Vcpu vcpu, CodeTrace trace) {
    return new Translator(vcpu, HOT, HOTTER, true, new EngineWatch(() -> 0, trace), error);
  }

  /** Puts an undefined instruction into the {@code number}th code that it emits, and all after. */
  public static Engine withUndefined(Vcpu vcpu, int number) {
    return new Translator(
        vcpu,
        HOT,
        HOTTER,
        UndefinedFlags.differOnHost(),
        EngineWatch.NONE,
        (code, n) -> {
          if (n >= number) {
            code.emit(0x0F, 0x0B); // ud2
          }
        });
  }

  /** Has a wrong FDP whenever code is entered at its beginning; all code is emitted at once. */
  public static Engine withWrongDataPointer(Vcpu vcpu) {
    return new Translator(
        vcpu,
        1,
        1,
        UndefinedFlags.differOnHost(),
        EngineWatch.NONE,
        (code, n) -> {
          code.state(true, 0xC7, 0, State.X87_DATA); // mov qword [],
          code.emit32(1);
        });
  }
}
