package dev.troupe.actors.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.troupe.config.StoreConfiguration;
import dev.troupe.config.StoreConfiguration.Embedded;
import dev.troupe.config.StoreConfiguration.Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.apache.pekko.actor.setup.Setup;
import org.apache.pekko.persistence.jdbc.db.SlickDatabase;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;
import slick.jdbc.H2Profile$;
import slick.jdbc.JdbcBackend;
import slick.jdbc.JdbcProfile;
import slick.jdbc.PostgresProfile$;
import slick.util.AsyncExecutor;

/**
 * An open store: one bounded pool of connections, for the actor system's journal and for whoever
 * asks. A database that goes away makes what needs it fail within the time-out of its
 * configuration; when it is back, the pool connects again by itself.
 *
 * <p>Who was told that a write failed does not know that it was not done: the answer may have been
 * lost on its way.
 */
public final class Store implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Store.class);

  /** How often a store that cannot be reached is tried again at the start. */
  private static final Duration RETRY = Duration.ofMillis(500);

  /** The least that the pool takes for a time-out. */
  private static final long LEAST_POOL_TIMEOUT = 500;

  /** Actions that wait for a connection. */
  private static final int QUEUE = 10_000;

  /**
   * SQL states of servers for which waiting helps, or their classes: no connection; PostgreSQL
   * starts, stops or has no more connections. H2 tells a broken connection by 90067, and by HY000
   * that two nodes make its tables at once.
   */
  private static final Set<String> PASSING = Set.of("08", "57", "53", "90067", "HY000");

  private record Database(JdbcBackend.JdbcDatabaseDef database, JdbcProfile profile)
      implements SlickDatabase {
    @Override
    public boolean allowShutdown() {
      return false; // the store is its process's
    }
  }

  private final StoreConfiguration configuration;
  private final UUID id;
  private final HikariDataSource pool;
  private final DataSource connections;
  private final ProcessLock lock;
  private final Database database;

  private Store(
      StoreConfiguration configuration,
      UUID id,
      HikariDataSource pool,
      DataSource connections,
      ProcessLock lock) {
    this.configuration = configuration;
    this.id = id;
    this.pool = pool;
    this.connections = connections;
    this.lock = lock;
    int size = configuration.connections();
    JdbcProfile profile = isPostgres(configuration) ? PostgresProfile$.MODULE$ : H2Profile$.MODULE$;
    database =
        new Database(
            profile
                .backend()
                .Database()
                .forDataSource(
                    connections,
                    Option.apply(size),
                    AsyncExecutor.apply("store", size, size, QUEUE, size, false),
                    false),
            profile);
  }

  /**
   * Opens a store and makes what is missing in it. Waits for a server that cannot be reached, as
   * long as the configuration says.
   *
   * @throws StoreException if another process has it, it cannot be reached, refuses its user, or
   *     has tables of another version
   */
  public static Store open(StoreConfiguration configuration) throws StoreException {
    ProcessLock lock = configuration.place() instanceof Embedded(Path file) ? take(file) : null;
    HikariDataSource pool = new HikariDataSource(poolOf(configuration));
    try {
      UUID id = prepare(pool, configuration);
      DataSource connections =
          configuration.place() instanceof Embedded ? new SyncedDataSource(pool) : pool;
      return new Store(configuration, id, pool, connections, lock);
    } catch (StoreException | RuntimeException e) {
      pool.close();
      release(lock);
      throw e;
    }
  }

  private static boolean isPostgres(StoreConfiguration configuration) {
    return configuration.place() instanceof Server server
        && server.url().startsWith("jdbc:postgresql:");
  }

  private static ProcessLock take(Path file) throws StoreException {
    Path folder = file.getParent();
    try {
      if (!Files.isDirectory(folder)) {
        Files.createDirectories(
            folder,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      return ProcessLock.take(folder.resolve(file.getFileName() + ".lock"));
    } catch (ProcessLock.HeldException e) {
      throw new StoreException(
          "store "
              + file
              + " is in use by "
              + e.holder().map(pid -> "process " + pid).orElse("another process"),
          e);
    } catch (IOException e) {
      throw new StoreException("store " + file + " cannot be opened: " + e, e);
    }
  }

  private static HikariConfig poolOf(StoreConfiguration configuration) {
    long timeout = configuration.timeout().toMillis();
    HikariConfig pool = new HikariConfig();
    pool.setPoolName("store");
    pool.setMaximumPoolSize(configuration.connections());
    pool.setMinimumIdle(1);
    // Half for a connection, half for what it is wanted for.
    pool.setConnectionTimeout(Math.max(LEAST_POOL_TIMEOUT, timeout / 2));
    pool.setValidationTimeout(Math.max(LEAST_POOL_TIMEOUT, timeout / 4));
    pool.setInitializationFailTimeout(-1);
    switch (configuration.place()) {
      case Embedded(Path file) -> {
        // Closed by us and not by a hook of its own, in the middle of our stopping; committed data
        // are in the file at once.
        pool.setJdbcUrl(
            "jdbc:h2:file:" + file + ";DB_CLOSE_ON_EXIT=FALSE;DB_CLOSE_DELAY=-1;WRITE_DELAY=0");
        pool.setUsername("sa");
        pool.setConnectionInitSql("SET LOCK_TIMEOUT " + timeout);
      }
      case Server(String url, String user, String password) -> {
        pool.setJdbcUrl(url);
        pool.setUsername(user);
        pool.setPassword(password);
        if (isPostgres(configuration)) {
          long seconds = Math.max(1, timeout / 1000);
          pool.addDataSourceProperty("connectTimeout", seconds);
          pool.addDataSourceProperty("socketTimeout", seconds);
          pool.addDataSourceProperty("loginTimeout", seconds);
          pool.addDataSourceProperty("tcpKeepAlive", true);
          pool.addDataSourceProperty("ApplicationName", "troupe");
          // A frozen node must not hold locks that others wait for.
          pool.setConnectionInitSql(
              "SET statement_timeout = "
                  + timeout
                  + "; SET idle_in_transaction_session_timeout = "
                  + timeout);
        } else {
          pool.setConnectionInitSql("SET LOCK_TIMEOUT " + timeout);
        }
      }
    }
    return pool;
  }

  private static UUID prepare(HikariDataSource pool, StoreConfiguration configuration)
      throws StoreException {
    String name = "store " + configuration.place();
    long deadline = System.nanoTime() + configuration.startLimit().toNanos();
    boolean said = false;
    while (true) {
      try (Connection connection = pool.getConnection()) {
        return StoreSchema.prepare(connection, isPostgres(configuration));
      } catch (StoreSchema.VersionException e) {
        throw new StoreException(name + ": " + e.getMessage(), e);
      } catch (SQLException e) {
        SQLException cause = root(e);
        if (!(configuration.place() instanceof Server && passing(cause))
            || System.nanoTime() - deadline > 0) {
          throw new StoreException(name + " cannot be used: " + line(cause), e);
        }
        if (!said) {
          said = true;
          LOG.warn("{} cannot be reached, waiting for it: {}", name, line(cause));
        }
      }
      try {
        Thread.sleep(RETRY);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StoreException(name + ": interrupted while waiting for it", e);
      }
    }
  }

  /** What a pool's time-out hides: why there was no connection. */
  private static SQLException root(SQLException e) {
    SQLException root = e;
    while (root.getCause() instanceof SQLException cause) {
      root = cause;
    }
    return root;
  }

  private static boolean passing(SQLException e) {
    if (e instanceof SQLTransientException) {
      return true; // the pool's: no answer, and no refusal either
    }
    String state = e.getSQLState();
    return state != null
        && (PASSING.contains(state)
            || PASSING.contains(state.substring(0, Math.min(2, state.length()))));
  }

  private static String line(SQLException e) {
    String text = e.getMessage() == null ? e.toString() : e.getMessage();
    return text.lines().findFirst().orElse(e.toString()).strip();
  }

  /** The store's number: nodes of one cluster have the same. */
  public UUID id() {
    return id;
  }

  /** Where it is, without user and password. */
  public String place() {
    return configuration.place().toString();
  }

  /**
   * Connections of the pool. What is committed by {@link Connection#commit()} is on the disk; of
   * what is written outside of transactions an embedded store may lose the last with the host's
   * power, not with the process.
   */
  public DataSource connections() {
    return connections;
  }

  /** What an actor system is started with, so that its plugins use this store. */
  public Setup setup() {
    return new StoreDatabaseProvider.StoreSetup(database);
  }

  /** Closes all connections; to be called when the actor system has ended. */
  @Override
  public void close() {
    if (configuration.place() instanceof Embedded) {
      shutDown();
    }
    database.database().close();
    pool.close();
    release(lock);
  }

  private void shutDown() {
    boolean done = false;
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SHUTDOWN");
      done = true;
    } catch (SQLException e) {
      if (!done) { // else it is only the connection that complains that it is closed already
        LOG.warn("store {} did not close: {}", place(), line(e));
      }
    }
  }

  private static void release(ProcessLock lock) {
    if (lock != null) {
      try {
        lock.close();
      } catch (IOException e) {
        LOG.warn("lock not given back: {}", e.toString().toLowerCase(Locale.ROOT));
      }
    }
  }
}
