package dev.troupe.actors.machine;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.device.DeviceActor;
import dev.troupe.actors.device.DeviceEffects;
import dev.troupe.actors.fault.FaultInjector;
import dev.troupe.actors.schedule.Board;
import dev.troupe.actors.schedule.BoardCommand;
import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.actors.schedule.BoardMailbox;
import dev.troupe.actors.schedule.DeterministicSchedule;
import dev.troupe.actors.schedule.DirectGate;
import dev.troupe.actors.schedule.ExitSlot;
import dev.troupe.actors.schedule.HostTimer;
import dev.troupe.actors.schedule.InputGate;
import dev.troupe.actors.schedule.ParallelSchedule;
import dev.troupe.actors.schedule.QuietGate;
import dev.troupe.actors.schedule.Schedule;
import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.actors.schedule.TurnGate;
import dev.troupe.actors.vcpu.BoardPort;
import dev.troupe.actors.vcpu.VcpuActor;
import dev.troupe.actors.vcpu.VcpuCounters;
import dev.troupe.actors.vcpu.VcpuDoor;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.EngineCounters;
import dev.troupe.runtime.journal.Deed;
import dev.troupe.runtime.journal.JournalActors;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.Place;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.InterruptRouter;
import dev.troupe.runtime.machine.Outcome;
import dev.troupe.runtime.machine.Position;
import dev.troupe.runtime.machine.SeededNumbers;
import dev.troupe.runtime.snapshot.MachineState;
import dev.troupe.runtime.snapshot.StatePart;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/**
 * The actors and the state of one machine, as its supervisor sees them. All methods are the machine
 * actor's; those that change the vCPUs' state want them paused.
 */
final class Machine implements AutoCloseable {
  private static final Props BOARD =
      DispatcherSelector.fromConfig(BoardDispatcher.ID).withMailboxFromConfig(BoardMailbox.ID);
  private static final Props TURNS = DispatcherSelector.fromConfig(BoardDispatcher.ID);

  /** Where the machine's actors report. */
  record Supervisor(
      ActorRef<VcpuActor.Report> vcpus,
      ActorRef<DeviceActor.Report> devices,
      ActorRef<ConsoleActor.Report> console,
      Consumer<Boolean> behind,
      Consumer<QuietPoints.Note> notes) {}

  private final MachineParts parts;
  private final MessageCounters messages = new MessageCounters();
  private final TurnGate turns = new TurnGate();
  private final List<ActorRef<BoardCommand>> devices = new ArrayList<>();
  private final List<Vcpu> vcpus = new ArrayList<>();
  private final List<VcpuDoor> doors = new ArrayList<>();
  private final List<VcpuCounters> counters = new ArrayList<>();
  private final List<Engine> engines = new ArrayList<>();
  private final List<ActorRef<VcpuActor.Command>> vcpuActors = new ArrayList<>();
  private final Board board;
  private final Schedule schedule;
  private final InputGate gate;
  private final FaultInjector faults;

  /** Null for a parallel machine. */
  private QuietPoints quietPoints;

  /** The machine's own: it waits for the devices' resets. */
  private final ExitSlot own = new ExitSlot(ExitSlot.NO_VCPU);

  private ActorRef<ConsoleActor.Command> console;
  private long resets;

  private Machine(MachineParts parts, HostTimer timer, ExitSlot[] slots, Consumer<Boolean> behind) {
    this.parts = parts;
    ExitSlot[] all = Arrays.copyOf(slots, slots.length + 1);
    all[slots.length] = own;
    Cast cast = parts.cast();
    VmSpec spec = parts.spec();
    faults = new FaultInjector(parts.faults(), cast.names(), spec.getCpus(), new ForFaults());
    Board.Recorder watch =
        parts.observer().messages() ? new BoardWatch(messages, cast, parts.observer()) : messages;
    board = new Board(all, faults.active() ? new FaultyBoard(watch, cast, faults) : watch);
    int timers = parts.layout().devices().size() + 1; // the last is the fault rules'
    if (spec.hasDeterministic()) {
      board.stepped(true);
      var options =
          new DeterministicSchedule.Options(
              spec.getDeterministic().getSeed(), parts.paced(), parts.variation());
      var deterministic =
          new DeterministicSchedule(timer, board, timers, options, turns, this::expired);
      var quiet =
          new QuietGate(parts.inputs(), new Inside(), deterministic::arrived, this::entered);
      deterministic.gate(quiet);
      schedule = deterministic;
      gate = quiet;
    } else {
      schedule = new ParallelSchedule(timer, timers, spec.getCpus(), this::expired);
      gate = new DirectGate(new Inside(), turns, behind);
    }
  }

  private void entered(Place place, boolean scripted, ScriptedInput.Input input) {
    parts
        .observer()
        .happened(
            switch (input) {
              case ScriptedInput.Console(byte[] bytes) ->
                  new JournalRecord.Typed(place, scripted, bytes);
              case ScriptedInput.PowerButton _ -> new JournalRecord.PowerButton(place, scripted);
            });
  }

  /** Where fault rules take their deeds, of a deterministic machine. */
  private final class ForFaults implements FaultInjector.Inside {
    @Override
    public Position position() {
      return ((DeterministicSchedule) schedule).position();
    }

    @Override
    public void wakeAt(long deadline) {
      schedule.timer(devices.size(), 0, deadline);
    }

    @Override
    public void send(int receiver, BoardMessage message) {
      devices
          .get(receiver - JournalActors.FIRST_VCPU - vcpus.size())
          .tell(new BoardCommand.Again(message, schedule.nanos()));
    }

    @Override
    public void post(int vcpu, Interrupt interrupt) {
      vcpus.get(vcpu).post(interrupt); // by its door it would meet the rules again
    }

    @Override
    public void tell(JournalRecord record) {
      parts.observer().happened(record);
    }
  }

  /** What the gate lets in becomes messages on the board. */
  private final class Inside implements InputGate.Inside {
    @Override
    public void input(byte[] bytes) {
      post(device("uart0"), new BoardMessage.ConsoleInput(bytes));
    }

    @Override
    public void room(int bytes) {
      post(device("uart0"), new BoardMessage.ConsoleRoom(bytes));
    }

    @Override
    public void powerButton() {
      post(device("acpipm"), new BoardMessage.PowerButton());
    }
  }

  /** Puts a machine together and spawns its actors; nothing runs yet. */
  static Machine spawn(
      ActorContext<?> context,
      MachineParts parts,
      ConsoleEnd end,
      Doors outer,
      HostTimer timer,
      Consumer<Board> enter,
      Supervisor supervisor) {
    int count = parts.spec().getCpus();
    ExitSlot[] slots = new ExitSlot[count];
    for (int i = 0; i < count; i++) {
      slots[i] = new ExitSlot(i);
    }
    Machine machine = new Machine(parts, timer, slots, supervisor.behind());
    enter.accept(machine.board);
    for (int i = 0; i < count; i++) {
      machine.addVcpu(i, outer);
    }
    InterruptRouter router =
        new InterruptRouter(
            machine.vcpus, (vcpu, interrupt) -> machine.doors.get(vcpu).post(interrupt));
    machine.spawnBoard(context, end, outer, router, supervisor);
    for (int i = 0; i < count; i++) {
      machine.spawnVcpu(context, i, slots[i], router, supervisor);
    }
    machine.schedule.attach(machine.doors);
    parts.brake().attach(machine.vcpus, machine.schedule, () -> machine.quietPoints.hash());
    machine.observe(supervisor.notes());
    return machine;
  }

  private void observe(Consumer<QuietPoints.Note> notes) {
    if (schedule instanceof DeterministicSchedule deterministic
        && gate instanceof QuietGate quiet
        && parts.entropy() instanceof SeededNumbers numbers) {
      List<StatePart> state = new ArrayList<>();
      state.add(new StatePart("schedule", deterministic));
      state.add(new StatePart("gate", quiet));
      state.add(new StatePart("entropy", numbers));
      state.add(new StatePart("faults", faults));
      for (int i = 0; i < vcpus.size(); i++) {
        state.add(new StatePart("vcpu" + i, vcpus.get(i)));
      }
      for (Device device : parts.layout().devices()) {
        state.add(new StatePart(device.name(), device));
      }
      MachineState all = new MachineState(state, parts.memory());
      quietPoints = new QuietPoints(parts, deterministic, all, notes);
      deterministic.observe(quietPoints);
    }
  }

  private void addVcpu(int index, Doors outer) {
    Cpu cpu =
        new Cpu(
            parts.model(),
            parts.memory(),
            schedule,
            parts.entropy(),
            index,
            parts.spec().getCpus());
    cpu.pvclock.setWallClock(parts.layout().wallClockNanos());
    Vcpu vcpu = new Vcpu(cpu);
    vcpus.add(vcpu);
    doors.add(
        new VcpuDoor(vcpu, interrupt -> through(index, interrupt, outer), schedule.postsWake()));
    counters.add(new VcpuCounters());
  }

  /** What comes through a vCPU's door in the place of an interrupt; null for nothing. */
  private Interrupt through(int vcpu, Interrupt interrupt, Doors outer) {
    if (!outer.vcpu(vcpu, interrupt)) {
      return null;
    }
    if (parts.observer().messages()) {
      parts.observer().happened(new JournalRecord.Interrupted(vcpu, interrupt));
    }
    if (!faults.active()) {
      return interrupt;
    }
    return switch (faults.interrupt(vcpu, interrupt).orElse(null)) {
      case null -> interrupt;
      case Deed.Duplicated _ -> interrupt;
      case Deed.Corrupted(JournalRecord.Interrupted(int _, Interrupt instead)) -> instead;
      default -> null;
    };
  }

  private void spawnBoard(
      ActorContext<?> context,
      ConsoleEnd end,
      Doors outer,
      InterruptRouter router,
      Supervisor supervisor) {
    BoardLayout layout = parts.layout();
    console = context.spawn(ConsoleActor.create(end, gate, supervisor.console()), "console", TURNS);
    context.watch(console);
    DeviceEffects.Outlets outlets =
        new DeviceEffects.Outlets(
            layout,
            devices,
            doors,
            router,
            schedule,
            turns,
            gate,
            bytes -> parts.observer().output(bytes),
            console,
            supervisor.devices());
    for (int i = 0; i < layout.devices().size(); i++) {
      Device device = layout.devices().get(i);
      var actor =
          context.spawn(
              DeviceActor.create(
                  device,
                  new DeviceEffects(outlets, i),
                  message -> outer.device(device.name(), message),
                  supervisor.devices()),
              device.name(),
              BOARD);
      context.watch(actor);
      devices.add(actor);
    }
  }

  private void spawnVcpu(
      ActorContext<?> context,
      int index,
      ExitSlot slot,
      InterruptRouter router,
      Supervisor supervisor) {
    BoardPort port =
        new BoardPort(
            board,
            parts.layout().addresses(),
            devices,
            device("pic"),
            device("ioapic"),
            device("ferr"),
            slot);
    Engine engine = parts.engine(vcpus.get(index));
    engines.add(engine);
    VcpuActor.Parts own =
        new VcpuActor.Parts(
            index,
            vcpus.get(index),
            engine,
            port,
            doors.get(index),
            router,
            schedule,
            turns,
            parts.brake(),
            counters.get(index),
            parts.turnMeter());
    var actor = context.spawn(VcpuActor.create(own, supervisor.vcpus()), "vcpu" + index, TURNS);
    context.watch(actor);
    vcpuActors.add(actor);
  }

  /** The index of a device that every board has. */
  private int device(String name) {
    return parts
        .layout()
        .find(name)
        .orElseThrow(() -> new IllegalStateException("the board has no " + name));
  }

  /** On the schedule's thread. */
  private void expired(int device, int timer, long deadline) {
    if (device == devices.size()) {
      faults.due(schedule.nanos());
      return;
    }
    post(device, new BoardMessage.TimerFired(timer, deadline));
  }

  private void post(int device, BoardMessage message) {
    devices.get(device).tell(new BoardCommand.Post(message, schedule.nanos()));
  }

  VmSpec spec() {
    return parts.spec();
  }

  /** No vCPU begins another instruction until the next reset. */
  void closeTurns() {
    turns.close();
  }

  void pressPowerButton() {
    gate.pressPowerButton();
  }

  /** Asks the vCPUs to pause; each answers its supervisor. */
  void pauseVcpus() {
    vcpuActors.forEach(vcpu -> vcpu.tell(new VcpuActor.Pause()));
  }

  /**
   * The vCPUs are paused: the clock stops.
   *
   * @param shut whether input from outside waits, too
   */
  void stand(boolean shut) {
    schedule.stop();
    if (shut) {
      gate.open(false);
    }
  }

  /** Lets everything go on. */
  void go() {
    schedule.start();
    gate.open(true);
    vcpuActors.forEach(vcpu -> vcpu.tell(new VcpuActor.Resume()));
  }

  /**
   * Power-on, of a machine that begins with a snapshot if there is one.
   *
   * @throws IllegalStateException if a device does not answer, or the snapshot cannot be restored
   */
  void powerOn() {
    reset();
    parts.checkpoints().restore().ifPresent(file -> quietPoints.restore(file));
  }

  /**
   * Reset: devices, vCPUs, and what the guest starts with. Memory keeps its content otherwise, as
   * in hardware.
   *
   * @throws IllegalStateException if a device does not answer
   */
  void reset() {
    schedule.clear();
    faults.clear();
    for (int i = 0; i < devices.size(); i++) {
      ActorRef<BoardCommand> device = devices.get(i);
      var call = new BoardCommand.Call(own, new BoardMessage.Reset(), schedule.nanos());
      board.call(own, () -> device.tell(call));
      resets++;
      if (!own.replied()) {
        throw new IllegalStateException(device.path().name() + " did not answer its reset");
      }
    }
    vcpus.forEach(Vcpu::reset);
    parts.plan().write(parts.memory());
    parts.plan().entry().apply(vcpus.getFirst().cpu);
    vcpus.getFirst().cpu.updateMode();
    turns.open();
  }

  /** The machine is at rest for good: tells its observer. */
  void ended(Outcome outcome) {
    if (quietPoints != null) {
      quietPoints.ended(outcome);
    } else {
      Position position = new Position(0, board.number(), schedule.nanos());
      Place place = new Place(0, position);
      parts.observer().happened(new JournalRecord.End(place, position, false, 0, outcome.text()));
    }
  }

  void flushConsole() {
    console.tell(new ConsoleActor.Flush());
  }

  /** A child has gone: it answers no more, and if it was a vCPU it rests for good. */
  void childGone(ActorRef<Void> child, boolean[] paused) {
    for (int i = 0; i < paused.length; i++) {
      if (child.path().equals(vcpuActors.get(i).path())) {
        paused[i] = true;
      }
    }
  }

  /** Exact when the machine is at rest. */
  MachineStatistics statistics() {
    VcpuCounters all = new VcpuCounters();
    counters.forEach(all::add);
    return new MachineStatistics(
        all,
        engines.stream().map(Engine::counters).reduce(EngineCounters.NONE, EngineCounters::plus),
        messages.byKind(),
        messages.calls(),
        resets,
        schedule.nanos(),
        stateHash(),
        vcpus.stream().map(Vcpu::summary).toList());
  }

  private Optional<MachineStatistics.StateHash> stateHash() {
    if (quietPoints == null) {
      return Optional.empty();
    }
    Position position = ((DeterministicSchedule) schedule).position();
    return Optional.of(new MachineStatistics.StateHash(position, quietPoints.hash()));
  }

  /** After the last of the machine's actors has stopped. */
  @Override
  public void close() {
    if (quietPoints != null) {
      quietPoints.close();
    }
    schedule.close();
    parts.brake().detach();
    parts.close();
  }
}
