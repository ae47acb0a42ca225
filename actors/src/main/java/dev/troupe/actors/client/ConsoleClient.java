package dev.troupe.actors.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.troupe.actors.cli.Terminal;
import dev.troupe.proto.vmd.ConsoleInput;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.ConsolePlace;
import dev.troupe.proto.vmd.OpenConsole;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A console on a pair of streams. Output is written by the caller's thread, and the next is asked
 * for when it has been; typed bytes are read by a thread of their own, which sees the user leave
 * even if the guest takes nothing, and go on their way when the guest has taken those before.
 *
 * <p>It outlives its daemon: when that goes away, the console waits for it for a while, and goes on
 * where it was.
 */
final class ConsoleClient implements AutoCloseable {
  /** Bytes of one input, as vmd.proto allows. */
  private static final int INPUT_BYTES = 4096;

  /** Typed bytes that may wait for the guest; then no more is read. */
  private static final int TYPED_BYTES = 64 << 10;

  /** Messages that may be on their way; each is asked for again when it has been written. */
  private static final int WINDOW = 8;

  /** A daemon that is stopped and started again is back by then, its machines' stop included. */
  private static final Duration AWAY = Duration.ofSeconds(60);

  private static final Duration TRY_AGAIN = Duration.ofMillis(200);

  /**
   * A daemon that was killed could not say that its writer has gone: for some time to come the
   * machine's console takes him for there.
   */
  private static final Duration CLAIM = Duration.ofSeconds(30);

  private static final Duration CLAIM_AGAIN = Duration.ofSeconds(2);

  /** Asked of a daemon that does not know how to go on at a place; what is known is left out. */
  private static final long SCROLLBACK = 1 << 20;

  /** What the writing thread has to do next. */
  private sealed interface Task {
    record Show(Attempt from, ConsoleOutput output) implements Task {}

    record Fail(Attempt from, Throwable reason) implements Task {}

    record End(Attempt from) implements Task {}

    record Leave() implements Task {}
  }

  /** One call; its methods are called by the connection's thread. */
  private final class Attempt implements ClientResponseObserver<ConsoleInput, ConsoleOutput> {
    private ClientCallStreamObserver<ConsoleInput> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<ConsoleInput> started) {
      call = started;
      started.disableAutoRequestWithInitial(WINDOW);
    }

    @Override
    public void onNext(ConsoleOutput output) {
      tasks.add(new Task.Show(this, output));
    }

    @Override
    public void onError(Throwable reason) {
      tasks.add(new Task.Fail(this, reason));
    }

    @Override
    public void onCompleted() {
      tasks.add(new Task.End(this));
    }
  }

  private final Daemon daemon;
  private final InputStream in;
  private final OutputStream out;
  private final PrintStream notices;
  private final Duration patience;
  private final EscapeFilter escape;
  private final String lineEnd;
  private final BlockingQueue<Task> tasks = new LinkedBlockingQueue<>();

  // Guarded by typed.
  private final ByteArrayOutputStream typed = new ByteArrayOutputStream();
  private Attempt attempt;
  private boolean opened;
  private boolean writer;
  private boolean underWay;

  // Of the writing thread.
  private OpenConsole open;
  private long epoch = -1;
  private long next = -1;

  /** Until when the daemon is waited for; null while it is there. */
  private Long awayUntil;

  /** Until when the writing is asked for again; null if it is not. */
  private Long claimUntil;

  /** When the next call is to be made; null for none. */
  private Long callAt;

  /**
   * A console that is not open yet.
   *
   * @param terminal whether a person sits there: then there are ways to leave, and lines of ours
   *     end as in raw mode
   */
  ConsoleClient(
      Daemon daemon, InputStream in, OutputStream out, PrintStream notices, boolean terminal) {
    this(daemon, in, out, notices, terminal, AWAY);
  }

  /**
   * The same.
   *
   * @param patience with a daemon that is away
   */
  ConsoleClient(
      Daemon daemon,
      InputStream in,
      OutputStream out,
      PrintStream notices,
      boolean terminal,
      Duration patience) {
    this.daemon = daemon;
    this.in = in;
    this.out = out;
    this.notices = notices;
    this.patience = patience;
    escape = terminal ? new EscapeFilter() : null;
    lineEnd = terminal ? "\r\n" : "\n";
  }

  /** On this process's streams, the terminal raw if it is one; until left or over. */
  @SuppressWarnings("ClosingStandardOutputStreams") // it closes none of them
  static int run(Daemon daemon, OpenConsole open) {
    boolean terminal = Terminal.isTerminal();
    try (Terminal raw = terminal ? Terminal.raw() : null;
        ConsoleClient client =
            new ConsoleClient(
                daemon,
                System.in,
                new java.io.FileOutputStream(java.io.FileDescriptor.out),
                System.err,
                raw != null)) {
      return client.converse(open);
    } catch (IOException e) {
      throw new ClientException(ClientExit.FAILED, "console: " + e.getMessage());
    }
  }

  /**
   * Opens the console, and returns the exit code when it is over or the user has left.
   *
   * @throws ClientException if it cannot be opened, or the daemon has gone for good
   */
  int converse(OpenConsole wanted) throws IOException {
    open = wanted;
    call(wanted);
    Thread.ofPlatform().daemon().name("vmctl-console-in").start(this::read);
    try {
      while (true) {
        switch (nextTask()) {
          case null -> call(goingOn());
          case Task.Show(Attempt from, ConsoleOutput output) when from == attempt -> {
            back();
            show(output);
            from.call.request(1);
          }
          case Task.Fail(Attempt from, Throwable reason) when from == attempt -> broken(reason);
          case Task.End(Attempt from) when from == attempt -> {
            return ClientExit.OK;
          }
          case Task.Leave() -> {
            notices.print(lineEnd);
            notices.flush();
            return ClientExit.OK;
          }
          default -> {} // of a call that was given up
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ClientExit.FAILED;
    }
  }

  /** Null when a call is due. */
  private Task nextTask() throws InterruptedException {
    if (callAt == null) {
      return tasks.take();
    }
    Task task = tasks.poll(callAt - System.nanoTime(), TimeUnit.NANOSECONDS);
    if (task == null) {
      callAt = null;
    }
    return task;
  }

  private static long after(Duration time) {
    return System.nanoTime() + time.toNanos();
  }

  private void call(OpenConsole how) {
    Attempt made = new Attempt();
    close();
    synchronized (typed) {
      attempt = made;
    }
    daemon.tryAgain();
    daemon.streams().console(made);
    made.call.onNext(ConsoleInput.newBuilder().setOpen(how).build());
  }

  /** The console again, where it was. */
  private OpenConsole goingOn() {
    if (epoch < 0) {
      return open; // nothing was shown
    }
    return open.toBuilder()
        .setWrite(claimUntil != null)
        .setForce(false)
        .setScrollback(SCROLLBACK)
        .setFrom(ConsolePlace.newBuilder().setEpoch(epoch).setOffset(next))
        .build();
  }

  @Override
  public void close() {
    if (attempt != null) {
      attempt.call.cancel("left", null);
    }
  }

  // --- The daemon goes and comes, as the caller's thread sees it. ---

  private void broken(Throwable reason) {
    boolean starting =
        awayUntil != null && Status.fromThrowable(reason).getCode() == Status.Code.UNAVAILABLE;
    if (!starting && !daemon.wentAway(reason)) {
      throw daemon.refusal(reason);
    }
    if (awayUntil == null) {
      awayUntil = after(patience);
      say("the daemon went away; waiting for it for up to " + patience.toSeconds() + " s");
      boolean lost;
      synchronized (typed) {
        lost = underWay;
        claimUntil = writer ? Long.valueOf(after(patience.plus(CLAIM))) : null;
        opened = false;
        underWay = false;
      }
      if (lost) {
        say("what was typed last may be lost");
      }
    } else if (System.nanoTime() - awayUntil >= 0) {
      throw daemon.staysAway(patience);
    }
    callAt = after(TRY_AGAIN);
  }

  private void back() {
    if (awayUntil != null) {
      awayUntil = null;
      say("the daemon is back");
    }
  }

  // --- What is shown, by the caller's thread. ---

  private void show(ConsoleOutput output) throws IOException {
    switch (output.getWhatCase()) {
      case OPENED -> opened(output.getOpened());
      case CHUNK -> chunk(output.getChunk());
      case LOST -> {
        ConsoleOutput.Lost lost = output.getLost();
        say(Long.toUnsignedString(lost.getBytes()) + " bytes of output are lost here");
        epoch = lost.getEpoch();
        next = lost.getOffset() + lost.getBytes();
      }
      case TAKEN -> input(true);
      case TAKEN_OVER -> {
        input(false);
        say(output.getTakenOver() + " types from now on; you watch");
      }
      case CLOSED -> say("the console is closed: " + output.getClosed());
      case NOTE -> say(output.getNote());
      case WHAT_NOT_SET -> {
        // Of a newer daemon.
      }
    }
  }

  private void opened(ConsoleOutput.Opened how) {
    if (epoch < 0 && how.hasAt()) {
      epoch = how.getAt().getEpoch();
      next = how.getAt().getOffset();
    }
    if (!how.getWriter() && claimUntil != null && System.nanoTime() - claimUntil < 0) {
      callAt = after(CLAIM_AGAIN); // what is typed meanwhile waits
      return;
    }
    claimUntil = null;
    input(how.getWriter());
    if (!how.getText().isEmpty()) {
      say(how.getText());
    }
  }

  private void chunk(ConsoleOutput.Chunk chunk) throws IOException {
    ByteString data = chunk.getData();
    long end = chunk.getOffset() + data.size();
    if (chunk.getEpoch() != epoch) {
      if (epoch >= 0) {
        say("the machine started anew (epoch " + Long.toUnsignedString(chunk.getEpoch()) + ")");
      }
    } else if (chunk.getOffset() > next) {
      say("output is missing here: from byte " + next + " to " + chunk.getOffset());
    } else { // what was shown is not shown again
      data = data.substring((int) Math.min(data.size(), next - chunk.getOffset()));
      end = Math.max(end, next);
    }
    epoch = chunk.getEpoch();
    next = end;
    data.writeTo(out);
    out.flush();
  }

  private void say(String text) {
    String line = text.lines().findFirst().orElse("").replaceAll("\\p{Cntrl}", "?");
    notices.print((escape == null ? "" : "\r\n") + "vmctl: " + line + lineEnd);
    notices.flush();
  }

  // --- What is typed, by a thread that ends with the process: a read cannot be ended. ---

  private void read() {
    byte[] buffer = new byte[INPUT_BYTES];
    try {
      while (true) {
        int count = in.read(buffer);
        if (count < 0) {
          return; // its end does not end the guest
        }
        type(escape == null ? Arrays.copyOf(buffer, count) : escape.filter(buffer, count));
        if (escape != null && escape.left()) {
          tasks.add(new Task.Leave());
          return;
        }
      }
    } catch (IOException e) {
      // A terminal that has gone away types nothing more.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void type(byte[] guests) throws InterruptedException {
    synchronized (typed) {
      while (typed.size() >= TYPED_BYTES) {
        typed.wait();
      }
      typed.writeBytes(guests);
      send();
    }
  }

  /** What was under way has been taken, or never will be. */
  private void input(boolean nowWriter) {
    synchronized (typed) {
      opened = true;
      writer = nowWriter;
      underWay = false;
      send();
    }
  }

  /** Sends what is next, if it may; what one who only watches types goes nowhere. */
  private void send() {
    if (!opened || underWay) {
      return;
    }
    byte[] waiting = typed.toByteArray();
    typed.reset();
    if (writer && waiting.length > 0) {
      int count = Math.min(waiting.length, INPUT_BYTES);
      typed.write(waiting, count, waiting.length - count);
      underWay = true;
      ByteString data = UnsafeByteOperations.unsafeWrap(waiting, 0, count);
      attempt.call.onNext(ConsoleInput.newBuilder().setData(data).build());
    }
    typed.notifyAll();
  }
}
