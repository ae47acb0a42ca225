package dev.troupe.actors.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AptTest {
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  private static final String STANZA =
      """
      Package: linux-image-cloud-amd64
      Source: linux-signed-amd64 (6.1.192+2)
      Version: 6.1.192-2
      Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2), other | choice (>= 1)
      Description: Linux for x86-64 cloud (meta-package)
       Package: not a field, but text
      Size: 1484
      SHA256: %s
      """
          .formatted(ABC);

  @Test
  void theMetapackageNamesTheKernel() {
    Apt.Deb meta = Apt.parse("linux-image-cloud-amd64", STANZA).orElseThrow();
    assertThat(meta.version()).isEqualTo("6.1.192-2");
    assertThat(meta.size()).isEqualTo(1484);
    assertThat(meta.dependency("linux-image-")).contains("linux-image-6.1.0-56-cloud-amd64");
    assertThat(meta.dependency("cho")).contains("choice");
    assertThat(meta.dependency("absent")).isEmpty();
  }

  @Test
  void whatIsNoWholeStanzaOfThatPackageIsNone() {
    assertThat(Apt.parse("linux-image-cloud-amd64", "")).isEmpty();
    assertThat(Apt.parse("linux-image-amd64", STANZA)).isEmpty();
    assertThat(Apt.parse("linux-image-cloud-amd64", STANZA.replace(ABC, "abc"))).isEmpty();
    assertThat(Apt.parse("linux-image-cloud-amd64", STANZA.replace("1484", "-1"))).isEmpty();
  }

  @Test
  void aFileThatIsNotWhatTheIndexSaysIsRefused(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("p.deb"), "abc");
    Apt.check(new Apt.Deb("p", "1", 3, ABC, ""), file);
    assertThatThrownBy(() -> Apt.check(new Apt.Deb("p", "1", 4, ABC, ""), file))
        .isInstanceOf(GuestException.class)
        .hasMessageContaining("package p is damaged: 3 bytes");
    Files.writeString(file, "abd");
    assertThatThrownBy(() -> Apt.check(new Apt.Deb("p", "1", 3, ABC, ""), file))
        .hasMessageContaining(ABC);
  }
}
