package dev.troupe.actors.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.UnaryOperator;

/** The tables of a store: who makes them, and of which version they are. */
final class StoreSchema {
  /** Of what this program reads and writes. */
  static final int VERSION = 1;

  /** What this program makes of a store that has another version. */
  static final class VersionException extends Exception {
    private static final long serialVersionUID = 1;

    VersionException(int version) {
      super(
          "its tables are of version "
              + version
              + ", this vmd knows version "
              + VERSION
              + (version > VERSION ? ": a newer vmd is needed" : " only"));
    }
  }

  /** A number of ours among PostgreSQL's advisory locks: the letters "troupe". */
  private static final long LOCK = 0x74726f757065L;

  /** H2's codes of a table and of an index that is there already. */
  private static final Set<Integer> THERE_ALREADY = Set.of(42101, 42111);

  /** A row was put in by another node first; H2's and PostgreSQL's codes agree. */
  private static final String DUPLICATE_KEY = "23505";

  private StoreSchema() {}

  /**
   * Makes the tables where they are missing. Several nodes may do so at once.
   *
   * @return the store's number, the same for all that open it
   */
  static UUID prepare(Connection connection, boolean postgres)
      throws SQLException, VersionException {
    connection.setAutoCommit(false);
    try {
      if (postgres) {
        // Tables and their making are one transaction there; the lock is for its length.
        execute(connection, "SELECT pg_advisory_xact_lock(" + LOCK + ")");
      }
      if (!exists(connection)) {
        create(connection, postgres);
      }
      UUID id = read(connection);
      connection.commit();
      return id;
    } catch (SQLException | VersionException e) {
      connection.rollback();
      throw e;
    } finally {
      connection.setAutoCommit(true);
    }
  }

  private static boolean exists(Connection connection) throws SQLException {
    try (ResultSet tables =
        connection
            .getMetaData()
            .getTables(null, null, "troupe_store", new String[] {"TABLE", "BASE TABLE"})) {
      return tables.next() && count(connection) > 0;
    }
  }

  private static int count(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM \"troupe_store\"")) {
      rows.next();
      return rows.getInt(1);
    }
  }

  private static void create(Connection connection, boolean postgres) throws SQLException {
    String journal = postgres ? "postgres/postgres-create-schema.sql" : "h2/h2-create-schema.sql";
    // New tables have no readers that an index could keep waiting, and a transaction knows no
    // CONCURRENTLY.
    List<String> statements =
        new ArrayList<>(
            statements("/schema/" + journal, text -> text.replace(" CONCURRENTLY", "")));
    statements.addAll(statements("troupe-schema.sql", text -> text));
    for (String statement : statements) {
      try {
        execute(connection, statement);
      } catch (SQLException e) {
        if (postgres || !THERE_ALREADY.contains(e.getErrorCode())) {
          throw e;
        }
      }
    }
    try (PreparedStatement row =
        connection.prepareStatement(
            "INSERT INTO \"troupe_store\" (\"one\", \"schema_version\", \"store_id\") VALUES (1, ?,"
                + " ?)")) {
      row.setInt(1, VERSION);
      row.setString(2, UUID.randomUUID().toString());
      row.executeUpdate();
    } catch (SQLException e) {
      if (!DUPLICATE_KEY.equals(e.getSQLState())) {
        throw e;
      }
    }
  }

  private static UUID read(Connection connection) throws SQLException, VersionException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT \"schema_version\", \"store_id\" FROM \"troupe_store\" WHERE \"one\" ="
                    + " 1")) {
      row.next();
      int version = row.getInt(1);
      if (version != VERSION) {
        throw new VersionException(version);
      }
      return UUID.fromString(row.getString(2));
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static List<String> statements(String resource, UnaryOperator<String> change) {
    try (InputStream in = StoreSchema.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("missing in the program: " + resource);
      }
      List<String> statements = new ArrayList<>();
      String text =
          new String(in.readAllBytes(), StandardCharsets.UTF_8).replaceAll("(?m)^\\s*--.*$", "");
      for (String statement : text.split(";", -1)) {
        String stripped = statement.strip();
        if (!stripped.isEmpty()) {
          statements.add(change.apply(stripped));
        }
      }
      return statements;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
