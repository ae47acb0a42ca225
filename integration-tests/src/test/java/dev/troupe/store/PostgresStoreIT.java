package dev.troupe.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.vmd.local.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.pekko.persistence.typed.internal.JournalFailureException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PostgresStoreIT {
  private Path folder;
  private PostgresServer server;

  @BeforeEach
  void start() throws Exception {
    // JUnit's folders are their owner's, and root's server has an account of its own.
    folder = Files.createTempDirectory("troupe-store");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    server = PostgresServer.start(folder.resolve("store"));
  }

  @AfterEach
  void end() throws IOException {
    server.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private String store(String timeout) {
    return "url = \""
        + server.url()
        + "\", user = "
        + server.user()
        + ", password-file = \""
        + server.passwordFile()
        + "\", connections = 4, timeout = "
        + timeout;
  }

  @Test
  void whatWasSaidToBeKeptOutlivesAKilledProcess() throws Exception {
    long said = CounterNode.countAndKill(folder, store("30s"), 30);

    try (CounterNode node = CounterNode.open(folder, store("30s"))) {
      assertThat(node.get()).isBetween(said, said + 1);
      assertThat(said).isGreaterThanOrEqualTo(30);
    }
  }

  @Test
  void whatNeedsAStoppedStoreFailsByNameAndWorksAgainWhenItIsBack() throws Exception {
    try (CounterNode node = CounterNode.open(folder, store("2s"))) {
      assertThat(node.getAtLast()).isZero(); // the first connection may take its time
      for (int i = 1; i <= 5; i++) {
        assertThat(node.add()).isEqualTo(i);
      }
      server.close();
      node.failures.clear();
      node.addInVain();

      assertThat(node.failures.poll(60, TimeUnit.SECONDS))
          .isInstanceOf(JournalFailureException.class)
          .hasMessageContaining(Counter.ID);

      server.restart();
      assertThat(node.getAtLast()).isEqualTo(5);
      assertThat(node.add()).isEqualTo(6);
    }
  }

  @Test
  void whatNeedsAFrozenStoreFailsByNameAndWorksAgainWhenItGoesOn() throws Exception {
    try (CounterNode node = CounterNode.open(folder, store("2s"))) {
      assertThat(node.getAtLast()).isZero();
      assertThat(node.add()).isEqualTo(1);
      signal("STOP");
      try {
        node.failures.clear();
        node.addInVain();
        assertThat(node.failures.poll(60, TimeUnit.SECONDS))
            .isInstanceOf(JournalFailureException.class)
            .hasMessageContaining(Counter.ID);
      } finally {
        signal("CONT");
      }
      // Who was told that it failed does not know that it was not done.
      long count = node.getAtLast();
      assertThat(count).isBetween(1L, 2L);
      assertThat(node.add()).isEqualTo(count + 1);
    }
  }

  /** To the server and to all processes that it has for its connections. */
  private void signal(String name) throws IOException, InterruptedException {
    ProcessHandle handle = server.handle().orElseThrow();
    for (ProcessHandle process : Stream.concat(Stream.of(handle), handle.descendants()).toList()) {
      assertThat(
              new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                  .start()
                  .waitFor())
          .isZero();
    }
  }
}
