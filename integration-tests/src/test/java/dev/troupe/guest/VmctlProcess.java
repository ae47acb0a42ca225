package dev.troupe.guest;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code vmctl run} in a process of its own, as users have it: its output is followed while it
 * runs, its exit code counts.
 */
final class VmctlProcess implements AutoCloseable {
  private static final List<String> JVM =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "--add-opens=java.base/java.nio=ALL-UNNAMED",
          "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
          "-XX:+UseSerialGC");

  private final Process process;
  private final StringBuilder output = new StringBuilder();
  private final Thread reader;

  private VmctlProcess(Process process) {
    this.process = process;
    reader = Thread.ofPlatform().daemon().start(this::follow);
  }

  /** Starts it with standard input and output connected to us. */
  static VmctlProcess run(String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + "/bin/java");
    command.addAll(JVM);
    command.addAll(List.of("-cp", classPath()));
    command.addAll(List.of("dev.troupe.actors.vmctl.Vmctl", "run"));
    command.addAll(List.of(arguments));
    return new VmctlProcess(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  /**
   * Ours: the property, or what a launcher of tests that has a class loader of its own was given.
   */
  private static String classPath() {
    ClassLoader loader = VmctlProcess.class.getClassLoader();
    if (loader instanceof URLClassLoader own) {
      return Stream.of(own.getURLs()).map(URL::getPath).collect(Collectors.joining(":"));
    }
    return System.getProperty("java.class.path");
  }

  private void follow() {
    byte[] buffer = new byte[4096];
    try (InputStream in = process.getInputStream()) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        synchronized (output) {
          output.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
          output.notifyAll();
        }
      }
    } catch (IOException e) {
      // The process has gone: what it wrote is there.
    }
    synchronized (output) {
      output.notifyAll();
    }
  }

  /** Waits until the output from {@code from} on has that text; gives the offset behind it. */
  int await(String text, int from, int seconds) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    synchronized (output) {
      while (true) {
        int at = output.indexOf(text, from);
        if (at >= 0) {
          return at + text.length();
        }
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (left <= 0 || !reader.isAlive()) {
          throw new AssertionError("no '" + text + "' from the guest; its output:\n" + output);
        }
        output.wait(Math.min(left, 1000));
      }
    }
  }

  /** Types something. */
  void type(String text) throws IOException {
    OutputStream in = process.getOutputStream();
    in.write(text.getBytes(StandardCharsets.ISO_8859_1));
    in.flush();
  }

  /** Ends the standard input. */
  void endInput() throws IOException {
    process.getOutputStream().close();
  }

  /** The exit code; fails if it takes longer. */
  int exitCode(int seconds) throws InterruptedException {
    if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
      throw new AssertionError("vmctl still runs; its output:\n" + output());
    }
    reader.join();
    return process.exitValue();
  }

  String output() {
    synchronized (output) {
      return output.toString();
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
