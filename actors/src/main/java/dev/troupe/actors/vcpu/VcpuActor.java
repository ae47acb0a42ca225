package dev.troupe.actors.vcpu;

import dev.troupe.actors.schedule.Schedule;
import dev.troupe.actors.schedule.TurnGate;
import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.machine.InterruptRouter;
import dev.troupe.runtime.machine.TurnRules;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Runs one vCPU. A turn is one message: some thousand instructions with the exits among them, then
 * a message to itself, so that any number of vCPUs share the node's threads and a command is never
 * farther away than one turn. A halted vCPU has no message under way and holds no thread.
 */
public final class VcpuActor {
  /** What a vCPU's actor understands. */
  public sealed interface Command {}

  /** Run one turn. Sent by the actor to itself, and by its {@link VcpuDoor}. */
  enum Turn implements Command {
    TURN
  }

  /** Stop running guest code; answered with {@link Paused}. */
  public record Pause() implements Command {}

  /** Go on; also how the first turn begins. */
  public record Resume() implements Command {}

  /** What a vCPU's actor tells its machine. */
  public sealed interface Report {
    /** The vCPU's index. */
    int vcpu();
  }

  /**
   * The vCPU is between turns and stays there until {@link Resume}. Its state may be read and
   * changed by the machine.
   */
  public record Paused(int vcpu) implements Report {}

  /**
   * The {@link Brake} has stopped the vCPU in the middle of a turn, which goes on after {@link
   * Pause} and {@link Resume}.
   */
  public record Braked(int vcpu) implements Report {}

  /** The guest has shut the vCPU down: a triple fault. */
  public record TripleFault(int vcpu, String state) implements Report {}

  /** We have failed, not the guest. */
  public record Broken(int vcpu, String reason) implements Report {}

  /**
   * What the actor works with.
   *
   * @param index the vCPU's index, its local APIC id
   */
  public record Parts(
      int index,
      Vcpu vcpu,
      Engine engine,
      BoardPort port,
      VcpuDoor door,
      InterruptRouter router,
      Schedule schedule,
      TurnGate gate,
      Brake brake,
      VcpuCounters counters,
      TurnMeter meter) {}

  private final Parts parts;
  private final ActorContext<Command> context;
  private final ActorRef<Report> machine;

  /** Not running guest code, by the machine's command. */
  private boolean paused = true;

  /** A turn is to be run once the vCPU goes on. */
  private boolean owed = true;

  /** A turn stands in its middle. */
  private boolean braked;

  /** Units that the turn under way has left. */
  private long left;

  /** How the turn under way has ended; null while it has not. */
  private Schedule.End end;

  private VcpuActor(ActorContext<Command> context, Parts parts, ActorRef<Report> machine) {
    this.context = context;
    this.parts = parts;
    this.machine = machine;
    parts.door().owner(context.getSelf());
  }

  /** A vCPU that is paused before its first instruction. */
  public static Behavior<Command> create(Parts parts, ActorRef<Report> machine) {
    return Behaviors.setup(context -> new VcpuActor(context, parts, machine).behavior());
  }

  private Behavior<Command> behavior() {
    return Behaviors.receive(Command.class)
        .onMessageEquals(Turn.TURN, this::onTurn)
        .onMessage(Pause.class, this::onPause)
        .onMessage(Resume.class, this::onResume)
        .build();
  }

  private Behavior<Command> onPause(Pause command) {
    paused = true;
    machine.tell(new Paused(parts.index()));
    return Behaviors.same();
  }

  private Behavior<Command> onResume(Resume command) {
    paused = false;
    if (owed) {
      owed = false;
      parts.door().again();
    }
    return Behaviors.same();
  }

  private Behavior<Command> onTurn() {
    if (paused) {
      owed = true;
      return Behaviors.same();
    }
    parts.meter().begin();
    turns();
    parts.meter().end();
    return Behaviors.same();
  }

  /** As many turns as share a message. */
  private void turns() {
    long used = 0;
    while (true) {
      long units = braked ? left : begin();
      if (units == 0 && !braked) {
        return;
      }
      braked = false;
      turn();
      if (braked) {
        owed = true;
        machine.tell(new Braked(parts.index()));
        return;
      }
      if (!parts.schedule().end(parts.index(), end)) {
        return;
      }
      used += units;
      if (used >= Schedule.TURN_UNITS) { // short turns share a message
        parts.door().again();
        return;
      }
    }
  }

  private long begin() {
    left = parts.schedule().begin(parts.index());
    end = null;
    if (left > 0) {
      // The engine looks at the pending set, at the timer and at a halt that goes on.
      parts.vcpu().cpu.attend();
    }
    return left;
  }

  private void turn() {
    try {
      run();
      return;
    } catch (BoardPort.UnansweredException e) {
      machine.tell(new Broken(parts.index(), e.getMessage()));
    } catch (RuntimeException | LinkageError | StackOverflowError | AssertionError e) {
      // An error of ours ends this machine, not the process with its neighbours.
      context.getLog().error("vCPU {} failed, {}", parts.index(), parts.vcpu().summary(), e);
      machine.tell(new Broken(parts.index(), e + ", " + parts.vcpu().summary()));
    }
    end = Schedule.End.BROKEN_OFF;
  }

  /** Runs the turn to its {@link #end}, or until it is {@link #braked}. */
  private void run() {
    Brake brake = parts.brake();
    while (end == null && left > 0) {
      long slice = brake.slice(parts.index(), left);
      if (slice == 0) {
        braked = true;
        return;
      }
      if (!parts.gate().isOpen()) {
        owed = true; // the machine is being reset or switched off, and will say
        end = Schedule.End.BROKEN_OFF;
        return;
      }
      step(slice);
      if (brake.due(parts.index())) {
        braked = true;
        return;
      }
    }
    if (end == null) {
      end = Schedule.End.MORE;
    }
  }

  /** One run of the engine, and the exit that it ends with. */
  private void step(long slice) {
    VcpuCounters counters = parts.counters();
    parts.schedule().running(parts.index(), slice);
    parts.vcpu().cpu.untoldPauses = parts.schedule().untoldPauses();
    Exit exit = parts.engine().run(parts.vcpu(), slice);
    long unused = parts.vcpu().cpu.budget;
    long used = slice - unused;
    parts.schedule().ran(parts.index(), used);
    counters.retired(used);
    parts.brake().ran(parts.index(), used);
    left -= used;
    if (exit instanceof Exit.TurnEnd && (left > 0 || unused > 0)) {
      return; // it was stopped, or its slice was not all of the turn
    }
    left -= TurnRules.EXIT_UNITS;
    counters.exit(ExitKind.of(exit));
    switch (exit) {
      case Exit.TurnEnd _ -> left = 0;
      case Exit.Halt _ -> {
        end = Schedule.End.HALTED;
        return;
      }
      case Exit.Shutdown _ -> {
        machine.tell(new TripleFault(parts.index(), parts.vcpu().summary()));
        end = Schedule.End.BROKEN_OFF;
        return;
      }
      case Exit.Ipi ipi -> {
        parts.router().route(parts.index(), ipi);
        parts.vcpu().complete(0);
      }
      case Exit.Pause _ -> parts.vcpu().complete(0);
      default -> call(exit, counters);
    }
    left = parts.schedule().afterExit(exit, left);
  }

  private void call(Exit exit, VcpuCounters counters) {
    long start = parts.schedule().nanos();
    BoardPort port = parts.port().at(start);
    long value = 0;
    switch (exit) {
      case Exit.PortRead(int number, int size) ->
          value = port.read(AddressSpace.PORT, number, size);
      case Exit.PortWrite(int number, int size, long written) ->
          port.write(AddressSpace.PORT, number, size, written);
      case Exit.MemoryRead(long address, int size) ->
          value = port.read(AddressSpace.MEMORY, address, size);
      case Exit.MemoryWrite(long address, int size, long written) ->
          port.write(AddressSpace.MEMORY, address, size, written);
      case Exit.InterruptAcknowledge _ -> value = port.acknowledge(parts.index());
      case Exit.EndOfInterrupt(int vector) -> port.endOfInterrupt(vector);
      case Exit.NumericError(boolean asserted) -> port.numericError(parts.index(), asserted);
      default -> throw new IllegalStateException("no exit for the board: " + exit);
    }
    parts.vcpu().complete(value);
    counters.completed(port.sent());
    if (counters.isSample()) {
      counters.latency(parts.schedule().nanos() - start);
    }
  }
}
