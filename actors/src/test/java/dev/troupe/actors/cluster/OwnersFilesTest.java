package dev.troupe.actors.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.cluster.Registration;
import dev.troupe.runtime.boot.BadImageException;
import dev.troupe.runtime.boot.ImageFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnersFilesTest {
  private static final int SOMEBODY = 54_321;

  @TempDir private Path folder;
  private Path file;
  private final ImageFiles others = new OwnersFiles(new HostUser(SOMEBODY, "anna", Set.of()));

  @BeforeEach
  void write() throws IOException {
    Path below = Files.createDirectory(folder.resolve("images"));
    file = Files.writeString(below.resolve("kernel"), "bytes");
    mode(folder, "rwxr-xr-x");
    mode(below, "rwx--x--x"); // to be passed through is enough
    mode(file, "rw-r--r--");
  }

  private static void mode(Path path, String mode) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
  }

  private static int id(Path path, String what) throws IOException {
    return (int) Files.getAttribute(path, "unix:" + what);
  }

  private static void opens(ImageFiles files, Path path) throws IOException {
    try (FileChannel channel = files.open("kernel", path)) {
      assertThat(channel.size()).isEqualTo(5);
    }
  }

  private void isDenied(ImageFiles files, Path path) {
    assertThatThrownBy(() -> files.open("kernel", path))
        .isInstanceOf(BadImageException.class)
        .hasMessage(
            "kernel %s: permission denied: the machine is anna's, who may not read it", path);
  }

  @Test
  void whatEverybodyMayReadIsOpened() throws Exception {
    opens(others, file);
  }

  @Test
  void aFileThatTheOwnerMayNotReadIsDenied() throws Exception {
    mode(file, "rw-------");
    isDenied(others, file);
  }

  @Test
  void aFileBehindAFolderThatTheOwnerMayNotEnterIsDeniedAndNotEvenMissing() throws Exception {
    mode(folder, "rwxr--r--");
    isDenied(others, file);
    isDenied(others, file.resolveSibling("missing"));
    isDenied(others, file.resolve("below/a/file"));
    mode(folder, "rwxr-xr-x");
    assertThatThrownBy(() -> others.open("initrd", file.resolveSibling("missing")))
        .hasMessage("initrd %s: no such file", file.resolveSibling("missing"));
  }

  @Test
  void theFirstClassOfUsersThatTheOwnerIsInCounts() throws Exception {
    ImageFiles self = new OwnersFiles(new HostUser(id(file, "uid"), "anna", Set.of()));
    ImageFiles member = new OwnersFiles(new HostUser(SOMEBODY, "anna", Set.of(id(file, "gid"))));
    mode(file, "rw-r-----");
    opens(self, file);
    opens(member, file);
    isDenied(others, file);
    mode(file, "-w----r--");
    isDenied(self, file);
    isDenied(member, file);
    opens(others, file);
  }

  @Test
  void aLinkIsWhatItLeadsTo() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    opens(others, link);
    mode(file, "rw-------");
    isDenied(others, link);
    mode(file, "rw-r--r--");
    mode(file.getParent(), "rwx------");
    isDenied(others, link);
  }

  @Test
  void whatIsNoFileIsNotOpened() {
    assertThatThrownBy(() -> others.open("kernel", folder))
        .hasMessage("kernel %s: not a regular file", folder);
    assertThatThrownBy(() -> others.open("kernel", Path.of("/dev/zero")))
        .hasMessage("kernel /dev/zero: not a regular file");
  }

  @Test
  void aPinnedFileIsTheSameWhateverItsNameMeansLater() throws Exception {
    Path other = Files.writeString(folder.resolve("other"), "else");
    try (PinnedFile pinned = PinnedFile.of(file)) {
      Files.delete(file);
      Files.createSymbolicLink(file, other);
      assertThat(Files.readString(pinned.path())).isEqualTo("bytes");
    }
  }

  @Test
  void rootAndTheDaemonsUserHaveWhatTheDaemonMayRead() {
    assertThat(OwnersFiles.of(Registration.getDefaultInstance()))
        .isSameAs(ImageFiles.OF_THIS_PROCESS);
    assertThat(OwnersFiles.of(Registration.newBuilder().setOwnerUid(HostUser.self()).build()))
        .isSameAs(ImageFiles.OF_THIS_PROCESS);
    assertThat(OwnersFiles.of(Registration.newBuilder().setOwnerUid(SOMEBODY).build()))
        .isInstanceOf(OwnersFiles.class);
  }

  @Test
  void thisHostKnowsTheGroupsOfItsUsers() throws Exception {
    int self = HostUser.self();
    int group = Integer.parseInt(line(new ProcessBuilder("id", "-g", Integer.toString(self))));
    assertThat(HostUser.of(self, "").groups()).contains(group);
    assertThat(HostUser.of(SOMEBODY, "")).isEqualTo(new HostUser(SOMEBODY, "uid 54321", Set.of()));
  }

  private static String line(ProcessBuilder command) throws IOException {
    return command.start().inputReader().readLine();
  }
}
