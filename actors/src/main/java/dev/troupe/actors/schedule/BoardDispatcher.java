package dev.troupe.actors.schedule;

import com.typesafe.config.Config;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorCell;
import org.apache.pekko.dispatch.Dispatcher;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.Envelope;
import org.apache.pekko.dispatch.ExecutorServiceConfigurator;
import org.apache.pekko.dispatch.Mailbox;
import org.apache.pekko.dispatch.MessageDispatcher;
import org.apache.pekko.dispatch.MessageDispatcherConfigurator;
import scala.concurrent.duration.FiniteDuration;

/**
 * The node's one dispatcher for machines. vCPU and machine actors run on it as on any other, one
 * message at a time; actors with a {@link BoardMailbox} go through their machine's board.
 *
 * <p>Its overrides are {@code private[pekko]} in Scala and public in bytecode: the Pekko version is
 * pinned, and the tests of this package are the contract.
 */
public final class BoardDispatcher extends Dispatcher {
  /** Name of the dispatcher in the configuration. */
  public static final String ID = "troupe.dispatcher";

  /**
   * Messages after which an ordinary actor gives its thread back: one, so that a turn is one
   * message.
   */
  private static final int THROUGHPUT = 1;

  /** How long an idle dispatcher keeps its threads. */
  private static final long SHUTDOWN_SECONDS = 1;

  // Asked each time: an idle dispatcher gets a new pool.
  private final Executor pool = task -> executorService().execute(task);

  private BoardDispatcher(
      Configurator configurator, ExecutorServiceConfigurator executors, String id) {
    super(
        configurator,
        id,
        THROUGHPUT,
        FiniteDuration.Zero(),
        executors,
        FiniteDuration.create(SHUTDOWN_SECONDS, TimeUnit.SECONDS));
  }

  @Override
  public void dispatch(ActorCell to, Envelope envelope) {
    Mailbox mailbox = to.mailbox();
    if (mailbox.messageQueue() instanceof BoardMailbox.Queue queue) {
      queue.board().send(mailbox, queue, envelope);
    } else {
      super.dispatch(to, envelope);
    }
  }

  /** Reached for board actors by system messages only: start, watch, failure, stop. */
  @Override
  public boolean registerForExecution(Mailbox mailbox, boolean messages, boolean system) {
    if (!(mailbox.messageQueue() instanceof BoardMailbox.Queue queue)) {
      return super.registerForExecution(mailbox, messages, system);
    }
    if (!mailbox.canBeScheduledForExecution(messages, system) || !mailbox.setAsScheduled()) {
      return false;
    }
    queue.board().pool(pool);
    queue.board().send(mailbox, queue, null);
    return true;
  }

  /** Named in the configuration as the dispatcher's type. */
  public static final class Configurator extends MessageDispatcherConfigurator {
    private final MessageDispatcher instance;

    /** Called by Pekko. */
    public Configurator(Config config, DispatcherPrerequisites prerequisites) {
      super(config, prerequisites);
      instance = new BoardDispatcher(this, configureExecutor(), config.getString("id"));
    }

    @Override
    public MessageDispatcher dispatcher() {
      return instance;
    }
  }
}
