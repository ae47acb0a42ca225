package dev.troupe.vmd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code vmd cluster}: what it starts, says, and leaves behind. */
class LocalClusterIT {
  /** Of a machine that has other things to do. */
  private static final long LONG = 300;

  private Path folder;
  private Process vmd;

  @BeforeEach
  void makeFolder() throws IOException {
    folder = Files.createTempDirectory("troupe-cluster");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @AfterEach
  void removeFolder() throws Exception {
    if (vmd != null && vmd.isAlive()) {
      vmd.toHandle().destroy();
      vmd.waitFor(LONG, TimeUnit.SECONDS);
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private BufferedReader start(String... arguments) throws IOException {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            EmptyVmd.class.getName(),
            "cluster",
            "--dir",
            folder.toString()));
    line.addAll(List.of(arguments));
    vmd = new ProcessBuilder(line).redirectErrorStream(true).start();
    return vmd.inputReader();
  }

  private static List<String> readTo(BufferedReader out, String last) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String line; (line = out.readLine()) != null; ) {
      lines.add(line);
      if (line.startsWith(last)) {
        return lines;
      }
    }
    throw new AssertionError("ended before it said '" + last + "': " + lines);
  }

  /** Waits for the end of all of them. */
  private static void awaitEnd(List<ProcessHandle> processes) throws Exception {
    for (ProcessHandle process : processes) {
      process.onExit().get(LONG, TimeUnit.SECONDS);
    }
  }

  @Test
  void nodesJoinAndAllEndsWithASignal() throws Exception {
    BufferedReader out = start("--nodes", "2");
    List<String> lines = readTo(out, "ready");
    List<ProcessHandle> processes = vmd.descendants().toList();

    assertThat(lines.get(0))
        .matches("store: PostgreSQL [0-9]+, jdbc:postgresql://127\\.0\\.0\\.1:[0-9]+/troupe");
    assertThat(lines.get(1))
        .matches(
            "node1: 127\\.0\\.0\\.1:[0-9]+, process [0-9]+, socket "
                + folder
                + "/node1/vmd\\.sock");
    assertThat(lines.get(2))
        .matches(
            "node2: 127\\.0\\.0\\.2:[0-9]+, process [0-9]+, socket "
                + folder
                + "/node2/vmd\\.sock");
    assertThat(lines).hasSize(4);
    assertThat(Files.readString(folder.resolve("node1/vmd.log")))
        .contains("Leader is moving node [pekko://troupe@127.0.0.2");

    vmd.toHandle().destroy();
    assertThat(vmd.waitFor(LONG, TimeUnit.SECONDS)).isTrue();
    assertThat(vmd.exitValue()).isZero();
    awaitEnd(processes);
    assertThat(Files.exists(folder.resolve("store/data/postmaster.pid"))).isFalse();
  }

  @Test
  void aNodeThatIsKilledIsSaidAndNothingOutlivesTheirParent() throws Exception {
    BufferedReader out = start("--nodes", "2");
    List<String> lines = readTo(out, "ready");
    List<ProcessHandle> processes = vmd.descendants().toList();
    long node = Long.parseLong(lines.get(2).replaceAll(".*process ([0-9]+),.*", "$1"));
    ProcessHandle.of(node).orElseThrow().destroyForcibly();

    assertThat(out.readLine()).isEqualTo("node2 ended (exit code 137)");

    vmd.toHandle().destroyForcibly();
    awaitEnd(processes);
  }

  @Test
  void aBadValueIsSaidBeforeANodeIsStarted() throws Exception {
    Files.writeString(folder.resolve("vmd.conf"), "troupe.lease.length = short\n");
    BufferedReader out = start("--nodes", "1");
    List<String> lines = readTo(out, "vmd: ");

    assertThat(lines.getLast())
        .isEqualTo(
            "vmd: "
                + folder
                + "/vmd.conf:1: troupe.lease.length = short: expected a time, 1s to 600s, such as"
                + " 1s");
    assertThat(vmd.waitFor(LONG, TimeUnit.SECONDS)).isTrue();
    assertThat(vmd.exitValue()).isEqualTo(4);
  }
}
