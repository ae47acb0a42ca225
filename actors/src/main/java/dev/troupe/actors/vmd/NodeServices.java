package dev.troupe.actors.vmd;

import dev.troupe.actors.store.Store;
import dev.troupe.config.NodeConfiguration;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/** What a node does once its store is open and its actor system is there. */
public interface NodeServices {
  /** Starts a node's services. */
  interface Factory {
    /**
     * Starts them; called while the guardian is set up, before the node joins its cluster.
     *
     * @param context the guardian's
     */
    NodeServices start(ActorContext<?> context, NodeConfiguration configuration, Store store);
  }

  /**
   * Opens the node's door.
   *
   * @return closes it
   * @throws VmdException if it cannot be opened
   */
  AutoCloseable open(NodeConfiguration configuration) throws VmdException;

  /**
   * Takes over what may change while a node runs: what it offers, and its labels. Machines that are
   * there stay, even if there is no room for them any more.
   */
  void reload(NodeConfiguration configuration);

  /**
   * Ends the node's machines. The node is a member of its cluster still, and its store is open.
   *
   * @param limit after which it is to be done, one way or another
   * @return completed when none runs any more
   */
  CompletionStage<Void> stop(Duration limit);
}
