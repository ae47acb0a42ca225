package dev.troupe.actors.client;

import dev.troupe.actors.vmd.door.Door;
import dev.troupe.actors.vmd.door.DoorLimits;
import dev.troupe.actors.vmd.door.LogRing;
import dev.troupe.actors.vmd.door.MemoryControl;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A real door in this process, and vmctl's commands against it with their output caught. */
final class DoorFixture implements AutoCloseable {
  /** How a command ended, and what it printed. */
  record Result(int exitCode, String out, String err) {}

  final MemoryControl control = new MemoryControl();
  final Path socket;
  private final LogRing log = LogRing.install();
  private Door door;

  DoorFixture() throws IOException {
    socket = Files.createTempDirectory("vmctl").resolve("vmd.sock");
    open();
  }

  /** Opens the door, again after {@link #shut}. */
  void open() throws IOException {
    Duration time = Duration.ofMinutes(1); // the machine may do much else
    DoorLimits limits = new DoorLimits(64, 16, 16, 1 << 20, time, time, time, time, time);
    door = Door.open(socket, Optional.empty(), control, log, limits);
  }

  /** The daemon dies; what it knew remains. */
  void shut() {
    door.close();
  }

  /** Runs vmctl. */
  Result vmctl(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--socket");
    all.add(socket.toString());
    return run(all.toArray(String[]::new));
  }

  /** Runs vmctl with these arguments and no other. */
  static Result run(String... arguments) {
    PrintStream oldOut = System.out;
    PrintStream oldErr = System.err;
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
      int exitCode = Client.execute(arguments);
      System.out.flush();
      return new Result(
          exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(oldOut);
      System.setErr(oldErr);
    }
  }

  @Override
  public void close() throws IOException {
    door.close();
    log.close();
    Files.delete(socket.resolveSibling("vmd.sock.lock"));
    Files.delete(socket.getParent());
  }
}
