package dev.troupe.direct;

import dev.troupe.proto.snapshot.SnapshotHeader;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.snapshot.MachineState;
import dev.troupe.runtime.snapshot.SnapshotFile;
import dev.troupe.runtime.snapshot.StateException;
import dev.troupe.runtime.snapshot.StatePart;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What state costs for a guest of 512 MiB of which 100 are not zero, filled from the JDK's own
 * module file (code and data, as in a guest): the memory's digest, whole and for 1,000 written
 * pages, the hash of the parts, a snapshot's writing and reading. The best of some rounds, warm.
 * {@code SnapshotBenchmark [FOLDER]}, where the snapshot is to be (default: for temporary files).
 */
public final class SnapshotBenchmark {
  private static final long MEMORY = 512L << 20;
  private static final long USED = 100L << 20;
  private static final int PAGES = 1_000;
  private static final int ROUNDS = 8;
  private static final CpuModel MODEL = CpuModel.DEFAULT;

  private SnapshotBenchmark() {}

  /** A whole machine's state. */
  private static MachineState machine(GuestMemory memory, VmSpec spec) {
    List<StatePart> parts = new ArrayList<>();
    parts.add(new StatePart("vcpu0", new Vcpu(new Cpu(MODEL, memory, () -> 0, () -> 0))));
    for (Device device : BoardLayout.standard(spec, 0).devices()) {
      parts.add(new StatePart(device.name(), device));
    }
    return new MachineState(parts, memory);
  }

  private static void fill(GuestMemory memory) throws IOException {
    Path modules = Path.of(System.getProperty("java.home"), "lib", "modules");
    byte[] bytes = new byte[64 << 10];
    try (InputStream in = Files.newInputStream(modules)) {
      // Every fifth 64 KiB, so that the rest lies between zeroes.
      for (long done = 0; done < USED; done += bytes.length) {
        memory.copyIn(5 * done, bytes, 0, in.readNBytes(bytes, 0, bytes.length));
      }
    }
  }

  private interface Step {
    void run() throws IOException, StateException;
  }

  private record Time(double wall, double cpu) {
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%8.2f ms, of CPU %8.2f ms", wall, cpu);
    }
  }

  private static Time best(Step prepare, Step step) throws IOException, StateException {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    double wall = Double.MAX_VALUE;
    double cpu = Double.MAX_VALUE;
    for (int round = 0; round < ROUNDS; round++) {
      prepare.run();
      long start = System.nanoTime();
      long startCpu = threads.getCurrentThreadCpuTime();
      step.run();
      cpu = Math.min(cpu, (threads.getCurrentThreadCpuTime() - startCpu) / 1e6);
      wall = Math.min(wall, (System.nanoTime() - start) / 1e6);
    }
    return new Time(wall, cpu);
  }

  private static void print(String what, Time time, String more) {
    System.out.println(String.format(Locale.ROOT, "%-32s %s  %s", what, time, more));
  }

  /** Prints one line a figure. */
  public static void main(String[] arguments) throws IOException, StateException {
    Path folder =
        arguments.length > 0 ? Path.of(arguments[0]) : Files.createTempDirectory("snapshot");
    Path file = folder.resolve("benchmark.snapshot");
    VmSpec spec = VmSpec.newBuilder().setCpus(1).setMemoryBytes(MEMORY).build();
    SnapshotHeader about =
        SnapshotHeader.newBuilder()
            .setSpec(spec)
            .setCpuModel(MODEL.name())
            .setCpuFeatures(MODEL.fingerprint())
            .build();
    try (GuestMemory memory = GuestMemory.allocate(MEMORY);
        GuestMemory other = GuestMemory.allocate(MEMORY)) {
      MachineState state = machine(memory, spec);
      MachineState twin = machine(other, spec);
      Time whole = best(() -> fill(memory), state::memoryDigest);
      print("digest of 100 MiB", whole, "%.1f GB/s of CPU".formatted(USED / whole.cpu / 1e6));
      byte[] word = new byte[8];
      Time some =
          best(
              () -> {
                for (long page = 0; page < PAGES; page++) {
                  memory.copyIn(page * 5 * GuestMemory.PAGE_SIZE, word);
                }
              },
              state::memoryDigest);
      print("digest after 1,000 pages", some, "");
      print("hash of everything, unchanged", best(() -> {}, state::hash), "");
      Time write = best(() -> {}, () -> SnapshotFile.write(file, about, state));
      print("snapshot written, forced to disk", write, Files.size(file) / 1_000_000 + " MB");
      Time read =
          best(() -> {}, () -> SnapshotFile.restore(file, twin, MODEL.name(), MODEL.fingerprint()));
      print("snapshot restored", read, twin.hash() == state.hash() ? "" : "ANOTHER HASH");
    } finally {
      Files.deleteIfExists(file);
    }
  }
}
