package dev.troupe.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.client.Client;
import dev.troupe.vmctl.TinyKernel;
import dev.troupe.vmctl.VmctlProcess;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes with one store, one of which is stopped as an operator or a service manager does. */
class LeavingNodeIT {
  private static final int VMS = 100;

  /** Of them, guests that do not hear the power button. */
  private static final int DEAF = 20;

  @TempDir private Path folder;
  private TwoNodes nodes;
  private VmctlProcess goes;

  @BeforeEach
  void start() throws Exception {
    nodes = new TwoNodes(folder);
    nodes.startFirst("stays");
    goes = nodes.start("goes");
  }

  @AfterEach
  void stop() {
    nodes.close();
  }

  /** In this process: a hundred JVMs would take longer than the machines do. */
  private void start(String vm, Path kernel) {
    assertThat(
            Client.execute(
                "start",
                "--socket",
                nodes.daemon("stays").socket().toString(),
                "-m",
                "16M",
                "-b",
                kernel.toString(),
                vm))
        .isZero();
  }

  private static List<String> found(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(MatchResult::group).toList();
  }

  @Test
  void row23SigtermWith100VmsDrainedWithinTheStopTimeOut() throws Exception {
    Daemon stayed = nodes.daemon("stays");
    stayed.done("node", "drain", "stays"); // so that all are on the other
    Path heeds = TinyKernel.write(folder, TinyKernel.SWITCHES_OFF_IN_SLEEP);
    Path deaf = TinyKernel.write(folder, TinyKernel.HALTED);
    for (int i = 0; i < VMS; i++) {
      start("vm" + i, i % (VMS / DEAF) == 0 ? deaf : heeds);
    }
    assertThat(found("\"node\":\"goes\"", stayed.done("status", "--format", "json"))).hasSize(VMS);
    stayed.done("node", "undrain", "stays");

    goes.handle().destroy();
    // 12 if it had been cut off by its limit.
    assertThat(goes.exitCode(60)).isZero();
    assertThat(goes.output()).doesNotContain("machines not stopped");

    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    String status;
    do {
      Thread.sleep(500);
      status = stayed.done("status", "--format", "json");
    } while (found("\"node\":\"stays\"", status).size() < VMS && System.nanoTime() < end);
    assertThat(found("\"node\":\"stays\"", status)).hasSize(VMS);
    assertThat(found("\"state\":\"running\"", status)).hasSize(VMS);
    assertThat(found("\"epoch\":2\\b", status)).as("each started once again").hasSize(VMS);

    nodes.start("goes");
    assertThat(stayed.done("node", "list")).containsPattern("goes +up").doesNotContain("drained");
    stayed.done("start", "-m", "16M", "-b", deaf.toString(), "late");
    assertThat(stayed.done("status", "--format", "json", "late")).contains("\"node\":\"goes\"");
  }
}
