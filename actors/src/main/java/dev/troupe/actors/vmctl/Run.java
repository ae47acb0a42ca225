package dev.troupe.actors.vmctl;

import dev.troupe.actors.cli.Terminal;
import dev.troupe.actors.journal.Recorder;
import dev.troupe.actors.machine.Checkpoints;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BadImageException;
import dev.troupe.runtime.engine.Engines;
import dev.troupe.runtime.machine.Outcome;
import dev.troupe.runtime.machine.Position;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One machine in this process, from its spec to the process's exit code. */
final class Run {
  /**
   * How long a machine that was told to end may take: it stops within a turn, the rest is output to
   * be written.
   */
  private static final Duration STOP_LIMIT = Duration.ofSeconds(5);

  /**
   * What the user asked for beside the machine itself.
   *
   * @param timeout null for none
   * @param hashes whether state hashes are printed
   */
  record Options(
      Duration timeout,
      boolean quiet,
      boolean stats,
      boolean sharded,
      boolean hashes,
      List<ScriptedInput> inputs,
      Checkpoints checkpoints) {}

  private final VmSpec spec;
  private final Options options;
  private final RecordOptions record;
  private final GdbOptions gdb;
  private final TraceOptions trace;
  private final CompletableFuture<MachineActor.Ended> ended = new CompletableFuture<>();

  /** Completed by Ctrl-]. */
  private final CompletableFuture<Void> left = new CompletableFuture<>();

  Run(VmSpec spec, Options options, RecordOptions record, GdbOptions gdb, TraceOptions trace) {
    this.trace = trace;
    this.record = record;
    this.gdb = gdb;
    this.spec = spec;
    this.options = options;
  }

  /** Runs the machine to its end; gives the process's exit code. */
  int call() {
    try (TraceWriter writer = trace.begin(Terminal.isTerminal())) {
      return call(prepare(writer));
    }
  }

  private int call(MachineParts parts) {
    if (spec.getEngine() == EngineKind.ENGINE_KIND_AUTO && !options.quiet()) {
      Engines.lack()
          .ifPresent(why -> System.err.println("vmctl: engine: interpreter, as the " + why));
    }
    Recorder recorder =
        record.begin(
            parts,
            options.checkpoints().hashEvery().orElse(Duration.ZERO),
            options.checkpoints().restore());
    try {
      return run(parts);
    } finally {
      close(recorder);
    }
  }

  private static void close(Recorder recorder) {
    try {
      if (recorder != null) {
        recorder.close();
      }
    } catch (IOException e) {
      Vmctl.complain("journal: " + e.getMessage());
    }
  }

  private int run(MachineParts parts) {
    boolean interactive = Terminal.isTerminal();
    long start = System.nanoTime();
    boolean inTime;
    try (Terminal raw = interactive ? Terminal.raw() : null) {
      if (raw != null && !options.quiet()) {
        // From here on what is typed is the guest's; a raw terminal wants its carriage returns.
        System.err.print("vmctl: running " + parts.format() + "; Ctrl-] leaves\r\n");
      }
      StreamConsole console =
          new StreamConsole(
              new FileInputStream(FileDescriptor.in),
              new FileOutputStream(FileDescriptor.out),
              interactive ? StreamConsole.ESCAPE : StreamConsole.NO_ESCAPE,
              () -> left.complete(null));
      try (MachineHost host = host(parts, console)) {
        var _ = left.thenRun(host::stop);
        inTime = await(host);
      }
    } catch (IOException e) {
      throw new UserException(ExitCode.INTERNAL, e.getMessage());
    }
    return report(inTime, System.nanoTime() - start);
  }

  private MachineParts prepare(TraceWriter writer) {
    try {
      return MachineParts.prepare(spec, options.inputs(), options.checkpoints(), writer);
    } catch (BadImageException e) {
      throw new UserException(ExitCode.BAD_IMAGE, e.getMessage());
    } catch (IllegalArgumentException e) {
      throw new UserException(ExitCode.USAGE, e.getMessage());
    }
  }

  private MachineHost host(MachineParts parts, StreamConsole console) {
    if (options.sharded()) {
      parts.close(); // looked at only: the host makes its own
      return ShardedHost.start(spec, console, ended);
    }
    if (!gdb.given()) {
      return LocalHost.start(parts, console, Doors.OPEN, ended, this::note);
    }
    return gdb.start(
        parts,
        !record.given(),
        this::note,
        ended,
        notes -> LocalHost.start(parts, console, Doors.OPEN, ended, notes));
  }

  /** What a deterministic machine tells on its way; a raw terminal wants its carriage returns. */
  private void note(MachineActor.Event event) {
    switch (event) {
      case MachineActor.StateHash(var _, Position at, long hash) when options.hashes() ->
          System.err.print("hash: %s %016x\r\n".formatted(at, hash));
      case MachineActor.Snapshot(var _, Position at, long hash, Path file, var failure) ->
          System.err.print(
              failure.isEmpty()
                  ? "vmctl: snapshot %s at %s, state hash %016x\r\n".formatted(file, at, hash)
                  : "vmctl: snapshot %s at %s failed: %s\r\n".formatted(file, at, failure.get()));
      default -> {}
    }
  }

  /** Waits for the machine's end; false if the time ran out. */
  private boolean await(MachineHost host) {
    try {
      if (options.timeout() == null) {
        ended.get();
      } else {
        ended.get(options.timeout().toNanos(), TimeUnit.NANOSECONDS);
      }
      return true;
    } catch (TimeoutException e) {
      host.stop();
      awaitStop();
      return false;
    } catch (ExecutionException e) {
      throw new UserException(ExitCode.INTERNAL, "machine failed to start: " + e.getCause());
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
  }

  private void awaitStop() {
    try {
      ended.get(STOP_LIMIT.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException | ExecutionException e) {
      // Its output may be stuck for good; the process ends all the same.
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** After the terminal is itself again. */
  private int report(boolean inTime, long nanos) {
    MachineActor.Ended end = ended.getNow(null);
    if (options.stats() && end != null) {
      StatisticsText.print(System.err, end.statistics(), nanos);
    }
    if (!inTime) {
      complain("time-out after " + options.timeout().toMillis() / 1000.0 + " s");
      return ExitCode.TIMEOUT;
    }
    return switch (end.outcome()) {
      case Outcome.PoweredOff _, Outcome.Reset _, Outcome.Stopped _ -> ExitCode.OK;
      case Outcome.DebugExit(long value) -> (int) (2 * value + 1) & 255;
      case Outcome.TripleFault(int _, String state) -> {
        complain("guest ended in a triple fault: " + state);
        yield ExitCode.TRIPLE_FAULT;
      }
      case Outcome.InternalFailure(String message, Throwable _) -> {
        Vmctl.complain("machine failed: " + message);
        yield ExitCode.INTERNAL;
      }
    };
  }

  private void complain(String message) {
    if (!options.quiet()) {
      Vmctl.complain(message);
    }
  }
}
