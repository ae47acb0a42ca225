package dev.troupe.actors.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.journal.JournalHeaders;
import dev.troupe.actors.journal.JournalScan;
import dev.troupe.actors.journal.Recorder;
import dev.troupe.actors.journal.Replayer;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.journal.FrameBuilder;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.JournalWriter;
import dev.troupe.runtime.snapshot.StateVisitor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A recorded run can be had again, and whatever differs from its record is found. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RecordReplayTest {
  @TempDir private Path folder;
  private Recordings runs;

  @BeforeAll
  void startHost() {
    runs = new Recordings(() -> folder);
  }

  @AfterAll
  void stopHost() {
    runs.close();
  }

  /** The journal with its records changed. */
  private Path edit(Path journal, UnaryOperator<JournalRecord> change) throws IOException {
    Path edited = folder.resolve("edited");
    JournalHeader header;
    try (JournalReader reader = new JournalReader(journal)) {
      header = reader.header();
    }
    FrameBuilder builder = new FrameBuilder();
    Recordings.read(journal).forEach(record -> builder.add(change.apply(record)));
    try (JournalWriter writer = new JournalWriter(edited, header)) {
      writer.write(builder.take());
      writer.finish();
    }
    return edited;
  }

  @ParameterizedTest
  @CsvSource({"1, false", "2, false", "4, false", "1, true", "2, true", "4, true"})
  void aScriptedRunIsHadAgainOnBothEngines(int cpus, boolean messages) throws Exception {
    Path journal = folder.resolve("race-" + cpus + messages);
    MachineActor.Ended recorded =
        runs.record(runs.spec("race", cpus, false), TinyGuest.SCRIPT, messages, journal).end();

    for (EngineKind engine :
        List.of(EngineKind.ENGINE_KIND_INTERPRETER, EngineKind.ENGINE_KIND_AUTO)) {
      Recordings.assertIdentical(
          runs.replay(journal, Replayer.Goal.END, Optional.empty(), engine), recorded);
    }
    assertThat(JournalScan.of(journal).inputs()).hasSize(TinyGuest.SCRIPT.size());
  }

  /** What is typed gets in wherever the machine happens to be; idle waits are cut short by it. */
  @ParameterizedTest
  @CsvSource({"race, 2", "race, 4", "echo, 1"})
  void whatIsTypedWhileTheMachineRunsEntersInTheSamePlaceAgain(String guest, int cpus)
      throws Exception {
    Path journal = folder.resolve("typed-" + guest + cpus);
    Recordings.Recording recording =
        runs.record(runs.spec(guest, cpus, true), List.of(), true, journal);
    for (byte letter : "abcdefxyz".getBytes(StandardCharsets.US_ASCII)) {
      Thread.sleep(3);
      recording.console().type(new byte[] {letter});
    }
    recording.console().type(new byte[] {guest.equals("race") ? (byte) '.' : 4});
    MachineActor.Ended recorded = recording.end();

    assertThat(JournalScan.of(journal).inputs()).hasSizeGreaterThan(5);
    for (int i = 0; i < 3; i++) {
      Recordings.assertIdentical(runs.replay(journal), recorded);
    }
  }

  @Test
  void aChangedMessageIsNamed() throws Exception {
    Path journal = folder.resolve("race");
    runs.record(runs.spec("race", 2, false), TinyGuest.SCRIPT, true, journal).end();
    JournalRecord.Message wanted =
        Recordings.read(journal).stream()
            .filter(JournalRecord.Message.class::isInstance)
            .map(JournalRecord.Message.class::cast)
            .filter(m -> m.number() > 40 && m.message() instanceof BoardMessage.IoWrite)
            .findFirst()
            .orElseThrow();
    var old = (BoardMessage.IoWrite) wanted.message();
    var changed =
        new JournalRecord.Message(
            wanted.number(),
            wanted.from(),
            wanted.to(),
            wanted.time(),
            new BoardMessage.IoWrite(old.space(), old.address(), old.size(), old.value() ^ 1));
    Path edited = edit(journal, record -> record.equals(wanted) ? changed : record);

    assertThat(runs.replay(edited))
        .isInstanceOfSatisfying(
            Replayer.Diverged.class,
            diverged -> {
              assertThat(diverged.expected()).isEqualTo(changed);
              assertThat(diverged.actual()).isEqualTo(wanted);
            });
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void aChangedInputIsNoticedAtTheLatestByTheNextHash(boolean messages) throws Exception {
    Path journal = folder.resolve("race-input-" + messages);
    runs.record(runs.spec("race", 2, false), TinyGuest.SCRIPT, messages, journal).end();
    Path edited =
        edit(
            journal,
            record ->
                record instanceof JournalRecord.Typed typed && typed.bytes()[0] == 'b'
                    ? new JournalRecord.Typed(
                        typed.place(), typed.scripted(), new byte[] {'b', 'C', 'd'})
                    : record);

    assertThat(runs.replay(edited)).isInstanceOf(Replayer.Diverged.class);
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void aJournalThatWasCutIsReplayedAsFarAsItGoes(boolean messages) throws Exception {
    Path journal = folder.resolve("race-whole-" + messages);
    runs.record(runs.spec("race", 2, false), TinyGuest.SCRIPT, messages, journal).end();
    byte[] whole = Files.readAllBytes(journal);
    for (int part = 4; part < 8; part++) {
      Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(whole, whole.length * part / 8));

      assertThat(JournalScan.of(cut).damage()).isPresent();
      assertThat(runs.replay(cut)).isInstanceOf(Replayer.Identical.class);
    }
  }

  @Test
  void aRunThatWasStoppedIsReplayedToWhereItStood() throws Exception {
    for (boolean messages : new boolean[] {true, false}) {
      Path journal = folder.resolve("stopped-" + messages);
      Recordings.Recording recording =
          runs.record(runs.spec("race", 2, true), List.of(), messages, journal);
      recording.console().type(new byte[] {'q'});
      Thread.sleep(50);
      recording.machine().stop();
      recording.end();

      Replayer.Result first = runs.replay(journal);
      assertThat(first).isInstanceOf(Replayer.Identical.class);
      assertThat(runs.replay(journal)).isEqualTo(first);
    }
  }

  @Test
  void aReplayMayBeginWithACheckpointAndEndAnywhere() throws Exception {
    Path journal = folder.resolve("race-checkpoints");
    MachineActor.Ended recorded =
        runs.record(runs.spec("race", 2, false), TinyGuest.SCRIPT, true, journal).end();
    List<JournalRecord.Checkpoint> checkpoints = JournalScan.of(journal).checkpoints();
    assertThat(checkpoints).isNotEmpty();
    EngineKind engine = EngineKind.ENGINE_KIND_AUTO;
    for (JournalRecord.Checkpoint checkpoint : checkpoints) {
      Recordings.assertIdentical(
          runs.replay(journal, Replayer.Goal.END, Optional.of(checkpoint), engine), recorded);
    }
    long middle = checkpoints.getFirst().place().position().messages() + 5;
    var goal = new Replayer.Goal(position -> position.messages() >= middle, record -> false);
    Replayer.Result from = runs.replay(journal, goal, Optional.of(checkpoints.getFirst()), engine);
    assertThat(from).isInstanceOf(Replayer.Reached.class);
    assertThat(runs.replay(journal, goal, Optional.empty(), engine)).isEqualTo(from);
  }

  @Test
  void aFolderOfCheckpointsIsThinnedOutAndWhatIsLeftCanBeBegunWith() throws Exception {
    Path journal = folder.resolve("race-thinned");
    try (Stream<Path> old = Files.list(runs.checkpoints())) {
      for (Path file : old.toList()) {
        Files.delete(file);
      }
    }
    MachineActor.Ended recorded =
        runs.record(
                runs.spec("race", 2, false),
                TinyGuest.SCRIPT,
                false,
                journal,
                new Checkpoints.Interval(1000, 0))
            .end();
    List<JournalRecord.Checkpoint> all =
        Recordings.read(journal).stream()
            .filter(JournalRecord.Checkpoint.class::isInstance)
            .map(JournalRecord.Checkpoint.class::cast)
            .toList();
    List<JournalRecord.Checkpoint> left =
        JournalScan.of(journal).checkpoints().stream()
            .filter(checkpoint -> Files.exists(folder.resolve("checkpoints/" + checkpoint.file())))
            .toList();
    assertThat(all).hasSizeGreaterThan(150);
    assertThat(left).hasSizeBetween(64, 128);
    for (int i = 0; i < left.size(); i += 9) {
      Recordings.assertIdentical(
          runs.replay(
              journal,
              Replayer.Goal.END,
              Optional.of(left.get(i)),
              EngineKind.ENGINE_KIND_INTERPRETER),
          recorded);
    }
  }

  /** A device with a fault in what it answers, of which it has given that many right ones. */
  private record Faulty(Device device, AtomicInteger right) implements Device {
    @Override
    public String name() {
      return device.name();
    }

    @Override
    public long handle(BoardMessage message, long now, Effects effects) {
      long value = device.handle(message, now, effects);
      boolean wrong = message instanceof BoardMessage.IoRead && right.getAndDecrement() == 0;
      return wrong ? value ^ 1 : value;
    }

    @Override
    public void state(StateVisitor visitor) {
      device.state(visitor);
    }
  }

  @ParameterizedTest
  @CsvSource({"race, 2", "timer, 1"})
  void aDeviceAloneGivesWhatItGaveAmongItsPeersAndAPlantedFaultIsFound(String guest, int cpus)
      throws Exception {
    Path journal = folder.resolve("devices-" + guest);
    runs.record(runs.spec(guest, cpus, false), TinyGuest.SCRIPT, true, journal).end();
    Recordings.assertEachDeviceDoesTheSameAlone(journal);
    if (guest.equals("race")) {
      assertThat(Recordings.alone(journal, "uart0", device -> device).outputs()).isPositive();
      assertThat(
              Recordings.alone(journal, "uart0", device -> new Faulty(device, new AtomicInteger(5)))
                  .difference())
          .hasValueSatisfying(
              difference ->
                  assertThat(difference.input().message()).isInstanceOf(BoardMessage.IoRead.class));
    }
  }

  @ParameterizedTest
  @CsvSource({"race, 2", "race, 4", "timer, 1"})
  void aParallelRunIsRecordedInTheBoardsOrderAndEachDeviceDoesTheSameAlone(String guest, int cpus)
      throws Exception {
    Path journal = folder.resolve("parallel-" + guest + cpus);
    VmSpec spec = TinyGuest.spec(guest, folder).setCpus(cpus).build();
    MachineParts parts = MachineParts.prepare(spec);
    JournalHeader header =
        JournalHeaders.of(parts, true, Duration.ZERO, new Checkpoints.Interval(0, 0));
    Recorder recorder = new Recorder(true, new JournalWriter(journal, header), line -> {});
    TestConsole console = new TestConsole();
    var machine = runs.host.start(parts.observe(recorder), console, Doors.OPEN, event -> {});
    String typed = guest.equals("race") ? "abcdefxyz." : "";
    for (byte letter : typed.getBytes(StandardCharsets.US_ASCII)) {
      Thread.sleep(2);
      console.type(new byte[] {letter});
    }
    machine.ended();
    recorder.close();

    long[] number = {0};
    assertThat(Recordings.read(journal))
        .filteredOn(JournalRecord.Message.class::isInstance)
        .hasSizeGreaterThan(20)
        .allSatisfy(
            record -> assertThat(((JournalRecord.Message) record).number()).isEqualTo(++number[0]));
    Recordings.assertEachDeviceDoesTheSameAlone(journal);
  }

  /** A disk with room for the header and little more. */
  private static final class SmallDisk implements WritableByteChannel {
    private int writes = 4;

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      if (writes-- == 0) {
        throw new IOException("No space left on device");
      }
      int count = bytes.remaining();
      bytes.position(bytes.limit());
      return count;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  @Test
  void aFullDiskEndsTheRecordingWithOneLineAndNotTheGuest() throws Exception {
    MachineParts parts =
        MachineParts.prepare(runs.spec("race", 2, false), TinyGuest.SCRIPT, Checkpoints.NONE);
    List<String> complaints = new ArrayList<>();
    JournalHeader header =
        JournalHeaders.of(parts, true, Recordings.INTERVAL, new Checkpoints.Interval(0, 0));
    Recorder recorder =
        new Recorder(true, new JournalWriter(new SmallDisk(), header), complaints::add);
    MachineActor.Ended end =
        runs.host
            .start(parts.observe(recorder), new TestConsole(), Doors.OPEN, event -> {})
            .ended();
    recorder.close();

    assertThat(end.statistics().stateHash()).isPresent();
    assertThat(complaints)
        .containsExactly("recording ended: No space left on device; the guest goes on");
  }
}
