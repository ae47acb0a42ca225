package dev.troupe.actors.device;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.schedule.BoardCommand;
import dev.troupe.actors.schedule.InputGate;
import dev.troupe.actors.schedule.Schedule;
import dev.troupe.actors.schedule.TurnGate;
import dev.troupe.actors.vcpu.VcpuDoor;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.PowerEvent;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.InterruptRouter;
import dev.troupe.runtime.machine.Target;
import java.util.List;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Turns what a device causes into messages, along the wires of its board. Used by the device's
 * actor only.
 */
public final class DeviceEffects implements Effects {
  /**
   * What all devices of a machine send to.
   *
   * @param devices the board's actors by index; complete before the first message
   * @param output sees what the serial line puts out
   * @param console the backend of the serial line
   */
  public record Outlets(
      BoardLayout layout,
      List<ActorRef<BoardCommand>> devices,
      List<VcpuDoor> vcpus,
      InterruptRouter router,
      Schedule schedule,
      TurnGate turns,
      InputGate gate,
      Consumer<byte[]> output,
      ActorRef<ConsoleActor.Command> console,
      ActorRef<DeviceActor.Report> machine) {}

  private final Outlets outlets;
  private final int index;
  private long now;

  /** The effects of the device with this index. */
  public DeviceEffects(Outlets outlets, int index) {
    this.outlets = outlets;
    this.index = index;
  }

  /** Sets the time that the messages carry. */
  DeviceEffects at(long time) {
    now = time;
    return this;
  }

  @Override
  public void line(int output, boolean high) {
    for (Target target : outlets.layout().targets(index, output)) {
      switch (target) {
        case Target.Pin(int device, int pin) ->
            outlets
                .devices()
                .get(device)
                .tell(new BoardCommand.Post(new BoardMessage.LineLevel(pin, high), now));
        case Target.Intr _ -> {
          Interrupt level = new Interrupt.Intr(high);
          outlets.vcpus().forEach(vcpu -> vcpu.post(level));
        }
        case Target.IgnoreNumericError _ -> {
          Interrupt level = new Interrupt.IgnoreNumericError(high);
          outlets.vcpus().forEach(vcpu -> vcpu.post(level));
        }
        case Target.Nmi _ -> {
          if (high) {
            Interrupt nmi = new Interrupt.Nmi();
            outlets.vcpus().forEach(vcpu -> vcpu.post(nmi));
          }
        }
      }
    }
  }

  @Override
  public void timer(int timer, long deadline) {
    outlets.schedule().timer(index, timer, deadline);
  }

  @Override
  public void interrupt(InterruptMessage message) {
    outlets.router().route(message);
  }

  @Override
  public void output(byte[] bytes) {
    outlets.gate().put(bytes.length);
    outlets.output().accept(bytes);
    outlets.console().tell(new ConsoleActor.Output(bytes));
  }

  @Override
  public void room(int bytes) {
    outlets.gate().grant(bytes);
  }

  @Override
  public void power(PowerEvent event) {
    outlets.turns().close();
    outlets.machine().tell(new DeviceActor.Power(event));
  }
}
