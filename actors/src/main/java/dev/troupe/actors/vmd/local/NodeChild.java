package dev.troupe.actors.vmd.local;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/** The process of one node of a local cluster. */
final class NodeChild {
  private final String name;
  private final Process process;
  private final CompletableFuture<String> ready = new CompletableFuture<>();

  private NodeChild(String name, Process process) {
    this.name = name;
    this.process = process;
  }

  /**
   * Starts a node as this process was started: the same java, options and class path.
   *
   * @param main the class that this process began with
   * @param configuration its file
   * @param definitions values that come before the file's
   * @param err where its complaints go, with its name before them
   */
  static NodeChild start(
      String name,
      String main,
      Path configuration,
      Map<String, String> definitions,
      boolean verbose,
      PrintStream err)
      throws IOException {
    List<String> line = new ArrayList<>();
    // Out of our terminal's group: a Ctrl-C is ours to hear, and a second one would end a node at
    // once.
    line.add("setsid");
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
    line.addAll(List.of("--end-with-input", "-f", configuration.toString()));
    if (verbose) {
      line.add("-v");
    }
    definitions.forEach((path, value) -> line.addAll(List.of("-D", path + "=" + value)));
    NodeChild child = new NodeChild(name, new ProcessBuilder(line).start());
    child.follow(child.process.inputReader(), child::hear);
    child.follow(child.process.errorReader(), text -> err.println(name + ": " + text));
    child.onEnd(
        exit ->
            child.ready.completeExceptionally(
                new IOException(name + " ended before it served (exit code " + exit + ")")));
    return child;
  }

  private void hear(String line) {
    if (line.startsWith("vmd: node ")) {
      ready.complete(line);
    }
  }

  private void follow(BufferedReader reader, Consumer<String> line) {
    Thread.ofPlatform()
        .daemon()
        .name("troupe-" + name)
        .start(
            () -> {
              try (reader) {
                reader.lines().forEach(line);
              } catch (IOException | UncheckedIOException e) {
                // it has ended
              }
            });
  }

  String name() {
    return name;
  }

  long pid() {
    return process.pid();
  }

  /** Completed when it serves; fails if it ended before. */
  CompletableFuture<String> ready() {
    return ready;
  }

  /** Tells the exit code when it ends. */
  void onEnd(IntConsumer listener) {
    var _ = process.onExit().thenAccept(ended -> listener.accept(ended.exitValue()));
  }

  CompletableFuture<Process> ended() {
    return process.onExit();
  }

  /** Asks it to stop. */
  void stop() {
    process.toHandle().destroy(); // and go on hearing it
  }

  /** Waits for its end; ends it if that does not come. */
  void await(long nanos) throws InterruptedException {
    if (!process.waitFor(nanos, TimeUnit.NANOSECONDS)) {
      process.destroyForcibly();
      process.waitFor();
    }
  }
}
