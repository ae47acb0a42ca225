package dev.troupe.actors.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class DebArchiveTest {
  private static final byte[] KERNEL =
      "kernel bytes".repeat(100).getBytes(StandardCharsets.US_ASCII);

  @TempDir Path folder;

  private static byte[] tar() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      tar.putArchiveEntry(new TarArchiveEntry("./boot/"));
      tar.closeArchiveEntry();
      TarArchiveEntry entry = new TarArchiveEntry("./boot/vmlinuz-6");
      entry.setSize(KERNEL.length);
      tar.putArchiveEntry(entry);
      tar.write(KERNEL);
      tar.closeArchiveEntry();
    }
    return bytes.toByteArray();
  }

  private static byte[] compress(String suffix, byte[] tar) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out =
        switch (suffix) {
          case ".gz" -> new GZIPOutputStream(bytes);
          case ".xz" -> new XZOutputStream(bytes, new LZMA2Options(1));
          case ".zst" -> new ZstdOutputStream(bytes);
          default -> bytes;
        }) {
      out.write(tar);
    }
    return bytes.toByteArray();
  }

  private Path deb(String suffix) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ArArchiveOutputStream ar = new ArArchiveOutputStream(bytes)) {
      member(ar, "debian-binary", "2.0\n".getBytes(StandardCharsets.US_ASCII));
      member(ar, "control.tar.xz", new byte[] {1});
      member(ar, "data.tar" + suffix, compress(suffix, tar()));
    }
    return Files.write(folder.resolve("k" + suffix + ".deb"), bytes.toByteArray());
  }

  private static void member(ArArchiveOutputStream ar, String name, byte[] content)
      throws IOException {
    ar.putArchiveEntry(new ArArchiveEntry(name, content.length));
    ar.write(content);
    ar.closeArchiveEntry();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".gz", ".xz", ".zst"})
  void aFileComesOutOfEveryCompression(String suffix) throws IOException {
    assertThat(DebArchive.extract(deb(suffix), "kernel", n -> n.startsWith("./boot/vmlinuz-")))
        .isEqualTo(KERNEL);
  }

  @Test
  void aMissingFileAndAnUnknownCompressionAreNamed() throws IOException {
    Path deb = deb(".xz");
    assertThatThrownBy(() -> DebArchive.extract(deb, "bin/busybox", n -> false))
        .isInstanceOf(GuestException.class)
        .hasMessage("k.xz.deb: no bin/busybox in the package");
    Path unknown = deb(".lzma");
    assertThatThrownBy(() -> DebArchive.extract(unknown, "kernel", n -> true))
        .hasMessageContaining("data.tar.lzma");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".gz", ".xz", ".zst"})
  void aPackageCutAnywhereIsDamagedNotACrash(String suffix) throws IOException {
    byte[] whole = Files.readAllBytes(deb(suffix));
    int needed = 0;
    for (int size = 0; size < whole.length; size += 7) {
      Path cut = Files.write(folder.resolve("cut.deb"), Arrays.copyOf(whole, size));
      try {
        assertThat(DebArchive.extract(cut, "kernel", n -> n.startsWith("./boot/vmlinuz-")))
            .isEqualTo(KERNEL);
      } catch (GuestException expected) {
        needed = size;
        assertThat(expected).hasMessageStartingWith("cut.deb: ");
      }
    }
    assertThat(needed).isPositive();
  }
}
