package dev.troupe.actors.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.troupe.actors.cli.Terminal;
import dev.troupe.proto.vmd.ConsoleInput;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.OpenConsole;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * A console on a pair of streams. Output is written by the caller's thread, and the next is asked
 * for when it has been; typed bytes are read by a thread of their own, which sees the user leave
 * even if the guest takes nothing, and go on their way when the guest has taken those before.
 */
final class ConsoleClient
    implements ClientResponseObserver<ConsoleInput, ConsoleOutput>, AutoCloseable {
  /** Bytes of one input, as vmd.proto allows. */
  private static final int INPUT_BYTES = 4096;

  /** Typed bytes that may wait for the guest; then no more is read. */
  private static final int TYPED_BYTES = 64 << 10;

  /** Messages that may be on their way; each is asked for again when it has been written. */
  private static final int WINDOW = 8;

  /** What the writing thread has to do next. */
  private sealed interface Task {
    record Show(ConsoleOutput output) implements Task {}

    record Fail(Throwable reason) implements Task {}

    record End() implements Task {}

    record Leave() implements Task {}
  }

  private final Daemon daemon;
  private final InputStream in;
  private final OutputStream out;
  private final PrintStream notices;
  private final EscapeFilter escape;
  private final String lineEnd;
  private final BlockingQueue<Task> tasks = new LinkedBlockingQueue<>();
  private ClientCallStreamObserver<ConsoleInput> call;

  // Guarded by typed.
  private final ByteArrayOutputStream typed = new ByteArrayOutputStream();
  private boolean opened;
  private boolean writer;
  private boolean underWay;

  // Of the writing thread.
  private long epoch = -1;
  private long next = -1;

  /**
   * A console that is not open yet.
   *
   * @param terminal whether a person sits there: then there are ways to leave, and lines of ours
   *     end as in raw mode
   */
  ConsoleClient(
      Daemon daemon, InputStream in, OutputStream out, PrintStream notices, boolean terminal) {
    this.daemon = daemon;
    this.in = in;
    this.out = out;
    this.notices = notices;
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
   * @throws ClientException if it cannot be opened, or the daemon has gone
   */
  int converse(OpenConsole open) throws IOException {
    daemon.streams().console(this);
    call.onNext(ConsoleInput.newBuilder().setOpen(open).build());
    Thread.ofPlatform().daemon().name("vmctl-console-in").start(this::read);
    try {
      while (true) {
        switch (tasks.take()) {
          case Task.Show(ConsoleOutput output) -> {
            show(output);
            call.request(1);
          }
          case Task.Fail(Throwable reason) -> throw daemon.refusal(reason);
          case Task.End() -> {
            return ClientExit.OK;
          }
          case Task.Leave() -> {
            notices.print(lineEnd);
            notices.flush();
            return ClientExit.OK;
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ClientExit.FAILED;
    }
  }

  @Override
  public void close() {
    if (call != null) {
      call.cancel("left", null);
    }
  }

  // --- What the daemon tells, by the connection's thread. ---

  @Override
  public void beforeStart(ClientCallStreamObserver<ConsoleInput> started) {
    call = started;
    started.disableAutoRequestWithInitial(WINDOW);
  }

  @Override
  public void onNext(ConsoleOutput output) {
    tasks.add(new Task.Show(output));
  }

  @Override
  public void onError(Throwable reason) {
    tasks.add(new Task.Fail(reason));
  }

  @Override
  public void onCompleted() {
    tasks.add(new Task.End());
  }

  // --- What is shown, by the caller's thread. ---

  private void show(ConsoleOutput output) throws IOException {
    switch (output.getWhatCase()) {
      case OPENED -> {
        input(output.getOpened().getWriter());
        if (!output.getOpened().getText().isEmpty()) {
          say(output.getOpened().getText());
        }
      }
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

  private void chunk(ConsoleOutput.Chunk chunk) throws IOException {
    if (chunk.getEpoch() != epoch) {
      if (epoch >= 0) {
        say("the machine started anew (epoch " + Long.toUnsignedString(chunk.getEpoch()) + ")");
      }
    } else if (chunk.getOffset() != next) {
      say("output is missing here: from byte " + next + " to " + chunk.getOffset());
    }
    epoch = chunk.getEpoch();
    next = chunk.getOffset() + chunk.getData().size();
    chunk.getData().writeTo(out);
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
      call.onNext(ConsoleInput.newBuilder().setData(data).build());
    }
    typed.notifyAll();
  }
}
