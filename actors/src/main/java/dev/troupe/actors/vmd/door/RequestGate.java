package dev.troupe.actors.vmd.door;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Ends calls whose request does not come, so that a caller who holds it back holds nothing else, or
 * cannot be read. Inside of it requests are messages, outside still bytes.
 */
final class RequestGate implements ServerInterceptor {
  private final ScheduledExecutorService timer;
  private final long millis;

  RequestGate(ScheduledExecutorService timer, long millis) {
    this.timer = timer;
    this.millis = millis;
  }

  private static String reason(StatusRuntimeException e) {
    return e.getCause() == null ? e.getMessage() : e.getCause().getMessage();
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    AtomicBoolean came = new AtomicBoolean();
    ScheduledFuture<?> end =
        timer.schedule(
            () -> {
              if (came.compareAndSet(false, true)) {
                call.close(
                    Status.DEADLINE_EXCEEDED.withDescription(
                        "the request did not come within " + millis + " ms"),
                    new Metadata());
              }
            },
            millis,
            TimeUnit.MILLISECONDS);
    // A stream's request is there with its first message, any other when the caller has ended it.
    boolean whole = call.getMethodDescriptor().getType().clientSendsOneMessage();
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      private boolean inTime;

      private boolean inTime() {
        if (!inTime) {
          inTime = came.compareAndSet(false, true);
          end.cancel(false);
        }
        return inTime;
      }

      @Override
      public void onMessage(Q message) {
        if (!whole && !inTime()) {
          return;
        }
        try {
          super.onMessage(message);
        } catch (StatusRuntimeException e) { // thrown by nothing but the parser
          if (came.compareAndSet(false, true) || inTime) {
            inTime = false;
            end.cancel(false);
            StatusRuntimeException refusal =
                Refusals.of(Status.INVALID_ARGUMENT, "the request cannot be read: " + reason(e));
            call.close(refusal.getStatus(), refusal.getTrailers());
          }
        }
      }

      @Override
      public void onHalfClose() {
        if (inTime()) {
          super.onHalfClose();
        }
      }

      @Override
      public void onCancel() {
        end.cancel(false);
        super.onCancel();
      }

      @Override
      public void onComplete() {
        end.cancel(false);
        super.onComplete();
      }
    };
  }
}
