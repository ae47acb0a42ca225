package dev.troupe.runtime.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.machine.BoardLayout;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a device alone makes of a journal that no machine has written. */
class DeviceReplayTest {
  @TempDir private Path folder;

  @Test
  void aMessageToWhatIsNoDeviceIsADifference() throws Exception {
    VmSpec spec = VmSpec.newBuilder().setCpus(2).setMemoryBytes(4 << 20).build();
    BoardLayout layout = BoardLayout.standard(spec, 0);
    List<String> actors =
        JournalActors.names(2, layout.devices().stream().map(Device::name).toList());
    Path file = folder.resolve("journal");
    FrameBuilder builder = new FrameBuilder();
    builder.add(
        new JournalRecord.Message(
            1,
            actors.indexOf("uart0"),
            JournalActors.FIRST_VCPU,
            0,
            new BoardMessage.LineLevel(4, true)));
    JournalHeader header = JournalHeader.newBuilder().addAllActors(actors).build();
    try (JournalWriter writer = new JournalWriter(file, header)) {
      writer.write(builder.take());
      writer.finish();
    }
    Device uart = layout.devices().get(layout.find("uart0").orElseThrow());
    try (JournalReader reader = new JournalReader(file)) {
      assertThat(DeviceReplay.run(reader, layout, uart).difference())
          .hasValueSatisfying(
              difference -> {
                assertThat(difference.recorded()).contains("vcpu0");
                assertThat(difference.replayed()).isEqualTo("nothing");
              });
    }
  }
}
