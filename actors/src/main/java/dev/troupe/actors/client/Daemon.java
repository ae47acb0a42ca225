package dev.troupe.actors.client;

import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.ShowRequest;
import dev.troupe.proto.vmd.VmInfo;
import dev.troupe.proto.vmd.VmdGrpc;
import dev.troupe.proto.vmd.VmdGrpc.VmdBlockingStub;
import dev.troupe.proto.vmd.VmdGrpc.VmdStub;
import io.grpc.Attributes;
import io.grpc.ClientTransportFilter;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.net.UnixDomainSocketAddress;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/** A connection to a daemon. Refusals come as {@link ClientException}s with the daemon's words. */
final class Daemon implements AutoCloseable {
  /** Set by the daemon on its own answers; without it, the trouble is the connection's. */
  private static final Metadata.Key<String> ORIGIN =
      Metadata.Key.of("troupe-origin", Metadata.ASCII_STRING_MARSHALLER);

  /** Ten thousand machines with long command lines. */
  private static final int ANSWER_BYTES = 64 << 20;

  /** A daemon that is started again by its service manager is back in a few seconds. */
  private static final Duration RESENDING = Duration.ofSeconds(30);

  private static final Duration PAUSE = Duration.ofMillis(200);

  private final Path socket;
  private final Duration resending;
  private final MultiThreadIoEventLoopGroup loop;
  private final ManagedChannel channel;
  private final VmdBlockingStub stub;
  private final AtomicBoolean wasConnected = new AtomicBoolean();

  private Daemon(Path socket, Duration resending) {
    this.socket = socket;
    this.resending = resending;
    loop =
        new MultiThreadIoEventLoopGroup(
            1,
            Thread.ofPlatform().daemon().name("vmctl-connection").factory(),
            NioIoHandler.newFactory());
    channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(loop)
            .usePlaintext()
            .overrideAuthority("vmd")
            .directExecutor()
            .disableRetry()
            .maxInboundMessageSize(ANSWER_BYTES)
            .addTransportFilter(
                new ClientTransportFilter() {
                  @Override
                  public Attributes transportReady(Attributes attributes) {
                    wasConnected.set(true);
                    return attributes;
                  }
                })
            .build();
    stub = VmdGrpc.newBlockingStub(channel);
  }

  /**
   * A connection to the daemon whose socket this is. Nothing is sent yet.
   *
   * @throws ClientException if there is no socket
   */
  static Daemon at(Path socket) {
    return at(socket, RESENDING);
  }

  static Daemon at(Path socket, Duration resending) {
    if (!Files.exists(socket)) {
      throw reasonOfAbsence(socket);
    }
    try {
      return new Daemon(socket, resending);
    } catch (IllegalArgumentException e) { // a path that is too long
      throw new ClientException(
          ClientExit.USAGE, "socket %s: %s".formatted(socket, e.getMessage()));
    }
  }

  private static ClientException reasonOfAbsence(Path socket) {
    try {
      Files.readAttributes(socket, java.nio.file.attribute.BasicFileAttributes.class);
    } catch (AccessDeniedException e) {
      return new ClientException(ClientExit.DENIED, socket + ": permission denied");
    } catch (java.io.IOException e) {
      // It is not there, as is said below.
    }
    return notRunning(socket);
  }

  private static ClientException notRunning(Path socket) {
    return new ClientException(
        ClientExit.UNAVAILABLE, "no daemon answers at %s; ./vmd starts one".formatted(socket));
  }

  /** For streams; what fails there is put into words by {@link #refusal}. */
  VmdStub streams() {
    return VmdGrpc.newStub(channel);
  }

  /** Asks something that changes nothing. */
  <T> T ask(Function<VmdBlockingStub, T> question) {
    try {
      return question.apply(stub);
    } catch (StatusRuntimeException e) {
      throw refusal(e);
    }
  }

  /** The machines that the caller may see; only one, if it is named. */
  List<VmInfo> show(String vm) {
    return ask(s -> s.show(ShowRequest.newBuilder().setVm(vm).build())).getVmsList();
  }

  /**
   * Has a command done. If the connection breaks before there is a result, the command is sent
   * again under its id, for so long: the daemon does it once.
   */
  CommandResult submit(Command command) {
    long end = 0;
    while (true) {
      try {
        return stub.submit(command);
      } catch (StatusRuntimeException e) {
        if (!isConnections(e) || !wasConnected.get()) {
          throw refusal(e);
        }
        if (end == 0) {
          end = System.nanoTime() + resending.toNanos();
          Notices.say("the daemon went away; asking it again under the same id");
        } else if (System.nanoTime() - end > 0) {
          throw new ClientException(
              ClientExit.UNAVAILABLE,
              "no result: the daemon at %s is away for %d s; the same command with --id %s asks again"
                  .formatted(socket, resending.toSeconds(), command.getId()));
        }
      }
      pause();
      channel.resetConnectBackoff();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClientException(ClientExit.FAILED, "interrupted");
    }
  }

  private static boolean isConnections(StatusRuntimeException e) {
    boolean daemons = e.getTrailers() != null && e.getTrailers().containsKey(ORIGIN);
    return !daemons
        && switch (e.getStatus().getCode()) {
          case UNAVAILABLE, CANCELLED, INTERNAL -> true;
          default -> false;
        };
  }

  /** What a failed call means for the user. */
  ClientException refusal(Throwable failure) {
    Status status = Status.fromThrowable(failure);
    String text = status.getDescription() == null ? "no reason given" : status.getDescription();
    if (failure instanceof StatusRuntimeException e && isConnections(e)) {
      if (wasConnected.get()) {
        return new ClientException(
            ClientExit.UNAVAILABLE, "the connection to the daemon at %s broke".formatted(socket));
      }
      return text(status.getCause()).contains("Permission denied")
          ? new ClientException(ClientExit.DENIED, socket + ": permission denied")
          : notRunning(socket);
    }
    return new ClientException(
        switch (status.getCode()) {
          case INVALID_ARGUMENT -> ClientExit.USAGE;
          case NOT_FOUND -> ClientExit.NOT_FOUND;
          case PERMISSION_DENIED, UNAUTHENTICATED -> ClientExit.DENIED;
          case UNAVAILABLE, DEADLINE_EXCEEDED -> ClientExit.UNAVAILABLE;
          case RESOURCE_EXHAUSTED -> ClientExit.FAILED;
          case UNIMPLEMENTED -> ClientExit.UNSUPPORTED;
          default -> ClientExit.INTERNAL;
        },
        status.getCode() == Status.Code.UNIMPLEMENTED
            ? "this daemon cannot do that; it is older than vmctl"
            : text);
  }

  /** Whether a call has failed because the daemon that was there is not there any more. */
  boolean wentAway(Throwable failure) {
    return failure instanceof StatusRuntimeException e && isConnections(e) && wasConnected.get();
  }

  /** The next call connects anew, at once. */
  void tryAgain() {
    channel.resetConnectBackoff();
  }

  /** What is said of a daemon that has not come back for so long. */
  ClientException staysAway(Duration time) {
    return new ClientException(
        ClientExit.UNAVAILABLE,
        "the daemon at %s went away, and none has answered there for %d s"
            .formatted(socket, time.toSeconds()));
  }

  private static String text(Throwable cause) {
    return cause == null || cause.getMessage() == null ? "" : cause.getMessage();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
