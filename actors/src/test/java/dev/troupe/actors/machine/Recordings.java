package dev.troupe.actors.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.journal.JournalHeaders;
import dev.troupe.actors.journal.JournalScan;
import dev.troupe.actors.journal.Recorder;
import dev.troupe.actors.journal.Replayer;
import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.spec.Deterministic;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.journal.DeviceReplay;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.JournalWriter;
import dev.troupe.runtime.machine.BoardLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Machines in a local actor system that are recorded and had again. */
final class Recordings implements AutoCloseable {
  /** Virtual time between two hashes. */
  static final Duration INTERVAL = Duration.ofMillis(1);

  private static final Checkpoints.Interval CHECKPOINTS =
      Checkpoints.Interval.of(Duration.ofMillis(4));

  final TestHost.Local host = new TestHost.Local();
  private final Supplier<Path> folder;

  Recordings(Supplier<Path> folder) {
    this.folder = folder;
  }

  @Override
  public void close() {
    host.close();
  }

  Path checkpoints() throws IOException {
    return Files.createDirectories(folder.get().resolve("checkpoints"));
  }

  /** A machine that is being recorded. */
  record Recording(TestHost.Handle machine, TestConsole console, Recorder recorder) {
    MachineActor.Ended end() throws Exception {
      MachineActor.Ended ended = machine.ended();
      recorder.close();
      return ended;
    }
  }

  Recording record(VmSpec spec, List<ScriptedInput> script, boolean messages, Path journal)
      throws Exception {
    return record(spec, script, messages, journal, CHECKPOINTS);
  }

  Recording record(
      VmSpec spec,
      List<ScriptedInput> script,
      boolean messages,
      Path journal,
      Checkpoints.Interval interval)
      throws Exception {
    var every = new Checkpoints.Every(interval, Optional.of(checkpoints()));
    MachineParts parts = MachineParts.prepare(spec, script, looks(every, Optional.empty()));
    JournalHeader header = JournalHeaders.of(parts, messages, INTERVAL, every.interval());
    Recorder recorder =
        new Recorder(
            messages,
            new JournalWriter(journal, header),
            complaint -> {
              throw new AssertionError(complaint);
            });
    TestConsole console = new TestConsole();
    var machine = host.start(parts.observe(recorder), console, Doors.OPEN, event -> {});
    return new Recording(machine, console, recorder);
  }

  private static Checkpoints looks(Checkpoints.Every every, Optional<Path> restore) {
    return new Checkpoints(Optional.of(INTERVAL), Optional.empty(), restore, Optional.of(every));
  }

  Replayer.Result replay(Path journal) throws Exception {
    return replay(journal, Replayer.Goal.END, Optional.empty(), EngineKind.ENGINE_KIND_AUTO);
  }

  Replayer.Result replay(
      Path journal, Replayer.Goal goal, Optional<JournalRecord.Checkpoint> start, EngineKind engine)
      throws Exception {
    JournalScan scan = JournalScan.of(journal);
    VmSpec.Builder spec = scan.header().getSpec().toBuilder().setEngine(engine);
    spec.getDeterministicBuilder().setUnpaced(true);
    var every = new Checkpoints.Every(JournalHeaders.checkpoints(scan.header()), Optional.empty());
    Path folderOfCheckpoints = checkpoints();
    MachineParts parts =
        MachineParts.prepare(
            spec.build(),
            scan.script(start),
            looks(every, start.map(c -> folderOfCheckpoints.resolve(c.file()))));
    JournalHeaders.check(scan.header(), parts);
    try (JournalReader reader = new JournalReader(journal)) {
      if (start.isPresent()) {
        JournalScan.skip(reader, start.get());
      }
      Replayer replayer = new Replayer(reader, goal, start.isPresent());
      var machine = host.start(parts.observe(replayer), new TestConsole(), Doors.OPEN, event -> {});
      var _ = replayer.result().thenRun(machine::stop);
      machine.ended();
      return replayer.result().getNow(null);
    }
  }

  /** A repeatable machine with this guest, and these fault rules. */
  VmSpec spec(String guest, int cpus, boolean paced, String... rules) {
    return TinyGuest.spec(guest, folder.get())
        .setCpus(cpus)
        .setDeterministic(
            Deterministic.newBuilder().setSeed(7).setUnpaced(!paced).addAllFaults(List.of(rules)))
        .build();
  }

  /** A replay has come to the recorded run's end, and to its state. */
  static void assertIdentical(Replayer.Result result, MachineActor.Ended recorded) {
    var end = recorded.statistics().stateHash().orElseThrow();
    assertThat(result).isEqualTo(new Replayer.Identical(end.position(), end.hash()));
  }

  /** One device of a journal alone, with something done to it. */
  static DeviceReplay.Result alone(Path journal, String name, UnaryOperator<Device> change)
      throws IOException {
    try (JournalReader reader = new JournalReader(journal)) {
      BoardLayout layout = DeviceReplay.board(reader.header());
      Device device = layout.devices().get(layout.find(name).orElseThrow());
      return DeviceReplay.run(reader, layout, change.apply(device));
    }
  }

  /** Each device of a journal alone does what it did among its peers. */
  static void assertEachDeviceDoesTheSameAlone(Path journal) throws IOException {
    BoardLayout layout;
    try (JournalReader reader = new JournalReader(journal)) {
      layout = DeviceReplay.board(reader.header());
    }
    for (Device device : layout.devices()) {
      DeviceReplay.Result result = alone(journal, device.name(), UnaryOperator.identity());
      assertThat(result.difference()).as(device.name()).isEmpty();
      assertThat(result.messages()).isPositive();
    }
  }

  static List<JournalRecord> read(Path journal) throws IOException {
    List<JournalRecord> records = new ArrayList<>();
    try (JournalReader reader = new JournalReader(journal)) {
      for (JournalRecord r = reader.next(); r != null; r = reader.next()) {
        records.add(r);
      }
      assertThat(reader.damage()).isEmpty();
    }
    return records;
  }
}
