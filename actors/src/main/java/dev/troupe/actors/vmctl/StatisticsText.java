package dev.troupe.actors.vmctl;

import dev.troupe.actors.machine.MachineStatistics;
import dev.troupe.actors.machine.MessageKind;
import dev.troupe.actors.vcpu.ExitKind;
import dev.troupe.actors.vcpu.VcpuCounters;
import dev.troupe.runtime.engine.EngineCounters;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Map;

/** What {@code --stats} prints. */
final class StatisticsText {
  /** Of the instructions that are not emitted, those that are printed. */
  private static final int MOST_STEPPED = 12;

  private StatisticsText() {}

  /**
   * Prints a machine's figures.
   *
   * @param nanos wall-clock time that the machine took
   */
  static void print(PrintStream out, MachineStatistics statistics, long nanos) {
    VcpuCounters vcpus = statistics.vcpus();
    double seconds = nanos / 1e9;
    double mips = vcpus.instructions() / 1e6 / seconds;
    out.printf(Locale.ROOT, "stats: time: %.3f s, CPU: %.2f s%n", seconds, cpuSeconds());
    out.printf(
        Locale.ROOT, "stats: guest instructions: %d, %.1f MIPS%n", vcpus.instructions(), mips);
    print(out, statistics.engine(), vcpus.instructions());
    for (ExitKind kind : ExitKind.values()) {
      if (vcpus.exits(kind) > 0) {
        out.printf(Locale.ROOT, "stats: exits %s: %d%n", kind.text(), vcpus.exits(kind));
      }
    }
    out.printf(Locale.ROOT, "stats: exits that no device claims: %d%n", vcpus.unclaimed());
    for (MessageKind kind : MessageKind.values()) {
      if (statistics.messages(kind) > 0) {
        out.printf(Locale.ROOT, "stats: messages %s: %d%n", kind.text(), statistics.messages(kind));
      }
    }
    out.printf(
        Locale.ROOT,
        "stats: messages that a vCPU sent: %d, handled on the board: %d%n",
        vcpus.messages(),
        statistics.calls() - statistics.resets());
    statistics
        .stateHash()
        .ifPresent(
            state ->
                out.printf(
                    Locale.ROOT,
                    "stats: state hash: %016x at %s%n",
                    state.hash(),
                    state.position()));
    statistics.states().forEach(state -> out.printf(Locale.ROOT, "stats: %s%n", state));
    out.printf(
        Locale.ROOT,
        "stats: time of an exit: median %d ns, p99 %d ns%n",
        vcpus.latency(0.5),
        vcpus.latency(0.99));
  }

  private static void print(PrintStream out, EngineCounters engine, long instructions) {
    if (engine.blocks() == 0) {
      return;
    }
    EngineCounters.Exits exits = engine.exits();
    EngineCounters.Invalidations gone = engine.invalidations();
    long jumps = exits.linked() + exits.lookedUp();
    out.printf(
        Locale.ROOT,
        "stats: emitted code: %.2f %% of them, %.1f at an entry%n",
        100.0 * engine.emitted() / instructions,
        (double) engine.emitted() / Math.max(1, exits.entries()));
    out.printf(
        Locale.ROOT,
        "stats: translated: %d blocks, %d bytes, in %.3f s%n",
        engine.blocks(),
        engine.bytes(),
        engine.nanos() / 1e9);
    out.printf(
        Locale.ROOT,
        "stats: emitted code entered: %d times; left at a TLB miss: %d, %.2f in 1,000 instructions;"
            + " at a jump: %d, %.1f %% of them linked then%n",
        exits.entries(),
        exits.misses(),
        1e3 * exits.misses() / Math.max(1, engine.emitted()),
        jumps,
        100.0 * exits.linked() / Math.max(1, jumps));
    out.printf(
        Locale.ROOT,
        "stats: invalidations: %d writes to code pages, %d translations dropped, %d cache resets%n",
        gone.codeWrites(),
        gone.dropped(),
        gone.resets());
    engine.steps().entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .limit(MOST_STEPPED)
        .forEach(step -> out.printf("stats: not emitted %s: %d%n", step.getKey(), step.getValue()));
  }

  /** CPU time of this process, all threads, start-up and compiler included. */
  private static double cpuSeconds() {
    var bean = ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
    return bean.getProcessCpuTime() / 1e9;
  }
}
