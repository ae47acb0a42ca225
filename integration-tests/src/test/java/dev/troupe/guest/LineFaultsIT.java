package dev.troupe.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.vmctl.VmctlProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Linux under fault rules for interrupt lines: what comes late, or is lost on its way to the
 * controller that nobody listens to, it stands. A lost edge of the serial port hangs its console,
 * as on a PC: the port holds its line high until it is served, the controller waits for an edge,
 * and Linux polls only ports whose interrupts it found to be broken when it opened them.
 */
@Timeout(600)
class LineFaultsIT {
  private static final int SECONDS = 300;
  private static final String UP = "console~up since";

  @TempDir private static Path folder;
  private static String journal;

  private static String vmctl(int exitCode, List<String> arguments) throws Exception {
    try (VmctlProcess vmctl = VmctlProcess.start(arguments.toArray(String[]::new))) {
      int code = vmctl.exitCode(SECONDS);
      assertThat(code).as(vmctl.output()).isEqualTo(exitCode);
      return vmctl.output();
    }
  }

  private static String boot(String name, String... more) throws Exception {
    Path inputs =
        Files.writeString(
            folder.resolve("inputs"),
            "t:20s console \"echo up since; cat /proc/uptime\\n"
                + "\"\n"
                + "t:22s console \"poweroff -f\\n"
                + "\"\n");
    String file = folder.resolve(name).toString();
    List<String> run = new ArrayList<>(List.of("run", "debian", "--no-pacing"));
    run.addAll(List.of("--inputs", inputs.toString(), "--record", file));
    run.addAll(List.of("--record-level", "messages"));
    run.addAll(List.of(more));
    assertThat(vmctl(0, run)).contains("\nup since", "reboot: Power down");
    return file;
  }

  @BeforeAll
  static void aBootWithoutFaults() throws Exception {
    journal = boot("whole");
  }

  /** From the prompt on: what is typed there needs the port's interrupts. */
  private static void prompt(int exitCode, String rule) throws Exception {
    vmctl(
        exitCode,
        List.of(
            "explore", journal, "--from", "t:19s", "--seeds", "1", "--for", "3s", "--fault", rule,
            "--until", UP));
  }

  @Test
  void linuxBootsWhereLinesAreLateAndThoseToTheIdleControllerAreLost() throws Exception {
    String faulty =
        boot(
            "faulty",
            "--checkpoint-every",
            "off",
            "--fault",
            "delay by=1ms kind=LineLevel to=ioapic",
            "--fault",
            "drop 1/3 kind=LineLevel to=pic");
    assertThat(vmctl(0, List.of("journal", "stat", faulty)))
        .contains(
            "count Injected delay LineLevel to ioapic", "count Injected drop LineLevel to pic");
    assertThat(vmctl(0, List.of("replay", faulty))).startsWith("identical: ");
  }

  @Test
  void aLateEdgeOfTheSerialPortIsServedLate() throws Exception {
    prompt(0, "delay by=3ms kind=LineLevel from=uart0");
  }

  @Test
  void aLostEdgeOfTheSerialPortHangsItsConsoleAsOnAPc() throws Exception {
    prompt(1, "drop kind=LineLevel from=uart0 to=ioapic high=true limit=1");
  }

  @Test
  void eachDeviceAloneDoesWhatItDidInAParallelBootOfTwo() throws Exception {
    String file = folder.resolve("parallel").toString();
    try (VmctlProcess vmctl =
        VmctlProcess.start("run", "debian", "--cpus", "2", "--record", file, "--record-parallel")) {
      vmctl.await("/root # ", 0, SECONDS);
      vmctl.type("poweroff -f\n");
      assertThat(vmctl.exitCode(SECONDS)).as(vmctl.output()).isZero();
    }
    for (String device : List.of("uart0", "ioapic", "rtc", "acpipm")) {
      assertThat(vmctl(0, List.of("replay", file, "--only", device)))
          .startsWith("identical: " + device);
    }
    assertThat(vmctl(4, List.of("replay", file))).contains("of a parallel run");
  }

  @Test
  void theVcpuAloneDoesWhatItDidInTheBoot() throws Exception {
    assertThat(vmctl(0, List.of("replay", journal, "--only", "vcpu0")))
        .startsWith("identical: vcpu0, ");
  }
}
