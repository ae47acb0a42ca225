package dev.troupe.vmctl;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code vmctl} in a process of its own, as users have it, on this test's class path: what it
 * writes is followed while it runs, its exit code counts.
 */
public final class VmctlProcess implements AutoCloseable {
  /** Generous: the machine may be slow and busy. */
  static final int LIMIT_SECONDS = 120;

  private static final List<String> JVM =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "--add-opens=java.base/java.nio=ALL-UNNAMED",
          "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
          "-XX:+UseSerialGC");

  private final Process process;
  private final Followed out;
  private final Followed err;

  /** How a process ended. */
  public record Result(int exitCode, String out, String err) {}

  /** A stream of the process, read by a thread of its own. */
  private static final class Followed {
    private final StringBuilder text = new StringBuilder();
    private final Thread reader;

    Followed(InputStream stream) {
      reader = Thread.ofPlatform().daemon().start(() -> follow(stream));
    }

    private void follow(InputStream stream) {
      byte[] buffer = new byte[4096];
      try (stream) {
        for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
          synchronized (text) {
            text.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
            text.notifyAll();
          }
        }
      } catch (IOException e) {
        // The process has gone: what it wrote is there.
      }
      synchronized (text) {
        text.notifyAll();
      }
    }

    /** The offset behind that text; -1 if it does not come in time, or no more. */
    int await(String wanted, int from, int seconds) throws InterruptedException {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
      synchronized (text) {
        while (true) {
          boolean ended = !reader.isAlive();
          int at = text.indexOf(wanted, from);
          if (at >= 0) {
            return at + wanted.length();
          }
          long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
          if (left <= 0 || ended) {
            return -1;
          }
          text.wait(Math.min(left, 1000));
        }
      }
    }

    @Override
    public String toString() {
      synchronized (text) {
        return text.toString();
      }
    }
  }

  private VmctlProcess(Process process) {
    this.process = process;
    out = new Followed(process.getInputStream());
    err = new Followed(process.getErrorStream());
  }

  /** The command line that starts it. */
  static List<String> command(String... arguments) {
    return command(List.of(), List.of(arguments));
  }

  private static List<String> command(List<String> moreJvm, List<String> arguments) {
    return command(moreJvm, "dev.troupe.actors.vmctl.Vmctl", arguments);
  }

  private static List<String> command(List<String> moreJvm, String main, List<String> arguments) {
    List<String> line = new ArrayList<>();
    line.add(System.getProperty("java.home") + "/bin/java");
    line.addAll(JVM);
    line.addAll(moreJvm);
    line.addAll(List.of("-cp", classPath(), main));
    line.addAll(arguments);
    return line;
  }

  /**
   * Ours: the property, or what a launcher of tests that has a class loader of its own was given.
   */
  private static String classPath() {
    ClassLoader loader = VmctlProcess.class.getClassLoader();
    if (loader instanceof URLClassLoader own) {
      return Stream.of(own.getURLs()).map(VmctlProcess::path).collect(Collectors.joining(":"));
    }
    return System.getProperty("java.class.path");
  }

  /** A path may have blanks, which a URL writes otherwise. */
  private static String path(URL url) {
    return Path.of(URI.create(url.toString())).toString();
  }

  /** Starts it with its standard streams connected to us. */
  public static VmctlProcess start(String... arguments) throws IOException {
    return start(List.of(), List.of(arguments));
  }

  /** The same on a JVM with other options, which come after the usual ones. */
  public static VmctlProcess start(List<String> jvm, List<String> arguments) throws IOException {
    return new VmctlProcess(new ProcessBuilder(command(jvm, arguments)).start());
  }

  /**
   * A program of ours besides vmctl run.
   *
   * @param by the words before it of a command that becomes it; in a network namespace, say
   * @param jvm options that come after the usual ones
   * @param main its class
   * @param environment variables that it has besides ours
   */
  public record Program(
      List<String> by, List<String> jvm, String main, Map<String, String> environment) {
    /** Starts it. */
    public VmctlProcess start(List<String> arguments) throws IOException {
      List<String> line = new ArrayList<>(by);
      line.addAll(command(jvm, main, arguments));
      ProcessBuilder builder = new ProcessBuilder(line);
      builder.environment().putAll(environment);
      return new VmctlProcess(builder.start());
    }

    /** Runs it to its end; nothing is on its standard input. */
    public Result run(List<String> arguments) throws IOException, InterruptedException {
      try (VmctlProcess program = start(arguments)) {
        program.endInput();
        int exitCode = program.exitCode(LIMIT_SECONDS);
        return new Result(exitCode, program.out.toString(), program.err.toString());
      }
    }
  }

  /** The process, to be asked and killed. */
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /** Runs it to its end, with this on its standard input. */
  static Result run(byte[] input, String... arguments) throws IOException, InterruptedException {
    try (VmctlProcess vmctl = start(arguments)) {
      Thread writer = Thread.startVirtualThread(() -> vmctl.write(input));
      int exitCode = vmctl.exitCode(LIMIT_SECONDS);
      writer.join();
      return new Result(exitCode, vmctl.out.toString(), vmctl.err.toString());
    }
  }

  private void write(byte[] input) {
    try (OutputStream in = process.getOutputStream()) {
      in.write(input);
    } catch (IOException e) {
      // It ended before it had read all.
    }
  }

  /** Waits until the output from {@code from} on has that text; gives the offset behind it. */
  public int await(String text, int from, int seconds) throws InterruptedException {
    int at = out.await(text, from, seconds);
    if (at < 0) {
      throw new AssertionError("no '" + text + "' from the guest; its output:\n" + output());
    }
    return at;
  }

  /** Waits until standard error has that text. */
  void awaitError(String text, int seconds) throws InterruptedException {
    if (err.await(text, 0, seconds) < 0) {
      throw new AssertionError("no '" + text + "' from vmctl; its output:\n" + output());
    }
  }

  /** Types something. */
  public void type(String text) throws IOException {
    OutputStream in = process.getOutputStream();
    in.write(text.getBytes(StandardCharsets.ISO_8859_1));
    in.flush();
  }

  /** Ends the standard input. */
  public void endInput() throws IOException {
    process.getOutputStream().close();
  }

  /** The exit code; fails if it takes longer. */
  public int exitCode(int seconds) throws InterruptedException {
    if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
      throw new AssertionError("vmctl still runs; its output:\n" + output());
    }
    out.reader.join();
    err.reader.join();
    return process.exitValue();
  }

  /** All that it has written, to standard error last. */
  public String output() {
    return out.toString() + err;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
