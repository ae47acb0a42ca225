package dev.troupe.actors.wire;

import dev.troupe.actors.terminal.ConsoleHub;
import dev.troupe.actors.terminal.Place;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The classes that may cross nodes, and their numbers; nothing else is ever read.
 *
 * <p>Nodes of two wire versions that follow each other run side by side while a cluster is renewed,
 * so
 *
 * <ul>
 *   <li>a number is given once and never again, also when its class has gone;
 *   <li>a record gets new components at its end only, and of kinds whose nothing (0, false, an
 *       empty text, no bytes) means what was meant before; none is removed, moved or changed;
 *   <li>a class that the other side does not know yet is refused there and counted: whoever sends
 *       it has to live with that, as with any message that is lost;
 *   <li>what would break this raises {@link WireVersion#CURRENT}, and is sent only when the version
 *       before has gone.
 * </ul>
 */
public final class NodeMessages {
  /** Numbers below are Kryo's own, for the types that it knows without being asked. */
  static final int FIRST = 100;

  private static final NodeMessages ALL =
      new NodeMessages(
          Map.ofEntries(
              Map.entry(100, Place.class),
              Map.entry(101, ConsoleHub.Attach.class),
              Map.entry(102, ConsoleHub.Read.class),
              Map.entry(103, ConsoleHub.Claim.class),
              Map.entry(104, ConsoleHub.Write.class),
              Map.entry(105, ConsoleHub.Release.class),
              Map.entry(110, ConsoleHub.Attached.class),
              Map.entry(111, ConsoleHub.Chunk.class),
              Map.entry(112, ConsoleHub.Lost.class),
              Map.entry(113, ConsoleHub.NewEpoch.class),
              Map.entry(114, ConsoleHub.Closed.class),
              Map.entry(115, ConsoleHub.Fenced.class),
              Map.entry(116, ConsoleHub.Nothing.class),
              Map.entry(117, ConsoleHub.Unknown.class),
              Map.entry(120, ConsoleHub.Claimed.class),
              Map.entry(121, ConsoleHub.NotWriter.class),
              Map.entry(122, ConsoleHub.Taken.class),
              Map.entry(123, ConsoleHub.NotTaken.class)));

  private final Map<Integer, Class<? extends NodeMessage>> classes;

  /**
   * A table.
   *
   * @throws IllegalArgumentException if a class is no record, is there twice, or its number is
   *     Kryo's
   */
  NodeMessages(Map<Integer, Class<? extends NodeMessage>> classes) {
    Map<Class<?>, Integer> numbers = new HashMap<>();
    classes.forEach(
        (number, type) -> {
          if (number < FIRST || !type.isRecord()) {
            throw new IllegalArgumentException(
                number + " " + type.getName() + ": a record and a number from " + FIRST);
          }
          Integer before = numbers.put(type, number);
          if (before != null) {
            throw new IllegalArgumentException(
                type.getName() + " has two numbers: " + before + " and " + number);
          }
        });
    this.classes = Map.copyOf(classes);
  }

  /** The table of this version. */
  public static NodeMessages all() {
    return ALL;
  }

  /** The classes that have numbers. */
  public Set<Class<? extends NodeMessage>> classes() {
    return Set.copyOf(classes.values());
  }

  Map<Integer, Class<? extends NodeMessage>> byNumber() {
    return classes;
  }
}
