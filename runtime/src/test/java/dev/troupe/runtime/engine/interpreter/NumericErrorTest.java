package dev.troupe.runtime.engine.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.cpu.Cpu;
import java.util.List;
import org.junit.jupiter.api.Test;

/** FERR# and IGNNE# (CR0.NE = 0): Intel SDM vol. 1, 8.7.2 and D.2.1. */
class NumericErrorTest {
  /** fninit; fldcw [0x2000] (zero divide unmasked); fld1; fldz; fdivp st1. */
  private static final String ERROR = "dbe3 d92c2500200000 d9e8 d9ee def9";

  private static final int ERROR_BYTES = 15;
  private static final String HLT = "f4";
  private static final long UNITS = 100;

  private static FlatCpu with(String code) {
    FlatCpu flat = new FlatCpu().code(ERROR + code + HLT);
    flat.memory.copyIn(0x2000, new byte[] {0x7B, 3});
    // An environment without errors, for FLDENV, FRSTOR, FXRSTOR.
    flat.memory.copyIn(0x3000, new byte[512]);
    return flat;
  }

  private static Exit next(FlatCpu flat) {
    Exit exit = flat.run(UNITS);
    flat.vcpu.complete(0);
    return exit;
  }

  private static void stopped(FlatCpu flat, int offset) {
    assertThat(next(flat)).isInstanceOf(Exit.Halt.class);
    assertThat(flat.cpu.rip).isEqualTo(FlatCpu.CODE + offset);
  }

  @Test
  void instructionsThatWaitTellTheBoardAndStopUntilErrorsAreIgnored() {
    for (String waiting : List.of("9b", "d9e8", "d9d0", "def9", "0f77", "dd1c2500400000")) {
      try (FlatCpu flat = with(waiting)) {
        assertThat(next(flat)).as(waiting).isEqualTo(new Exit.NumericError(true));
        stopped(flat, ERROR_BYTES);
        assertThat(flat.cpu.activity).isEqualTo(Cpu.Activity.FROZEN);
        flat.vcpu.post(new Interrupt.IgnoreNumericError(true));
        stopped(flat, ERROR_BYTES + waiting.length() / 2 + 1);
        assertThat(flat.cpu.activity).isEqualTo(Cpu.Activity.HALTED);
      }
    }
  }

  @Test
  void instructionsThatDoNotWaitGoOn() {
    for (String going : List.of("dfe0", "dd3c2500400000", "90", "660fefc0")) {
      try (FlatCpu flat = with(going)) {
        stopped(flat, ERROR_BYTES + going.length() / 2 + 1);
      }
    }
  }

  @Test
  void theBoardHearsWhenTheErrorHasGone() {
    // fnclex, fninit, fnstenv, fnsave, fxrstor; fldenv, frstor and fldcw, which wait, see below
    for (String clearing :
        List.of("dbe2", "dbe3", "d9342500400000", "dd342500400000", "0fae0c2500300000")) {
      try (FlatCpu flat = with("9b" + clearing)) {
        assertThat(next(flat)).isEqualTo(new Exit.NumericError(true));
        // An interrupt's handler would go on behind it.
        flat.cpu.rip++;
        flat.cpu.activity = Cpu.Activity.ACTIVE;
        assertThat(next(flat)).as(clearing).isEqualTo(new Exit.NumericError(false));
        stopped(flat, ERROR_BYTES + 1 + clearing.length() / 2 + 1);
      }
    }
  }

  @Test
  void instructionsThatWaitAndClearAreHeardOfWhenErrorsAreIgnored() {
    // fldenv, frstor; fldcw with all masked
    for (String clearing : List.of("d9242500300000", "dd242500300000", "d92c2502200000")) {
      try (FlatCpu flat = with(clearing)) {
        flat.memory.copyIn(0x2002, new byte[] {0x7F, 3});
        assertThat(next(flat)).isEqualTo(new Exit.NumericError(true));
        flat.vcpu.post(new Interrupt.IgnoreNumericError(true));
        assertThat(next(flat)).as(clearing).isEqualTo(new Exit.NumericError(false));
      }
    }
  }

  @Test
  void anErrorThatIsIgnoredIsReportedAgainWhenItIsNot() {
    try (FlatCpu flat = with("9b 9b 90 9b")) {
      flat.vcpu.post(new Interrupt.IgnoreNumericError(true));
      stopped(flat, ERROR_BYTES + 5);
      flat.cpu.rip = FlatCpu.CODE + ERROR_BYTES;
      flat.cpu.activity = Cpu.Activity.ACTIVE;
      flat.vcpu.post(new Interrupt.IgnoreNumericError(false));
      assertThat(next(flat)).isEqualTo(new Exit.NumericError(true));
      stopped(flat, ERROR_BYTES);
    }
  }

  @Test
  void resetLetsBothPinsGo() {
    try (FlatCpu flat = with("9b")) {
      assertThat(next(flat)).isEqualTo(new Exit.NumericError(true));
      flat.vcpu.reset();
      assertThat(flat.cpu.activity).isEqualTo(Cpu.Activity.ACTIVE);
      flat.cpu.x87.initialize();
      flat.cpu.x87.releaseErrorLine(flat.cpu);
      assertThat(flat.vcpu.service()).isNull();
    }
  }
}
