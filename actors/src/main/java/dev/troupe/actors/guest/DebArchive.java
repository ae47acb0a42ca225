package dev.troupe.actors.guest;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * Reads files out of a Debian package: an ar archive with a compressed tar archive in it (deb(5)).
 */
final class DebArchive {
  /** No kernel or busybox comes near it; a hostile archive cannot fill the heap. */
  static final long MAX_FILE_BYTES = 256L << 20;

  /** What xz may take: Debian's packages need 65 MiB at its highest level. */
  private static final int XZ_MEMORY_KIB = 256 << 10;

  private DebArchive() {}

  /**
   * The content of the first regular file that {@code wanted} accepts.
   *
   * @param wanted gets the path as stored, such as {@code ./boot/vmlinuz-6.1.0-56-cloud-amd64}
   * @throws GuestException if there is none, or the package is damaged
   */
  static byte[] extract(Path deb, String what, Predicate<String> wanted) {
    try (ArArchiveInputStream ar =
        new ArArchiveInputStream(new BufferedInputStream(Files.newInputStream(deb), 1 << 16))) {
      for (ArArchiveEntry member = ar.getNextEntry(); member != null; member = ar.getNextEntry()) {
        if (member.getName().startsWith("data.tar")) {
          return fromTar(uncompressed(ar, member.getName(), deb), deb, what, wanted);
        }
      }
      throw new GuestException(deb.getFileName() + ": no data.tar in the package");
    } catch (IOException e) {
      throw new GuestException(deb.getFileName() + ": damaged package: " + e.getMessage(), e);
    }
  }

  private static InputStream uncompressed(InputStream in, String member, Path deb)
      throws IOException {
    return switch (member) {
      case "data.tar" -> in;
      case "data.tar.gz" -> new GZIPInputStream(in, 1 << 16);
      case "data.tar.xz" -> new XZInputStream(in, XZ_MEMORY_KIB);
      case "data.tar.zst" -> new ZstdInputStream(in);
      default ->
          throw new GuestException(
              deb.getFileName() + ": " + member + " is compressed in a way that is not known here");
    };
  }

  private static byte[] fromTar(InputStream in, Path deb, String what, Predicate<String> wanted)
      throws IOException {
    TarArchiveInputStream tar = new TarArchiveInputStream(in);
    for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
      if (entry.isFile() && wanted.test(entry.getName())) {
        if (entry.getSize() > MAX_FILE_BYTES) {
          throw new GuestException(
              "%s: %s has %d bytes, more than %d"
                  .formatted(deb.getFileName(), entry.getName(), entry.getSize(), MAX_FILE_BYTES));
        }
        return tar.readAllBytes();
      }
    }
    throw new GuestException(deb.getFileName() + ": no " + what + " in the package");
  }
}
