package dev.troupe.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.vmctl.TinyKernel;
import dev.troupe.vmctl.VmctlProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three node processes and a PostgreSQL, as {@code ./vmd cluster --nodes 3} starts them. */
class ClusterIT {
  private static final Pattern NODE = Pattern.compile("\"node\":\"(node[1-3])\"");
  private static final Pattern EPOCH = Pattern.compile("\"epoch\":(\\d+)");

  @TempDir private Path folder;
  private VmctlProcess cluster;

  @BeforeEach
  void start() throws Exception {
    // The database's account has to get at its files.
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    cluster = Daemon.startCluster(folder, 3);
  }

  @AfterEach
  void stop() throws Exception {
    if (cluster == null) {
      return; // it has not started, and the test says so
    }
    cluster.handle().destroy();
    try {
      cluster.exitCode(90);
    } finally {
      cluster.close();
    }
  }

  private Daemon node(int node) {
    return Daemon.of(folder, node);
  }

  private String kernel(String code) throws Exception {
    return TinyKernel.write(folder, code).toString();
  }

  private static int nodeOf(String status) {
    Matcher found = NODE.matcher(status);
    assertThat(found.find()).as(status).isTrue();
    return Integer.parseInt(found.group(1).substring("node".length()));
  }

  private static int epochOf(String status) {
    Matcher found = EPOCH.matcher(status);
    assertThat(found.find()).as(status).isTrue();
    return Integer.parseInt(found.group(1));
  }

  /** The process of a node, as the cluster's command has told. */
  private ProcessHandle process(int node) {
    Matcher line = Pattern.compile("node" + node + ": .*process (\\d+),").matcher(cluster.output());
    assertThat(line.find()).isTrue();
    Optional<ProcessHandle> process = ProcessHandle.of(Long.parseLong(line.group(1)));
    assertThat(process).isPresent();
    return process.orElseThrow();
  }

  private String running(Daemon through, String vm) throws Exception {
    return through.await(vm, 60, status -> status.contains("\"state\":\"running\""));
  }

  private static int other(int node) {
    return node % 3 + 1;
  }

  @Test
  void aMachineIsSeenThroughEachNodeAndRunsAgainWhenItsNodeIsKilled() throws Exception {
    for (String vm : new String[] {"a", "b", "c"}) {
      node(1).done("start", "-m", "16M", "-b", kernel(TinyKernel.ECHO), vm);
    }
    int first = nodeOf(running(node(2), "b"));
    assertThat(nodeOf(running(node(3), "a"))).isNotEqualTo(first);
    assertThat(nodeOf(running(node(3), "c"))).isNotEqualTo(first);
    Daemon witness = node(other(first));

    try (VmctlProcess console = witness.open("console", "b")) {
      console.type("before ");
      int at = console.await("before ", 0, 30);

      process(first).destroyForcibly();
      String moved =
          witness.await(
              "b",
              90,
              status ->
                  status.contains("\"state\":\"running\"")
                      && !status.contains("\"node\":\"node" + first + "\""));
      assertThat(epochOf(moved)).isEqualTo(2);

      // The console follows; what is typed before it has is lost with the old machine.
      Thread.sleep(3000);
      console.type("after ");
      console.await("after ", at, 60);
    }
    for (String vm : new String[] {"a", "c"}) {
      assertThat(epochOf(running(witness, vm))).as(vm).isEqualTo(1);
    }
  }

  @Test
  void aNodeThatSleptIsFencedAndEndsItself() throws Exception {
    node(1).done("start", "-m", "16M", "-b", kernel(TinyKernel.ECHO), "a");
    int first = nodeOf(running(node(1), "a"));
    Daemon witness = node(other(first));
    ProcessHandle sleeper = process(first);

    signal("STOP", sleeper);
    String moved =
        witness.await(
            "a",
            90,
            status ->
                status.contains("\"state\":\"running\"")
                    && !status.contains("\"node\":\"node" + first + "\""));
    assertThat(epochOf(moved)).isEqualTo(2);
    signal("CONT", sleeper);

    sleeper.onExit().get(60, TimeUnit.SECONDS);
    assertThat(epochOf(running(witness, "a"))).isEqualTo(2);
    assertThat(nodeOf(running(witness, "a"))).isEqualTo(nodeOf(moved));
  }

  private static void signal(String name, ProcessHandle process) throws Exception {
    assertThat(
            new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor())
        .isZero();
  }

  @Test
  void whileTheStoreIsGoneMachinesGoOnAndCommandsFailByName() throws Exception {
    node(1).done("start", "-m", "16M", "-b", kernel(TinyKernel.ECHO), "a");
    running(node(2), "a");
    try (VmctlProcess console = node(3).open("console", "a")) {
      console.type("before ");
      int at = console.await("before ", 0, 30);

      long postgres =
          Long.parseLong(
              Files.readAllLines(folder.resolve("store").resolve("data").resolve("postmaster.pid"))
                  .getFirst()
                  .strip());
      signal("KILL", ProcessHandle.of(postgres).orElseThrow());
      Thread.sleep(10_000);

      console.type("after ");
      console.await("after ", at, 30);
    }
    VmctlProcess.Result stop = node(2).vmctl("stop", "a");
    assertThat(stop.exitCode()).isNotZero();
    assertThat(stop.err()).contains("a: ");
    assertThat(epochOf(running(node(3), "a"))).isEqualTo(1);
  }

  @Test
  void aDrainedNodeHasNoMachinesUntilItIsUndrained() throws Exception {
    for (int i = 1; i <= 3; i++) {
      node(1).done("start", "-m", "16M", "-b", kernel(TinyKernel.SWITCHES_OFF), "vm" + i);
    }
    assertThat(node(2).done("node", "list")).contains("node1");
    node(2).done("node", "drain", "node1");

    for (int i = 1; i <= 3; i++) {
      assertThat(nodeOf(running(node(1), "vm" + i))).isNotEqualTo(1);
    }
    assertThat(node(3).done("node", "list")).contains("drained");
    node(1).done("start", "-m", "16M", "-b", kernel(TinyKernel.HALTED), "late");
    assertThat(nodeOf(running(node(1), "late"))).isNotEqualTo(1);
    node(3).done("node", "undrain", "node1");
    node(3).done("start", "-m", "16M", "-b", kernel(TinyKernel.HALTED), "back");
    assertThat(nodeOf(running(node(1), "back"))).isEqualTo(1);
  }
}
