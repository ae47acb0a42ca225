package dev.troupe.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.vmctl.TinyKernel;
import dev.troupe.vmctl.VmctlProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three node processes and a PostgreSQL, as {@code ./vmd cluster --nodes 3} starts them. It
 * restarts nothing: the tests go on with what the one before has left.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClusterIT {
  private static final Pattern NODE = Pattern.compile("\"node\":\"(node[1-3])\"");
  private static final Pattern EPOCH = Pattern.compile("\"epoch\":(\\d+)");

  private Path folder;
  private VmctlProcess cluster;

  /** A node that has not been killed. */
  private int survivor = 1;

  @BeforeAll
  void start(@TempDir Path temporary) throws Exception {
    folder = temporary;
    // The database's account has to get at its files.
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    cluster = Daemon.startCluster(folder, 3);
  }

  @AfterAll
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
  @Order(1)
  void aDrainedNodeHasNoMachinesUntilItIsUndrained() throws Exception {
    for (int i = 1; i <= 3; i++) {
      node(1).done("start", "-m", "16M", "-b", kernel(TinyKernel.SWITCHES_OFF), "vm" + i);
    }
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
    node(2).done("stop", "-a", "-f", "-w");
  }

  @Test
  @Order(2)
  void aMachineIsSeenThroughEachNodeAndRunsAgainWhenItsNodeIsKilled() throws Exception {
    for (String vm : new String[] {"a", "b", "c"}) {
      node(1).done("start", "-m", "16M", "-b", kernel(TinyKernel.SLEEPING_ECHO), vm);
    }
    int first = nodeOf(running(node(2), "b"));
    assertThat(nodeOf(running(node(3), "a"))).isNotEqualTo(first);
    assertThat(nodeOf(running(node(3), "c"))).isNotEqualTo(first);
    survivor = other(first);
    Daemon witness = node(survivor);

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

  private static void signal(String name, ProcessHandle process) throws Exception {
    assertThat(
            new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor())
        .isZero();
  }

  @Test
  @Order(3)
  void whileTheStoreIsGoneMachinesGoOnAndCommandsFailByName() throws Exception {
    Daemon through = node(survivor);
    try (VmctlProcess console = through.open("console", "a")) {
      console.type("before ");
      int at = console.await("before ", 0, 30);

      long postgres =
          Long.parseLong(
              Files.readAllLines(folder.resolve("store").resolve("data").resolve("postmaster.pid"))
                  .getFirst()
                  .strip());
      signal("KILL", ProcessHandle.of(postgres).orElseThrow());
      Thread.sleep(6000); // longer than a store may take

      console.type("after ");
      console.await("after ", at, 30);
    }
    VmctlProcess.Result stop = through.vmctl("stop", "a");
    assertThat(stop.exitCode()).isNotZero();
    assertThat(stop.err()).contains("a: ");
    assertThat(epochOf(running(through, "a"))).isEqualTo(1);
  }
}
