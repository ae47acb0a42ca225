package dev.troupe.actors.vmd.door;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.actors.client.Client;
import dev.troupe.proto.vmd.VmInfo;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The socket's file, and who is let in. */
class DoorTest {
  /** On every Debian. */
  private static final int NOBODY = 65534;

  private Path folder;
  private Path socket;
  private final MemoryControl control = new MemoryControl();
  private final LogRing log = LogRing.install();

  @BeforeEach
  void folder() throws IOException {
    // Short, because a socket's path has to be.
    folder = Files.createTempDirectory("door");
    socket = folder.resolve("run/vmd.sock");
  }

  @AfterEach
  void clean() throws IOException {
    log.close();
    try (var files = Files.walk(folder)) {
      for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
        Files.delete(file);
      }
    }
  }

  private Door open() throws DoorException {
    return open(Optional.empty());
  }

  private Door open(Optional<String> group) throws DoorException {
    return Door.open(socket, group, control, log, DoorLimits.DEFAULT);
  }

  private int show() {
    return Client.execute("show", "--socket", socket.toString(), "--format", "json");
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  @Test
  void onlyTheDaemonsUserReachesTheSocketUnlessAGroupIsNamed() throws Exception {
    try (Door door = open()) {
      assertThat(mode(socket)).isEqualTo("rw-------");
      assertThat(mode(socket.getParent())).isEqualTo(Users.self() == 0 ? "rwxr-xr-x" : "rwx------");
      try (var files = Files.list(socket.getParent())) {
        assertThat(files.map(f -> f.getFileName().toString()))
            .containsExactlyInAnyOrder("vmd.sock", "vmd.sock.lock");
      }
    }
    assertThat(socket).doesNotExist();
    String group = Files.readAttributes(folder, "posix:group").get("group").toString();
    try (Door door = open(Optional.of(group))) {
      assertThat(mode(socket)).isEqualTo("rw-rw----");
    }
    assertThatThrownBy(() -> open(Optional.of("no-such-group")))
        .isInstanceOf(DoorException.class)
        .hasMessageContaining("no group is called 'no-such-group'");
  }

  @Test
  void theSocketOfADeadDaemonIsReplaced() throws Exception {
    Files.createDirectories(socket.getParent());
    try (var dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(socket));
    }
    assertThat(socket).exists();
    Files.createDirectory(socket.resolveSibling(".vmd-bind")); // died while it started
    try (Door door = open()) {
      assertThat(show()).isZero();
    }
  }

  @Test
  void aLiveDaemonKeepsItsSocketAndIsNamed() throws Exception {
    try (Door door = open()) {
      assertThatThrownBy(this::open)
          .isInstanceOf(DoorException.class)
          .hasMessage(
              "socket %s: the daemon with process id %d has it"
                  .formatted(socket, ProcessHandle.current().pid()));
      assertThat(show()).as("the first one's door").isZero();
    }
  }

  @Test
  void anotherProgramsSocketOrFileIsNotTakenAway() throws Exception {
    Files.createDirectories(socket.getParent());
    try (var other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      other.bind(UnixDomainSocketAddress.of(socket));
      assertThatThrownBy(this::open).hasMessageContaining("some other program answers there");
    }
    Files.delete(socket);
    Files.writeString(socket, "mine");
    assertThatThrownBy(this::open).hasMessageContaining("there is something that is no socket");
    assertThat(socket).hasContent("mine");
  }

  @Test
  void aFolderThatOthersMayWriteToAndAPathThatIsTooLongAreRefused() throws Exception {
    Files.createDirectories(socket.getParent());
    Files.setPosixFilePermissions(socket.getParent(), PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(this::open)
        .hasMessageContaining("others may write to its folder (mode 777)");
    socket = folder.resolve("x".repeat(90)).resolve("vmd.sock");
    assertThatThrownBy(this::open).hasMessageContaining("its path is too long:");
  }

  @Test
  void closingWaitsForCallsUnderWayButNotForEver() throws Exception {
    control.put(VmInfo.newBuilder().setId(1).setName("a").build());
    Door door = open();
    var waiting =
        CompletableFuture.supplyAsync(
            () -> Client.execute("wait", "a", "--socket", socket.toString()));
    while (control.waiting() == 0) {
      Thread.sleep(5);
    }
    door.close(Duration.ofMillis(100));
    assertThat(waiting.get(60, TimeUnit.SECONDS)).isEqualTo(6);
    assertThat(socket).doesNotExist();
  }

  @Test
  void theKernelSaysWhoCalls() throws Exception {
    try (Door door = open()) {
      assertThat(show()).isZero();
      assertThat(control.lastCaller.uid()).isEqualTo(Users.self());
      assertThat(control.lastCaller.name()).isEqualTo(System.getProperty("user.name"));
      assertThat(control.lastCaller.privileged()).isTrue();
    }
  }

  @Test
  void anotherUserIsNotPrivilegedAndSeesNoLog() throws Exception {
    assumeTrue(Users.self() == 0, "only root can become another user");
    String group = "nogroup";
    control.put(VmInfo.newBuilder().setId(1).setName("roots").build());
    control.put(VmInfo.newBuilder().setId(2).setName("nobodys").setOwnerUid(NOBODY).build());
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    try (Door door = open(Optional.of(group))) {
      Process relay = relay("--regid=nogroup", "--clear-groups");
      try {
        assertThat(relay.inputReader().readLine()).isEqualTo("listens");
        Path relayed = folder.resolve("nobody/relay.sock");
        String to = relayed.toString();
        assertThat(Client.execute("pause", "nobodys", "--socket", to)).isZero();
        assertThat(control.lastCaller.uid()).isEqualTo(NOBODY);
        assertThat(control.lastCaller.name()).isEqualTo("nobody");
        assertThat(control.lastCaller.privileged()).isFalse();
        assertThat(Client.execute("pause", "roots", "--socket", to)).isEqualTo(5);
        assertThat(Client.execute("log", "--socket", to)).isEqualTo(5);
      } finally {
        relay.destroyForcibly().waitFor();
      }
    }
  }

  @Test
  void membersOfTheGroupConnectAndOthersDoNot() throws Exception {
    assumeTrue(Users.self() == 0, "only root can become another user");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    try (Door door = open(Optional.of("nogroup"))) {
      assertThat(showAs("--regid=nogroup", "--clear-groups")).isZero();
      assertThat(showAs("--regid=daemon", "--groups=nogroup")).isZero();
      assertThat(showAs("--regid=daemon", "--clear-groups")).isEqualTo(6);
    }
    try (Door door = open()) {
      assertThat(showAs("--regid=nogroup", "--clear-groups")).isEqualTo(6);
    }
  }

  /** How vmctl ends when another user's process of these groups connects for it. */
  private int showAs(String... groups) throws Exception {
    Process relay = relay(groups);
    try {
      assertThat(relay.inputReader().readLine()).isEqualTo("listens");
      return Client.execute("show", "--socket", folder.resolve("nobody/relay.sock").toString());
    } finally {
      relay.destroyForcibly().waitFor();
      Files.deleteIfExists(folder.resolve("nobody/relay.sock"));
      Files.delete(folder.resolve("nobody"));
    }
  }

  /** Another user's process that connects to the door whoever connects to its own socket. */
  private Process relay(String... groups) throws IOException {
    Path classes = folder.resolve("classes");
    String name = Relay.class.getName().replace('.', '/') + ".class";
    Path copy = classes.resolve(name);
    Files.createDirectories(copy.getParent());
    try (var code = Relay.class.getClassLoader().getResourceAsStream(name)) {
      Files.copy(code, copy, StandardCopyOption.REPLACE_EXISTING);
    }
    Path own = Files.createDirectory(folder.resolve("nobody"));
    Files.setAttribute(own, "unix:uid", NOBODY);
    List<String> command = new ArrayList<>(List.of("setpriv", "--reuid=" + NOBODY));
    command.addAll(List.of(groups));
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            classes.toString(),
            Relay.class.getName(),
            own.resolve("relay.sock").toString(),
            socket.toString()));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }
}
