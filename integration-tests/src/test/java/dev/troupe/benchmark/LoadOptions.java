package dev.troupe.benchmark;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What {@link ClusterLoad} is asked to do.
 *
 * @param nodes 2 to 16
 * @param linux Linux guests
 * @param small small guests, 1 or more
 * @param stopped machines that are defined and do not run
 * @param kills rounds in which a node is killed
 * @param commands of vmctl that are timed
 * @param write into the document, too
 */
record LoadOptions(
    int nodes, int linux, int small, int stopped, int kills, int commands, boolean write) {
  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "--nodes",
          3,
          "--linux",
          6,
          "--small",
          60,
          "--stopped",
          1000,
          "--kills",
          3,
          "--commands",
          50);

  /** Reads the command line. */
  static LoadOptions of(List<String> arguments) {
    Map<String, Integer> values = new TreeMap<>(DEFAULTS);
    boolean write = false;
    for (Iterator<String> it = arguments.iterator(); it.hasNext(); ) {
      String name = it.next();
      if (name.equals("-w")) {
        write = true;
      } else if (!values.containsKey(name)) {
        throw new IllegalArgumentException(
            "what is '" + name + "'? there are " + values.keySet() + " and -w");
      } else {
        values.put(name, number(name, it.hasNext() ? it.next() : "nothing"));
      }
    }
    if (values.get("--nodes") < 2 || values.get("--nodes") > 16) {
      throw new IllegalArgumentException("--nodes " + values.get("--nodes") + ": expected 2 to 16");
    }
    if (values.get("--small") < 1) {
      throw new IllegalArgumentException("--small 0: expected 1 or more");
    }
    return new LoadOptions(
        values.get("--nodes"),
        values.get("--linux"),
        values.get("--small"),
        values.get("--stopped"),
        values.get("--kills"),
        values.get("--commands"),
        write);
  }

  private static int number(String name, String value) {
    if (!value.matches("\\d{1,6}")) {
      throw new IllegalArgumentException(
          name + " " + value + ": expected a whole number up to 999999");
    }
    return Integer.parseInt(value);
  }

  /** As they are typed. */
  String text() {
    return "--nodes %d --linux %d --small %d --stopped %d --kills %d --commands %d"
        .formatted(nodes, linux, small, stopped, kills, commands);
  }
}
