package dev.troupe.vmctl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A pseudo-terminal: its master end here, its other end a file for a child. */
final class Pty implements AutoCloseable {
  /** O_RDWR | O_NOCTTY. */
  private static final int OPEN_FLAGS = 0x2 | 0x100;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle OPENPT = function("posix_openpt", JAVA_INT, JAVA_INT);
  private static final MethodHandle GRANT = function("grantpt", JAVA_INT, JAVA_INT);
  private static final MethodHandle UNLOCK = function("unlockpt", JAVA_INT, JAVA_INT);
  private static final MethodHandle NAME = function("ptsname", ADDRESS, JAVA_INT);
  private static final MethodHandle READ =
      function("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle WRITE =
      function("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle CLOSE = function("close", JAVA_INT, JAVA_INT);

  private static MethodHandle function(
      String name,
      java.lang.foreign.MemoryLayout result,
      java.lang.foreign.MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
  }

  private final int master;
  private final Path slave;
  private final StringBuilder seen = new StringBuilder();
  private volatile boolean closed;

  private Pty(int master, Path slave) {
    this.master = master;
    this.slave = slave;
  }

  static Pty open() throws IOException {
    try {
      int master = (int) OPENPT.invokeExact(OPEN_FLAGS);
      if (master < 0 || (int) GRANT.invokeExact(master) != 0) {
        throw new IOException("no pseudo-terminal");
      }
      if ((int) UNLOCK.invokeExact(master) != 0) {
        throw new IOException("pseudo-terminal stays locked");
      }
      MemorySegment name = (MemorySegment) NAME.invokeExact(master);
      Pty pty = new Pty(master, Path.of(name.reinterpret(256).getString(0)));
      Thread.ofPlatform().daemon().start(pty::readAll);
      return pty;
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new LinkageError("pty", e);
    }
  }

  /** The file that is the child's terminal. */
  Path slave() {
    return slave;
  }

  private void readAll() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(4096);
      while (!closed) {
        long count = (long) READ.invokeExact(master, buffer, 4096L);
        if (count < 0) {
          Thread.sleep(10); // no child has the other end open
          continue;
        }
        byte[] bytes = buffer.asSlice(0, count).toArray(JAVA_BYTE);
        synchronized (seen) {
          seen.append(new String(bytes, StandardCharsets.ISO_8859_1));
          seen.notifyAll();
        }
      }
      // Here and not in close(): the number is used again, and this thread would read another's.
      if ((int) CLOSE.invokeExact(master) != 0) {
        throw new IOException("pseudo-terminal does not close");
      }
    } catch (Throwable e) {
      throw new LinkageError("pty", e);
    }
  }

  /** Types this. */
  void type(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(bytes.length);
      MemorySegment.copy(bytes, 0, buffer, JAVA_BYTE, 0, bytes.length);
      if ((long) WRITE.invokeExact(master, buffer, (long) bytes.length) != bytes.length) {
        throw new IOException("typed text was cut");
      }
    } catch (Throwable e) {
      throw new LinkageError("write", e);
    }
  }

  /** Waits until the screen has shown this; gives all that it has shown. */
  String await(String text) throws InterruptedException {
    long end = System.nanoTime() + VmctlProcess.LIMIT_SECONDS * 1_000_000_000L;
    synchronized (seen) {
      while (seen.indexOf(text) < 0) {
        if (System.nanoTime() > end) {
          throw new AssertionError("'" + text + "' never came; seen: " + seen);
        }
        seen.wait(100);
      }
      return seen.toString();
    }
  }

  /** The settings, as {@code stty -g} prints them. */
  String settings() throws IOException, InterruptedException {
    Process stty = new ProcessBuilder("stty", "-g").redirectInput(slave.toFile()).start();
    String text = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    stty.waitFor();
    return text.strip();
  }

  /** The reader notices when no child has the other end open any more. */
  @Override
  public void close() {
    closed = true;
  }
}
