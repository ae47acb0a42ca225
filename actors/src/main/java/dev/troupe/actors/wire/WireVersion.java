package dev.troupe.actors.wire;

import com.typesafe.config.Config;
import java.util.List;
import org.apache.pekko.cluster.ConfigValidation;
import org.apache.pekko.cluster.JoinConfigCompatChecker;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The version of what nodes say to each other. A node joins a cluster only if the versions of both
 * are the same or follow each other; Pekko asks on both sides, as its configuration says.
 */
public final class WireVersion extends JoinConfigCompatChecker {
  /** What this code speaks, unless the configuration says otherwise. */
  public static final int CURRENT = 1;

  /** Where the configuration has it. */
  public static final String PATH = "troupe.wire-version";

  /** Called by Pekko. */
  public WireVersion() {}

  /** The version that a node of this configuration speaks. */
  public static int of(Config config) {
    return config.getInt(PATH);
  }

  /** Whether nodes of these versions understand each other. */
  public static boolean compatible(int one, int other) {
    return Math.abs((long) one - other) <= 1;
  }

  @Override
  public Seq<String> requiredKeys() {
    return CollectionConverters.asScala(List.of(PATH)).toList();
  }

  @Override
  public ConfigValidation check(Config joining, Config cluster) {
    if (!joining.hasPath(PATH)) {
      return invalid("the other side has no " + PATH + ", expected " + range(of(cluster)));
    }
    int theirs = of(joining);
    int ours = of(cluster);
    if (!compatible(theirs, ours)) {
      return invalid(PATH + " of the other side is " + theirs + ", expected " + range(ours));
    }
    return org.apache.pekko.cluster.Valid$.MODULE$;
  }

  private static String range(int version) {
    return (version - 1) + " to " + (version + 1);
  }

  private static ConfigValidation invalid(String reason) {
    return new org.apache.pekko.cluster.Invalid(
        CollectionConverters.asScala(List.of(reason)).toList());
  }
}
