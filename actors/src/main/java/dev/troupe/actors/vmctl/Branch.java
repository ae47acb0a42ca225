package dev.troupe.actors.vmctl;

import dev.troupe.actors.cli.Terminal;
import dev.troupe.actors.journal.BranchObserver;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.actors.journal.Recorder;
import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.journal.Where;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.machine.Outcome;
import dev.troupe.runtime.machine.Position;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;

/**
 * A replay that becomes a run of its own: a message is changed, rules are added, somebody types.
 */
final class Branch implements BranchObserver.Watcher {
  private final RecordedMachine machine;
  private final BranchOptions options;
  private final Where from;
  private final EngineKind engine;
  private final boolean replayShown;
  private final RecordFields fields;

  /** Virtual time at which a run that nobody watches has come far enough: the recorded one's. */
  private final long limit;

  private final CountDownLatch branched = new CountDownLatch(1);

  private volatile boolean own;

  // The machine's thread writes these; read when it has ended.
  private Position at;
  private JournalRecord.Injected first;
  private long injections;

  Branch(
      RecordedMachine machine,
      BranchOptions options,
      Where from,
      EngineKind engine,
      boolean replayShown) {
    this.machine = machine;
    this.options = options;
    this.from = from;
    this.engine = engine;
    this.replayShown = replayShown;
    fields = new RecordFields(machine.header().getActorsList());
    limit = machine.scan().last().position().nanos();
  }

  /** Runs it to its end; gives the process's exit code. */
  int run() throws IOException {
    List<String> rules = options.rules(from, machine.header().getActorsList());
    VmSpec.Builder spec = machine.spec(engine, true);
    spec.getDeterministicBuilder().addAllFaults(rules);
    Optional<JournalRecord.Checkpoint> start = machine.before(from);
    List<ScriptedInput> inputs = machine.scan().script(start, from, !options.live());
    Optional<Path> copy = options.record();
    Optional<Path> folder =
        copy.isPresent() ? BranchRecording.folder(machine, copy.get()) : Optional.empty();
    MachineParts parts = machine.parts(spec.build(), inputs, start, folder);
    if (options.live()) {
      parts.pace(from);
    }
    Optional<Recorder> recorder =
        copy.isPresent()
            ? Optional.of(BranchRecording.begin(machine, copy.get(), parts, from, start))
            : Optional.empty();
    int old = machine.header().getSpec().getDeterministic().getFaultsCount();
    try (Replayer replayer = machine.comparison(start, Replayer.Goal.END)) {
      var observer = new BranchObserver(replayer, old, from, start.isPresent(), recorder, this);
      MachineActor.Ended ended = run(parts.observe(observer), observer);
      return report(observer.over().getNow(null), ended);
    } finally {
      if (recorder.isPresent()) {
        recorder.get().close();
      }
    }
  }

  @Override
  public void branched(Position where) {
    at = where;
    own = true;
    branched.countDown();
  }

  @Override
  public void injected(JournalRecord.Injected what) {
    if (first == null) {
      first = what;
    }
    injections++;
  }

  @Override
  public boolean enough(Position now) {
    // A message that could not be changed is a mistake of the user's, not a run to look at.
    return (!options.live() && now.nanos() > limit) || (options.edits() && first == null);
  }

  private MachineActor.Ended run(MachineParts parts, BranchObserver observer) {
    boolean live = options.live();
    boolean interactive = live && Terminal.isTerminal();
    CompletableFuture<MachineActor.Ended> ended = new CompletableFuture<>();
    CompletableFuture<Void> left = new CompletableFuture<>();
    try (Terminal raw = interactive ? Terminal.raw() : null) {
      if (raw != null) {
        System.err.print("vmctl: replaying to " + from + ", then live; Ctrl-] leaves\r\n");
      }
      StreamConsole console =
          new StreamConsole(
              live
                  ? new Later(new FileInputStream(FileDescriptor.in))
                  : InputStream.nullInputStream(),
              new Shown(new FileOutputStream(FileDescriptor.out)),
              interactive ? StreamConsole.ESCAPE : StreamConsole.NO_ESCAPE,
              () -> left.complete(null));
      try (MachineHost host = LocalHost.start(parts, console, Doors.OPEN, ended, event -> {})) {
        var _ = left.thenRun(host::stop);
        var _ = observer.over().thenRun(host::stop);
        return ended.get();
      }
    } catch (IOException e) {
      throw new UserException(ExitCode.INTERNAL, e.getMessage());
    } catch (ExecutionException e) {
      throw new UserException(ExitCode.INTERNAL, "machine failed to start: " + e.getCause());
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** What is typed is for the new run: it waits for the branch. */
  private final class Later extends InputStream {
    private final InputStream in;

    Later(InputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      try {
        branched.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      return in.read(buffer, offset, length);
    }
  }

  /** The new run's output, and the replay's if it is wanted. */
  private final class Shown extends OutputStream {
    private final OutputStream out;

    Shown(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int letter) throws IOException {
      write(new byte[] {(byte) letter}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (replayShown || (own && options.live())) {
        out.write(bytes, offset, length);
      }
    }

    @Override
    public void flush() throws IOException {
      out.flush();
    }
  }

  private int report(BranchObserver.Over over, MachineActor.Ended ended) {
    if (over instanceof BranchObserver.Different(Replayer.Result how)) {
      System.out.println(
          how instanceof Replayer.Diverged diverged
              ? "different before the branch, after " + diverged.place()
              : "the journal ends before a quiet point at " + from);
      return ExitCode.DIFFERENT;
    }
    if (options.edits() && first == null) {
      throw new UserException(
          ExitCode.USAGE, "--edit: %s has no such field, or is no message".formatted(from));
    }
    if (ended.outcome() instanceof Outcome.InternalFailure failure) {
      throw new UserException(ExitCode.INTERNAL, "machine failed: " + failure.message());
    }
    if (first != null) {
      System.out.println("injected: " + fields.line(first));
      if (injections > 1) {
        System.out.printf("injected: %d more%n", injections - 1);
      }
    } else {
      System.out.println("branched: " + at);
    }
    ended
        .statistics()
        .stateHash()
        .ifPresent(
            end ->
                System.out.printf(
                    "ended: %s, %s, hash %016x%n",
                    over instanceof BranchObserver.Enough
                        ? "goes on at the recorded run's end"
                        : ended.outcome().text(),
                    end.position(),
                    end.hash()));
    return ExitCode.OK;
  }
}
