package dev.troupe.actors.vmctl;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.console.ConsoleEnd;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * A console on a pair of streams: a thread that reads, one chunk at a time and the next when the
 * guest has taken it, and a thread that writes. Both are daemons, since a blocked read cannot be
 * ended.
 */
final class StreamConsole implements ConsoleEnd {
  /** No escape: every byte is the guest's. */
  static final int NO_ESCAPE = -1;

  /** Ctrl-]. */
  static final int ESCAPE = 0x1D;

  private static final int CHUNK = 4096;

  /**
   * What the writer's thread has to do.
   *
   * @param last no more follows; its own bytes are none
   */
  private record Piece(byte[] bytes, boolean last) {}

  private final InputStream in;
  private final OutputStream out;
  private final int escape;
  private final Runnable onEscape;
  private final BlockingQueue<Piece> output = new LinkedBlockingQueue<>();
  private final Semaphore mayRead = new Semaphore(1);
  private volatile ActorRef<ConsoleActor.Command> console;

  /**
   * A console that is not open yet.
   *
   * @param escape a byte value that is not the guest's but calls {@code onEscape}, or {@link
   *     #NO_ESCAPE}
   */
  StreamConsole(InputStream in, OutputStream out, int escape, Runnable onEscape) {
    this.in = in;
    this.out = out;
    this.escape = escape;
    this.onEscape = onEscape;
  }

  @Override
  public void open(ActorRef<ConsoleActor.Command> opened) {
    console = opened;
    Thread.ofPlatform().daemon().name("troupe-console-in").start(this::read);
    Thread.ofPlatform().daemon().name("troupe-console-out").start(this::write);
  }

  @Override
  public void write(byte[] bytes) {
    output.add(new Piece(bytes, false));
  }

  @Override
  public void taken() {
    mayRead.release();
  }

  @Override
  public void close() {
    output.add(new Piece(new byte[0], true));
  }

  private void read() {
    byte[] buffer = new byte[CHUNK];
    try {
      while (true) {
        mayRead.acquire();
        int count = in.read(buffer);
        if (count < 0) {
          return; // its end does not end the guest
        }
        int use = escape == NO_ESCAPE ? count : indexOf(buffer, count, (byte) escape);
        if (use > 0) {
          console.tell(new ConsoleActor.Input(Arrays.copyOf(buffer, use)));
        } else {
          mayRead.release();
        }
        if (use < count) {
          onEscape.run();
          return;
        }
      }
    } catch (IOException e) {
      // A terminal that has gone away types nothing more.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static int indexOf(byte[] buffer, int count, byte wanted) {
    for (int i = 0; i < count; i++) {
      if (buffer[i] == wanted) {
        return i;
      }
    }
    return count;
  }

  private void write() {
    try {
      while (true) {
        Piece piece = output.take();
        int written = 0;
        while (piece != null && !piece.last) {
          out.write(piece.bytes);
          written += piece.bytes.length;
          piece = written < CHUNK ? output.poll() : null;
        }
        out.flush();
        if (written > 0) {
          console.tell(new ConsoleActor.Written(written));
        }
        if (piece != null) {
          return;
        }
      }
    } catch (IOException e) {
      console.tell(new ConsoleActor.Failed("standard output: " + e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
