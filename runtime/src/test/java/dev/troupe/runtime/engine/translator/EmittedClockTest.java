package dev.troupe.runtime.engine.translator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.TimeSource;
import java.util.SplittableRandom;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** RDTSC and RDTSCP, by the host's clock in emitted code or by the machine's. */
@EnabledIf("dev.troupe.runtime.engine.translator.Translator#available")
class EmittedClockTest {
  // again: rdtsc; shl rdx,32; or rax,rdx; cmp rax,rbx; jb back; mov rbx,rax
  // rdtscp; shl rdx,32; or rax,rdx; cmp rax,rbx; jb back; mov rbx,rax; inc r12; jmp again
  // back: hlt
  private static final String LOOP =
      "0f31 48c1e220 4809d0 4839d8 721a 4889c3 0f01f9 48c1e220 4809d0 4839d8 7208 4889c3 49ffc4"
          + " ebd8 f4";

  private static final int ROUND = 14;
  private static final int UNITS = 100_000;
  private static final int TURNS = 20;
  private static final Exit TURN_END = new Exit.TurnEnd();

  /** The host's clock less so much. */
  private record Clock(long behind, boolean told) implements TimeSource {
    @Override
    public long nanos() {
      return System.nanoTime() - behind;
    }

    @Override
    public long behindHost() {
      return told ? behind : NOT_HOST;
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theTimeIsTheMachinesAndNeverGoesBackAndNoRegisterIsLost(boolean byHost) {
    Clock clock = new Clock(System.nanoTime() - 5_000_000_000L, byHost);
    try (FlatGuest guest = new FlatGuest(LOOP, Plant.NONE, clock)) {
      Cpu c = guest.cpu;
      c.msrs.tscAux = 7;
      SplittableRandom random = new SplittableRandom(1);
      for (int n : new int[] {Cpu.RSP, Cpu.RBP, Cpu.RSI, Cpu.RDI, 8, 9, 10, 11, 13, 14, 15}) {
        c.gpr[n] = random.nextLong();
      }
      for (int n = 0; n < c.xmm.length; n++) {
        c.xmm[n] = random.nextLong();
      }
      long[] general = c.gpr.clone();
      long[] vector = c.xmm.clone();
      for (int turn = 0; turn < TURNS; turn++) {
        long before = clock.nanos();
        assertThat(guest.run(UNITS)).isEqualTo(TURN_END);
        assertThat(c.gpr[Cpu.RBX] - c.msrs.tscOffset()).isBetween(before, clock.nanos());
      }
      assertThat(c.gpr[Cpu.RCX]).isEqualTo(7);
      assertThat(c.gpr[12]).isCloseTo((long) TURNS * UNITS / ROUND, within(1L));
      for (int n : new int[] {Cpu.RAX, Cpu.RCX, Cpu.RDX, Cpu.RBX, 12}) {
        general[n] = c.gpr[n];
      }
      assertThat(c.gpr).isEqualTo(general);
      assertThat(c.xmm).isEqualTo(vector);
      long emitted = (long) TURNS * UNITS * (byHost ? ROUND - 1 : ROUND - 2) / ROUND;
      assertThat(guest.emitted()).isGreaterThan(emitted - UNITS);
      assertThat(guest.emitted() > emitted + UNITS).isEqualTo(byHost);
    }
  }
}
