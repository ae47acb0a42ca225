package dev.troupe.actors.console;

import dev.troupe.actors.schedule.InputGate;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The backend of a serial line. Byte-exact both ways: input waits at the machine's gate until the
 * device grants room, and of output that the outside does not take the gate makes the machine stand
 * still.
 */
public final class ConsoleActor {
  /** What the console's actor understands. */
  public sealed interface Command {}

  /** From the device: bytes that the guest has written. */
  public record Output(byte[] bytes) implements Command {}

  /**
   * From outside: bytes for the guest. The end sends one at a time and waits for {@link
   * ConsoleEnd#taken}.
   */
  public record Input(byte[] bytes) implements Command {}

  /** From outside: so many bytes of output are out. */
  public record Written(int bytes) implements Command {}

  /** From outside: the end takes no more output, for this reason. */
  public record Failed(String reason) implements Command {}

  /** From the machine, at its end: answered with {@link Flushed} when all output is out. */
  public record Flush() implements Command {}

  /** What the console tells its machine. */
  public sealed interface Report {}

  /** All output is out. */
  public record Flushed() implements Report {}

  /** The outside end has failed: output would be lost. */
  public record Broken(String reason) implements Report {}

  private final ConsoleEnd end;
  private final InputGate gate;
  private final ActorRef<Report> machine;

  private long unwritten;
  private boolean flushing;

  private ConsoleActor(ConsoleEnd end, InputGate gate, ActorRef<Report> machine) {
    this.end = end;
    this.gate = gate;
    this.machine = machine;
  }

  /** The console between an end and a machine's gate. */
  public static Behavior<Command> create(ConsoleEnd end, InputGate gate, ActorRef<Report> machine) {
    return Behaviors.setup(
        context -> {
          end.open(context.getSelf());
          return new ConsoleActor(end, gate, machine).behavior();
        });
  }

  private Behavior<Command> behavior() {
    return Behaviors.receive(Command.class)
        .onMessage(Output.class, this::onOutput)
        .onMessage(Input.class, this::onInput)
        .onMessage(Written.class, this::onWritten)
        .onMessage(Failed.class, this::onFailed)
        .onMessage(Flush.class, this::onFlush)
        .onSignal(PostStop.class, this::onStop)
        .build();
  }

  private Behavior<Command> onOutput(Output output) {
    unwritten += output.bytes().length;
    end.write(output.bytes());
    return Behaviors.same();
  }

  private Behavior<Command> onWritten(Written written) {
    unwritten -= written.bytes();
    gate.written(written.bytes());
    flushed();
    return Behaviors.same();
  }

  private Behavior<Command> onFailed(Failed failed) {
    unwritten = 0; // what is left can never be written
    machine.tell(new Broken(failed.reason()));
    flushed();
    return Behaviors.same();
  }

  private Behavior<Command> onFlush(Flush flush) {
    flushing = true;
    flushed();
    return Behaviors.same();
  }

  private void flushed() {
    if (flushing && unwritten <= 0) {
      flushing = false;
      machine.tell(new Flushed());
    }
  }

  private Behavior<Command> onInput(Input input) {
    gate.offer(input.bytes(), end::taken);
    return Behaviors.same();
  }

  private Behavior<Command> onStop(PostStop signal) {
    end.close();
    return Behaviors.same();
  }
}
