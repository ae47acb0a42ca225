package dev.troupe.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.proto.control.VmState;
import dev.troupe.proto.vmd.VmInfo;
import dev.troupe.vmctl.TinyKernel;
import dev.troupe.vmctl.VmctlProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Five node processes in network namespaces: frozen, killed, replaced by newer ones, and cut off.
 * The store stays in reach of all, so that being cut off has to be enough to run nothing. After
 * each test no machine has ever run on two nodes at a time.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class NodeFaultsIT {
  private static final int NODES = 5;
  private static final int MACHINES = 5;
  private static final Pattern NODE = Pattern.compile("\"node\":\"node(\\d)\"");

  private Path folder;
  private Nodes nodes;

  @BeforeAll
  void open(@TempDir Path temporary) throws Exception {
    Optional<String> missing = Network.missing();
    assumeTrue(missing.isEmpty(), () -> "no network namespaces here: " + missing.orElseThrow());
    folder = temporary;
    nodes = Nodes.open(folder, NODES);
    nodes.launchAll();
    for (int i = 1; i <= MACHINES; i++) {
      String kernel = TinyKernel.write(folder, TinyKernel.SLEEPING_ECHO).toString();
      nodes.daemon(1 + i % NODES).done("start", "-m", "16M", "-b", kernel, "vm" + i);
    }
  }

  @BeforeEach
  void whole() throws Exception {
    nodes.launchAll();
    List<Integer> all = IntStream.rangeClosed(1, NODES).boxed().toList();
    try (NodeClient client = nodes.client(NODES)) {
      assertThat(client.await(vms -> allRun(vms, all), Duration.ofSeconds(90))).isTrue();
    }
  }

  /** Also what the tests before have left in the logs. */
  @AfterEach
  void nothingEverRanTwice() throws Exception {
    nodes.network().heal();
    assertThat(nodes.lives().all()).hasSizeGreaterThanOrEqualTo(MACHINES);
    assertThat(nodes.lives().overlaps()).isEmpty();
  }

  @AfterAll
  void close() {
    if (nodes != null) {
      nodes.close();
    }
  }

  /** The node that a machine runs on, as another one says. */
  private int running(int through, String vm) throws Exception {
    return node(
        nodes.daemon(through).await(vm, 90, status -> status.contains("\"state\":\"running\"")));
  }

  private static int node(String status) {
    Matcher found = NODE.matcher(status);
    assertThat(found.find()).as(status).isTrue();
    return Integer.parseInt(found.group(1));
  }

  /** Waits until all machines run on these nodes, and answer. */
  private void allRunAmong(List<Integer> side) throws Exception {
    try (NodeClient witness = nodes.client(side.getLast())) {
      assertThat(witness.await(vms -> allRun(vms, side), Duration.ofSeconds(90)))
          .as(() -> "all run among %s: %s".formatted(side, witness.show()))
          .isTrue();
      for (int i = 1; i <= MACHINES; i++) {
        String line = "answer" + i;
        assertThat(witness.answers("vm" + i, "", line, line, Duration.ofSeconds(30)))
            .as(line)
            .isTrue();
      }
    }
  }

  private static boolean allRun(List<VmInfo> vms, List<Integer> side) {
    List<String> names = side.stream().map(node -> "node" + node).toList();
    return IntStream.rangeClosed(1, MACHINES)
        .allMatch(
            i ->
                vms.stream()
                    .anyMatch(
                        vm ->
                            vm.getName().equals("vm" + i)
                                && vm.getState() == VmState.VM_STATE_RUNNING
                                && names.contains(vm.getNode())));
  }

  private void endsAsRemoved(int node) throws Exception {
    assertThat(nodes.process(node).exitCode(90)).as("node%d", node).isEqualTo(10);
  }

  private static List<Integer> without(int node) {
    return IntStream.rangeClosed(1, NODES).filter(other -> other != node).boxed().toList();
  }

  /** Row 28: a pause of 20 s and more. */
  @Test
  void aNodeThatSleptEndsItselfAndItsMachinesRanElsewhereMeanwhile() throws Exception {
    int sleeper = running(1, "vm1");
    nodes.signal("STOP", sleeper);
    allRunAmong(without(sleeper));
    nodes.signal("CONT", sleeper);

    endsAsRemoved(sleeper);
    allRunAmong(without(sleeper));
  }

  /** Row 22, a node's part. */
  @Test
  void aNodeThatIsKilledInTheMidstOfCommandsLeavesEachWithOneOutcome() throws Exception {
    int killed = running(1, "vm2");
    List<Integer> others = without(killed);
    List<VmctlProcess> commands = new ArrayList<>();
    for (int i = 1; i <= MACHINES; i++) {
      commands.add(
          nodes.daemon(others.get(i % others.size())).open("pause", "--id", "pause" + i, "vm" + i));
    }
    nodes.kill(killed);
    for (int i = 1; i <= MACHINES; i++) {
      Daemon through = nodes.daemon(others.get(i % others.size()));
      int exitCode = commands.get(i - 1).exitCode(120);
      // The same command again is told what became of it, and is not another one.
      assertThat(through.vmctl("pause", "--id", "pause" + i, "vm" + i).exitCode())
          .as("vm%d: %s", i, commands.get(i - 1).output())
          .isEqualTo(exitCode);
      through.vmctl("unpause", "vm" + i);
    }
    allRunAmong(others);
  }

  /** Row 32: nodes that speak the next version take the places of two, while machines start. */
  @Test
  void nodesOfTheNextVersionAreReplacedOneByOneAndOneOfTheVersionAfterIsRefused() throws Exception {
    for (int node = 1; node <= 2; node++) {
      Daemon witness = nodes.daemon(NODES);
      nodes.process(node).handle().destroy();
      assertThat(nodes.process(node).exitCode(90)).isZero();
      nodes.launch(node, Map.of("troupe.wire-version", "2"));
      String kernel = TinyKernel.write(folder, TinyKernel.HALTED).toString();
      witness.done("start", "-m", "16M", "-b", kernel, "during" + node);
      nodes.process(node).await("serves at", 0, 180);
      // The new one knows the old ones' machines, and they its.
      nodes.daemon(node).done("pause", "during" + node);
      witness.done("unpause", "during" + node);
      witness.done("stop", "-f", "-w", "during" + node);
    }
    nodes.process(NODES).handle().destroy();
    assertThat(nodes.process(NODES).exitCode(90)).isZero();
    nodes.launch(NODES, Map.of("troupe.wire-version", "3"));

    assertThat(nodes.process(NODES).exitCode(90)).isEqualTo(6);
    assertThat(nodes.process(NODES).output()).contains("the cluster refuses this node");
    allRunAmong(List.of(1, 2, 3, 4));
  }

  /** Row 34. */
  @Test
  void whatNodesOfferNoMoreIsNotGivenAwayAndWhatOneOffersAgainIs() throws Exception {
    for (int node = 1; node <= NODES; node++) {
      nodes.offer(node, "64M");
    }
    Daemon through = nodes.daemon(1);
    String kernel = TinyKernel.write(folder, TinyKernel.HALTED).toString();
    assertThat(through.done("start", "-m", "512M", "-b", kernel, "large"))
        .contains("waits: no node fits");
    for (int i = 1; i <= MACHINES; i++) {
      running(2, "vm" + i); // what is there stays
    }

    nodes.offer(3, "1G");
    assertThat(running(2, "large")).isEqualTo(3);
    through.done("stop", "-f", "-w", "large");
    for (int node = 1; node <= NODES; node++) {
      nodes.offer(node, "1G");
    }
  }

  /** Row 29. */
  @Test
  void ofTwoAndThreeTheThreeGoOn() throws Exception {
    nodes.network().cut(List.of(1, 2), List.of(3, 4, 5));

    allRunAmong(List.of(3, 4, 5));
    nodes.daemon(4).done("pause", "vm1");
    nodes.daemon(5).done("unpause", "vm1");
    endsAsRemoved(1);
    endsAsRemoved(2);
  }

  /** Row 29. */
  @Test
  void ofOneAndOneAndThreeTheThreeGoOn() throws Exception {
    nodes.network().cut(List.of(1), List.of(2, 3, 4, 5));
    nodes.network().cut(List.of(2), List.of(3, 4, 5));

    allRunAmong(List.of(3, 4, 5));
    endsAsRemoved(1);
    endsAsRemoved(2);
  }

  /** Row 29. */
  @Test
  void aLinkThatIsDeafInOneDirectionEndsItsTwoNodes() throws Exception {
    nodes.network().drop(1, 2);

    allRunAmong(List.of(3, 4, 5));
    endsAsRemoved(1);
    endsAsRemoved(2);
  }

  /** Row 29. */
  @Test
  void linksThatComeAndGoLeaveEachMachineRunningOnce() throws Exception {
    for (int round = 0; round < 6; round++) {
      nodes.network().cut(List.of(1, 2), List.of(3, 4, 5));
      Thread.sleep(500 + 700 * round);
      nodes.network().heal();
      Thread.sleep(1500);
    }

    allRunAmong(List.of(1, 2, 3, 4, 5));
  }
}
