package dev.troupe.benchmark;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/** {@code vmctl} in a JVM of its own, with this one's options and class path. */
final class VmctlChild {
  private VmctlChild() {}

  /** The command line of {@code vmctl run}. */
  static List<String> command(List<String> arguments) {
    return command("run", arguments);
  }

  /** The command line of one of its commands. */
  static List<String> command(String name, List<String> arguments) {
    List<String> line = new ArrayList<>();
    line.add(System.getProperty("java.home") + "/bin/java");
    line.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    line.addAll(List.of("-cp", System.getProperty("java.class.path")));
    line.addAll(List.of("dev.troupe.actors.vmctl.Vmctl", name));
    line.addAll(arguments);
    return line;
  }

  /** Ends the benchmark with one line that says why. */
  static void fail(String message) {
    System.err.println("benchmark: " + message);
    System.exit(1);
  }
}
