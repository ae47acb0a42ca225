package dev.troupe.actors.machine;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.console.ConsoleEnd;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.apache.pekko.actor.typed.ActorRef;

/** A console in memory. Its reader may be slow: it takes bytes only as {@link #allow} permits. */
public final class TestConsole implements ConsoleEnd {
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private final CountDownLatch opened = new CountDownLatch(1);
  private final Semaphore mayType = new Semaphore(1);
  private volatile ActorRef<ConsoleActor.Command> console;
  private long allowed = Long.MAX_VALUE;
  private long unacknowledged;
  private long most;

  @Override
  public void open(ActorRef<ConsoleActor.Command> opening) {
    console = opening;
    opened.countDown();
  }

  @Override
  public synchronized void write(byte[] bytes) {
    output.writeBytes(bytes);
    unacknowledged += bytes.length;
    most = Math.max(most, unacknowledged);
    acknowledge();
  }

  private void acknowledge() {
    int now = (int) Math.min(unacknowledged, Math.min(allowed, Integer.MAX_VALUE));
    if (now > 0) {
      unacknowledged -= now;
      allowed -= allowed == Long.MAX_VALUE ? 0 : now;
      console.tell(new ConsoleActor.Written(now));
    }
  }

  /** Takes so many bytes more, and no others until the next call. */
  public synchronized void allow(long bytes) {
    allowed = bytes;
    if (console != null) {
      acknowledge();
    }
  }

  /** Types bytes; returns when the guest has been given the bytes before them. */
  public void type(byte[] bytes) throws InterruptedException {
    opened.await();
    mayType.acquire();
    console.tell(new ConsoleActor.Input(bytes));
  }

  @Override
  public void taken() {
    mayType.release();
  }

  @Override
  public void close() {}

  public synchronized byte[] bytes() {
    return output.toByteArray();
  }

  public synchronized String text() {
    return output.toString(StandardCharsets.ISO_8859_1);
  }

  /** Most bytes that were ever written and not yet taken. */
  public synchronized long mostWaiting() {
    return most;
  }
}
