package dev.troupe.actors.vmd.door;

import dev.troupe.actors.vmd.Control.Caller;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.StartVm;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A daemon's door and nothing behind it, as a program: what vmctl's latency is measured against.
 */
public final class TestDoor {
  private TestDoor() {}

  /** Opens the door on the socket of that path, with so many machines behind it, until killed. */
  public static void main(String[] arguments) throws Exception {
    MemoryControl control = new MemoryControl();
    int vms = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 3;
    for (int i = 1; i <= vms; i++) {
      StartVm start =
          StartVm.newBuilder()
              .setVm("vm" + i)
              .setSpec(VmSpec.newBuilder().setCpus(i % 4 + 1))
              .build();
      control.submit(
          new Caller(0, "root", true), Command.newBuilder().setId("s" + i).setStart(start).build());
    }
    try (LogRing log = LogRing.install();
        Door door =
            Door.open(Path.of(arguments[0]), Optional.empty(), control, log, DoorLimits.DEFAULT)) {
      System.out.println("open");
      Thread.sleep(Long.MAX_VALUE);
    }
  }
}
