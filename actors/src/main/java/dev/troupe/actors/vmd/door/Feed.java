package dev.troupe.actors.vmd.door;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A stream of things that happen, to a reader who may be slow: so many wait for him, and one who
 * falls behind further is told so and left.
 */
final class Feed<T> {
  private final ServerCallStreamObserver<T> out;
  private final String what;
  private final Deque<T> waiting = new ArrayDeque<>();
  private Runnable onEnd = () -> {};
  private boolean last;
  private boolean ended;

  /**
   * A feed of nothing yet.
   *
   * @param what what is read, for the one who is too slow
   */
  Feed(ServerCallStreamObserver<T> out, String what) {
    this.out = out;
    this.what = what;
    out.setOnReadyHandler(this::pump);
    out.setOnCancelHandler(this::end);
    out.setOnCloseHandler(this::end);
  }

  /** What to do, once, when nothing is read any more; at once if that is so already. */
  void onEnd(Runnable action) {
    synchronized (this) {
      if (!ended) {
        onEnd = action;
        return;
      }
    }
    action.run();
  }

  /** One more. */
  void add(T item) {
    boolean slow;
    synchronized (this) {
      if (ended || last) {
        return;
      }
      slow = waiting.size() >= DoorLimits.FEED_ITEMS;
      if (slow) {
        waiting.clear();
        out.onError(
            Refusals.of(
                Status.RESOURCE_EXHAUSTED,
                "%s: more than %d wait to be read; the reader is too slow"
                    .formatted(what, DoorLimits.FEED_ITEMS)));
      } else {
        waiting.add(item);
      }
    }
    if (slow) {
      end();
    } else {
      pump();
    }
  }

  /** Nothing follows. */
  void complete() {
    synchronized (this) {
      last = true;
    }
    pump();
  }

  private void pump() {
    synchronized (this) {
      if (ended) {
        return;
      }
      while (!waiting.isEmpty() && out.isReady()) {
        out.onNext(waiting.poll());
      }
      if (!last || !waiting.isEmpty()) {
        return;
      }
      out.onCompleted();
    }
    end();
  }

  private void end() {
    Runnable action;
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      waiting.clear();
      action = onEnd;
    }
    action.run();
  }
}
