package dev.troupe.actors.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.journal.JournalScan;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.machine.Outcome;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rules do to a machine's messages what they say, and a run with them is as repeatable as any. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FaultRulesTest {
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

  /** How such a run ended, what it printed, and what was done to it. */
  private record Run(Outcome outcome, String output, List<String> injected) {}

  private Run run(String guest, int cpus, List<ScriptedInput> script, String... rules)
      throws Exception {
    Path journal = folder.resolve(guest + ".journal");
    Recordings.Recording recording =
        runs.record(runs.spec(guest, cpus, false, rules), script, true, journal);
    MachineActor.Ended ended = recording.end();
    assertIdentical(journal, ended, EngineKind.ENGINE_KIND_INTERPRETER);
    RecordFields fields = new RecordFields(JournalScan.of(journal).header().getActorsList());
    List<String> injected =
        Recordings.read(journal).stream()
            .filter(JournalRecord.Injected.class::isInstance)
            .map(fields::line)
            .toList();
    return new Run(ended.outcome(), recording.console().text(), injected);
  }

  private void assertIdentical(Path journal, MachineActor.Ended recorded, EngineKind engine)
      throws Exception {
    Recordings.assertIdentical(
        runs.replay(journal, Replayer.Goal.END, Optional.empty(), engine), recorded);
  }

  @ParameterizedTest
  @CsvSource({
    "drop kind=IoWrite port=0x3f8 value=0x68, ello",
    "corrupt value:=0x48 kind=IoWrite port=0x3f8 value=0x68, Hello",
    "corrupt value:=0x4c kind=IoWrite port=0x3f8 value=0x6c limit=1, heLlo",
    "duplicate times=2 kind=IoWrite port=0x3f8 value=0x65, heeello",
    "reorder kind=IoWrite port=0x3f8 value=0x68, ehllo",
    "reorder past=3 kind=IoWrite port=0x3f8 value=0x68, ellho"
  })
  void aWriteIsDroppedChangedRepeatedOrOvertaken(String rule, String printed) throws Exception {
    Run run = run("hello", 1, List.of(), rule);
    assertThat(run.output).isEqualTo(printed + "\n");
    assertThat(run.injected).hasSize(1);
    assertThat(run.outcome).isEqualTo(new Outcome.DebugExit(0x10));
  }

  @Test
  void aDelayedWriteComesAtItsTime() throws Exception {
    Run run = run("hello", 1, List.of(), "delay by=100ns kind=IoWrite port=0x3f8 value=0x68");
    assertThat(run.output).hasSize(6).doesNotStartWith("h").contains("h");
    assertThat(run.injected).hasSize(1);
    assertThat(run.injected.getFirst()).contains("did=delay until=", "of=IoWrite", "value=0x68");
  }

  /** The guest polls the line status, then reads: it is told a letter that nobody has typed. */
  @Test
  void aQuestionIsAnsweredInTheDevicesPlace() throws Exception {
    List<ScriptedInput> script = List.of(TinyGuest.typed(0, 1_000_000, "ab\u0004"));
    Run run = run("echo", 1, script, "answer value:=0x5a kind=IoRead port=0x3f8 limit=1");
    assertThat(run.output).isEqualTo("Zab");
  }

  @Test
  void aFlippedBitIsTheSeedsChoice() throws Exception {
    String rule = "corrupt value:=flip kind=IoWrite port=0x3f8 seed=";
    String one = run("hello", 1, List.of(), rule + 1).output;
    assertThat(one).hasSize(6).isNotEqualTo("hello\n");
    for (int i = 0; i < one.length(); i++) {
      assertThat(Integer.bitCount(one.charAt(i) ^ "hello\n".charAt(i))).isEqualTo(1);
    }
    assertThat(run("hello", 1, List.of(), rule + 1).output).isEqualTo(one);
    assertThat(run("hello", 1, List.of(), rule + 2).output).isNotEqualTo(one);
  }

  /** The guest ends with 1 if its timer's interrupt comes in time, else with 2. */
  @ParameterizedTest
  @CsvSource({
    "drop kind=LineLevel from=pit to=pic, 2",
    "drop kind=LineLevel from=pit to=ioapic, 1",
    "drop kind=Intr to=vcpu0, 2",
    "corrupt high:=false kind=Intr, 2",
    "delay by=10us kind=Intr, 1",
    "delay by=1s kind=LineLevel from=pit to=pic, 2",
    "delay by=1s kind=TimerFired to=pit, 2",
    "duplicate kind=LineLevel from=pit, 1",
    "duplicate kind=Intr, 1",
    "drop kind=LineLevel after=t:3600s, 1",
    "drop kind=LineLevel before=m:5, 1"
  })
  void anInterruptIsLostOrComesLaterOrTwice(String rule, int exit) throws Exception {
    if (rule.startsWith("delay by=1s kind=TimerFired")) {
      // The guest waits for its channel's output, which the timer raises: it waits a second.
      assertThat(run("timer", 1, List.of(), rule).outcome).isEqualTo(new Outcome.DebugExit(1));
      return;
    }
    assertThat(run("timer", 1, List.of(), rule).outcome).isEqualTo(new Outcome.DebugExit(exit));
  }

  /** The guest waits for its three other processors. */
  @ParameterizedTest
  @ValueSource(
      strings = {"delay by=3ms kind=Sipi to=vcpu1", "duplicate times=3 kind=Sipi", "delay by=1ms"})
  void aStartUpThatIsLateOrTwiceIsSurvived(String rule) throws Exception {
    assertThat(run("smp", 4, List.of(), rule).outcome).isEqualTo(new Outcome.DebugExit(9));
  }

  @ParameterizedTest
  @CsvSource({"1, true", "2, true", "3, false", "4, true"})
  void aRunWithFaultsIsHadAgainFromItsJournalAlone(int seed, boolean messages) throws Exception {
    String[] rules = {
      "drop 1/9 kind=IoWrite port=0x3f8 seed=" + seed,
      "delay 1/3 by=3ms kind=IoWrite to=uart0 seed=" + seed,
      "reorder 1/5 past=2 to=pit seed=" + seed,
      "corrupt 1/4 value:=flip kind=IoWrite port=0x3f8 seed=" + seed,
      "duplicate 1/7 to=uart0 kind=ConsoleInput",
      "delay 1/2 by=500us kind=Sipi"
    };
    Path journal = folder.resolve("race-" + seed);
    MachineActor.Ended recorded =
        runs.record(runs.spec("race", 3, false, rules), TinyGuest.SCRIPT, messages, journal).end();
    assertThat(Recordings.read(journal)).anyMatch(JournalRecord.Injected.class::isInstance);
    assertIdentical(journal, recorded, EngineKind.ENGINE_KIND_INTERPRETER);
    assertIdentical(journal, recorded, EngineKind.ENGINE_KIND_AUTO);
    List<JournalRecord.Checkpoint> checkpoints = JournalScan.of(journal).checkpoints();
    assertThat(checkpoints).isNotEmpty();
    for (JournalRecord.Checkpoint checkpoint : checkpoints) { // messages are held back at some
      Recordings.assertIdentical(
          runs.replay(
              journal, Replayer.Goal.END, Optional.of(checkpoint), EngineKind.ENGINE_KIND_AUTO),
          recorded);
    }
    if (messages) {
      Recordings.assertEachDeviceDoesTheSameAlone(journal);
    }
  }
}
