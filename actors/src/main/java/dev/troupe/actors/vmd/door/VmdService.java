package dev.troupe.actors.vmd.door;

import dev.troupe.actors.vmd.Control;
import dev.troupe.actors.vmd.Control.Caller;
import dev.troupe.actors.vmd.ControlException;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.ConsoleInput;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.EventsRequest;
import dev.troupe.proto.vmd.ExplainRequest;
import dev.troupe.proto.vmd.Explanation;
import dev.troupe.proto.vmd.LogLine;
import dev.troupe.proto.vmd.LogRequest;
import dev.troupe.proto.vmd.NodesReply;
import dev.troupe.proto.vmd.NodesRequest;
import dev.troupe.proto.vmd.ShowReply;
import dev.troupe.proto.vmd.ShowRequest;
import dev.troupe.proto.vmd.VmEvent;
import dev.troupe.proto.vmd.VmInfo;
import dev.troupe.proto.vmd.VmdGrpc;
import dev.troupe.proto.vmd.WaitRequest;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The calls: each is looked at, handed on, and answered once. */
final class VmdService extends VmdGrpc.VmdImplBase {
  private static final Logger LOG = LoggerFactory.getLogger(VmdService.class);

  private final Control control;
  private final LogRing log;
  private final DoorLimits limits;

  VmdService(Control control, LogRing log, DoorLimits limits) {
    this.control = control;
    this.log = log;
    this.limits = limits;
  }

  @Override
  public void submit(Command command, StreamObserver<CommandResult> observer) {
    Caller caller = Peers.caller();
    answer(
        observer,
        limits.resultTime(),
        "no result yet; the command goes on, and asked again under its id tells it",
        () -> {
          Requests.check(command);
          // Whoever asked may go: the command is done all the same.
          return control.submit(caller, command).toCompletableFuture().copy();
        });
  }

  @Override
  public void show(ShowRequest request, StreamObserver<ShowReply> observer) {
    Caller caller = Peers.caller();
    read(
        observer,
        () -> {
          if (!request.getVm().isEmpty()) {
            Requests.vm(request.getVm());
          }
          return control
              .show(caller, request.getVm())
              .thenApply(vms -> ShowReply.newBuilder().addAllVms(vms).build());
        });
  }

  @Override
  public void wait(WaitRequest request, StreamObserver<VmInfo> observer) {
    Caller caller = Peers.caller();
    answer(
        observer,
        Duration.ZERO,
        "",
        () -> {
          Requests.vm(request.getVm());
          return control.await(caller, request.getVm());
        });
  }

  @Override
  public void nodes(NodesRequest request, StreamObserver<NodesReply> observer) {
    Caller caller = Peers.caller();
    read(
        observer,
        () ->
            control
                .nodes(caller)
                .thenApply(nodes -> NodesReply.newBuilder().addAllNodes(nodes).build()));
  }

  @Override
  public void explain(ExplainRequest request, StreamObserver<Explanation> observer) {
    Caller caller = Peers.caller();
    read(
        observer,
        () -> {
          Requests.check(request);
          return control.explain(caller, request);
        });
  }

  @Override
  public StreamObserver<ConsoleInput> console(StreamObserver<ConsoleOutput> observer) {
    return new ConsoleCall(
        control, Peers.caller(), (ServerCallStreamObserver<ConsoleOutput>) observer);
  }

  @Override
  public void events(EventsRequest request, StreamObserver<VmEvent> observer) {
    Caller caller = Peers.caller();
    Feed<VmEvent> feed = new Feed<>((ServerCallStreamObserver<VmEvent>) observer, "events");
    AutoCloseable listening;
    try {
      listening = control.events(caller, feed::add);
    } catch (RuntimeException e) {
      observer.onError(Refusals.status(e));
      return;
    }
    feed.onEnd(() -> close(listening));
  }

  private static void close(AutoCloseable listening) {
    try {
      listening.close();
    } catch (Exception e) {
      LOG.warn("events: {}", e.toString());
    }
  }

  @Override
  public void log(LogRequest request, StreamObserver<LogLine> observer) {
    Caller caller = Peers.caller();
    if (!caller.privileged()) {
      observer.onError(
          Refusals.status(
              new ControlException(
                  ControlException.Kind.DENIED,
                  "the daemon's log is for root and for its own user, not for " + caller.name())));
      return;
    }
    switch (request.getDetail()) {
      case DETAIL_BRIEF -> LogRing.verbose(false);
      case DETAIL_VERBOSE -> LogRing.verbose(true);
      default -> {
        // as it was
      }
    }
    Feed<LogLine> feed = new Feed<>((ServerCallStreamObserver<LogLine>) observer, "log");
    Consumer<String> add = line -> feed.add(LogLine.newBuilder().setText(line).build());
    // Fewer than what a feed keeps, so that the beginning alone makes nobody too slow.
    int count =
        Math.clamp(Integer.toUnsignedLong(request.getLines()), 0, DoorLimits.FEED_ITEMS / 2);
    if (request.getFollow()) {
      LateFollower follower = new LateFollower(add);
      follower.begin(log.follow(count, follower));
      feed.onEnd(() -> log.leave(follower));
    } else {
      log.last(count).forEach(add);
      feed.complete();
    }
  }

  /** Keeps what is logged back until the lines before it have been told. */
  private static final class LateFollower implements Consumer<String> {
    private final Consumer<String> to;
    private java.util.List<String> held = new java.util.ArrayList<>();

    LateFollower(Consumer<String> to) {
      this.to = to;
    }

    @Override
    public synchronized void accept(String line) {
      if (held != null) {
        held.add(line);
      } else {
        to.accept(line);
      }
    }

    synchronized void begin(java.util.List<String> before) {
      before.forEach(to);
      held.forEach(to);
      held = null;
    }
  }

  private <T> void read(StreamObserver<T> observer, Supplier<CompletionStage<T>> work) {
    answer(observer, limits.answerTime(), "no answer", work);
  }

  /**
   * Answers a call with what comes of its work.
   *
   * @param limit zero for none
   * @param late what is said when that is over
   */
  private <T> void answer(
      StreamObserver<T> observer, Duration limit, String late, Supplier<CompletionStage<T>> work) {
    var call = (ServerCallStreamObserver<T>) observer;
    CompletableFuture<T> future;
    try {
      future = work.get().toCompletableFuture();
    } catch (RuntimeException e) {
      call.onError(Refusals.status(e));
      return;
    }
    call.setOnCancelHandler(() -> future.cancel(false));
    CompletableFuture<T> limited =
        limit.isZero() ? future : future.copy().orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS);
    var _ =
        limited.whenComplete(
            (result, failure) -> {
              if (call.isCancelled()) {
                return;
              }
              if (failure == null) {
                call.onNext(result);
                call.onCompleted();
              } else if (timedOut(failure)) {
                future.cancel(false);
                call.onError(
                    Refusals.of(
                        Status.DEADLINE_EXCEEDED,
                        "%s after %d s".formatted(late, limit.toSeconds())));
              } else {
                call.onError(Refusals.status(failure));
              }
            });
  }

  private static boolean timedOut(Throwable failure) {
    Throwable reason = failure instanceof CompletionException e ? e.getCause() : failure;
    return reason instanceof TimeoutException;
  }
}
