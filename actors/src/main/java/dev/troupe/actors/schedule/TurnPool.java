package dev.troupe.actors.schedule;

import com.typesafe.config.Config;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.ExecutorServiceConfigurator;
import org.apache.pekko.dispatch.ExecutorServiceFactory;

/**
 * The node's platform threads, about one a core. Boards go before turns: input for an idle machine
 * does not wait for other machines' turns. Not a fork-join pool: that starves doorbells (measured).
 */
public final class TurnPool extends ExecutorServiceConfigurator {
  private final int threads;

  /** Called by Pekko; {@code threads} in the dispatcher's configuration, 0 for one a core. */
  public TurnPool(Config config, DispatcherPrerequisites prerequisites) {
    super(config, prerequisites);
    int configured = config.getInt("threads");
    threads = configured > 0 ? configured : Runtime.getRuntime().availableProcessors();
  }

  @Override
  public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory factory) {
    return () ->
        new ThreadPoolExecutor(threads, threads, 0, TimeUnit.SECONDS, new BoardsFirst(), factory);
  }

  /** First in, first out, but for boards, which go to the head. */
  private static final class BoardsFirst extends LinkedBlockingDeque<Runnable> {
    private static final long serialVersionUID = 1L;

    @Override
    public boolean offer(Runnable task) {
      return task instanceof Board ? offerFirst(task) : offerLast(task);
    }
  }
}
