package dev.troupe.actors.terminal;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.console.ConsoleEnd;
import org.apache.pekko.actor.typed.ActorRef;

/** A machine's side of its hub: passes everything on. */
final class HubEnd implements ConsoleEnd {
  private final ActorRef<ConsoleHub.Command> hub;
  private final long epoch;
  private final Fence fence;
  private volatile ActorRef<ConsoleActor.Command> console;
  private volatile boolean hubStopped;

  HubEnd(ActorRef<ConsoleHub.Command> hub, long epoch, Fence fence) {
    this.hub = hub;
    this.epoch = epoch;
    this.fence = fence;
  }

  long epoch() {
    return epoch;
  }

  Fence fence() {
    return fence;
  }

  /** The machine's console; it has been opened when anything comes from it. */
  ActorRef<ConsoleActor.Command> console() {
    return console;
  }

  /** The hub is there no more: the machine is told, and must still be able to end. */
  void hubStopped() {
    hubStopped = true;
    console.tell(new ConsoleActor.Failed("its hub has stopped"));
  }

  @Override
  public void open(ActorRef<ConsoleActor.Command> opened) {
    console = opened;
    hub.tell(new ConsoleHub.Opened(this, opened));
  }

  @Override
  public void write(byte[] bytes) {
    if (hubStopped) {
      console.tell(new ConsoleActor.Written(bytes.length));
    } else {
      hub.tell(new ConsoleHub.Output(this, bytes));
    }
  }

  @Override
  public void taken() {
    hub.tell(new ConsoleHub.InputTaken(this));
  }

  @Override
  public void close() {
    hub.tell(new ConsoleHub.Ended(this));
  }
}
