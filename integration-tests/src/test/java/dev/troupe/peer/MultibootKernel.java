package dev.troupe.peer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.direct.DirectGuest;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.machine.DirectMachine;
import dev.troupe.runtime.machine.Outcome;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A multiboot kernel that QEMU's TCG and this project's engines run alike, each on a PC with 64
 * MiB: it says what it has to say on COM1, and leaves by a debug exit with value 0. Any other end
 * fails the test.
 */
public final class MultibootKernel {
  private static final int MEMORY_MIB = 64;
  private static final long TIME_OUT_SECONDS = 120;

  /** Virtual time passes by this much whenever it is looked at: about once an exit. */
  private static final long NANOS_A_LOOK = 300;

  /** QEMU's exit code for a debug exit with value 0. */
  private static final int DEBUG_EXIT_0 = 1;

  /** What the machine does while the guest halts. */
  public enum Halt {
    /** A guest that halts has gone wrong. */
    NEVER,
    /** Time goes on to the next timer. */
    WAITS
  }

  private final Path folder;
  private final Path file;

  /**
   * A kernel of these bytes.
   *
   * @param folder where its file, what it wrote and QEMU's log go
   */
  public MultibootKernel(byte[] image, Path folder) throws IOException {
    this.folder = folder;
    file = Files.write(folder.resolve("kernel.bin"), image);
  }

  /**
   * What it writes to COM1 in QEMU; firmware may have written before it.
   *
   * @param options more of QEMU's
   */
  public byte[] inQemu(String... options) throws IOException, InterruptedException {
    Path log = folder.resolve("qemu.txt");
    Path serial = folder.resolve("serial.bin");
    List<String> line = new ArrayList<>(List.of("qemu-system-x86_64"));
    line.addAll(List.of("-machine", "pc,accel=tcg", "-m", Integer.toString(MEMORY_MIB)));
    line.addAll(List.of("-display", "none", "-monitor", "none", "-no-reboot"));
    line.addAll(List.of("-serial", "file:" + serial));
    line.addAll(List.of("-device", "isa-debug-exit,iobase=0xf4,iosize=4"));
    line.addAll(List.of(options));
    line.addAll(List.of("-kernel", file.toString()));
    Process process =
        new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    if (!process.waitFor(TIME_OUT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    assertThat(process.waitFor()).as(Files.readString(log)).isEqualTo(DEBUG_EXIT_0);
    return Files.readAllBytes(serial);
  }

  /** What it writes to COM1 here. */
  public byte[] here(Halt halt, Function<Vcpu, Engine> engine) {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    long[] clock = {0};
    TimeSource time = () -> clock[0] += NANOS_A_LOOK;
    DirectMachine.Console console =
        new DirectMachine.Console() {
          @Override
          public void output(byte[] bytes) {
            output.writeBytes(bytes);
          }

          @Override
          public byte[] input(int room) {
            return new byte[0];
          }
        };
    DirectMachine.Idle idle =
        switch (halt) {
          case NEVER ->
              deadline -> {
                throw new IllegalStateException("the guest never halts: deadline=" + deadline);
              };
          case WAITS -> deadline -> clock[0] = Math.max(clock[0], deadline);
        };
    DirectGuest.Start start = new DirectGuest.Start(file, "", "", (long) MEMORY_MIB << 20, 1);
    try (DirectGuest guest = new DirectGuest(start, 0, 0, time, console, idle, engine)) {
      assertThat(guest.machine.run()).isEqualTo(new Outcome.DebugExit(0));
    }
    return output.toByteArray();
  }
}
