package dev.troupe.direct;

import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.machine.DirectMachine;
import dev.troupe.runtime.machine.Outcome;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Boots a guest without actors on the calling thread, standard input and output being its console:
 * {@code DirectBoot KERNEL INITRD COMMAND-LINE MEBIBYTES [SECONDS]}. An empty INITRD is none.
 * Prints how the machine ended, and how fast it was.
 */
public final class DirectBoot {
  private static final long MIB = 1L << 20;

  /** A stop is seen within this time while the guest idles. */
  private static final long LONGEST_WAIT_NANOS = 100_000_000;

  private DirectBoot() {}

  /**
   * Standard input and output, read by a thread of its own so that the machine never waits for it.
   */
  private static final class Terminal implements DirectMachine.Console, DirectMachine.Idle {
    private final LinkedBlockingQueue<byte[]> arrived = new LinkedBlockingQueue<>(16);
    private final TimeSource time;
    private byte[] rest = {};

    private Terminal(TimeSource time, InputStream input) {
      this.time = time;
      Thread.ofPlatform().daemon().name("console-input").start(() -> pump(input));
    }

    private void pump(InputStream input) {
      byte[] buffer = new byte[4096];
      try {
        for (int count = input.read(buffer); count >= 0; count = input.read(buffer)) {
          arrived.put(Arrays.copyOf(buffer, count));
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void output(byte[] bytes) {
      System.out.write(bytes, 0, bytes.length);
      System.out.flush();
    }

    @Override
    public byte[] input(int room) {
      if (rest.length == 0) {
        byte[] next = arrived.poll();
        if (next == null) {
          return rest;
        }
        rest = next;
      }
      byte[] part = Arrays.copyOf(rest, Math.min(room, rest.length));
      rest = Arrays.copyOfRange(rest, part.length, rest.length);
      return part;
    }

    @Override
    public void until(long deadline) {
      if (rest.length > 0) {
        return;
      }
      try {
        byte[] next =
            arrived.poll(
                Math.min(deadline - time.nanos(), LONGEST_WAIT_NANOS), TimeUnit.NANOSECONDS);
        rest = next == null ? rest : next;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** See the class. */
  public static void main(String[] arguments) throws IOException {
    long memoryBytes = Long.parseLong(arguments[3]) * MIB;
    DirectGuest.Start start =
        new DirectGuest.Start(Path.of(arguments[0]), arguments[1], arguments[2], memoryBytes, 1);
    long started = System.nanoTime();
    TimeSource time = () -> System.nanoTime() - started;
    Terminal terminal = new Terminal(time, System.in);
    long wallClock = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    Interpreter[] engine = new Interpreter[1];
    try (DirectGuest guest =
        new DirectGuest(
            start,
            wallClock,
            started,
            time,
            terminal,
            terminal,
            vcpu -> engine[0] = new Interpreter(vcpu))) {
      if (arguments.length > 4) {
        stopAfter(guest.machine, Long.parseLong(arguments[4]));
      }
      Outcome outcome = guest.machine.run();
      double seconds = time.nanos() / 1e9;
      System.out.printf(
          "%n%s after %.2f s, %d M instructions, %.1f MIPS, rip %#x%n",
          outcome,
          seconds,
          engine[0].retired() / 1_000_000,
          engine[0].retired() / seconds / 1e6,
          guest.vcpus.getFirst().cpu.rip);
      if (outcome instanceof Outcome.InternalFailure error) {
        error.cause().printStackTrace();
      }
    }
  }

  private static void stopAfter(DirectMachine machine, long seconds) {
    Thread.ofPlatform()
        .daemon()
        .name("time-out")
        .start(
            () -> {
              try {
                TimeUnit.SECONDS.sleep(seconds);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              machine.stop();
            });
  }
}
