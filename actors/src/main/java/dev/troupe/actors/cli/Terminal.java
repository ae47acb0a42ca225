package dev.troupe.actors.cli;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The terminal on standard input, in raw mode until closed. Restored on every way out: by {@link
 * #close}, by a shutdown hook on signals, and by a small child process that notices when this one
 * has gone without either.
 */
public final class Terminal implements AutoCloseable {
  private static final int STDIN = 0;
  private static final int STDOUT = 1;
  private static final int STDERR = 2;

  /** tcsetattr: at once, without discarding what was typed. */
  private static final int TCSANOW = 0;

  /** At least as large as struct termios of any libc. */
  private static final int TERMIOS_BYTES = 256;

  /**
   * The child: it saves the settings, says so, and waits for a word or for the end of the pipe. It
   * opens the terminal by name, since one whose session leader was killed is hung up; SIGTTOU is
   * ignored because by then it may belong to the shell again.
   */
  private static final String WATCH =
      "trap '' INT HUP TERM QUIT TSTP TTOU; saved=$(stty -F \"$1\" -g) && echo ready || exit; "
          + "IFS= read -r word || stty -F \"$1\" \"$saved\"";

  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup C = LINKER.defaultLookup();
  private static final MethodHandle ISATTY =
      function("isatty", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle TCGETATTR =
      function("tcgetattr", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle TCSETATTR =
      function("tcsetattr", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle CFMAKERAW =
      function("cfmakeraw", FunctionDescriptor.ofVoid(ADDRESS));

  private static MethodHandle function(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(C.findOrThrow(name), descriptor);
  }

  private final byte[] saved;
  private final Thread hook;
  private final Process watcher;
  private boolean restored;

  private Terminal(byte[] saved, Process watcher) {
    this.saved = saved;
    this.watcher = watcher;
    hook = new Thread(this::restore, "troupe-terminal");
  }

  /** True if standard input is a terminal. */
  public static boolean isTerminal() {
    return isTerminal(STDIN);
  }

  /** True if standard output is a terminal. */
  public static boolean isOutputTerminal() {
    return isTerminal(STDOUT);
  }

  /** True if standard error is a terminal. */
  public static boolean isErrorTerminal() {
    return isTerminal(STDERR);
  }

  private static boolean isTerminal(int descriptor) {
    try {
      return (int) ISATTY.invokeExact(descriptor) == 1;
    } catch (Throwable e) {
      throw new LinkageError("isatty", e);
    }
  }

  /**
   * Switches to raw mode: every byte typed is the guest's, and its output is not changed.
   *
   * @throws IOException if the terminal refuses
   */
  public static Terminal raw() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attributes = arena.allocate(TERMIOS_BYTES, 8);
      if ((int) TCGETATTR.invokeExact(STDIN, attributes) != 0) {
        throw new IOException("cannot read the terminal's settings");
      }
      Terminal terminal = new Terminal(attributes.toArray(JAVA_BYTE), watcher());
      Runtime.getRuntime().addShutdownHook(terminal.hook);
      CFMAKERAW.invokeExact(attributes);
      if ((int) TCSETATTR.invokeExact(STDIN, TCSANOW, attributes) != 0) {
        terminal.close();
        throw new IOException("cannot change the terminal's settings");
      }
      return terminal;
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new LinkageError("terminal", e);
    }
  }

  /**
   * The child that restores the settings if we are killed; null where there is no stty or no
   * controlling terminal.
   */
  private static Process watcher() {
    try {
      String name = Path.of("/proc/self/fd/0").toRealPath().toString();
      Process process =
          new ProcessBuilder("sh", "-c", WATCH, "troupe-terminal", name)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      byte[] answer = process.getInputStream().readNBytes(6);
      if (new String(answer, StandardCharsets.US_ASCII).equals("ready\n")) {
        return process;
      }
      process.getOutputStream().close();
      return null;
    } catch (IOException e) {
      return null;
    }
  }

  private synchronized void restore() {
    if (restored) {
      return;
    }
    restored = true;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attributes = arena.allocate(TERMIOS_BYTES, 8);
      MemorySegment.copy(saved, 0, attributes, JAVA_BYTE, 0, saved.length);
      if ((int) TCSETATTR.invokeExact(STDIN, TCSANOW, attributes) == 0) {
        dismissWatcher();
      }
    } catch (Throwable e) {
      throw new LinkageError("tcsetattr", e);
    }
  }

  private void dismissWatcher() {
    if (watcher == null) {
      return;
    }
    try (var word = watcher.getOutputStream()) {
      word.write("done\n".getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      return; // it has gone already
    }
    try {
      watcher.waitFor(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    restore();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending already.
    }
  }
}
