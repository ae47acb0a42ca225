package dev.troupe.actors.vmd;

import com.typesafe.config.Config;
import java.util.List;
import org.apache.pekko.cluster.ConfigValidation;
import org.apache.pekko.cluster.Invalid;
import org.apache.pekko.cluster.JoinConfigCompatChecker;
import org.apache.pekko.cluster.Valid$;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Lets only nodes into a cluster that have opened the cluster's store: another one's machines would
 * be unknown to it, and its own to them. Pekko asks on both sides.
 */
public final class SameStore extends JoinConfigCompatChecker {
  /** Where a node's configuration has the number of the store that it has opened. */
  public static final String ID = "troupe.store.id";

  /** Called by Pekko. */
  public SameStore() {}

  @Override
  public Seq<String> requiredKeys() {
    return CollectionConverters.asScala(List.of(ID)).toList();
  }

  @Override
  public ConfigValidation check(Config joining, Config cluster) {
    String theirs = joining.hasPath(ID) ? joining.getString(ID) : "";
    String ours = cluster.getString(ID);
    if (theirs.equals(ours)) {
      return Valid$.MODULE$;
    }
    String reason =
        "the other side's store is "
            + (theirs.isEmpty() ? "unknown" : theirs)
            + ", this node's is "
            + ours
            + ": all nodes of a cluster have one store";
    return new Invalid(CollectionConverters.asScala(List.of(reason)).toList());
  }
}
