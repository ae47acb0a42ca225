package dev.troupe.actors.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.config.ConfigurationException;
import dev.troupe.config.NodeConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.h2.tools.Server;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreTest {
  @TempDir Path folder;

  private NodeConfiguration configuration(String store) throws ConfigurationException, IOException {
    Path file =
        Files.writeString(
            folder.resolve("vmd.conf"),
            "pekko { actor.provider = local, loglevel = OFF }\ntroupe.store { " + store + " }\n");
    return NodeConfiguration.load(Optional.of(file), Map.of());
  }

  @Test
  void aStoreKeepsItsNumber() throws Exception {
    NodeConfiguration configuration = configuration("file = data/store");
    UUID id;
    try (Store store = Store.open(configuration.store())) {
      id = store.id();
    }
    try (Store store = Store.open(configuration.store())) {
      assertThat(store.id()).isEqualTo(id);
    }
  }

  @Test
  void anEmbeddedStoreIsOneProcesssAtATime() throws Exception {
    NodeConfiguration configuration = configuration("file = store");
    try (Store store = Store.open(configuration.store())) {
      assertThat(store.place()).isEqualTo(folder.resolve("store").toString());
      assertThatThrownBy(() -> Store.open(configuration.store()))
          .isInstanceOf(StoreException.class)
          .hasMessage(
              "store "
                  + folder.resolve("store")
                  + " is in use by process "
                  + ProcessHandle.current().pid());
    }
    Store.open(configuration.store()).close();
  }

  @Test
  void aStoreOfALaterVersionIsRefusedByNumber() throws Exception {
    NodeConfiguration configuration = configuration("file = store");
    try (Store store = Store.open(configuration.store());
        Connection connection = store.connections().getConnection()) {
      connection.createStatement().execute("UPDATE \"troupe_store\" SET \"schema_version\" = 7");
    }

    assertThatThrownBy(() -> Store.open(configuration.store()))
        .isInstanceOf(StoreException.class)
        .hasMessage(
            "store "
                + folder.resolve("store")
                + ": its tables are of version 7, this vmd knows version 1: a newer vmd is needed");
  }

  @Test
  void aFileThatIsNoStoreIsRefusedInOneLine() throws Exception {
    NodeConfiguration configuration = configuration("file = store");
    Files.writeString(folder.resolve("store.mv.db"), "no database".repeat(1000));

    assertThatThrownBy(() -> Store.open(configuration.store()))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith("store " + folder.resolve("store") + " cannot be used: ")
        .message()
        .doesNotContain("\n");
  }

  @Test
  void nodesThatOpenAnEmptyServerAtOnceAgreeOnItsNumber() throws Exception {
    Server server = Server.createTcpServer("-tcpPort", "0", "-ifNotExists").start();
    NodeConfiguration configuration =
        configuration(
            "url = \"jdbc:h2:tcp://localhost:"
                + server.getPort()
                + "/mem:s;DB_CLOSE_DELAY=-1\""
                + ", user = sa, connections = 2");
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      Callable<UUID> open =
          () -> {
            try (Store store = Store.open(configuration.store())) {
              return store.id();
            }
          };
      List<UUID> ids = new ArrayList<>();
      for (Future<UUID> future : threads.invokeAll(List.of(open, open, open, open))) {
        ids.add(future.get());
      }
      assertThat(ids).hasSize(4).containsOnly(ids.getFirst());
    } finally {
      server.stop();
    }
  }

  @Test
  void aServerThatCannotBeReachedIsNamedAfterTheStartLimit() throws Exception {
    NodeConfiguration configuration =
        configuration(
            "url = \"jdbc:postgresql://127.0.0.1:1/troupe?sslmode=disable\", user = u, timeout ="
                + " 1s, start-limit = 1s");

    assertThatThrownBy(() -> Store.open(configuration.store()))
        .isInstanceOf(StoreException.class)
        .hasMessageMatching(
            "store jdbc:postgresql://127\\.0\\.0\\.1:1/troupe cannot be used: .*refused.*");
  }

  @Test
  void whatIsCommittedIsInTheFileAtOnce() throws Exception {
    NodeConfiguration configuration = configuration("file = store");
    try (Store store = Store.open(configuration.store());
        Connection connection = store.connections().getConnection()) {
      connection.createStatement().execute("CREATE TABLE t (a VARCHAR)");
      connection.setAutoCommit(false);
      for (int i = 0; i < 20; i++) {
        connection.createStatement().execute("INSERT INTO t VALUES ('" + i + "')");
        connection.commit();
        assertThat(rows(Files.createDirectories(folder.resolve("copy-" + i)))).isEqualTo(i + 1);
      }
    }
  }

  /** Rows in a copy of the store as it is now: what a killed process would leave. */
  private int rows(Path copy) throws IOException, SQLException, ConfigurationException {
    Files.copy(folder.resolve("store.mv.db"), copy.resolve("store.mv.db"));
    try (Connection connection =
            DriverManager.getConnection("jdbc:h2:file:" + copy.resolve("store"), "sa", "");
        var result = connection.createStatement().executeQuery("SELECT COUNT(*) FROM t")) {
      result.next();
      return result.getInt(1);
    }
  }
}
