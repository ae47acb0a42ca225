package dev.troupe.actors.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.debug.BrakedMachine;
import dev.troupe.actors.debug.LiveTarget;
import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.actors.vcpu.Brake;
import dev.troupe.proto.spec.Deterministic;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.cpu.Stops;
import dev.troupe.runtime.debug.DebugTarget;
import dev.troupe.runtime.debug.DebugTarget.Reason;
import dev.troupe.runtime.debug.DebugTarget.Stop;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A machine stands where somebody outside wants it to, and its guest does not notice. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BrakeTest {
  private static final int CPUS = 4;
  private static final long CODE = 0x10_0020;
  private static final int CODE_BYTES = 512;

  @TempDir private Path folder;
  private TestHost.Local host;

  @BeforeAll
  void startHost() {
    host = new TestHost.Local();
  }

  @AfterAll
  void stopHost() {
    host.close();
  }

  /** A machine that stands before its first instruction. */
  private record Looked(LiveTarget target, CompletableFuture<MachineActor.Ended> ended) {}

  private Looked look(VmSpec spec) {
    Brake brake = new Brake();
    BrakedMachine braked = new BrakedMachine(brake);
    CompletableFuture<MachineActor.Ended> ended = new CompletableFuture<>();
    LiveTarget target = new LiveTarget(braked, spec.getCpus(), true, true, () -> {});
    MachineParts parts = MachineParts.prepare(spec, inputs(spec), Checkpoints.NONE);
    parts.brake(brake);
    var handle =
        (TestHost.LocalHandle) host.start(parts, new TestConsole(), Doors.OPEN, braked::event);
    var _ =
        handle
            .end()
            .whenComplete(
                (end, failure) -> {
                  ended.complete(end);
                  braked.ended();
                });
    braked.controls(
        new BrakedMachine.Controls() {
          @Override
          public void resume() {
            handle.resume();
          }

          @Override
          public void pause() {
            var _ =
                AskPattern.<MachineActor.Command, MachineActor.Event>ask(
                        handle.machine(),
                        MachineActor.Pause::new,
                        Duration.ofSeconds(TestHost.WAIT_SECONDS),
                        handle.system().scheduler())
                    .thenAccept(braked::event);
          }
        });
    return new Looked(target, ended);
  }

  private static List<ScriptedInput> inputs(VmSpec spec) {
    return spec.hasDeterministic() ? TinyGuest.SCRIPT : List.of();
  }

  private VmSpec race(EngineKind engine) {
    return TinyGuest.spec("race", folder)
        .setName("same")
        .setCpus(CPUS)
        .setEngine(engine)
        .setDeterministic(Deterministic.newBuilder().setSeed(42).setUnpaced(true))
        .build();
  }

  private MachineStatistics.StateHash alone(VmSpec spec) throws Exception {
    return host.start(
            MachineParts.prepare(spec, inputs(spec), Checkpoints.NONE),
            new TestConsole(),
            Doors.OPEN,
            event -> {})
        .ended()
        .statistics()
        .stateHash()
        .orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(
      value = EngineKind.class,
      names = {"ENGINE_KIND_INTERPRETER", "ENGINE_KIND_AUTO"})
  void steppingAndStoppingChangesNothingOfARepeatableRun(EngineKind engine) throws Exception {
    VmSpec spec = race(engine);
    Looked looked = look(spec);
    LiveTarget target = looked.target();
    Random random = new Random(1);
    Stop stop = target.halt();
    assertThat(stop.reason()).isEqualTo(Reason.TRAP);
    int hits = 0;
    for (int i = 0; i < 400 && stop.reason() != Reason.GONE; i++) {
      long stack = target.look(0, cpu -> cpu.gpr[4]).orElseThrow();
      boolean steps = random.nextInt(4) != 0;
      target.stopAt(
          steps
              ? List.of()
              : random.longs(CODE_BYTES / 4, CODE, CODE + CODE_BYTES).boxed().toList(),
          List.of(new Stops.Watchpoint(Stops.Access.EITHER, stack & -4096, 4096)));
      // Only the boot processor runs for sure.
      stop = target.move(steps ? new DebugTarget.Step(0, false) : new DebugTarget.Run(false));
      hits += stop.reason() == Reason.HIT ? 1 : 0;
    }
    target.letGo();
    assertThat(hits).isPositive();
    assertThat(looked.ended().get().statistics().stateHash()).contains(alone(spec));
  }

  @Test
  void aGoalIsReachedAtTheVeryInstruction() throws Exception {
    VmSpec spec = race(EngineKind.ENGINE_KIND_AUTO);
    Looked looked = look(spec);
    LiveTarget target = looked.target();
    target.halt();
    for (long wanted = 1; wanted < 60_000; wanted = 3 * wanted + 7) {
      long instructions = wanted;
      assertThat(target.go(now -> instructions - now.instructions()).reason())
          .isEqualTo(Reason.TRAP);
      assertThat(target.position()).startsWith("i:" + wanted + " ");
    }
    target.letGo();
    assertThat(looked.ended().get().statistics().stateHash()).contains(alone(spec));
  }

  @Test
  void aParallelMachineIsStoppedSteppedAndLetGo() throws Exception {
    Looked looked = look(TinyGuest.spec("endless", folder).setCpus(2).setNoReboot(true).build());
    LiveTarget target = looked.target();
    target.halt();
    for (int i = 0; i < 50; i++) {
      assertThat(target.move(new DebugTarget.Step(0, false)))
          .isEqualTo(new Stop(0, Reason.TRAP, null));
    }
    long loop = target.look(0, cpu -> cpu.linearRip()).orElseThrow();
    target.stopAt(List.of(loop), List.of());
    assertThat(target.move(new DebugTarget.Run(false)).reason()).isEqualTo(Reason.HIT);
    target.stopAt(List.of(), List.of());
    Thread interrupts = Thread.startVirtualThread(target::interrupt);
    assertThat(target.move(new DebugTarget.Run(false)).reason()).isEqualTo(Reason.INTERRUPTED);
    interrupts.join();
    target.letGo();
    assertThat(target.halt().reason()).isEqualTo(Reason.INTERRUPTED);
    assertThat(target.look(0, cpu -> cpu.linearRip())).contains(loop);
  }
}
