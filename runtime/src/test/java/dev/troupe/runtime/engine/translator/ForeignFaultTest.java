package dev.troupe.runtime.engine.translator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.troupe.runtime.engine.host.SignalAction;
import dev.troupe.runtime.memory.ExecutableMemory;
import dev.troupe.runtime.memory.Raw;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/**
 * HotSpot lives by faults of its own: null checks, divisions, stack ends, safepoints. They reach it
 * as if no handler of ours stood before its own. How many there were is counted by one more handler
 * before ours.
 */
@EnabledIf("dev.troupe.runtime.engine.translator.Translator#available")
class ForeignFaultTest {
  private static final int ROUNDS = 20_000;
  private static final int OVERFLOWS = 500;
  private static final int COLLECTIONS = 30;
  private static final int SMALL_STACK = 512 << 10;

  private static final class Node {
    int value;
    Node next;
  }

  /** Counts the signals that come, and hands them on. */
  private static final class Counter implements AutoCloseable {
    private final int signal;
    private final SignalAction before;
    private final long count = Arena.global().allocate(8, 8).address();

    Counter(int signal) {
      this.signal = signal;
      before = SignalAction.of(signal);
      Assembler a = new Assembler();
      a.constant(0, count);
      a.emit(0xF0, 0x48, 0xFF, 0x00); // lock inc qword [rax]
      a.constant(0, before.handler());
      a.emit(0xFF, 0xE0); // jmp rax
      ExecutableMemory code = ExecutableMemory.allocate(4096); // for good: a thread may be in it
      code.write(0, a.bytes());
      before.withHandler(code.address()).install(signal);
    }

    long count() {
      return Raw.get64(count);
    }

    @Override
    public void close() {
      before.install(signal);
    }
  }

  private static int valueOfNext(Node node) {
    return node.next.value;
  }

  private static int quotient(int a, int b) {
    return a / b;
  }

  @SuppressWarnings("InfiniteRecursion")
  private static int deeper(int depth) {
    return deeper(depth + 1) + depth;
  }

  @Test
  void nullChecksAreTheJvms() throws Exception {
    try (CountingGuest guest = new CountingGuest();
        Counter signals = new Counter(SignalAction.SIGSEGV)) {
      int caught = 0;
      Node end = new Node();
      for (int n = 0; n < ROUNDS; n++) {
        try {
          caught += valueOfNext(end);
        } catch (NullPointerException e) {
          caught++;
        }
      }
      assertThat(caught).isEqualTo(ROUNDS);
      assertThat(signals.count()).as("faults").isGreaterThan(1000);
      assertThat(guest.end()).isPositive();
    }
  }

  @Test
  void divisionsAreTheJvms() throws Exception {
    try (CountingGuest guest = new CountingGuest();
        Counter signals = new Counter(SignalAction.SIGFPE)) {
      int caught = 0;
      for (int n = 0; n < ROUNDS; n++) {
        try {
          caught += quotient(n, 0);
        } catch (ArithmeticException e) {
          caught++;
        }
      }
      assertThat(caught).isEqualTo(ROUNDS);
      assertThat(signals.count()).as("faults").isGreaterThan(1000);
      assertThat(guest.end()).isPositive();
    }
  }

  @Test
  void stackEndsAreTheJvms() throws Exception {
    try (CountingGuest guest = new CountingGuest();
        Counter signals = new Counter(SignalAction.SIGSEGV)) {
      AtomicReference<Throwable> failure = new AtomicReference<>();
      Thread thread =
          new Thread(
              null,
              () -> {
                for (int n = 0; n < OVERFLOWS; n++) {
                  assertThatExceptionOfType(StackOverflowError.class).isThrownBy(() -> deeper(0));
                }
              },
              "overflowing",
              SMALL_STACK);
      thread.setUncaughtExceptionHandler((_, e) -> failure.set(e));
      thread.start();
      thread.join();
      assertThat(failure.get()).isNull();
      assertThat(signals.count()).as("faults").isGreaterThanOrEqualTo(OVERFLOWS);
      assertThat(guest.end()).isPositive();
    }
  }

  @Test
  void safepointsAndCollectionsAreTheJvms() throws Exception {
    try (CountingGuest guest = new CountingGuest();
        Counter signals = new Counter(SignalAction.SIGSEGV)) {
      Node shared = new Node();
      Thread polling =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    // A loop that is left only at polls.
                    for (long n = 0; !Thread.currentThread().isInterrupted(); n++) {
                      shared.value += (int) n;
                    }
                  });
      List<byte[]> garbage = new ArrayList<>();
      for (int n = 0; n < COLLECTIONS; n++) {
        for (int k = 0; k < 100; k++) {
          garbage.add(new byte[1000]);
        }
        garbage.clear();
        System.gc();
      }
      polling.interrupt();
      polling.join();
      assertThat(signals.count()).as("faults").isNotNegative();
      assertThat(guest.end()).isPositive();
    }
  }
}
