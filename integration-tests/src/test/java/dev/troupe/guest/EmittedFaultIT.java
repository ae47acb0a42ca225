package dev.troupe.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.Progress;
import dev.troupe.actors.machine.Checkpoints;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.config.Configuration;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.EngineWatch;
import dev.troupe.runtime.engine.Engines;
import dev.troupe.runtime.engine.translator.PlantedEngine;
import dev.troupe.runtime.machine.Outcome;
import dev.troupe.smp.MemoryConsole;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;

/** Two machines of one JVM, by the real actors; the code of one of them faults. */
class EmittedFaultIT {
  /** Generous: the machine may be slow and busy. */
  private static final int SECONDS = 240;

  private static final long MEMORY = 256L << 20;

  /** In the kernel's boot, with thousands of codes before it. */
  private static final int FAULTING_CODE = 3000;

  /** One machine, and how it has ended. */
  private record Run(
      String name, MachineParts parts, MemoryConsole console, CompletableFuture<Outcome> ended) {
    static Run of(String name, VmSpec spec, Function<Vcpu, Engine> engines) {
      return new Run(
          name,
          MachineParts.prepare(spec, List.of(), Checkpoints.NONE, engines),
          new MemoryConsole(),
          new CompletableFuture<>());
    }

    void start(ActorContext<Void> context) {
      ActorRef<MachineActor.Event> events = context.spawn(events(), name + "-events");
      context
          .spawn(
              MachineActor.create(parts, console, Doors.OPEN, events),
              name,
              DispatcherSelector.fromConfig(BoardDispatcher.ID))
          .tell(new MachineActor.Resume());
    }

    private Behavior<MachineActor.Event> events() {
      return Behaviors.receiveMessage(
          event -> {
            if (event instanceof MachineActor.Ended end) {
              ended.complete(end.outcome());
            }
            return Behaviors.same();
          });
    }
  }

  @Test
  void oneMachinesCodeFaultsAndTheOtherMachineFinishesItsWork() throws Exception {
    GuestFiles debian =
        GuestImages.ofUser(Progress.SILENT).get(GuestImage.named("debian").orElseThrow());
    VmSpec spec =
        VmSpec.newBuilder()
            .setCpus(1)
            .setMemoryBytes(MEMORY)
            .setBoot(
                Boot.newBuilder()
                    .setKernel(debian.kernel().toString())
                    .setInitrd(GbenchGuest.initrd(debian.busybox()).toString())
                    .setCommandLine("console=ttyS0 quiet g.mode=bench g.args=-s,0.1,int"))
            .build();
    Run faulting =
        Run.of("faulting", spec, vcpu -> PlantedEngine.withUndefined(vcpu, FAULTING_CODE));
    Run sound =
        Run.of("sound", spec, Engines.of(EngineKind.ENGINE_KIND_TRANSLATOR, EngineWatch.NONE));
    ActorSystem<Void> system =
        ActorSystem.create(
            Behaviors.setup(
                context -> {
                  faulting.start(context);
                  sound.start(context);
                  return Behaviors.empty();
                }),
            "faults",
            Configuration.load(Configuration.Role.LOCAL).config());
    try {
      Outcome failure = faulting.ended().get(SECONDS, TimeUnit.SECONDS);
      assertThat(sound.ended()).as("the other goes on").isNotDone();
      assertThat(failure).isInstanceOf(Outcome.InternalFailure.class);
      assertThat(((Outcome.InternalFailure) failure).message())
          .contains("emitted code: SIGILL", "block at 0x", "\nhost registers:", "vcpu=0 cs:rip=");
      assertThat(faulting.console().text()).doesNotContain("GUEST-READY");
      Outcome end = sound.ended().get(SECONDS, TimeUnit.SECONDS);
      assertThat(end).as(sound.console().text()).isEqualTo(new Outcome.PoweredOff());
      assertThat(sound.console().text())
          .contains("all checks ok", "BENCH-RC 0")
          .doesNotContain("BAD");
    } finally {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().join();
    }
  }
}
