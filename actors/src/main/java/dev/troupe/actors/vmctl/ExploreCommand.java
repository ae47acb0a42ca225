package dev.troupe.actors.vmctl;

import dev.troupe.actors.cli.DurationConverter;
import dev.troupe.actors.fault.FaultSyntax;
import dev.troupe.actors.journal.BranchObserver;
import dev.troupe.actors.journal.Recorder;
import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.journal.Where;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.vcpu.Brake;
import dev.troupe.proto.spec.TurnVariation;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.machine.Outcome;
import dev.troupe.runtime.machine.Position;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vmctl explore}: many runs that differ from one position on, until one shows something. */
@Command(
    name = "explore",
    description =
        "Runs a recorded machine on by many seeds, and looks for one that shows something.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Seeds are of the turns' lengths and order; with --fault they are of the rules instead.",
      "Exit codes: 0 found, 1 not found, 2 usage, 4 bad journal or image, 8 internal error."
    })
final class ExploreCommand implements Callable<Integer> {
  /** Seeds of one call: more take a day. */
  private static final long MAX_SEEDS = 10_000_000;

  @Spec private CommandSpec command;

  @Parameters(paramLabel = "FILE", description = "The journal.")
  private Path file;

  @Option(
      names = "--from",
      required = true,
      paramLabel = "POSITION",
      converter = WhereConverter.class,
      description = "Where the runs part: m:N messages, i:N instructions or t:D of virtual time.")
  private Where from;

  @Option(
      names = "--seeds",
      paramLabel = "K",
      defaultValue = "100",
      description = "How many are tried; default ${DEFAULT-VALUE}.")
  private long seeds;

  @Option(
      names = "--first-seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "The first; default ${DEFAULT-VALUE}.")
  private long firstSeed;

  @Option(
      names = "--until",
      required = true,
      paramLabel = "WHAT",
      description = {
        "What is looked for: console~REGEX, end~REGEX, or, in hexadecimal and at",
        "quiet points, [vcpuN.]REGISTER==VALUE or [vcpuN.]memory[ADDRESS,SIZE]==VALUE."
      })
  private String until;

  @Option(
      names = "--for",
      paramLabel = "D",
      converter = DurationConverter.class,
      description = "Virtual time that a run has from POSITION on; default: to the recorded end.")
  private Duration length;

  @Option(
      names = "--jobs",
      paramLabel = "N",
      description = "Machines at once; default: as many as there are cores.")
  private int jobs = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--record",
      paramLabel = "COPY",
      description = "The journal of the shortest run that shows it; default FILE.found.")
  private Path copy;

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "What executes the guest.")
  private RunCommand.EngineName engine;

  @Mixin private FaultOptions faults;

  private RecordedMachine machine;
  private Sought sought;
  private Optional<JournalRecord.Checkpoint> start;

  /** Virtual time of the recorded end. */
  private long limit;

  /** Instructions after which the best run so far showed it: others need not go farther. */
  private final AtomicLong best = new AtomicLong(Long.MAX_VALUE);

  /** A run that showed it. */
  private record Found(long seed, Position at) {}

  @Override
  public Integer call() {
    if (seeds < 1 || seeds > MAX_SEEDS || firstSeed < 0 || jobs < 1) {
      throw usage(
          "--seeds must be 1 to %d, --first-seed 0 or more, --jobs 1 or more".formatted(MAX_SEEDS));
    }
    try {
      sought = Sought.parse(until);
    } catch (IllegalArgumentException e) {
      throw usage("--until " + e.getMessage());
    }
    try {
      machine = RecordedMachine.open(file);
      limit = machine.scan().last().position().nanos();
      start = machine.before(from);
      checkRules();
      return explore();
    } catch (IOException e) {
      throw JournalSelection.unreadable(file, e);
    }
  }

  private void checkRules() {
    try {
      var _ = FaultSyntax.parse(rules(0), machine.header().getActorsList());
    } catch (IllegalArgumentException e) {
      throw usage(e.getMessage());
    }
  }

  /** The rules that a seed's run has beside the recorded ones. */
  private List<String> rules(long seed) {
    List<String> rules = new ArrayList<>();
    for (String rule : faults.rules()) {
      rules.add("%s after=%s seed=%d".formatted(rule, from, seed));
    }
    return rules;
  }

  private VmSpec spec(long seed) {
    VmSpec.Builder spec = machine.spec(engine.kind(), true);
    if (faults.given()) {
      spec.getDeterministicBuilder().addAllFaults(rules(seed));
    } else {
      spec.getDeterministicBuilder()
          .setTurns(TurnVariation.newBuilder().setFrom(from.toString()).setSeed(seed));
    }
    return spec.build();
  }

  private int explore() throws IOException {
    List<Found> found = new ArrayList<>();
    try (MachinePool pool = new MachinePool();
        ExecutorService threads = Executors.newFixedThreadPool(jobs)) {
      List<Future<Optional<Found>>> runs = new ArrayList<>();
      for (long seed = firstSeed; seed < firstSeed + seeds; seed++) {
        long of = seed;
        runs.add(threads.submit(() -> run(pool, of, Optional.empty())));
      }
      for (Future<Optional<Found>> run : runs) {
        get(run).ifPresent(found::add);
      }
      if (found.isEmpty()) {
        System.out.printf("not found in %d seeds%n", seeds);
        return ExitCode.DIFFERENT;
      }
      Found shortest = found.getFirst();
      for (Found one : found) {
        System.out.printf("seed %d: %s%n", one.seed, one.at);
        shortest = one.at.instructions() < shortest.at.instructions() ? one : shortest;
      }
      Path journal = copy == null ? file.resolveSibling(file.getFileName() + ".found") : copy;
      Optional<Found> again = run(pool, shortest.seed, Optional.of(journal));
      if (!again.equals(Optional.of(shortest))) {
        throw new UserException(
            ExitCode.INTERNAL, "seed %d: %s, then %s".formatted(shortest.seed, shortest, again));
      }
      System.out.printf(
          "found in %d of %d seeds, soonest by seed %d: %s%n",
          found.size(), seeds, shortest.seed, journal);
      return ExitCode.OK;
    }
  }

  private static Optional<Found> get(Future<Optional<Found>> run) {
    try {
      return run.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException ours ? ours : new IllegalStateException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
  }

  private Optional<Found> run(MachinePool pool, long seed, Optional<Path> journal) {
    try {
      return attempt(pool, seed, journal);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Optional<Found> attempt(MachinePool pool, long seed, Optional<Path> journal)
      throws IOException {
    Optional<Path> folder =
        journal.isPresent() ? BranchRecording.folder(machine, journal.get()) : Optional.empty();
    MachineParts parts =
        machine.parts(spec(seed), machine.scan().script(start, from, true), start, folder);
    Optional<Recorder> recorder =
        journal.isPresent()
            ? Optional.of(BranchRecording.begin(machine, journal.get(), parts, from, start))
            : Optional.empty();
    int old = machine.header().getSpec().getDeterministic().getFaultsCount();
    try (Replayer replayer = machine.comparison(start, Replayer.Goal.END)) {
      Brake brake = new Brake();
      Attempt attempt = new Attempt(journal.isEmpty(), brake);
      var observer = new BranchObserver(replayer, old, from, start.isPresent(), recorder, attempt);
      MachineActor.Ended ended = pool.run(parts.observe(observer).brake(brake), observer.over());
      return attempt.result(seed, observer.over().getNow(null), ended);
    } finally {
      if (recorder.isPresent()) {
        recorder.get().close();
      }
    }
  }

  /** Looks at one run. */
  private final class Attempt implements BranchObserver.Watcher {
    private final Sought.Watch watch = new Sought.Watch(sought);
    private final boolean gives;
    private final Brake brake;
    private long end = limit;
    private boolean shown;
    private Position at;

    /**
     * A run.
     *
     * @param gives whether it gives up when another one was sooner
     * @param brake what its vCPUs are looked at by
     */
    Attempt(boolean gives, Brake brake) {
      this.gives = gives;
      this.brake = brake;
    }

    @Override
    public void branched(Position where) {
      if (length != null) {
        end = where.nanos() + length.toNanos();
      }
    }

    @Override
    public void output(byte[] bytes) {
      watch.output(bytes);
    }

    @Override
    public boolean enough(Position now) {
      if (brake.look(watch::found).orElse(false)) {
        show(now);
        return true;
      }
      return now.nanos() > end || (gives && now.instructions() > best.get());
    }

    @Override
    public boolean enough(JournalRecord.End at) {
      if (watch.found(at)) {
        show(at.position());
        return true;
      }
      return false;
    }

    private void show(Position now) {
      shown = true;
      at = now;
      best.accumulateAndGet(now.instructions(), Math::min);
    }

    Optional<Found> result(long seed, BranchObserver.Over over, MachineActor.Ended ended) {
      if (over instanceof BranchObserver.Different) {
        throw new UserException(
            ExitCode.BAD_IMAGE,
            "the run is not the journal's up to " + from + ": see vmctl replay");
      }
      if (ended.outcome() instanceof Outcome.InternalFailure failure) {
        throw new UserException(
            ExitCode.INTERNAL, "seed %d: machine failed: %s".formatted(seed, failure.message()));
      }
      return shown ? Optional.of(new Found(seed, at)) : Optional.empty();
    }
  }

  private ParameterException usage(String text) {
    return new ParameterException(command.commandLine(), text);
  }
}
