package dev.troupe.actors.vmctl;

import dev.troupe.actors.debug.BrakedMachine;
import dev.troupe.actors.debug.Replays;
import dev.troupe.actors.debug.RunLog;
import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.vcpu.Brake;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.machine.Outcome;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/** The runs of one journal for {@code vmctl replay}, one after another in this process. */
final class ReplayRuns implements Replays {
  /** Makes a machine that begins with a checkpoint, or with power-on. */
  @FunctionalInterface
  interface Maker {
    /** The machine, checked against the journal. */
    MachineParts parts(Optional<JournalRecord.Checkpoint> from) throws IOException;
  }

  private final RecordedMachine machine;
  private final List<JournalRecord.Checkpoint> checkpoints;
  private final Maker maker;
  private final Consumer<Replayer.Result> reports;

  /** The console's output is printed while the run has not been begun anew. */
  private boolean prints;

  /**
   * The runs of a journal.
   *
   * @param checkpoints those that can be begun with
   * @param prints whether the first run's console is printed
   * @param reports told what the comparison says
   */
  ReplayRuns(
      RecordedMachine machine,
      List<JournalRecord.Checkpoint> checkpoints,
      Maker maker,
      boolean prints,
      Consumer<Replayer.Result> reports) {
    this.machine = machine;
    this.checkpoints = List.copyOf(checkpoints);
    this.maker = maker;
    this.prints = prints;
    this.reports = reports;
  }

  @Override
  public int vcpus() {
    return machine.header().getSpec().getCpus();
  }

  @Override
  public List<JournalRecord.Checkpoint> checkpoints() {
    return checkpoints;
  }

  @Override
  public void report(Replayer.Result result) {
    reports.accept(result);
  }

  @Override
  public Running start(Optional<JournalRecord.Checkpoint> from, Brake brake) {
    try {
      Optional<JournalRecord.Checkpoint> start = from.or(machine::begin);
      MachineParts parts = maker.parts(start);
      Replayer replayer = machine.comparison(start, Replayer.Goal.END);
      RunLog log = new RunLog(replayer);
      parts.observe(log).brake(brake);
      Tail tail = new Tail();
      OutputStream out = prints ? new FileOutputStream(FileDescriptor.out) : tail;
      prints = false;
      StreamConsole console =
          new StreamConsole(InputStream.nullInputStream(), out, StreamConsole.NO_ESCAPE, () -> {});
      return new One(parts, replayer, log, tail, console, brake);
    } catch (IOException e) {
      throw JournalSelection.unreadable(machine.file(), e);
    }
  }

  /** The end of what is written. */
  private static final class Tail extends OutputStream {
    private static final int MOST = 64 * 1024;

    private final StringBuilder text = new StringBuilder();

    @Override
    public synchronized void write(int b) {
      text.append((char) (b & 0xFF));
      if (text.length() > 2 * MOST) {
        text.delete(0, MOST);
      }
    }

    synchronized String text() {
      return text.toString();
    }
  }

  private static final class One implements Running {
    private final Replayer replayer;
    private final RunLog log;
    private final Tail tail;
    private final BrakedMachine machine;
    private final CompletableFuture<MachineActor.Ended> ended = new CompletableFuture<>();
    private final LocalHost host;

    One(
        MachineParts parts,
        Replayer replayer,
        RunLog log,
        Tail tail,
        StreamConsole console,
        Brake brake) {
      this.replayer = replayer;
      this.log = log;
      this.tail = tail;
      machine = new BrakedMachine(brake);
      var _ =
          ended.whenComplete(
              (end, failure) -> {
                if (end != null && end.outcome() instanceof Outcome.InternalFailure broken) {
                  Vmctl.complain("machine failed: " + broken.message());
                }
                machine.ended();
              });
      host = LocalHost.start(parts, console, Doors.OPEN, ended, machine::event, false);
      machine.controls(host);
      var _ = replayer.result().thenRun(host::stop);
    }

    @Override
    public BrakedMachine machine() {
      return machine;
    }

    @Override
    public RunLog log() {
      return log;
    }

    @Override
    public String console() {
      return tail.text();
    }

    @Override
    public CompletableFuture<Replayer.Result> result() {
      return replayer.result();
    }

    @Override
    public void close() {
      host.stop();
      try {
        ended.get();
        host.close();
        replayer.close();
      } catch (ExecutionException | IOException e) {
        throw new UserException(ExitCode.INTERNAL, "replay: " + e.getMessage());
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted", e);
      }
    }
  }
}
