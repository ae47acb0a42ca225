package dev.troupe.actors.client;

import dev.troupe.proto.control.VmState;
import dev.troupe.proto.vmd.VmInfo;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmctl show}, which is also called {@code status}. */
@Command(description = "Shows the machines, or one.", mixinStandardHelpOptions = true)
final class ShowCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..1",
      paramLabel = "NAME",
      defaultValue = "",
      description = "The machine's name, or its number.")
  private String name;

  @Option(
      names = {"-r", "--running"},
      description = "Only those that run.")
  private boolean running;

  @Option(
      names = {"-w", "--wide"},
      description = "Also where they run, their epoch, and why they do not run.")
  private boolean wide;

  @Mixin private DaemonOptions daemon;
  @Mixin private DaemonOptions.Output output;

  @Override
  public Integer call() {
    try (Daemon connection = daemon.connect()) {
      List<VmInfo> vms =
          connection.show(name).stream().filter(vm -> !running || runs(vm.getState())).toList();
      output.print(Values.vms(vms));
      if (output.forPeople()) {
        System.out.print(wide ? VmTable.writeWide(vms) : VmTable.write(vms));
      }
      return ClientExit.OK;
    }
  }

  private static boolean runs(VmState state) {
    return state == VmState.VM_STATE_RUNNING || state == VmState.VM_STATE_PAUSED;
  }
}
