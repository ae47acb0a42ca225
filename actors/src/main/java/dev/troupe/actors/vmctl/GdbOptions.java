package dev.troupe.actors.vmctl;

import dev.troupe.actors.debug.BrakedMachine;
import dev.troupe.actors.debug.DebugServer;
import dev.troupe.actors.debug.LiveTarget;
import dev.troupe.actors.machine.MachineActor;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.actors.vcpu.Brake;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import picocli.CommandLine.Option;

/** Where {@code vmctl run} lets GDB in. */
final class GdbOptions {
  @Option(
      names = "--gdb",
      paramLabel = "[HOST:]PORT",
      converter = GdbAddress.Converter.class,
      description = "Let GDB connect to this port of this host, or of HOST's address.")
  private GdbAddress address;

  @Option(
      names = {"-S", "--gdb-wait"},
      description = "Stand before the first instruction until GDB has connected.")
  private boolean waits;

  boolean given() {
    return address != null;
  }

  /** What the user asked for that makes no sense; empty if nothing. */
  Optional<String> complaint(boolean sharded) {
    if (address == null) {
      return waits ? Optional.of("--gdb-wait is for --gdb") : Optional.empty();
    }
    return sharded ? Optional.of("--gdb is not for --sharded runs") : Optional.empty();
  }

  /**
   * Starts a machine, and listens.
   *
   * @param writable whether GDB may change the guest
   * @param notes gets what the machine tells
   * @param start starts the machine, which tells all to what it is given
   */
  LocalHost start(
      MachineParts parts,
      boolean writable,
      Consumer<MachineActor.Event> notes,
      CompletableFuture<MachineActor.Ended> ended,
      Function<Consumer<MachineActor.Event>, LocalHost> start) {
    Brake brake = new Brake();
    BrakedMachine machine = new BrakedMachine(brake);
    AtomicReference<LocalHost> host = new AtomicReference<>();
    parts.brake(brake);
    LiveTarget target =
        new LiveTarget(machine, parts.spec().getCpus(), waits, writable, () -> host.get().stop());
    var _ = ended.whenComplete((end, failure) -> machine.ended());
    host.set(
        start.apply(
            event -> {
              machine.event(event);
              notes.accept(event);
            }));
    machine.controls(host.get());
    listen(address, target);
    return host.get();
  }

  /** Listens there, and says so. */
  static DebugServer listen(GdbAddress address, DebugServer.Target target) {
    try {
      DebugServer server =
          DebugServer.listen(address.host(), address.port(), target, Vmctl::complain);
      System.err.print("vmctl: gdb: target remote " + GdbAddress.text(server.address()) + "\r\n");
      System.err.flush();
      return server;
    } catch (IOException e) {
      throw new UserException(ExitCode.USAGE, "--gdb " + address + ": " + e.getMessage());
    }
  }
}
