package dev.troupe.actors.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.junit.jupiter.api.Test;

class InitrdTest {
  private static List<String> list(byte[] initrd) throws IOException {
    List<String> list = new ArrayList<>();
    try (CpioArchiveInputStream in =
        new CpioArchiveInputStream(new GZIPInputStream(new ByteArrayInputStream(initrd)))) {
      for (CpioArchiveEntry e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
        String content = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        list.add(
            "%o %s %d:%d %s"
                .formatted(e.getMode(), e.getName(), e.getUID(), e.getGID(), content)
                .strip());
      }
    }
    return list;
  }

  @Test
  void anotherReaderFindsWhatWasPutIn() throws IOException {
    byte[] initrd =
        new Initrd()
            .file("usr/bin/a", 0755, "program".getBytes(StandardCharsets.UTF_8))
            .link("bin/sh", "busybox")
            .directory("dev")
            .file("init", 0644, new byte[0])
            .pack();
    assertThat(list(initrd))
        .containsExactly(
            "40755 bin 0:0",
            "120777 bin/sh 0:0 busybox",
            "40755 dev 0:0",
            "100644 init 0:0",
            "40755 usr 0:0",
            "40755 usr/bin 0:0",
            "100755 usr/bin/a 0:0 program");
  }

  @Test
  void theSameEntriesGiveTheSameBytesInAnyOrder() {
    byte[] one = new Initrd().directory("a").file("b/c", 0600, new byte[3]).pack();
    byte[] two = new Initrd().file("b/c", 0600, new byte[3]).directory("a").pack();
    assertThat(one).isEqualTo(two);
  }

  @Test
  void namesThatLinuxWouldPutElsewhereAreRefused() {
    for (String name : List.of("", "/bin", "bin/")) {
      assertThatThrownBy(() -> new Initrd().directory(name))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void theShellGuestHasItsStartScriptAndBusybox() throws IOException {
    List<String> list = list(GuestImages.initrd("static".getBytes(StandardCharsets.UTF_8)));
    assertThat(list).contains("100755 bin/busybox 0:0 static", "40755 dev 0:0", "40755 proc 0:0");
    assertThat(list.stream().filter(e -> e.startsWith("100755 init 0:0 #!/bin/busybox sh")))
        .hasSize(1);
  }
}
