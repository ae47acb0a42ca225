package dev.troupe.cluster;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * When machines ran where, read from the nodes' logs. All nodes are processes of one computer, so
 * that their clocks are one.
 *
 * @param all in the order of their beginnings
 */
record Lives(List<Life> all) {
  /**
   * A time in which a machine may have executed an instruction.
   *
   * @param to exclusive
   */
  record Life(String vm, long epoch, String node, Instant from, Instant to) {}

  private static final Pattern LINE =
      Pattern.compile(
          "(\\S+) +\\w+ +HostActor: (?:vm (\\S+): epoch (\\d+) (runs|is over) here.*"
              + "|the lease (is held|has run out).*)");

  /**
   * Reads the lines of each node.
   *
   * @param frozen when nodes were frozen or killed, if they were. What a node does between its thaw
   *     and its next look at its lease is seen by nobody: consoles look at the lease themselves
   */
  static Lives of(Map<String, List<String>> logs, Map<String, List<Instant>> frozen) {
    List<Life> lives = new ArrayList<>();
    logs.forEach(
        (node, lines) -> {
          for (Life life : read(node, lines)) {
            lives.add(
                frozen.getOrDefault(node, List.of()).stream()
                    .filter(at -> at.isAfter(life.from) && at.isBefore(life.to))
                    .findFirst()
                    .map(at -> to(life, at))
                    .orElse(life));
          }
        });
    lives.sort(Comparator.comparing(Life::from));
    return new Lives(List.copyOf(lives));
  }

  private static List<Life> read(String node, List<String> lines) {
    List<Life> done = new ArrayList<>();
    Map<String, Life> open = new LinkedHashMap<>();
    for (String line : lines) {
      Instant now = time(line);
      if (line.contains(" NodeProcess: ") && line.contains(" joining the cluster of")) {
        // A new process. The old one was killed: at the latest now.
        close(open, done, now);
        open.clear();
      }
      Matcher match = LINE.matcher(line);
      if (!match.matches()) {
        continue;
      }
      String vm = match.group(2);
      if (vm == null) {
        boolean held = match.group(5).equals("is held");
        if (held) {
          open.replaceAll((_, life) -> from(life, now));
        } else {
          close(open, done, now);
        }
      } else if (match.group(4).equals("runs")) {
        open.put(vm, new Life(vm, Long.parseLong(match.group(3)), node, now, null));
      } else if (open.containsKey(vm)) {
        Life life = open.remove(vm);
        if (life.to == null) {
          done.add(to(life, now));
        }
      }
    }
    close(open, done, Instant.MAX);
    return done;
  }

  private static Life from(Life life, Instant from) {
    return new Life(life.vm, life.epoch, life.node, from, null);
  }

  private static Life to(Life life, Instant to) {
    return new Life(life.vm, life.epoch, life.node, life.from, to);
  }

  /** What runs stands from now on. */
  private static void close(Map<String, Life> open, List<Life> done, Instant now) {
    open.replaceAll(
        (_, life) -> {
          if (life.to != null) {
            return life;
          }
          Life standing = to(life, now);
          done.add(standing);
          return standing;
        });
  }

  private static Instant time(String line) {
    int blank = line.indexOf(' ');
    try {
      return OffsetDateTime.parse(line.substring(0, Math.max(0, blank))).toInstant();
    } catch (java.time.format.DateTimeParseException e) {
      return Instant.MIN; // a line of a stack trace
    }
  }

  /** Pairs of lives of one machine on two nodes at the same time; each as a line to read. */
  List<String> overlaps() {
    List<String> found = new ArrayList<>();
    for (Life one : all) {
      for (Life two : all) {
        if (one.vm.equals(two.vm)
            && one.node.compareTo(two.node) < 0
            && one.from.isBefore(two.to)
            && two.from.isBefore(one.to)) {
          found.add(one + " beside " + two);
        }
      }
    }
    return found;
  }
}
