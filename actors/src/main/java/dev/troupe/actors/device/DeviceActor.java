package dev.troupe.actors.device;

import dev.troupe.actors.schedule.BoardCommand;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.bus.AddressMap;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.PowerEvent;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * One device of a machine's board: hands each message to the device's logic, whose effects leave as
 * messages by {@link DeviceEffects}. It runs on whichever thread drains the board, never two at a
 * time.
 */
public final class DeviceActor {
  /** What a device's actor tells its machine. */
  public sealed interface Report {}

  /** The machine's power state changes; its turn gate is closed already. */
  public record Power(PowerEvent event) implements Report {}

  /** The device's logic has failed, which is our fault and not the guest's. */
  public record Broken(String device, String reason) implements Report {}

  private final Device device;
  private final DeviceEffects effects;
  private final Predicate<BoardMessage> admits;
  private final ActorRef<Report> machine;

  /** The latest time that the device has seen. */
  private long now;

  private DeviceActor(
      Device device,
      DeviceEffects effects,
      Predicate<BoardMessage> admits,
      ActorRef<Report> machine) {
    this.device = device;
    this.effects = effects;
    this.admits = admits;
    this.machine = machine;
  }

  /**
   * The actor of one device; to be spawned with the board's dispatcher and mailbox.
   *
   * @param admits false drops a message, as if it had never been sent: a fault to be injected. A
   *     vCPU that waits for the answer gets what an address without a device gives
   */
  public static Behavior<BoardCommand> create(
      Device device,
      DeviceEffects effects,
      Predicate<BoardMessage> admits,
      ActorRef<Report> machine) {
    return Behaviors.setup(
        context -> {
          DeviceActor actor = new DeviceActor(device, effects, admits, machine);
          return Behaviors.receiveMessage(actor::onCommand);
        });
  }

  private Behavior<BoardCommand> onCommand(BoardCommand command) {
    // A message carries its sender's time; the device's own never goes back.
    now = Math.max(now, command.time());
    BoardMessage message = command.message();
    long value = admits.test(message) ? handle(message) : unanswered(message);
    if (command instanceof BoardCommand.Call call) {
      call.exit().reply(value);
    }
    return Behaviors.same();
  }

  private long handle(BoardMessage message) {
    try {
      return device.handle(message, now, effects.at(now));
    } catch (RuntimeException e) {
      machine.tell(new Broken(device.name(), "%s on %s at %d ns".formatted(e, message, now)));
      throw e;
    }
  }

  /** What a vCPU gets for a message that no device answers. */
  public static long unanswered(BoardMessage message) {
    return switch (message) {
      case BoardMessage.IoRead read -> AddressMap.allOnes(read.size());
      case BoardMessage.InterruptAcknowledge _ -> AddressMap.allOnes(1);
      default -> 0;
    };
  }
}
