package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.JournalHeaders;
import dev.troupe.actors.journal.JournalScan;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.actors.journal.RecordFilter;
import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.machine.Checkpoints;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BadImageException;
import dev.troupe.runtime.journal.DeviceReplay;
import dev.troupe.runtime.journal.JournalException;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.Outcome;
import dev.troupe.runtime.machine.Position;
import dev.troupe.runtime.snapshot.SnapshotFile;
import dev.troupe.runtime.snapshot.StateException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vmctl replay}: a recorded run once more, compared with its journal. */
@Command(
    name = "replay",
    description = "Runs a recorded machine once more, and compares it with its journal.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Exit codes: 0 identical, 1 the first record that differs was printed, 2 usage, 4 bad journal"
          + " or image,",
      "8 internal error."
    })
final class ReplayCommand implements Callable<Integer> {
  @Spec private CommandSpec command;

  @Parameters(paramLabel = "FILE", description = "The journal.")
  private Path file;

  @Option(
      names = "--to",
      paramLabel = "POSITION",
      converter = Where.Converter.class,
      description = "Go as far as m:N messages, i:N instructions or t:D of virtual time.")
  private Where to;

  @Option(
      names = "--break",
      paramLabel = "CONDITION",
      defaultValue = "",
      description = "Go as far as a record with these fields: 'to=pic kind=LineLevel'.")
  private String condition;

  @Option(names = "--console", description = "Print what the guest's console printed.")
  private boolean console;

  @Option(names = "--realtime", description = "Let idle time take as long as it did.")
  private boolean realtime;

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "What executes the guest; it need not be what recorded it.")
  private RunCommand.EngineName engine;

  @Option(
      names = "--only",
      paramLabel = "DEVICE",
      description = "Run this device alone, and compare what comes out of it.")
  private String only;

  @Override
  public Integer call() {
    try {
      if (only != null) {
        return device();
      }
      JournalScan scan = JournalScan.of(file);
      JournalSelection.complain(file, scan.damage());
      JournalHeaders.otherHost(scan.header()).ifPresent(Vmctl::complain);
      return replay(scan);
    } catch (BadImageException e) {
      throw new UserException(ExitCode.BAD_IMAGE, e.getMessage());
    } catch (IOException e) {
      throw JournalSelection.unreadable(file, e);
    }
  }

  private int replay(JournalScan scan) throws IOException {
    RecordFields fields = new RecordFields(scan.header().getActorsList());
    Replayer.Goal goal = goal(fields);
    Optional<JournalRecord.Checkpoint> start = start(scan);
    MachineParts parts = parts(scan, start);
    try {
      JournalHeaders.check(scan.header(), parts);
    } catch (JournalException e) {
      parts.close();
      throw e;
    }
    try (JournalReader reader = new JournalReader(file)) {
      if (start.isPresent()) {
        JournalScan.skip(reader, start.get());
      }
      Replayer replayer = new Replayer(reader, goal, start.isPresent());
      parts.observe(replayer);
      return report(fields, run(parts, replayer), replayer);
    }
  }

  private int device() throws IOException {
    try (JournalReader reader = new JournalReader(file)) {
      VmSpec spec = checked(reader.header()).getSpec();
      BoardLayout layout = BoardLayout.standard(spec, spec.getDeterministic().getWallClockNanos());
      int index =
          layout
              .find(only)
              .orElseThrow(() -> new JournalException("the board has no device '" + only + "'"));
      DeviceReplay.Result result = DeviceReplay.run(reader, layout, layout.devices().get(index));
      JournalSelection.complain(file, reader.damage());
      if (result.difference().isEmpty()) {
        print(
            "identical: %s, %d messages, %d outputs"
                .formatted(only, result.messages(), result.outputs()));
        return ExitCode.OK;
      }
      DeviceReplay.Difference difference = result.difference().get();
      RecordFields fields = new RecordFields(reader.header().getActorsList());
      print("different after " + line(fields, difference.input()));
      print("recorded: " + difference.recorded());
      print("replayed: " + difference.replayed());
      return ExitCode.DIFFERENT;
    }
  }

  private Replayer.Goal goal(RecordFields fields) {
    if (to == null && condition.isBlank()) {
      return Replayer.Goal.END;
    }
    try {
      Predicate<JournalRecord> record =
          condition.isBlank() ? any -> false : new RecordFilter(fields, condition);
      return new Replayer.Goal(to == null ? any -> false : to, record);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), "--break " + e.getMessage());
    }
  }

  /** The last checkpoint before the goal whose file is what was saved; empty for power-on. */
  private Optional<JournalRecord.Checkpoint> start(JournalScan scan) {
    if (to == null || !condition.isBlank()) {
      return Optional.empty(); // all is to be compared
    }
    for (JournalRecord.Checkpoint checkpoint : scan.checkpoints().reversed()) {
      if (!to.test(checkpoint.place().position()) && whole(checkpoint)) {
        return Optional.of(checkpoint);
      }
    }
    return Optional.empty();
  }

  private boolean whole(JournalRecord.Checkpoint checkpoint) {
    Path snapshot = snapshot(checkpoint);
    try {
      return SnapshotFile.readHeader(snapshot).getStateHash() == checkpoint.hash();
    } catch (IOException | StateException e) {
      Vmctl.complain("checkpoint " + snapshot + " is not used: " + e.getMessage());
      return false;
    }
  }

  private Path snapshot(JournalRecord.Checkpoint checkpoint) {
    return RecordOptions.checkpoints(file).resolve(checkpoint.file());
  }

  /** What a machine can be made of; a journal may come from anybody. */
  private JournalHeader checked(JournalHeader header) throws JournalException {
    if (!header.getSpec().hasDeterministic() || header.getHashEveryNanos() <= 0) {
      throw new JournalException("journal " + file + ": of a run that is not repeatable");
    }
    int cpus = header.getSpec().getCpus();
    if (cpus < 1 || cpus > RunCommand.MAX_CPUS) {
      throw new JournalException(
          "journal %s: %s vCPUs, expected 1 to %d"
              .formatted(file, Integer.toUnsignedString(cpus), RunCommand.MAX_CPUS));
    }
    RunCommand.memoryComplaint(header.getSpec().getMemoryBytes())
        .ifPresent(
            complaint -> {
              throw new UserException(
                  ExitCode.BAD_IMAGE, "journal %s: %s".formatted(file, complaint));
            });
    return header;
  }

  private MachineParts parts(JournalScan scan, Optional<JournalRecord.Checkpoint> start)
      throws IOException {
    JournalHeader header = checked(scan.header());
    VmSpec spec =
        header.getSpec().toBuilder()
            .setEngine(engine.kind())
            .setDeterministic(header.getSpec().getDeterministic().toBuilder().setUnpaced(!realtime))
            .build();
    long every = header.getCheckpointEveryNanos();
    Checkpoints checkpoints =
        new Checkpoints(
            Optional.of(Duration.ofNanos(header.getHashEveryNanos())),
            Optional.empty(),
            start.map(this::snapshot),
            every <= 0
                ? Optional.empty()
                : Optional.of(new Checkpoints.Every(Duration.ofNanos(every), Optional.empty())));
    try {
      return MachineParts.prepare(spec, scan.script(start), checkpoints);
    } catch (IllegalArgumentException e) {
      throw new JournalException("journal " + file + ": " + e.getMessage());
    }
  }

  private MachineActor.Ended run(MachineParts parts, Replayer replayer) {
    OutputStream out =
        console ? new FileOutputStream(FileDescriptor.out) : OutputStream.nullOutputStream();
    StreamConsole end =
        new StreamConsole(InputStream.nullInputStream(), out, StreamConsole.NO_ESCAPE, () -> {});
    CompletableFuture<MachineActor.Ended> ended = new CompletableFuture<>();
    try (MachineHost host = LocalHost.start(parts, end, Doors.OPEN, ended, event -> {})) {
      var _ = replayer.result().thenRun(host::stop);
      return ended.get();
    } catch (ExecutionException e) {
      throw new UserException(ExitCode.INTERNAL, "machine failed to start: " + e.getCause());
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
  }

  private int report(RecordFields fields, MachineActor.Ended ended, Replayer replayer) {
    Replayer.Result result = replayer.result().getNow(null);
    return switch (result) {
      case Replayer.Identical(Position position, long hash) -> {
        print(
            "identical: %d messages, %d instructions, hash %016x"
                .formatted(position.messages(), position.instructions(), hash));
        yield ExitCode.OK;
      }
      case Replayer.Reached(Position position, long hash, JournalRecord last) -> {
        if (last != null) {
          print("found: " + fields.line(last));
        }
        print("identical so far: %s, hash %016x".formatted(position, hash));
        yield ExitCode.OK;
      }
      case Replayer.Diverged diverged -> {
        print("different after " + diverged.place());
        print("recorded: " + line(fields, diverged.expected()));
        print("replayed: " + line(fields, diverged.actual()));
        yield ExitCode.DIFFERENT;
      }
      case Replayer.Unreadable(String reason) ->
          throw new UserException(ExitCode.BAD_IMAGE, reason);
      case null ->
          throw new UserException(
              ExitCode.INTERNAL,
              ended.outcome() instanceof Outcome.InternalFailure failure
                  ? "machine failed: " + failure.message()
                  : "replay ended: " + ended.outcome());
    };
  }

  private static String line(RecordFields fields, JournalRecord record) {
    return record == null ? "nothing" : fields.line(record);
  }

  private static void print(String line) {
    System.out.println(line);
  }
}
