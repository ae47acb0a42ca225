package dev.troupe.actors.vmd.door;

import ch.qos.logback.classic.Level;
import dev.troupe.actors.vmd.Control;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The open door: a socket that {@code vmctl} connects to. Safe for use by several threads. */
public final class Door implements AutoCloseable {
  /** Nothing behind the door blocks, and what it does itself is short. */
  private static final int THREADS = 2;

  private static final String NETTY = "io.netty.bootstrap.ServerBootstrap";

  private static final Logger LOG = LoggerFactory.getLogger(Door.class);

  private final SocketFile file;
  private final Server server;
  private final MultiThreadIoEventLoopGroup loops;
  private final ExecutorService threads;
  private final ScheduledExecutorService timer;

  private Door(
      SocketFile file,
      Server server,
      MultiThreadIoEventLoopGroup loops,
      ExecutorService threads,
      ScheduledExecutorService timer) {
    this.file = file;
    this.server = server;
    this.loops = loops;
    this.threads = threads;
    this.timer = timer;
  }

  /**
   * Opens the door. Its folder is made if there is none; a dead daemon's socket is replaced.
   *
   * @param socket where, at most 97 bytes long
   * @param group whose members may connect, beside this process's user and root
   * @param control what is asked
   * @param log what {@code vmctl log} shows
   * @throws DoorException if it cannot be opened, such as when a daemon that lives has the socket
   */
  public static Door open(
      Path socket, Optional<String> group, Control control, LogRing log, DoorLimits limits)
      throws DoorException {
    // It asks each connection for TCP's keep-alive, and says each time that this one has none.
    if (LoggerFactory.getLogger(NETTY) instanceof ch.qos.logback.classic.Logger logger) {
      logger.setLevel(Level.ERROR);
    }
    SocketFile file = SocketFile.claim(socket);
    ThreadFactory names = Thread.ofPlatform().daemon().name("troupe-door-", 0).factory();
    var loops = new MultiThreadIoEventLoopGroup(1, names, NioIoHandler.newFactory());
    ExecutorService threads = Executors.newFixedThreadPool(THREADS, names);
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(names);
    try {
      Path bound = file.prepare();
      Server server =
          NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(bound))
              .channelType(NioServerDomainSocketChannel.class)
              .bossEventLoopGroup(loops)
              .workerEventLoopGroup(loops)
              .executor(threads)
              .protocolNegotiator(new Peers(Users.self(), limits))
              .maxConcurrentCallsPerConnection(limits.callsOfConnection())
              .maxInboundMessageSize(limits.messageBytes())
              .maxInboundMetadataSize(DoorLimits.METADATA_BYTES)
              .keepAliveTime(limits.silence().toMillis(), TimeUnit.MILLISECONDS)
              .keepAliveTimeout(limits.silenceAfterAsking().toMillis(), TimeUnit.MILLISECONDS)
              .addService(
                  ServerInterceptors.intercept(
                      ServerInterceptors.useInputStreamMessages(
                          new VmdService(control, log, limits).bindService()),
                      new RequestGate(timer, limits.requestTime().toMillis()),
                      Peers.interceptor()))
              .build()
              .start();
      file.publish(bound, group);
      return new Door(file, server, loops, threads, timer);
    } catch (IOException | RuntimeException e) {
      stop(loops, threads, timer);
      closeQuietly(file);
      if (e instanceof DoorException door) {
        throw door;
      }
      throw new DoorException(
          "socket %s: cannot be opened: %s".formatted(socket, e.getMessage()), e);
    }
  }

  /**
   * Takes no new call, lets those that are under way end, and closes after so long whatever is
   * left.
   */
  public void close(Duration limit) {
    server.shutdown();
    try {
      if (!server.awaitTermination(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        server.shutdownNow().awaitTermination(1, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    stop(loops, threads, timer);
    closeQuietly(file);
  }

  /** Closes at once. */
  @Override
  public void close() {
    close(Duration.ZERO);
  }

  private static void stop(
      MultiThreadIoEventLoopGroup loops, ExecutorService threads, ScheduledExecutorService timer) {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
    timer.shutdownNow();
    // Those whose calls were cut off are told so on these threads.
    threads.shutdown();
    try {
      if (!threads.awaitTermination(1, TimeUnit.SECONDS)) {
        threads.shutdownNow();
      }
    } catch (InterruptedException e) {
      threads.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  private static void closeQuietly(SocketFile file) {
    try {
      file.close();
    } catch (IOException e) {
      LOG.warn("the socket's file: {}", e.toString());
    }
  }
}
