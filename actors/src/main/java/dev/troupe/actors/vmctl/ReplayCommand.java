package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.RecordFields;
import dev.troupe.actors.journal.RecordFilter;
import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.journal.Where;
import dev.troupe.actors.machine.Doors;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.vcpu.Brake;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BadImageException;
import dev.troupe.runtime.engine.EngineWatch;
import dev.troupe.runtime.engine.Engines;
import dev.troupe.runtime.journal.DeviceReplay;
import dev.troupe.runtime.journal.JournalException;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.VcpuReplay;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.Outcome;
import dev.troupe.runtime.machine.Position;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
      converter = WhereConverter.class,
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
      description = {
        "Run this device alone, and compare what comes out of it;",
        "vcpu0 for the vCPU of a machine with one."
      })
  private String only;

  @Mixin private ReplayDebugOptions debug;

  @Mixin private BranchOptions branch;

  @Override
  public Integer call() {
    boolean whole = condition.isBlank() && only == null;
    debug
        .complaint(branch.given(), whole)
        .or(() -> branch.complaint(to, whole))
        .ifPresent(
            complaint -> {
              throw new ParameterException(command.commandLine(), complaint);
            });
    try {
      if (only != null) {
        return alone();
      }
      if (!branch.given() && !debug.given()) {
        return replay();
      }
      RecordedMachine machine = RecordedMachine.open(file);
      return debug.given()
          ? look(machine)
          : new Branch(machine, branch, to, engine.kind(), console).run();
    } catch (BadImageException e) {
      throw new UserException(ExitCode.BAD_IMAGE, e.getMessage());
    } catch (IOException e) {
      throw JournalSelection.unreadable(file, e);
    }
  }

  private int replay() throws IOException {
    try (LocalHost.Early host = new LocalHost.Early()) {
      return replay(RecordedMachine.open(file), host);
    }
  }

  private int replay(RecordedMachine machine, LocalHost.Early host) throws IOException {
    RecordFields fields = new RecordFields(machine.header().getActorsList());
    Replayer.Goal goal = goal(fields);
    // All is to be compared if it is not to go to a position.
    Optional<JournalRecord.Checkpoint> start =
        to == null || !condition.isBlank() ? machine.begin() : machine.before(to);
    MachineParts parts = parts(machine, start);
    try (Replayer replayer = machine.comparison(start, goal)) {
      Brake brake = new Brake();
      if (to != null) {
        brake.at(to::units);
      }
      replayer.whenFound(brake::now);
      replayer.whenOver(brake::now);
      parts.observe(replayer).brake(brake);
      MachineActor.Ended ended = run(host, parts, replayer, brake);
      String failure =
          ended.outcome() instanceof Outcome.InternalFailure broken
              ? "machine failed: " + broken.message()
              : "replay ended: " + ended.outcome();
      return report(fields, failure, replayer.result().getNow(null));
    }
  }

  private MachineParts parts(RecordedMachine machine, Optional<JournalRecord.Checkpoint> start)
      throws IOException {
    VmSpec spec = machine.spec(engine.kind(), !realtime).build();
    return machine.parts(spec, machine.scan().script(start), start, Optional.empty());
  }

  /** Lets somebody move in the run. */
  private int look(RecordedMachine machine) {
    RecordFields fields = new RecordFields(machine.header().getActorsList());
    AtomicInteger code = new AtomicInteger(ExitCode.OK);
    debug.serve(
        new ReplayRuns(
            machine,
            machine.scan().checkpoints().stream().filter(machine::whole).toList(),
            start -> parts(machine, start),
            console,
            result -> code.set(report(fields, "", result))),
        fields,
        to);
    return code.get();
  }

  private int alone() throws IOException {
    try (JournalReader reader = new JournalReader(file)) {
      RecordedMachine.checkedSpec(file, reader.header());
      int code = only.equals("vcpu0") ? vcpu(reader) : device(reader);
      JournalSelection.complain(file, reader.damage());
      return code;
    }
  }

  private int vcpu(JournalReader reader) throws IOException {
    RecordedMachine.checkImages(file, reader.header());
    VcpuReplay.Result result =
        VcpuReplay.run(reader, Engines.of(engine.kind(), new EngineWatch(System::nanoTime, null)));
    if (result.difference().isEmpty()) {
      print(
          "identical: vcpu0, %d messages, %d instructions"
              .formatted(result.messages(), result.instructions()));
      return ExitCode.OK;
    }
    VcpuReplay.Difference difference = result.difference().get();
    return different(
        "i:" + difference.instructions(), difference.recorded(), difference.replayed());
  }

  private int device(JournalReader reader) throws IOException {
    BoardLayout layout = DeviceReplay.board(reader.header());
    int index =
        layout
            .find(only)
            .orElseThrow(() -> new JournalException("the board has no device '" + only + "'"));
    DeviceReplay.Result result = DeviceReplay.run(reader, layout, layout.devices().get(index));
    if (result.difference().isEmpty()) {
      print(
          "identical: %s, %d messages, %d outputs"
              .formatted(only, result.messages(), result.outputs()));
      return ExitCode.OK;
    }
    DeviceReplay.Difference difference = result.difference().get();
    RecordFields fields = new RecordFields(reader.header().getActorsList());
    return different(
        line(fields, difference.input()), difference.recorded(), difference.replayed());
  }

  private static int different(String after, String recorded, String replayed) {
    print("different after " + after);
    print("recorded: " + recorded);
    print("replayed: " + replayed);
    return ExitCode.DIFFERENT;
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

  private MachineActor.Ended run(
      LocalHost.Early early, MachineParts parts, Replayer replayer, Brake brake) {
    OutputStream out =
        console ? new FileOutputStream(FileDescriptor.out) : OutputStream.nullOutputStream();
    StreamConsole end =
        new StreamConsole(InputStream.nullInputStream(), out, StreamConsole.NO_ESCAPE, () -> {});
    CompletableFuture<MachineActor.Ended> ended = new CompletableFuture<>();
    Consumer<MachineActor.Event> notes =
        event -> {
          if (event instanceof MachineActor.Braked) {
            replayer.stands(brake.position().orElseThrow(), brake.hash());
          }
        };
    try (MachineHost host = early.start(parts, end, Doors.OPEN, ended, notes)) {
      var _ = replayer.result().thenRun(host::stop);
      return ended.get();
    } catch (ExecutionException e) {
      throw new UserException(ExitCode.INTERNAL, "machine failed to start: " + e.getCause());
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Prints how it ended; {@code failure} is why there is no result, if there is none. */
  private int report(RecordFields fields, String failure, Replayer.Result result) {
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
      case Replayer.Diverged diverged ->
          different(
              diverged.place().toString(),
              line(fields, diverged.expected()),
              line(fields, diverged.actual()));
      case Replayer.Unreadable(String reason) ->
          throw new UserException(ExitCode.BAD_IMAGE, reason);
      case null -> throw new UserException(ExitCode.INTERNAL, failure);
    };
  }

  private static String line(RecordFields fields, JournalRecord record) {
    return record == null ? "nothing" : fields.line(record);
  }

  private static void print(String line) {
    System.out.println(line);
  }
}
