package dev.troupe.actors.client;

import dev.troupe.proto.vmd.VmInfo;
import java.util.List;

/** Machines as {@code vmctl show} prints them: the columns and widths of OpenBSD's. */
final class VmTable {
  private VmTable() {}

  /** The columns that were always there. */
  static String write(List<VmInfo> vms) {
    return standard().column("NAME", -1, VmInfo::getName).write(vms);
  }

  /** With where they run, for how many starts, and why they do not. */
  static String writeWide(List<VmInfo> vms) {
    return standard()
        .column("NAME", -12, VmInfo::getName)
        .column("NODE", -8, vm -> dash(vm.getNode()))
        .column("EPOCH", 5, vm -> Long.toUnsignedString(vm.getEpoch()))
        .column("ENGINE", -11, vm -> Values.engine(vm.getSpec().getEngine()))
        .column("REASON", -1, vm -> dash(vm.getReason()))
        .write(vms);
  }

  private static Table<VmInfo> standard() {
    return new Table<VmInfo>()
        .column("ID", 5, vm -> Integer.toUnsignedString(vm.getId()))
        .column("PID", 5, vm -> vm.getPid() == 0 ? "-" : Long.toUnsignedString(vm.getPid()))
        .column("VCPUS", 5, vm -> Integer.toUnsignedString(vm.getSpec().getCpus()))
        .column("MAXMEM", 7, vm -> Texts.memory(vm.getSpec().getMemoryBytes()))
        .column("CURMEM", 7, vm -> Texts.memory(vm.getCurrentMemoryBytes()))
        .column("TTY", 7, vm -> "-") // a console is reached through the daemon, there is no device
        .column("OWNER", 12, vm -> dash(vm.getOwner()))
        .column("STATE", 8, vm -> Values.state(vm.getState()));
  }

  static String dash(String text) {
    return text.isEmpty() ? "-" : text;
  }
}
