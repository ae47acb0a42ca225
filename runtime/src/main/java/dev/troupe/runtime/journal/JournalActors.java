package dev.troupe.runtime.journal;

import java.util.ArrayList;
import java.util.List;

/** The numbers that records know actors by: first these, then the vCPUs, then the devices. */
public final class JournalActors {
  /** Resets its devices. */
  public static final int MACHINE = 0;

  /** Lets in what comes from outside. */
  public static final int GATE = 1;

  /** Tells devices that their timers are due. */
  public static final int CLOCK = 2;

  /** The first vCPU; the first device follows the last. */
  public static final int FIRST_VCPU = 3;

  private JournalActors() {}

  /** The actors' names, by number. */
  public static List<String> names(int vcpus, List<String> devices) {
    List<String> names = new ArrayList<>(List.of("machine", "gate", "clock"));
    for (int i = 0; i < vcpus; i++) {
      names.add("vcpu" + i);
    }
    names.addAll(devices);
    return names;
  }
}
