package dev.troupe.smp;

import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.config.Configuration;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.Deterministic;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.machine.Outcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A guest of src/guest/smp: a multiboot kernel that starts all processors, checks something that
 * they do together, and reports lines that begin with {@code ok} or {@code BAD}.
 *
 * @param kernel the file
 * @param seed of all that the guest draws
 * @param model the CPU's; empty for the default
 */
public record SmpGuest(Path kernel, long seed, String model) {
  private static final Path HERE = Path.of("").toAbsolutePath();

  /** The module's folder, from itself (Maven) or from the repository's top. */
  private static final Path MODULE =
      Files.isDirectory(HERE.resolve("integration-tests"))
          ? HERE.resolve("integration-tests")
          : HERE;

  private static final Path SOURCE = MODULE.resolve("src/guest/smp");
  private static final long MEMORY = 64L << 20;

  /** Generous: the host may be slow and busy. The guests bound their own time. */
  private static final long LIMIT_SECONDS = 240;

  /** From one pause to the next. */
  private static final Duration RUNNING = Duration.ofMillis(5);

  /** Which schedule a run has, and which engine. */
  enum Schedule {
    PARALLEL(false, EngineKind.ENGINE_KIND_INTERPRETER),
    DETERMINISTIC(true, EngineKind.ENGINE_KIND_INTERPRETER),
    PARALLEL_TRANSLATED(false, EngineKind.ENGINE_KIND_TRANSLATOR),
    DETERMINISTIC_TRANSLATED(true, EngineKind.ENGINE_KIND_TRANSLATOR);

    private final boolean deterministic;
    private final EngineKind engine;

    Schedule(boolean deterministic, EngineKind engine) {
      this.deterministic = deterministic;
      this.engine = engine;
    }
  }

  /**
   * What became of a run.
   *
   * @param passed whether the guest says that all was well
   * @param report what it wrote
   */
  record Result(boolean passed, String report) {}

  /** Compiles a guest: {@code name.c} with what all have in common. */
  public static SmpGuest build(String name, Path folder, long seed) {
    Path kernel = folder.resolve(name + ".bin");
    List<String> command = new ArrayList<>(List.of("gcc", "-m64", "-std=gnu11", "-O2", "-Wall"));
    command.addAll(List.of("-ffreestanding", "-fno-pic", "-fno-pie", "-fno-stack-protector"));
    command.addAll(List.of("-fno-asynchronous-unwind-tables", "-fcf-protection=none"));
    // No SSE of the compiler's own, and an interrupt may come at any time.
    command.addAll(List.of("-mgeneral-regs-only", "-mno-red-zone", "-nostdlib", "-static"));
    command.addAll(List.of("-Wl,-T,link.ld,--oformat=binary,--build-id=none,-n"));
    command.addAll(List.of("-o", kernel.toString(), "start.S", "common.c", name + ".c"));
    String output = output(new ProcessBuilder(command).directory(SOURCE.toFile()), 0);
    if (!output.isBlank()) {
      throw new AssertionError("gcc complains about " + name + ": " + output);
    }
    return new SmpGuest(kernel, seed, "");
  }

  /** The same guest on another CPU. */
  SmpGuest model(String name) {
    return new SmpGuest(kernel, seed, name);
  }

  private static String output(ProcessBuilder builder, int expected) {
    try {
      Process process = builder.redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int code = process.waitFor();
      if (code != expected) {
        throw new AssertionError(builder.command() + " ended with " + code + ": " + output);
      }
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private String words(int cpus, String words) {
    return "cpus=" + cpus + " seed=" + seed + " " + words;
  }

  /** Runs it by the real actors, as {@code vmctl run} does. */
  Result run(Schedule schedule, int cpus, String words) throws Exception {
    return run(schedule, cpus, words, false);
  }

  /** The same, while the machine is paused and goes on all the time. */
  Result runWithPauses(Schedule schedule, int cpus, String words) throws Exception {
    return run(schedule, cpus, words, true);
  }

  private Result run(Schedule schedule, int cpus, String words, boolean pauses) throws Exception {
    VmSpec.Builder spec =
        VmSpec.newBuilder()
            .setName(kernel.getFileName().toString())
            .setCpus(cpus)
            .setCpuModel(model)
            .setMemoryBytes(MEMORY)
            .setEngine(schedule.engine)
            .setBoot(
                Boot.newBuilder().setKernel(kernel.toString()).setCommandLine(words(cpus, words)));
    if (schedule.deterministic) {
      spec.setDeterministic(Deterministic.newBuilder().setSeed(seed).setUnpaced(true));
    }
    MemoryConsole console = new MemoryConsole();
    CompletableFuture<Outcome> ended = new CompletableFuture<>();
    ActorSystem<MachineActor.Event> system =
        ActorSystem.create(
            guardian(MachineParts.prepare(spec.build()), console, ended, pauses),
            "smp",
            Configuration.load(Configuration.Role.LOCAL).config());
    try {
      Outcome outcome = ended.get(LIMIT_SECONDS, TimeUnit.SECONDS);
      return new Result(
          outcome.equals(new Outcome.DebugExit(0)), console.text() + "\n" + outcome + what(words));
    } catch (TimeoutException e) {
      throw new AssertionError("the guest does not end" + what(words) + ": " + console.text(), e);
    } finally {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().join();
    }
  }

  private String what(String words) {
    return " (" + kernel.getFileName() + " " + words + ", seed " + seed + ")";
  }

  /** Spawns a machine that reports to the guardian, and switches it on. */
  static ActorRef<MachineActor.Command> start(
      ActorContext<MachineActor.Event> guardian, MachineParts parts, MemoryConsole console) {
    ActorRef<MachineActor.Command> machine =
        guardian.spawn(
            MachineActor.create(parts, console, Doors.OPEN, guardian.getSelf()),
            "machine",
            DispatcherSelector.fromConfig(BoardDispatcher.ID));
    machine.tell(new MachineActor.Resume());
    return machine;
  }

  private static Behavior<MachineActor.Event> guardian(
      MachineParts parts, MemoryConsole console, CompletableFuture<Outcome> ended, boolean pauses) {
    return Behaviors.setup(
        context -> {
          ActorRef<MachineActor.Command> machine = start(context, parts, console);
          if (pauses) {
            machine.tell(new MachineActor.Pause(context.getSelf()));
          }
          return Behaviors.receiveMessage(
              event -> {
                switch (event) {
                  case MachineActor.Ended end -> ended.complete(end.outcome());
                  case MachineActor.Paused _ -> {
                    machine.tell(new MachineActor.Resume());
                    context.scheduleOnce(
                        RUNNING, machine, new MachineActor.Pause(context.getSelf()));
                  }
                  case MachineActor.StateHash _,
                      MachineActor.Snapshot _,
                      MachineActor.Braked _ -> {}
                }
                return Behaviors.same();
              });
        });
  }

  /** Runs it in QEMU, each processor on a thread of its own. */
  Result inQemu(int cpus, String words) {
    List<String> command = new ArrayList<>(List.of("timeout", Long.toString(LIMIT_SECONDS)));
    command.addAll(List.of("qemu-system-x86_64", "-machine", "pc", "-accel", "tcg,thread=multi"));
    command.addAll(List.of("-smp", Integer.toString(cpus), "-cpu", "max", "-m", "64"));
    command.addAll(List.of("-display", "none", "-monitor", "none", "-no-reboot"));
    command.addAll(List.of("-device", "isa-debug-exit,iobase=0xf4,iosize=4"));
    command.addAll(List.of("-serial", "stdio", "-kernel", kernel.toString()));
    command.addAll(List.of("-append", words(cpus, words)));
    // 1 is the debug exit's 0: anything else is a failure with its output.
    return new Result(true, output(new ProcessBuilder(command), 1));
  }
}
