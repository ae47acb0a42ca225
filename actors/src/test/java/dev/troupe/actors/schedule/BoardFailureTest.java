package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.schedule.TestMachines.Crash;
import dev.troupe.actors.schedule.TestMachines.Io;
import dev.troupe.actors.schedule.TestMachines.Irq;
import dev.troupe.actors.schedule.TestMachines.Message;
import dev.troupe.actors.schedule.TestMachines.Stop;
import dev.troupe.actors.schedule.TestMachines.TestMachine;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The board's law, on real actors and threads: devices that fail or stop, and machines that end,
 * under fire. Every wait is bounded: a hang is a failure, not a stuck build.
 */
@Timeout(60)
class BoardFailureTest {
  private static TestMachines machines;

  @BeforeAll
  static void start() {
    machines = new TestMachines();
  }

  @AfterAll
  static void stop() {
    machines.close();
  }

  @Test
  void anExitToADeadDeviceEndsUnrepliedAndTheOthersLive() throws Exception {
    TestMachine machine = machines.machine(1, BoardFailureTest::mortal, null);
    ExitSlot exit = machine.exits[0];

    machine.io(0, 0, 1);
    assertThat(exit.replied()).isTrue();
    machine.board.call(exit, () -> machine.devices.get(0).tell(new Crash(exit)));
    assertThat(exit.replied()).as("the exit that killed it").isFalse();
    machine.io(0, 0, 1);
    assertThat(exit.replied()).as("an exit to the failed device").isFalse();
    machine.io(0, 1, 1);
    assertThat(exit.replied()).as("another device").isTrue();
    TestMachines.await(() -> machine.deaths.contains("failed dev0"));
    machine.io(0, 0, 1);
    assertThat(exit.replied()).as("after its termination, by the dead letter path").isFalse();
    machine.devices.get(2).tell(new Stop(false));
    machine.io(0, 2, 1);
    assertThat(exit.replied()).as("a device that stopped by itself").isFalse();
    TestMachines.await(() -> machine.deaths.contains("stopped dev2"));
    assertThat(machine.stop()).isTrue();
    machine.io(0, 3, 1);
    assertThat(exit.replied()).as("after the machine's stop").isFalse();
  }

  /** Machine actors are never restarted, but a board actor that is must not upset the board. */
  @Test
  void aRestartedDeviceWorksOnInPlaceWithoutItsState() throws Exception {
    TestMachine machine =
        machines.machine(
            1,
            (index, m) ->
                Behaviors.supervise(mortal(index, m))
                    .onFailure(IllegalStateException.class, SupervisorStrategy.restart()),
            null);
    ExitSlot exit = machine.exits[0];

    machine.io(0, 7, 1);
    machine.io(0, 7, 1);
    assertThat(exit.value()).isEqualTo(2);
    machine.board.call(exit, () -> machine.devices.get(7).tell(new Crash(exit)));
    assertThat(exit.replied()).isFalse();
    machine.io(0, 7, 1);
    assertThat(exit.value()).isEqualTo(1);
    assertThat(machine.stop()).isTrue();
  }

  private static Behavior<Message> mortal(int index, TestMachine machine) {
    return Behaviors.setup(
        context -> {
          int[] count = {0};
          return Behaviors.receiveMessage(
              message -> {
                switch (message) {
                  case Io io -> io.exit().reply(++count[0]);
                  case Crash crash -> throw new IllegalStateException("crash " + index);
                  case Stop stop when stop.failing() ->
                      throw new IllegalStateException("killed " + index);
                  case Stop stop -> {
                    return Behaviors.stopped();
                  }
                  default -> {}
                }
                return Behaviors.same();
              });
        });
  }

  @Test
  void aMachineStoppedOrADeviceKilledUnderFireLeavesNoExitOpen() throws Exception {
    for (int k = 0; k < 60; k++) {
      TestMachine machine =
          machines.machine(
              2,
              (index, m) ->
                  Behaviors.receiveMessage(
                      message -> {
                        if (message instanceof Io io) {
                          io.exit().reply(1);
                          m.devices.get((index + 1) & 7).tell(new Irq(index));
                        } else if (message instanceof Stop) {
                          throw new IllegalStateException("killed");
                        }
                        return Behaviors.same();
                      }),
              null);
      Thread[] vcpus = new Thread[2];
      for (int v = 0; v < vcpus.length; v++) {
        int me = v;
        vcpus[v] =
            new Thread(
                () -> {
                  for (int i = 0, unreplied = 0; unreplied < 50; i++) {
                    machine.io(me, i & 7, 1);
                    unreplied += machine.exits[me].replied() ? 0 : 1;
                  }
                });
        vcpus[v].start();
      }
      Thread.sleep(2);
      if (k % 2 == 0) {
        machine.devices.get(k & 7).tell(new Stop(true));
      } else {
        machine.self.tell("stop");
      }
      TestMachines.join(vcpus);
      assertThat(machine.stop()).isTrue();
    }
  }
}
