package dev.troupe.actors.debug;

import dev.troupe.runtime.debug.DebugTarget;
import dev.troupe.runtime.debug.gdb.GdbSession;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The socket that GDB connects to, for one connection at a time. Threads of its own, daemons all: a
 * machine on the brake is waited for, and a read cannot be ended.
 */
public final class DebugServer implements AutoCloseable {
  /** A machine that a connection can come and go at. */
  public interface Target extends DebugTarget {
    /** Makes the machine stand; returns why it does. */
    Stop halt();

    /** Nobody looks any more: nothing stops the machine, and it goes on. */
    void letGo();

    /** Ends the machine. */
    void kill();
  }

  private static final int CHUNK = 4096;

  /** What waits for the session: one answer of the machine's, and bytes that nobody should send. */
  private static final int MAX_WAITING = 64;

  /** What a session is told. */
  private sealed interface Event {}

  private record Bytes(byte[] bytes) implements Event {}

  private record Moved(DebugTarget.Stop stop) implements Event {}

  private record Closed() implements Event {}

  private final ServerSocket socket;
  private final Target target;
  private final Consumer<String> complaints;

  private DebugServer(ServerSocket socket, Target target, Consumer<String> complaints) {
    this.socket = socket;
    this.target = target;
    this.complaints = complaints;
  }

  /**
   * Listens.
   *
   * @param host null for this machine only
   * @param port 0 for any
   * @param complaints gets a line for each connection that ended badly
   */
  public static DebugServer listen(
      String host, int port, Target target, Consumer<String> complaints) throws IOException {
    ServerSocket socket = new ServerSocket();
    try {
      socket.setReuseAddress(true);
      InetAddress address =
          host == null ? InetAddress.getLoopbackAddress() : InetAddress.getByName(host);
      socket.bind(new InetSocketAddress(address, port), 1);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
    DebugServer server = new DebugServer(socket, target, complaints);
    Thread.ofPlatform().daemon().name("troupe-gdb").start(server::accept);
    return server;
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return (InetSocketAddress) socket.getLocalSocketAddress();
  }

  private void accept() {
    while (true) {
      try (Socket connection = socket.accept()) {
        connection.setTcpNoDelay(true);
        new Connection(connection).serve();
      } catch (IOException e) {
        if (socket.isClosed()) {
          return;
        }
        complaints.accept("gdb: " + e.getMessage());
      }
    }
  }

  /** One connection, on the server's thread. */
  private final class Connection implements GdbSession.Outside {
    private final Socket connection;
    private final BlockingQueue<Event> events = new ArrayBlockingQueue<>(MAX_WAITING);
    private boolean killed;
    private volatile boolean over;

    Connection(Socket connection) {
      this.connection = connection;
    }

    void serve() {
      GdbSession session = new GdbSession(target, this, target.halt());
      Thread.ofPlatform().daemon().name("troupe-gdb-in").start(this::read);
      boolean open = true;
      while (open && !session.isOver()) {
        switch (next()) {
          case Bytes(byte[] bytes) -> session.received(bytes);
          case Moved(DebugTarget.Stop stop) -> session.stopped(stop);
          case Closed _ -> open = false;
        }
      }
      if (session.isMoving()) {
        target.interrupt();
        while (!(next() instanceof Moved)) {
          // Bytes that nobody answers any more.
        }
      }
      over = true;
      if (!killed) {
        target.letGo();
      }
    }

    private Event next() {
      try {
        return events.take();
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted", e);
      }
    }

    private void put(Event event) {
      try {
        while (!over && !events.offer(event, 1, TimeUnit.SECONDS)) {
          // The session is about to take one, or to end.
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted", e);
      }
    }

    private void read() {
      byte[] buffer = new byte[CHUNK];
      try {
        InputStream in = connection.getInputStream();
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          put(new Bytes(Arrays.copyOf(buffer, n)));
        }
      } catch (IOException e) {
        // Gone: as if it had closed.
      }
      put(new Closed());
    }

    @Override
    public void send(byte[] bytes) {
      try {
        connection.getOutputStream().write(bytes);
      } catch (IOException e) {
        // The reader meets the same.
      }
    }

    @Override
    public void move(DebugTarget.Move how) {
      Thread.ofPlatform().daemon().name("troupe-gdb-move").start(() -> put(new Moved(moved(how))));
    }

    private DebugTarget.Stop moved(DebugTarget.Move how) {
      try {
        return target.move(how);
      } catch (RuntimeException e) {
        complaints.accept("gdb: " + e.getMessage());
        return new DebugTarget.Stop(DebugTarget.NO_VCPU, DebugTarget.Reason.GONE, null);
      }
    }

    @Override
    public void interrupt() {
      target.interrupt();
    }

    @Override
    public void detach() {}

    @Override
    public void kill() {
      killed = true;
      target.kill();
    }

    @Override
    public void reject(String reason) {
      complaints.accept("gdb: " + reason + "; the connection is closed");
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
