package dev.troupe.lockstep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.guest.GuestImage;
import dev.troupe.direct.DirectGuest;
import dev.troupe.runtime.engine.translator.PlantedEngine;
import dev.troupe.smp.SmpGuest;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Both engines do the same to the same guest: the first 50 million instructions of a Linux boot,
 * and small guests with processors that race; and a translator with an error is found out. Whole
 * boots: {@code integration-tests/bin/lockstep}.
 */
class LockstepIT {
  private static final long MEMORY = 256L << 20;
  private static final long SMALL_MEMORY = 64L << 20;
  private static final long UNITS = 50_000_000;

  /** Of a small guest: turns are short, as what is looked for is. */
  private static final int SMALL_EVERY = 3_000;

  private static final int SMALL_WHOLE = 50;
  private static final String ENDED_WELL = "DebugExit[value=0]";

  @TempDir static Path folder;

  private static Lockstep.Result run(Lockstep.Options options, Lockstep.EngineMaker engines) {
    return new Lockstep(options, engines, System.err::println).run();
  }

  private static Lockstep.Options small(String guest, int cpus, String words) {
    Path kernel = SmpGuest.build(guest, folder, 1).kernel();
    return new Lockstep.Options(
        new DirectGuest.Start(
            kernel, "", "cpus=%d seed=1 %s".formatted(cpus, words), SMALL_MEMORY, cpus),
        1,
        SMALL_EVERY,
        SMALL_WHOLE,
        Long.MAX_VALUE);
  }

  @ParameterizedTest
  @CsvSource({"debian, 1", "debian, 2", "debian-i386, 1"})
  void bothEnginesBootTheSame(String image, int cpus) throws Exception {
    DirectGuest.Start start =
        LockstepCommand.boot(GuestImage.named(image).orElseThrow(), MEMORY, cpus);
    Lockstep.Result result =
        run(
            new Lockstep.Options(start, 1, LockstepCommand.EVERY, LockstepCommand.WHOLE, UNITS),
            Lockstep.EngineMaker.TRANSLATOR);
    assertThat(result.difference()).as(result.console()).isEmpty();
    assertThat(result.end()).isEmpty();
    assertThat(result.units()).isGreaterThanOrEqualTo(UNITS);
    assertThat(result.emitted()).isGreaterThan(UNITS / 2);
  }

  @ParameterizedTest
  @CsvSource({
    "atomics, 3, ms=1",
    "caches, 1, rounds=50",
    "ipi, 4, ''",
    "mapping, 3, ms=3",
    "storm, 3, ms=20",
    "topology, 5, ms=1"
  })
  void bothEnginesDoTheSameWithRacingProcessors(String guest, int cpus, String words) {
    Lockstep.Result result = run(small(guest, cpus, words), Lockstep.EngineMaker.TRANSLATOR);
    assertThat(result.difference()).as(result.console()).isEmpty();
    assertThat(result.end()).as(result.console()).isEqualTo(ENDED_WELL);
    assertThat(result.emitted()).isPositive();
  }

  /**
   * Where the difference shows.
   *
   * @param value of what is different
   * @param code an instruction that is shown
   */
  @ParameterizedTest
  @CsvSource({
    "FLAGS, gpr, adc .*",
    "TLB, gpr, 'mov    eax,0x2'",
    "SELF_MODIFYING_CODE, gpr, 'mov    eax,0x65'",
    "BUDGET, rip, .*",
    "FAULT_STATE, cr2, 'mov    rax,QWORD PTR \\[rsi]'"
  })
  void anErrorOfEachClassIsFound(PlantedEngine.Mistake error, String value, String code) {
    Lockstep.Result result =
        run(
            small("caches", 1, "rounds=50"),
            (vcpu, trace) -> PlantedEngine.with(error, vcpu, trace));
    assertThat(result.difference()).as(result.console()).isPresent();
    Difference found = result.difference().get();
    String text = found.toString();
    assertThat(found.values()).as(text).anyMatch(line -> line.contains("." + value));
    assertThat(found.lines()).as(text).anyMatch(line -> line.text().matches(code));
    assertThat(found.lines()).as(text).anyMatch(Difference.Line::suspect);
  }
}
