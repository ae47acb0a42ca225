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
    return () -> new Pool(threads, factory);
  }

  private static final class Pool extends ThreadPoolExecutor {
    Pool(int threads, ThreadFactory factory) {
      super(threads, threads, 0, TimeUnit.SECONDS, new BoardsFirst(), factory);
    }

    @Override
    protected void beforeExecute(Thread thread, Runnable task) {
      ((BoardsFirst) getQueue()).mine.get().running = task;
    }

    @Override
    protected void afterExecute(Runnable task, Throwable thrown) {
      ((BoardsFirst) getQueue()).mine.get().running = null;
    }
  }

  /** What a thread of the pool runs, and that again if it has asked to be run again. */
  private static final class Mine {
    private Runnable running;
    private Runnable again;
  }

  /**
   * First in, first out, but for boards, which go to the head. A mailbox asks to be run again as
   * the last thing it does, on the thread that is about to look for work: that wakes nobody (a turn
   * of emitted code takes some 10 us, half of which would go to waking another thread).
   */
  private static final class BoardsFirst extends LinkedBlockingDeque<Runnable> {
    private static final long serialVersionUID = 1L;

    private final transient ThreadLocal<Mine> mine = ThreadLocal.withInitial(Mine::new);

    @Override
    @SuppressWarnings("ReferenceEquality") // the very same task
    public boolean offer(Runnable task) {
      if (task instanceof Board) {
        return offerFirst(task);
      }
      Mine own = mine.get();
      if (task == own.running && own.again == null) {
        own.again = task;
        return true;
      }
      return offerLast(task);
    }

    @Override
    public Runnable take() throws InterruptedException {
      Runnable again = again();
      return again != null ? again : super.take();
    }

    @Override
    public Runnable poll(long timeout, TimeUnit unit) throws InterruptedException {
      Runnable again = again();
      return again != null ? again : super.poll(timeout, unit);
    }

    /** What this thread is to run again, if nobody waits before it; else that is queued. */
    private Runnable again() {
      Mine own = mine.get();
      Runnable again = own.again;
      own.again = null;
      if (again == null || super.isEmpty()) {
        return again;
      }
      super.offerLast(again);
      return null;
    }

    @Override
    public boolean isEmpty() {
      return mine.get().again == null && super.isEmpty();
    }
  }
}
