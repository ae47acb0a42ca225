package dev.troupe.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;

/**
 * The configuration of one Troupe process, checked.
 *
 * @param config everything, resolved; what the actor system is started with
 * @param threads threads of the turn pool, 1 to {@link #MAX_THREADS}
 */
public record Configuration(Config config, int threads) {
  /** What a process is. */
  public enum Role {
    /** One machine in a local actor system: {@code vmctl run}. */
    LOCAL("troupe-local"),
    /** One machine in a cluster of its own: {@code vmctl run --sharded}. */
    NODE("troupe-node"),
    /** A node's daemon; see {@link NodeConfiguration}. */
    VMD("troupe-vmd");

    private final String resource;

    Role(String resource) {
      this.resource = resource;
    }
  }

  /** More cores than any host has; a larger figure is a typing error. */
  public static final int MAX_THREADS = 4096;

  private static final String THREADS = "troupe.dispatcher.threads";

  /** Loads the configuration of a role; system properties come before files. */
  public static Configuration load(Role role) {
    return load(role, ConfigFactory.empty());
  }

  /** What a role has where nothing else is said. */
  static Config defaults(Role role) {
    return ConfigFactory.parseResourcesAnySyntax(
        Configuration.class.getClassLoader(),
        role.resource,
        ConfigParseOptions.defaults().setAllowMissing(false));
  }

  /**
   * Loads the configuration of a role.
   *
   * @param role what the process is
   * @param first comes before everything else
   * @throws ConfigException if a value is missing or out of its range; the message names the path
   *     and the value
   */
  public static Configuration load(Role role, Config first) {
    Config config =
        first
            .withFallback(ConfigFactory.defaultOverrides())
            .withFallback(defaults(role))
            .withFallback(ConfigFactory.defaultReference())
            .resolve();
    int threads = config.getInt(THREADS);
    if (threads < 0 || threads > MAX_THREADS) {
      throw new ConfigException.BadValue(
          config.origin(),
          THREADS,
          "must be 0 (one a core) or up to " + MAX_THREADS + ", is " + threads);
    }
    return new Configuration(
        config, threads == 0 ? Runtime.getRuntime().availableProcessors() : threads);
  }
}
