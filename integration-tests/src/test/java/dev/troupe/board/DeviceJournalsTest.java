package dev.troupe.board;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.PowerEvent;
import dev.troupe.runtime.journal.DeviceReplay;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.snapshot.StateVisitor;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Our devices against what they did in recorded boots; see the README beside the journals. */
class DeviceJournalsTest {
  /** Devices that a Linux has no reason to talk to: their reset is their one message. */
  private static final Set<String> ONLY_RESET = Set.of("ferr", "debugexit", "port92");

  private static Path journal(String name) throws URISyntaxException {
    return Path.of(DeviceJournalsTest.class.getResource("/journals/" + name + ".journal").toURI());
  }

  /** What a device is put in the place of. */
  @FunctionalInterface
  private interface Change {
    Device of(Device device);
  }

  private static DeviceReplay.Result alone(String journal, String name, Change change)
      throws IOException, URISyntaxException {
    try (JournalReader reader = new JournalReader(journal(journal))) {
      BoardLayout layout = DeviceReplay.board(reader.header());
      Device device = layout.devices().get(layout.find(name).orElseThrow());
      return DeviceReplay.run(reader, layout, change.of(device));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"debian", "debian-2", "debian-generic", "debian-pic"})
  void everyDeviceAloneDoesWhatItDidInARecordedBoot(String journal) throws Exception {
    Set<String> devices = new TreeSet<>();
    try (JournalReader reader = new JournalReader(journal(journal))) {
      DeviceReplay.board(reader.header()).devices().forEach(device -> devices.add(device.name()));
    }
    assertThat(devices).contains("uart0", "pic", "ioapic", "pit", "rtc", "i8042", "acpipm", "pci");
    for (String name : devices) {
      DeviceReplay.Result result = alone(journal, name, device -> device);
      assertThat(result.difference()).as("%s in %s", name, journal).isEmpty();
      assertThat(result.messages())
          .as("messages of %s in %s", name, journal)
          .isGreaterThan(ONLY_RESET.contains(name) ? 0 : 1);
    }
  }

  /** What comes out gets nowhere. */
  private static final Effects NOTHING =
      new Effects() {
        @Override
        public void line(int output, boolean high) {}

        @Override
        public void timer(int timer, long deadline) {}

        @Override
        public void interrupt(InterruptMessage message) {}

        @Override
        public void output(byte[] bytes) {}

        @Override
        public void room(int bytes) {}

        @Override
        public void power(PowerEvent event) {}
      };

  /** A device that does something else when it handles the first message after so many. */
  private record Planted(Device device, Predicate<BoardMessage> when, int[] before, boolean silent)
      implements Device {
    @Override
    public String name() {
      return device.name();
    }

    @Override
    public long handle(BoardMessage message, long now, Effects effects) {
      boolean planted = when.test(message) && before[0]-- == 0;
      long value = device.handle(message, now, planted && silent ? NOTHING : effects);
      return planted && !silent ? value ^ 1 : value;
    }

    @Override
    public void state(StateVisitor visitor) {
      device.state(visitor);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "debian, uart0, 1000",
    "debian, rtc, 20",
    "debian, acpipm, 3",
    "debian, pci, 10",
    "debian, i8042, 3",
    "debian-2, ioapic, 8",
    "debian-pic, pic, 2"
  })
  void aWrongBitInOneAnswerIsFoundAtThatMessage(String journal, String device, int right)
      throws Exception {
    DeviceReplay.Result result =
        alone(
            journal,
            device,
            whole ->
                new Planted(
                    whole, BoardMessage.IoRead.class::isInstance, new int[] {right}, false));
    assertThat(result.difference())
        .hasValueSatisfying(
            difference -> {
              assertThat(difference.input().message()).isInstanceOf(BoardMessage.IoRead.class);
              assertThat(difference.recorded()).startsWith("answer ");
            });
  }

  @Test
  void aLineThatIsNotRaisedOnceIsFound() throws Exception {
    DeviceReplay.Result result =
        alone(
            "debian-pic",
            "pit",
            whole ->
                new Planted(whole, BoardMessage.TimerFired.class::isInstance, new int[] {1}, true));
    assertThat(result.difference()).isPresent();
  }
}
