package dev.troupe.runtime.engine.translator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.troupe.runtime.engine.host.SignalAction;
import dev.troupe.runtime.memory.ExecutableMemory;
import dev.troupe.runtime.memory.Raw;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * HotSpot lives by faults of its own: null checks, divisions, stack ends, safepoints. They reach it
 * as if no handler of ours stood before its own. How many there were is counted by one more handler
 * before ours.
 */
@EnabledIf("dev.troupe.runtime.engine.translator.Translator#available")
class ForeignFaultTest {
  private static final int ROUNDS = 20_000;
  private static final int OVERFLOWS = 500;
  private static final int COLLECTIONS = 20;
  private static final int HANDSHAKES = 200;
  private static final int SECONDS = 30;
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

  /** A loop in compiled code goes on to a safepoint, or a handshake, by a fault at its poll. */
  @Test
  void pollsAndCollectionsAreTheJvms() throws Exception {
    try (CountingGuest guest = new CountingGuest();
        Counter signals = new Counter(SignalAction.SIGSEGV)) {
      Node shared = new Node();
      Thread polling = Thread.ofPlatform().daemon().start(() -> changeUntilInterrupted(shared));
      int frames = 0;
      for (int n = 0; n < COLLECTIONS; n++) {
        List<StackTraceElement> garbage = new ArrayList<>();
        for (int k = 0; k < HANDSHAKES; k++) {
          garbage.addAll(List.of(polling.getStackTrace()));
        }
        System.gc();
        frames += garbage.size();
      }
      polling.interrupt();
      polling.join();
      assertThat(frames).isPositive();
      assertThat(signals.count()).as("faults").isGreaterThan(1000);
      assertThat(guest.end()).isPositive();
    }
  }

  private static void changeUntilInterrupted(Node node) {
    while (!Thread.currentThread().isInterrupted()) {
      for (int n = 0; n < ROUNDS; n += node.next == null ? 1 : 2) {
        node.value += n;
      }
    }
  }

  /**
   * What nobody handles ends the JVM as it would without us, told by HotSpot where it does that.
   */
  @ParameterizedTest
  @CsvSource({"5, 133, ''", "11, 1, '#  SIGSEGV'", "8, 1, '#  SIGFPE'"})
  void aSignalThatIsSentIsTheJvms(int signal, int exit, String told, @TempDir Path folder)
      throws Exception {
    List<String> line = new ArrayList<>();
    line.add(System.getProperty("java.home") + "/bin/java");
    line.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    line.addAll(List.of("-XX:-CreateCoredumpOnCrash", "-XX:ErrorFile=" + folder.resolve("error")));
    line.addAll(List.of("-cp", System.getProperty("java.class.path")));
    line.add(Child.class.getName());
    Process child =
        new ProcessBuilder(line).redirectErrorStream(true).directory(folder.toFile()).start();
    try (BufferedReader output = child.inputReader()) {
      assertThat(output.readLine()).isEqualTo("counting");
      MethodHandle tgkill =
          Linker.nativeLinker()
              .downcallHandle(
                  Linker.nativeLinker().defaultLookup().findOrThrow("tgkill"),
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT));
      int process = (int) child.pid();
      assertThat((int) tgkill.invokeExact(process, counting(process), signal)).isZero();
      assertThat(output.lines().collect(Collectors.joining("\n"))).contains(told);
      assertThat(child.waitFor()).isEqualTo(exit);
    } catch (Throwable e) {
      throw new AssertionError(e);
    } finally {
      child.destroyForcibly();
    }
  }

  /** The thread that runs the guest. */
  private static int counting(int process) throws IOException {
    try (Stream<Path> threads = Files.list(Path.of("/proc/" + process + "/task"))) {
      for (Path thread : threads.toList()) {
        if (Files.readString(thread.resolve("comm")).strip().equals("counting")) {
          return Integer.parseInt(thread.getFileName().toString());
        }
      }
    }
    throw new AssertionError("no thread runs the guest");
  }

  /** A JVM that runs a guest and waits for its end. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws Exception {
      CountingGuest guest = new CountingGuest();
      System.out.println("counting");
      Thread.sleep(Duration.ofSeconds(SECONDS));
      guest.end();
    }
  }
}
