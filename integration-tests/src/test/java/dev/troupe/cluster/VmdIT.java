package dev.troupe.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.vmctl.TinyKernel;
import dev.troupe.vmctl.VmctlProcess;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node alone, as {@code ./vmd} starts it, and vmctl against it. One node for all tests, with its
 * store; no test leaves a machine running.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VmdIT {
  private Path folder;
  private VmctlProcess node;
  private Daemon daemon;

  @BeforeAll
  void start(@TempDir Path temporary) throws Exception {
    folder = temporary;
    node = Daemon.start(folder);
    daemon = Daemon.of(folder);
  }

  @AfterEach
  void endMachines() throws Exception {
    daemon.done("stop", "-a", "-f", "-w");
  }

  @AfterAll
  void stop() {
    node.close();
  }

  private String kernel(String code) throws Exception {
    return TinyKernel.write(folder, code).toString();
  }

  @Test
  void aMachineIsStartedTypedAtAndEndsByItself() throws Exception {
    assertThat(daemon.done("start", "-m", "16M", "-b", kernel(TinyKernel.SLEEPING_ECHO), "echo"))
        .matches("(?s).*vmctl: started vm \\d+ successfully.*");
    assertThat(daemon.done("show")).contains("running echo");
    try (VmctlProcess console = daemon.open("console", "echo")) {
      console.type("hello");
      console.await("hello", 0, 30);
      console.type("\u0004");
      assertThat(console.exitCode(30)).isZero();
    }
    assertThat(daemon.await("echo", 30, status -> status.contains("\"state\":\"stopped\"")))
        .contains("debug exit 1");
  }

  @Test
  void whatOneTypesOthersSeeAndOnlyOneTypes() throws Exception {
    daemon.done("start", "-m", "16M", "-b", kernel(TinyKernel.SLEEPING_ECHO), "shared");
    try (VmctlProcess writer = daemon.open("console", "shared")) {
      writer.type("one ");
      writer.await("one ", 0, 30);
      try (VmctlProcess watcher = daemon.open("console", "--scrollback", "1K", "shared")) {
        watcher.await("one ", 0, 30);
        watcher.type("not heard");
        writer.type("two ");
        watcher.await("two ", 0, 30);
        assertThat(writer.output()).doesNotContain("not heard");
      }
      try (VmctlProcess taker = daemon.open("console", "--force", "shared")) {
        Thread.sleep(1000);
        taker.type("three ");
        writer.await("three ", 0, 30);
      }
    }
  }

  @Test
  void afterAKillOfTheNodeItsMachinesRunAgainUnderANewEpoch() throws Exception {
    daemon.done("start", "-m", "16M", "-b", kernel(TinyKernel.HALTED), "runs");
    daemon.done("start", "-m", "16M", "-b", kernel(TinyKernel.HALTED), "rests");
    daemon.done("stop", "-f", "-w", "rests");

    node.close();
    node.handle().onExit().get(30, TimeUnit.SECONDS);
    node = Daemon.start(folder);

    assertThat(daemon.await("runs", 60, status -> status.contains("\"state\":\"running\"")))
        .contains("\"epoch\":2");
    assertThat(daemon.done("status", "--format", "json", "rests"))
        .contains("\"state\":\"stopped\"")
        .contains("\"epoch\":1");
  }

  @Test
  void aNodeThatIsStoppedEndsItsMachinesWithinItsLimitAndRunsThemAgainLater() throws Exception {
    daemon.done("start", "-m", "16M", "-b", kernel(TinyKernel.ENDLESS), "deaf");

    node.handle().destroy();
    assertThat(node.exitCode(60)).isZero();
    node = Daemon.start(folder);

    daemon.await("deaf", 60, status -> status.contains("\"state\":\"running\""));
  }

  @Test
  void aGuestInAnEndlessLoopIsPausedResetAndStopped() throws Exception {
    daemon.done("start", "-m", "16M", "-b", kernel(TinyKernel.ENDLESS), "loop");

    daemon.done("pause", "loop");
    assertThat(daemon.done("show", "loop")).contains("paused loop");
    daemon.done("unpause", "loop");
    daemon.done("reset", "loop");
    assertThat(daemon.done("stop", "-f", "-w", "loop")).contains("terminated vm ");
    assertThat(daemon.done("show", "loop")).contains("stopped loop");
  }

  @Test
  void aNewMachineLikeAnotherHasItsSettings() throws Exception {
    daemon.done("start", "-m", "32M", "-p", "2", "-b", kernel(TinyKernel.HALTED), "model");
    daemon.done("start", "-t", "model", "-m", "16M", "copy");

    assertThat(daemon.done("status", "--format", "json", "copy"))
        .contains("\"vcpus\":2")
        .contains("\"memory_bytes\":16777216");
  }

  @Test
  void aMachineThatFitsNowhereWaitsWithAReasonAndIsStopped() throws Exception {
    VmctlProcess.Result start =
        daemon.vmctl("start", "-m", "8T", "-b", kernel(TinyKernel.HALTED), "huge");

    assertThat(start.exitCode()).as("accepted").isZero();
    assertThat(start.out() + start.err()).contains(" waits: no node fits: alone: ");
    assertThat(daemon.done("show", "huge")).contains("waiting huge");
    assertThat(daemon.done("placement", "explain", "huge")).contains("no").contains("of memory");
    daemon.done("stop", "huge");
    assertThat(daemon.done("show", "huge")).contains("stopped huge");
  }

  @Test
  void anImageThatCannotBeHadIsToldOnceAndByName() throws Exception {
    VmctlProcess.Result start = daemon.vmctl("start", "-b", "/no/such/kernel", "none");

    assertThat(start.exitCode()).isNotZero();
    assertThat(start.err().lines()).singleElement().asString().contains("/no/such/kernel");
  }

  @Test
  void aSecondNodeOnTheSameStoreIsRefused() throws Exception {
    VmctlProcess.Result second =
        Daemon.vmd(List.of())
            .run(
                List.of(
                    "-d",
                    "-D",
                    "troupe.node.port=0",
                    "-D",
                    "troupe.store.file=" + folder.resolve("store"),
                    "-D",
                    "troupe.socket=" + folder.resolve("other.sock")));

    assertThat(second.exitCode()).isEqualTo(6);
    assertThat(second.err()).contains(folder.resolve("store").toString());
  }
}
