package dev.troupe.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.client.Client;
import dev.troupe.vmctl.TinyKernel;
import dev.troupe.vmctl.VmctlProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.h2.tools.Server;
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
  private Server database;
  private VmctlProcess stays;
  private VmctlProcess goes;
  private int seed;

  @BeforeEach
  void start() throws Exception {
    database = Server.createTcpServer("-tcpPort", "0", "-ifNotExists").start();
    seed = freePort();
    stays = node("stays", seed);
    goes = node("goes", 0);
  }

  @AfterEach
  void stop() {
    for (VmctlProcess node : new VmctlProcess[] {goes, stays}) {
      if (node != null) {
        node.close();
      }
    }
    database.stop();
  }

  private static int freePort() throws Exception {
    try (java.net.ServerSocket socket = new java.net.ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private VmctlProcess node(String name, int port) throws Exception {
    Path file =
        Files.writeString(
            folder.resolve(name + ".conf"),
            "troupe { node.seeds = [\"127.0.0.1:%d\"], offer.cores = 8 }".formatted(seed));
    String store =
        "jdbc:h2:tcp://127.0.0.1:" + database.getPort() + "/mem:leaving;DB_CLOSE_DELAY=-1";
    VmctlProcess node =
        VmctlProcess.startProgram(
            "dev.troupe.actors.vmd.Vmd",
            Map.of(),
            List.of(
                "-d",
                "-f",
                file.toString(),
                "-D",
                "troupe.node.name=" + name,
                "-D",
                "troupe.node.port=" + port,
                "-D",
                "troupe.stop.limit=20s",
                "-D",
                "troupe.store.url=" + store,
                "-D",
                "troupe.store.user=sa",
                "-D",
                "troupe.socket=" + folder.resolve(name + ".sock")));
    node.await("serves at", 0, 120);
    return node;
  }

  private Daemon daemon(String name) {
    return new Daemon(folder.resolve(name + ".sock"));
  }

  /** In this process: a hundred JVMs would take longer than the machines do. */
  private void start(String vm, Path kernel) {
    assertThat(
            Client.execute(
                "start",
                "--socket",
                daemon("stays").socket().toString(),
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
    Daemon stayed = daemon("stays");
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

    goes = node("goes", 0);
    assertThat(stayed.done("node", "list")).containsPattern("goes +up").doesNotContain("drained");
    stayed.done("start", "-m", "16M", "-b", deaf.toString(), "late");
    assertThat(stayed.done("status", "--format", "json", "late")).contains("\"node\":\"goes\"");
  }
}
