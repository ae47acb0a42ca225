package dev.troupe.benchmark;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.config.Configuration;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.machine.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.slf4j.LoggerFactory;

/**
 * Boots a guest several times in one JVM, one after the other, each to its own power-off: {@code
 * WarmBoot COUNT KERNEL INITRD COMMAND-LINE}. Prints a line a boot: the nanoseconds from before its
 * machine is made to its user space.
 */
public final class WarmBoot {
  private static final long MEMORY = 512L << 20;
  private static final long LIMIT_SECONDS = 300;

  private WarmBoot() {}

  /** Looks for the guest's sign of life in what it writes. */
  private static final class Watch implements ConsoleEnd {
    private final StringBuilder output = new StringBuilder();
    private final CompletableFuture<Long> ready = new CompletableFuture<>();
    private volatile ActorRef<ConsoleActor.Command> console;

    @Override
    public void open(ActorRef<ConsoleActor.Command> opened) {
      console = opened;
    }

    @Override
    public void write(byte[] bytes) {
      output.append(new String(bytes, StandardCharsets.ISO_8859_1));
      // To the line's end, as the process that reads QEMU's output does.
      int sign = output.indexOf(GbenchRun.READY);
      if (sign >= 0 && output.indexOf("\n", sign) >= 0) {
        ready.complete(System.nanoTime());
      }
      console.tell(new ConsoleActor.Written(bytes.length));
    }

    @Override
    public void taken() {}

    @Override
    public void close() {}
  }

  private static Behavior<MachineActor.Event> guardian(
      MachineParts parts, Watch watch, CompletableFuture<Outcome> ended) {
    return Behaviors.setup(
        context -> {
          ActorRef<MachineActor.Command> machine =
              context.spawn(
                  MachineActor.create(parts, watch, Doors.OPEN, context.getSelf()),
                  "machine",
                  DispatcherSelector.fromConfig(BoardDispatcher.ID));
          machine.tell(new MachineActor.Resume());
          return Behaviors.receiveMessage(
              event -> {
                if (event instanceof MachineActor.Ended end) {
                  ended.complete(end.outcome());
                }
                return Behaviors.same();
              });
        });
  }

  private static long boot(VmSpec spec) throws Exception {
    Watch watch = new Watch();
    CompletableFuture<Outcome> ended = new CompletableFuture<>();
    Configuration configuration = Configuration.load(Configuration.Role.LOCAL);
    long start = System.nanoTime();
    MachineParts parts = MachineParts.prepare(spec);
    ActorSystem<MachineActor.Event> system =
        ActorSystem.create(guardian(parts, watch, ended), "warm-boot", configuration.config());
    try {
      Outcome outcome = ended.get(LIMIT_SECONDS, TimeUnit.SECONDS);
      if (!(outcome instanceof Outcome.PoweredOff) || !watch.ready.isDone()) {
        throw new IllegalStateException("the guest ended with " + outcome + ": " + watch.output);
      }
      return watch.ready.join() - start;
    } finally {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().join();
    }
  }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    VmSpec spec =
        VmSpec.newBuilder()
            .setName("warm-boot")
            .setCpus(1)
            .setMemoryBytes(MEMORY)
            .setEngine(EngineKind.ENGINE_KIND_TRANSLATOR)
            .setBoot(
                Boot.newBuilder()
                    .setKernel(arguments[1])
                    .setInitrd(arguments[2])
                    .setCommandLine(arguments[3]))
            .setNoReboot(true)
            .build();
    // Before the actor system's threads, or SLF4J complains about those that come while it starts.
    LoggerFactory.getILoggerFactory();
    for (int boot = 0; boot < Integer.parseInt(arguments[0]); boot++) {
      System.out.println(boot(spec));
    }
  }
}
