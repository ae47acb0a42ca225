package dev.troupe.actors.client;

import java.util.List;
import picocli.CommandLine.Option;

/** Options of OpenBSD's {@code vmctl start} that need what Troupe does not have yet. */
final class MissingOptions {
  @Option(names = "-B", hidden = true, paramLabel = "DEVICE")
  private String bootDevice;

  @Option(names = "-d", hidden = true, paramLabel = "DISK")
  private List<String> disks;

  @Option(names = "-i", hidden = true, paramLabel = "COUNT")
  private String interfaces;

  @Option(names = "-L", hidden = true)
  private boolean local;

  @Option(names = "-n", hidden = true, paramLabel = "SWITCH")
  private List<String> switches;

  @Option(names = "-r", hidden = true, paramLabel = "PATH")
  private String cdrom;

  /** Complains about the first that was given. */
  void refuse() {
    refuse(bootDevice != null, "-B", "boot devices");
    refuse(disks != null, "-d", "disks");
    refuse(interfaces != null, "-i", "networks");
    refuse(local, "-L", "networks");
    refuse(switches != null, "-n", "switches");
    refuse(cdrom != null, "-r", "CD-ROMs");
  }

  private static void refuse(boolean given, String option, String what) {
    if (given) {
      throw MissingCommand.missing("start " + option, what);
    }
  }
}
