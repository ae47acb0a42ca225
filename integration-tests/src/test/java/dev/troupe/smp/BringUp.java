package dev.troupe.smp;

import dev.troupe.actors.guest.GuestException;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.TerminalProgress;
import dev.troupe.actors.machine.Checkpoints;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.config.Configuration;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.Deterministic;
import dev.troupe.proto.spec.VmSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The part of Linux's start in which it brings up its processors, in repeatable runs that differ by
 * their seed: no interleaving may hang it, and each seed has one history.
 *
 * @param kernel Debian's
 * @param cpus the machine's vCPUs
 */
record BringUp(Path kernel, int cpus) {
  private static final long MEMORY = 256L << 20;

  /** By then a kernel with 8 processors has brought them up, in virtual time. */
  private static final Duration END = Duration.ofSeconds(2);

  private static final Duration INTERVAL = Duration.ofMillis(100);

  /** Generous: the host may be slow and busy. */
  private static final long LIMIT_SECONDS = 300;

  /**
   * A run.
   *
   * @param hashes the state's, with their positions, at intervals
   */
  record Run(List<String> hashes, String console) {}

  /** One run by that seed, up to the end of the bring-up. */
  Run run(long seed) throws Exception {
    VmSpec spec =
        VmSpec.newBuilder()
            .setName("bring-up")
            .setCpus(cpus)
            .setMemoryBytes(MEMORY)
            .setBoot(
                Boot.newBuilder()
                    .setKernel(kernel.toString())
                    .setCommandLine("earlyprintk=ttyS0 console=ttyS0"))
            .setDeterministic(Deterministic.newBuilder().setSeed(seed).setUnpaced(true))
            .build();
    var checkpoints = new Checkpoints(Optional.of(INTERVAL), Optional.empty(), Optional.empty());
    MachineParts parts = MachineParts.prepare(spec, List.of(), checkpoints);
    MemoryConsole console = new MemoryConsole();
    CompletableFuture<List<String>> ended = new CompletableFuture<>();
    ActorSystem<MachineActor.Event> system =
        ActorSystem.create(
            guardian(parts, console, ended),
            "bring-up",
            Configuration.load(Configuration.Role.LOCAL).config());
    try {
      return new Run(ended.get(LIMIT_SECONDS, TimeUnit.SECONDS), console.text());
    } catch (TimeoutException e) {
      throw new AssertionError("no end with seed " + seed + ": " + console.text(), e);
    } finally {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().join();
    }
  }

  private static Behavior<MachineActor.Event> guardian(
      MachineParts parts, MemoryConsole console, CompletableFuture<List<String>> ended) {
    List<String> hashes = new ArrayList<>();
    return Behaviors.setup(
        context -> {
          ActorRef<MachineActor.Command> machine = SmpGuest.start(context, parts, console);
          return Behaviors.receiveMessage(
              event -> {
                if (event instanceof MachineActor.StateHash(var _, var at, long hash)) {
                  // How far it gets before it stops is no part of the run.
                  if (hashes.size() < END.dividedBy(INTERVAL)) {
                    hashes.add("%s %016x".formatted(at, hash));
                  } else {
                    machine.tell(new MachineActor.Stop());
                  }
                } else if (event instanceof MachineActor.Ended) {
                  ended.complete(List.copyOf(hashes));
                }
                return Behaviors.same();
              });
        });
  }

  /**
   * Two runs by each seed have to be the same and to have all processors.
   *
   * @return the hash after the bring-up
   * @throws AssertionError if they are not, with the seed
   */
  String twice(long seed) throws Exception {
    Run one = run(seed);
    Run other = run(seed);
    if (!one.hashes().equals(other.hashes())) {
      throw new AssertionError(
          "seed %d, vCPUs %d: two runs differ:%n%s%n%s"
              .formatted(seed, cpus, one.hashes(), other.hashes()));
    }
    String wanted = "Brought up 1 node, " + cpus + " CPU";
    if (!one.console().contains(wanted)) {
      throw new AssertionError(
          "seed %d: no '%s' after %s: %s".formatted(seed, wanted, END, one.console()));
    }
    return one.hashes().getLast();
  }

  /** Debian's cloud kernel with that many vCPUs. */
  static BringUp debian(int cpus) throws GuestException {
    GuestImage image = GuestImage.named("debian").orElseThrow();
    return new BringUp(
        GuestImages.ofUser(new TerminalProgress(System.err, false)).get(image).kernel(), cpus);
  }

  /**
   * {@code BringUp [SEEDS [CPUS]]}: each seed from 1 on twice; ends at the first that hangs or has
   * two histories.
   */
  public static void main(String[] arguments) throws Exception {
    int seeds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 200;
    BringUp guest = debian(arguments.length > 1 ? Integer.parseInt(arguments[1]) : 4);
    for (int seed = 1; seed <= seeds; seed++) {
      System.out.printf("seed %d of %d: %s%n", seed, seeds, guest.twice(seed));
    }
  }
}
