package dev.troupe.actors.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Where a daemon's socket is when nobody says. */
public final class DaemonSocket {
  /** The environment's word on it. */
  public static final String VARIABLE = "TROUPE_SOCKET";

  private static final String BELOW = "troupe/vmd.sock";

  private DaemonSocket() {}

  /**
   * {@code TROUPE_SOCKET}; else for root {@code /run/troupe/vmd.sock}, for others {@code
   * $XDG_RUNTIME_DIR/troupe/vmd.sock}; empty for one who has neither variable.
   */
  public static Optional<Path> find(Map<String, String> environment) {
    String named = environment.getOrDefault(VARIABLE, "");
    if (!named.isEmpty()) {
      return Optional.of(Path.of(named));
    }
    if (isRoot()) {
      return Optional.of(Path.of("/run").resolve(BELOW));
    }
    String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
    return runtime.isEmpty() ? Optional.empty() : Optional.of(Path.of(runtime).resolve(BELOW));
  }

  private static boolean isRoot() {
    try {
      return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
    } catch (IOException | RuntimeException e) {
      return "root".equals(System.getProperty("user.name"));
    }
  }
}
