package dev.troupe.config;

import java.nio.file.Path;
import java.time.Duration;

/**
 * A node's or a cluster's store.
 *
 * @param place where it is
 * @param connections at most so many at once, 1 to 64
 * @param timeout after which a store that does not answer has failed
 * @param startLimit so long a starting node waits for its store
 */
public record StoreConfiguration(
    Place place, int connections, Duration timeout, Duration startLimit) {
  /** Where a store is. */
  public sealed interface Place {}

  /**
   * A database in this process, of this node alone.
   *
   * @param file its path, without the suffix that the database adds
   */
  public record Embedded(Path file) implements Place {
    @Override
    public String toString() {
      return file.toString();
    }
  }

  /** A database server that the nodes of a cluster share: PostgreSQL, or one H2 server. */
  public record Server(String url, String user, String password) implements Place {
    /** Without user, password and parameters, which may have a password, too. */
    @Override
    public String toString() {
      return url.split("[?;]", 2)[0];
    }
  }
}
