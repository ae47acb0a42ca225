package dev.troupe.actors.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.proto.spec.Deterministic;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.machine.Outcome;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The run of a deterministic machine is a function of its spec, its images and its inputs with
 * their positions. The guest races its vCPUs against each other, reads every clock that it has, and
 * mixes all of it into memory and into what it prints.
 */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DeterminismTest {
  private static final long SEED = 42;
  private static final Duration INTERVAL = Duration.ofMillis(1);

  @TempDir private Path folder;
  private TestHost.Local host;

  /** What is compared of a run. */
  private record Run(
      Outcome outcome,
      String console,
      Optional<MachineStatistics.StateHash> end,
      List<String> hashes) {}

  @BeforeAll
  void startHost() {
    host = new TestHost.Local();
  }

  @AfterAll
  void stopHost() {
    host.close();
  }

  private VmSpec.Builder spec(String guest, int cpus, long seed) {
    return TinyGuest.spec(guest, folder)
        .setName("same")
        .setCpus(cpus)
        .setDeterministic(Deterministic.newBuilder().setSeed(seed).setUnpaced(true));
  }

  private Run run(VmSpec spec, List<ScriptedInput> inputs, Checkpoints checkpoints)
      throws Exception {
    TestConsole console = new TestConsole();
    List<String> hashes = Collections.synchronizedList(new ArrayList<>());
    MachineParts parts = MachineParts.prepare(spec, inputs, checkpoints);
    MachineActor.Ended end =
        host.start(
                parts,
                console,
                Doors.OPEN,
                event -> {
                  if (event instanceof MachineActor.StateHash(var _, var at, long hash)) {
                    hashes.add(at + " " + hash);
                  }
                })
            .ended();
    return new Run(
        end.outcome(), console.text(), end.statistics().stateHash(), List.copyOf(hashes));
  }

  private static Checkpoints hashes() {
    return new Checkpoints(Optional.of(INTERVAL), Optional.empty(), Optional.empty());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void twoRunsAreTheSameAtEveryPosition(int cpus) throws Exception {
    Run one = run(spec("race", cpus, SEED).build(), TinyGuest.SCRIPT, hashes());
    Run other = run(spec("race", cpus, SEED).build(), TinyGuest.SCRIPT, hashes());

    assertThat(one.outcome()).isEqualTo(new Outcome.DebugExit(8));
    assertThat(one.console()).hasSize(14).startsWith("a");
    assertThat(one.hashes()).hasSizeGreaterThan(5).doesNotHaveDuplicates();
    assertThat(other).isEqualTo(one);
  }

  @Test
  void looksAtTheStateChangeNothing() throws Exception {
    Run looked = run(spec("race", 4, SEED).build(), TinyGuest.SCRIPT, hashes());
    Run alone = run(spec("race", 4, SEED).build(), TinyGuest.SCRIPT, Checkpoints.NONE);

    assertThat(alone.end()).isEqualTo(looked.end());
    assertThat(alone.console()).isEqualTo(looked.console());
  }

  @Test
  void anotherSeedIsAnotherRun() throws Exception {
    Run one = run(spec("race", 2, SEED).build(), TinyGuest.SCRIPT, hashes());
    Run other = run(spec("race", 2, SEED + 1).build(), TinyGuest.SCRIPT, hashes());

    assertThat(other.outcome()).isEqualTo(one.outcome());
    assertThat(other.hashes()).doesNotContainAnyElementsOf(one.hashes());
  }

  @Test
  void anotherInputIsAnotherRunFromThereOn() throws Exception {
    List<ScriptedInput> changed = new ArrayList<>(TinyGuest.SCRIPT);
    changed.set(1, TinyGuest.typed(0, 1_500_000, "bCd"));
    Run one = run(spec("race", 2, SEED).build(), TinyGuest.SCRIPT, hashes());
    Run other = run(spec("race", 2, SEED).build(), changed, hashes());

    assertThat(other.hashes().getFirst()).isEqualTo(one.hashes().getFirst());
    assertThat(other.hashes().getLast()).isNotEqualTo(one.hashes().getLast());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void aRestoredRunGoesOnAsTheOneThatWasSaved(int cpus) throws Exception {
    Run whole = run(spec("race", cpus, SEED).build(), TinyGuest.SCRIPT, hashes());
    Path file = folder.resolve("race-" + cpus + ".snapshot");
    var snapshot = new Checkpoints.Snapshot(300_000, 0, file);
    Run saved =
        run(
            spec("race", cpus, SEED).build(),
            TinyGuest.SCRIPT,
            new Checkpoints(Optional.of(INTERVAL), Optional.of(snapshot), Optional.empty()));
    assertThat(saved).as("saving changes nothing").isEqualTo(whole);

    Run restored =
        run(
            spec("race", cpus, SEED).build(),
            TinyGuest.SCRIPT,
            new Checkpoints(Optional.of(INTERVAL), Optional.empty(), Optional.of(file)));
    assertThat(restored.end()).isEqualTo(whole.end());
    assertThat(restored.outcome()).isEqualTo(whole.outcome());
    assertThat(restored.hashes()).isNotEmpty();
    assertThat(whole.hashes()).endsWith(restored.hashes().toArray(String[]::new));
    assertThat(whole.console()).endsWith(restored.console());
  }

  @Test
  void haltedVcpusWakeAtTheirTimersWithoutTheWallClock() throws Exception {
    Run one = run(spec("halt", 1, SEED).build(), List.of(), hashes());
    Run other = run(spec("halt", 1, SEED).build(), List.of(), hashes());

    assertThat(one.outcome()).isEqualTo(new Outcome.DebugExit(3));
    assertThat(one.end().orElseThrow().position().nanos()).isBetween(190_000_000L, 210_000_000L);
    assertThat(other).isEqualTo(one);
  }

  @Test
  void pacingIsNotTheGuestsBusiness() throws Exception {
    VmSpec unpaced = spec("halt", 1, SEED).build();
    VmSpec paced =
        unpaced.toBuilder()
            .setDeterministic(unpaced.getDeterministic().toBuilder().setUnpaced(false))
            .build();

    assertThat(run(paced, List.of(), hashes())).isEqualTo(run(unpaced, List.of(), hashes()));
  }

  @Test
  void aDamagedSnapshotEndsTheMachineWithItsName() throws Exception {
    Path file = folder.resolve("damaged.snapshot");
    var snapshot = new Checkpoints.Snapshot(300_000, 0, file);
    var saving = new Checkpoints(Optional.empty(), Optional.of(snapshot), Optional.empty());
    run(spec("race", 2, SEED).build(), TinyGuest.SCRIPT, saving);
    flip(file);
    Run restored =
        run(
            spec("race", 2, SEED).build(),
            TinyGuest.SCRIPT,
            new Checkpoints(Optional.empty(), Optional.empty(), Optional.of(file)));

    assertThat(restored.outcome())
        .isInstanceOfSatisfying(
            Outcome.InternalFailure.class,
            error -> assertThat(error.message()).contains("damaged.snapshot"));
  }

  /**
   * race-1.snapshot was taken at i:300000 of the run that {@link #kept()} describes, when all
   * layouts were at their first versions.
   */
  @Test
  void aSnapshotOfTheFirstLayoutsIsStillOpened() throws Exception {
    Path file = folder.resolve("race-1.snapshot");
    try (InputStream in = DeterminismTest.class.getResourceAsStream("/snapshots/race-1.snapshot")) {
      Files.copy(in, file);
    }
    Run whole = run(kept(), TinyGuest.SCRIPT, Checkpoints.NONE);
    Run restored =
        run(
            kept(),
            TinyGuest.SCRIPT,
            new Checkpoints(Optional.empty(), Optional.empty(), Optional.of(file)));

    assertThat(restored.outcome()).isEqualTo(whole.outcome());
    assertThat(whole.console()).hasSize(14).endsWith(restored.console());
  }

  /** Of a model that stays as it is. */
  private VmSpec kept() {
    return spec("race", 2, SEED).setCpuModel("pentium3").build();
  }

  private static void flip(Path file) {
    try {
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length / 2] ^= 4;
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
