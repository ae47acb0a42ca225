package dev.troupe.actors.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.EngineWatch;
import dev.troupe.runtime.engine.Engines;
import dev.troupe.runtime.journal.JournalException;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.VcpuReplay;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The vCPU of a machine with one does alone what it did among its devices. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VcpuReplayTest {
  @TempDir private Path folder;
  private Recordings runs;

  @BeforeAll
  void startHost() {
    runs = new Recordings(() -> folder);
  }

  @AfterAll
  void stopHost() {
    runs.close();
  }

  private static Function<Vcpu, Engine> engine(EngineKind kind) {
    return Engines.of(kind, new EngineWatch(System::nanoTime, null));
  }

  private static VcpuReplay.Result alone(Path journal, Function<Vcpu, Engine> engines)
      throws IOException {
    try (JournalReader reader = new JournalReader(journal)) {
      return VcpuReplay.run(reader, engines);
    }
  }

  private static void assertSame(Path journal, MachineActor.Ended recorded) throws IOException {
    for (EngineKind kind :
        List.of(EngineKind.ENGINE_KIND_INTERPRETER, EngineKind.ENGINE_KIND_AUTO)) {
      VcpuReplay.Result result = alone(journal, engine(kind));
      assertThat(result.difference()).isEmpty();
      assertThat(result.messages()).isPositive();
      assertThat(result.instructions())
          .isEqualTo(recorded.statistics().stateHash().orElseThrow().position().instructions());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "race",
        "timer",
        "apic",
        "numeric-error",
        "hello",
        "poll",
        "reboot",
        "reboot-timer"
      })
  void aVcpuAloneDoesWhatItDidAmongItsDevices(String guest) throws Exception {
    Path journal = folder.resolve(guest);
    assertSame(
        journal, runs.record(runs.spec(guest, 1, false), TinyGuest.SCRIPT, true, journal).end());
  }

  @Test
  void whatWasTypedWhileItWaitedReachesItInTheSamePlace() throws Exception {
    Path journal = folder.resolve("typed");
    var recording = runs.record(runs.spec("echo", 1, true), List.of(), true, journal);
    for (byte letter : "abcdefxyz".getBytes(StandardCharsets.US_ASCII)) {
      Thread.sleep(3);
      recording.console().type(new byte[] {letter});
    }
    recording.console().type(new byte[] {4});
    assertSame(journal, recording.end());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "drop 1/7 kind=IoWrite port=0x3f8 seed=3",
        "corrupt value:=0x41 kind=IoWrite port=0x3f8",
        "answer value:=0x60 kind=IoRead port=0x3fd limit=3"
      })
  void whatFaultRulesDidToItsMessagesIsWhatItGets(String rule) throws Exception {
    Path journal = folder.resolve("faults");
    assertSame(
        journal,
        runs.record(runs.spec("race", 1, false, rule), TinyGuest.SCRIPT, true, journal).end());
  }

  @Test
  void aVcpuWhoseInterruptsWereChangedIsRefused() throws Exception {
    Path journal = folder.resolve("delayed");
    VmSpec spec = runs.spec("timer", 1, false, "delay by=1us kind=Intr to=vcpu0");
    runs.record(spec, List.of(), true, journal).end();
    assertThatThrownBy(() -> alone(journal, engine(EngineKind.ENGINE_KIND_INTERPRETER)))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("a fault rule");
  }

  /** An engine that spoils registers at each run after so many right ones. */
  private static final class Wrong implements Engine {
    private final Engine right;
    private int runs;

    Wrong(Engine right, int runs) {
      this.right = right;
      this.runs = runs;
    }

    @Override
    public Exit run(Vcpu vcpu, long slice) {
      if (runs-- <= 0) {
        for (int register = 0; register < Cpu.RSP; register++) {
          vcpu.cpu.gpr[register] ^= 1;
        }
      }
      return right.run(vcpu, slice);
    }
  }

  @ParameterizedTest
  @CsvSource({"race, 11", "race, 30", "poll, 5"})
  void anEngineThatSpoilsRegistersIsFound(String guest, int right) throws Exception {
    Path journal = folder.resolve("planted-" + guest);
    runs.record(runs.spec(guest, 1, false), TinyGuest.SCRIPT, true, journal).end();
    var interpreter = engine(EngineKind.ENGINE_KIND_INTERPRETER);
    VcpuReplay.Result result = alone(journal, vcpu -> new Wrong(interpreter.apply(vcpu), right));
    assertThat(result.difference())
        .hasValueSatisfying(
            difference -> {
              assertThat(difference.instructions()).isPositive();
              assertThat(difference.recorded()).isNotEqualTo(difference.replayed());
            });
  }

  @Test
  void aJournalOfOtherMachinesIsRefused() throws Exception {
    Path journal = folder.resolve("two");
    runs.record(runs.spec("race", 2, false), TinyGuest.SCRIPT, true, journal).end();
    assertThatThrownBy(() -> alone(journal, engine(EngineKind.ENGINE_KIND_INTERPRETER)))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("repeatable runs of one");
    runs.record(runs.spec("race", 1, false), TinyGuest.SCRIPT, false, journal).end();
    assertThatThrownBy(() -> alone(journal, engine(EngineKind.ENGINE_KIND_INTERPRETER)))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("--record-level messages");
  }
}
