package dev.troupe.actors.vmctl;

import dev.troupe.actors.machine.MachineStatistics;
import dev.troupe.actors.machine.MessageKind;
import dev.troupe.actors.vcpu.ExitKind;
import dev.troupe.actors.vcpu.VcpuCounters;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.Locale;

/** What {@code --stats} prints. */
final class StatisticsText {
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
    line(out, "time: %.3f s, CPU: %.2f s", seconds, cpuSeconds());
    line(out, "guest instructions: %d, %.1f MIPS", vcpus.instructions(), mips);
    for (ExitKind kind : ExitKind.values()) {
      if (vcpus.exits(kind) > 0) {
        line(out, "exits %s: %d", kind.text(), vcpus.exits(kind));
      }
    }
    line(out, "exits that no device claims: %d", vcpus.unclaimed());
    for (MessageKind kind : MessageKind.values()) {
      if (statistics.messages(kind) > 0) {
        line(out, "messages %s: %d", kind.text(), statistics.messages(kind));
      }
    }
    line(
        out,
        "messages that a vCPU sent: %d, handled on the board: %d",
        vcpus.messages(),
        statistics.calls() - statistics.resets());
    statistics
        .stateHash()
        .ifPresent(state -> line(out, "state hash: %016x at %s", state.hash(), state.position()));
    statistics.states().forEach(state -> line(out, "%s", state));
    line(out, "time of an exit: median %d ns, p99 %d ns", vcpus.latency(0.5), vcpus.latency(0.99));
  }

  private static void line(PrintStream out, String format, Object... values) {
    out.println("stats: " + String.format(Locale.ROOT, format, values));
  }

  /** CPU time of this process, all threads, start-up and compiler included. */
  private static double cpuSeconds() {
    var bean = ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
    return bean.getProcessCpuTime() / 1e9;
  }
}
