package dev.troupe.actors.cluster.simulation;

import com.google.protobuf.Message;
import dev.troupe.proto.cluster.CommandReply;
import dev.troupe.proto.cluster.Failure;
import dev.troupe.proto.cluster.Register;
import dev.troupe.proto.cluster.Registration;
import dev.troupe.proto.cluster.RegistryReply;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.Placement;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.DrainNode;
import dev.troupe.proto.vmd.PauseVm;
import dev.troupe.proto.vmd.ResetVm;
import dev.troupe.proto.vmd.StartVm;
import dev.troupe.proto.vmd.StopVm;
import dev.troupe.proto.vmd.UndrainNode;
import dev.troupe.proto.vmd.UnpauseVm;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** People: they give commands, ask again under the same id, and compare what they are told. */
final class SimClients {
  /** A command, as its giver knows it. */
  private static final class Given {
    final Command command;
    final String vm;
    Registration registration;
    CommandResult result;
    Failure failure;

    Given(Command command, String vm) {
      this.command = command;
      this.vm = vm;
    }

    boolean over() {
      return result != null || failure != null;
    }
  }

  private final Simulation world;
  private final SimClock clock;
  private final Map<String, Given> given = new LinkedHashMap<>();
  private final List<String> names = new ArrayList<>();

  /** Of each machine, one start or stop at a time, so that the last one says what is wanted. */
  private final Map<String, Given> last = new LinkedHashMap<>();

  private long end;
  private int ids;

  SimClients(Simulation world) {
    this.world = world;
    clock = world.clock;
    for (int i = 1; i <= Simulation.VMS; i++) {
      names.add("vm" + i);
    }
  }

  List<String> names() {
    return names;
  }

  void begin(long until) {
    end = until;
    clock.within(500, 1000, this::give);
  }

  /** Who has drained something takes that back. */
  void peace() {
    for (int i = 1; i <= Simulation.NODES; i++) {
      submit(Command.newBuilder().setUndrain(UndrainNode.newBuilder().setNode("n" + i)), null);
    }
    if (world.bug == Bug.RESTLESS) {
      restless();
    }
  }

  private void restless() {
    clock.after(
        7 * SimClock.SECOND,
        () -> {
          submit(Command.newBuilder().setStart(StartVm.newBuilder().setVm("vm1")), "vm1");
          submit(
              Command.newBuilder().setStop(StopVm.newBuilder().setVm("vm1").setForce(true)), "vm1");
          restless();
        });
  }

  private void give() {
    if (clock.now() >= end) {
      return;
    }
    clock.within(50, 2500, this::give);
    String vm = names.get(clock.random.nextInt(names.size()));
    Command.Builder command = Command.newBuilder();
    switch (clock.random.nextInt(12)) {
      case 0, 1, 2, 3 -> command.setStart(StartVm.newBuilder().setVm(vm).setSpec(spec(vm)));
      case 4, 5 -> command.setStop(StopVm.newBuilder().setVm(vm).setForce(clock.chance(0.5)));
      case 6 -> command.setPause(PauseVm.newBuilder().setVm(vm));
      case 7 -> command.setUnpause(UnpauseVm.newBuilder().setVm(vm));
      case 8 -> command.setReset(ResetVm.newBuilder().setVm(vm));
      case 9 -> {
        String node = "n" + (1 + clock.random.nextInt(Simulation.NODES));
        submit(
            clock.chance(0.4)
                ? command.setDrain(DrainNode.newBuilder().setNode(node))
                : command.setUndrain(UndrainNode.newBuilder().setNode(node)),
            null);
        return;
      }
      case 10 -> command.setDefine(StartVm.newBuilder().setVm(vm).setSpec(spec(vm)));
      default -> {
        askAgain();
        return;
      }
    }
    if (command.hasStart() || command.hasStop()) {
      Given before = last.get(vm);
      if (before != null && !before.over()) {
        return;
      }
    }
    submit(command, vm);
  }

  private VmSpec spec(String vm) {
    VmSpec.Builder spec =
        VmSpec.newBuilder()
            .setName(vm)
            .setCpus(1)
            .setMemoryBytes(1 + clock.random.nextInt(3))
            .setBoot(Boot.newBuilder().setKernel("/kernel"));
    if (clock.chance(0.2)) {
      spec.setPlacement(Placement.newBuilder().addAffinity("a"));
    }
    return spec.build();
  }

  private void submit(Command.Builder command, String vm) {
    Given one = new Given(command.setId("c" + ids++).build(), vm);
    given.put(one.command.getId(), one);
    if (one.command.hasStart() || one.command.hasStop()) {
      last.put(vm, one);
    }
    attempt(one);
  }

  /** Somebody has lost an answer that has come. */
  private void askAgain() {
    List<Given> some = given.values().stream().filter(one -> one.result != null).toList();
    if (!some.isEmpty()) {
      int back = Math.min(some.size(), 40);
      send(some.get(some.size() - 1 - clock.random.nextInt(back)));
    }
  }

  private void attempt(Given one) {
    if (!one.over()) {
      send(one);
      clock.within(3000, 6000, () -> attempt(one));
    }
  }

  private void send(Given one) {
    SimNode gate = world.gate();
    if (gate == null) {
      return;
    }
    String id = one.command.getId();
    Submit.Builder submit =
        Submit.newBuilder().setCommand(one.command).setPrivileged(true).setReplyTo(id);
    if (one.vm == null) {
      world.toRegistry(gate, submit.build());
    } else if (one.registration == null) {
      world.toRegistry(gate, Register.newBuilder().setName(one.vm).setReplyTo(id).build());
    } else {
      world.toEntity(gate, one.vm, submit.setRegistration(one.registration).build());
    }
  }

  void answered(String id, Message message) {
    Given one = given.get(id);
    switch (message) {
      case RegistryReply reply -> {
        if (reply.getVmsCount() == 1) {
          if (one.registration != null && !one.registration.equals(reply.getVms(0))) {
            throw new Simulation.Broken(one.vm + ": registered twice");
          }
          one.registration = reply.getVms(0);
          send(one);
        }
      }
      case CommandReply reply -> {
        if (reply.hasFailure()) {
          boolean again = reply.getFailure().getKind() == Failure.Kind.KIND_UNAVAILABLE;
          if (!again && one.result == null) {
            one.failure = reply.getFailure();
          }
        } else {
          result(one, reply.getResult());
        }
      }
      default -> throw new IllegalStateException("not for people: " + message);
    }
  }

  /** A refusal is no outcome: nothing is stored of it, and a copy that comes later may be taken. */
  private static void result(Given one, CommandResult result) {
    CommandResult bare = result.toBuilder().clearVm().build();
    if (one.result != null && !one.result.equals(bare)) {
      throw new Simulation.Broken(
          "two outcomes of %s: %s and %s".formatted(one.command, one.result, bare));
    }
    one.result = bare;
  }

  void checkAllEnded() {
    for (Given one : given.values()) {
      boolean waits =
          one.command.hasDrain() && world.waitsForRoom(one.command.getDrain().getNode());
      if (!one.over() && !waits) {
        throw new Simulation.Broken("no outcome: " + one.command);
      }
    }
  }

  /**
   * Whether the last command says that the machine should run; null if guest or node may have had
   * the last word.
   */
  Boolean wanted(String vm) {
    Given one = last.get(vm);
    if (one == null || one.result == null) {
      return null;
    }
    return switch (one.result.getKind()) {
      case KIND_DONE, KIND_ALREADY -> one.command.hasStop() ? Boolean.FALSE : null;
      default -> null;
    };
  }

  long commands() {
    return given.size();
  }
}
