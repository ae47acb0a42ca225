package dev.troupe.config;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where a daemon keeps its things unless it is told otherwise: where its host's rules say, for root
 * and for others.
 *
 * @param runtime what is gone after the next boot: the socket
 * @param state what stays: the store
 * @param logs the log
 * @param configuration the file that is read if none is named
 */
public record Places(Path runtime, Path state, Path logs, Path configuration) {
  /** Those of this process. */
  public static Places ofProcess() {
    return of(
        System.getenv(), System.getProperty("user.name"), Path.of(System.getProperty("user.home")));
  }

  /**
   * Those of a user. Where systemd has made folders for a service, those.
   *
   * @param environment its variables: XDG_RUNTIME_DIR, XDG_STATE_HOME, XDG_CONFIG_HOME; and
   *     RUNTIME_DIRECTORY, STATE_DIRECTORY, LOGS_DIRECTORY, CONFIGURATION_DIRECTORY
   */
  public static Places of(Map<String, String> environment, String user, Path home) {
    boolean root = user.equals("root");
    Path state =
        root
            ? Path.of("/var/lib/troupe")
            : variable(environment, "XDG_STATE_HOME", home.resolve(".local/state"))
                .resolve("troupe");
    Path runtime =
        root
            ? Path.of("/run/troupe")
            : environment.getOrDefault("XDG_RUNTIME_DIR", "").isEmpty()
                ? state.resolve("run")
                : Path.of(environment.get("XDG_RUNTIME_DIR"), "troupe");
    Path configuration =
        root
            ? Path.of("/etc/troupe")
            : variable(environment, "XDG_CONFIG_HOME", home.resolve(".config")).resolve("troupe");
    return new Places(
        variable(environment, "RUNTIME_DIRECTORY", runtime),
        variable(environment, "STATE_DIRECTORY", state),
        variable(environment, "LOGS_DIRECTORY", root ? Path.of("/var/log/troupe") : state),
        variable(environment, "CONFIGURATION_DIRECTORY", configuration).resolve("vmd.conf"));
  }

  /** Where the daemon listens for vmctl. */
  public Path socket() {
    return runtime.resolve("vmd.sock");
  }

  /** The first folder of a variable that may name several, as systemd's may. */
  private static Path variable(Map<String, String> environment, String name, Path otherwise) {
    String value = environment.getOrDefault(name, "");
    return value.isEmpty() ? otherwise : Path.of(value.split(":", 2)[0]);
  }
}
