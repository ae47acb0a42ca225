package dev.troupe.runtime.machine;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.runtime.bus.AddressMap;
import dev.troupe.runtime.bus.BusAccess;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.PowerEvent;
import dev.troupe.runtime.device.uart.Uart;
import dev.troupe.runtime.engine.Engine;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;

/**
 * A whole machine without actors, on the caller's thread: vCPUs in turn, devices called directly,
 * one queue for the messages among devices and one heap of timers. The runtime as a library, and
 * the base line that the actors' costs are measured against.
 */
public final class DirectMachine {
  /** A vCPU and the engine that runs it, which may be shared if the engine allows that. */
  public record Processor(Vcpu vcpu, Engine engine) {}

  /** The console of the first serial port. */
  public interface Console {
    /** Takes bytes from the guest; called on the machine's thread. */
    void output(byte[] bytes);

    /** Gives at most {@code room} bytes to the guest, without waiting; empty if there are none. */
    byte[] input(int room);
  }

  /** How to wait while all vCPUs are halted. */
  @FunctionalInterface
  public interface Idle {
    /** Returns when virtual time has reached {@code deadline}, or earlier on input or a stop. */
    void until(long deadline);
  }

  /** Units of work in one turn of a vCPU. */
  private static final long SLICE = 20_000;

  /**
   * Exits in one turn of a vCPU: a guest that polls a port leaves the others and the console their
   * share.
   */
  private static final int MAX_EXITS = 256;

  /**
   * Messages that one exit or timer may cause; the longest real chain is IRQ to slave to master,
   * times the devices.
   */
  private static final int MAX_CASCADE = 1_000;

  /**
   * Timers that fire before vCPUs run again: more than devices have, so only broken ones get there.
   */
  private static final int MAX_TIMERS_AT_ONCE = 1_000;

  private static final int NO_DEVICE = -1;
  private static final int NOBODY = -1;

  private record Envelope(int device, BoardMessage message) {}

  private final Engine[] engines;
  private final Vcpu[] vcpus;
  private final boolean[] halted;
  private final BoardLayout layout;
  private final AddressMap addresses;
  private final Device[] devices;
  private final TimeSource time;
  private final Console console;
  private final Idle idle;
  private final InterruptRouter router;
  private final EventHeap timers;
  private final ArrayDeque<Envelope> queue = new ArrayDeque<>();
  private final BoardEffects effects = new BoardEffects();
  private final BusAccess.Caller caller = this::ask;
  private final int pic;
  private final int ioApic;
  private final int numericError;
  private final int consoleDevice;
  private final int powerButton;

  /**
   * Console bytes that may be sent to the device, and those written out that it has not been told
   * of.
   */
  private int inputRoom;

  private int written;

  /** Whose turn it is; {@link #NOBODY} between turns. */
  private int holder = NOBODY;

  /** Who is asked first when the next turn is given away. */
  private int next;

  /** Exits of the turn so far. */
  private int exits;

  private long now;
  private Outcome outcome;
  private volatile boolean stopping;

  /**
   * Puts a machine together and powers its board on; vCPUs are left as they are.
   *
   * @param processors in the order of their APIC ids
   * @param time the clock that the vCPUs have, too
   */
  public DirectMachine(
      List<Processor> processors, BoardLayout layout, TimeSource time, Console console, Idle idle) {
    this.engines = processors.stream().map(Processor::engine).toArray(Engine[]::new);
    this.vcpus = processors.stream().map(Processor::vcpu).toArray(Vcpu[]::new);
    this.halted = new boolean[vcpus.length];
    this.layout = layout;
    this.addresses = layout.addresses();
    this.devices = layout.devices().toArray(Device[]::new);
    this.time = time;
    this.console = console;
    this.idle = idle;
    this.router = new InterruptRouter(List.of(vcpus), this::post);
    this.timers = new EventHeap(devices.length);
    this.pic = layout.find("pic").orElse(NO_DEVICE);
    this.ioApic = layout.find("ioapic").orElse(NO_DEVICE);
    this.numericError = layout.find("ferr").orElse(NO_DEVICE);
    this.consoleDevice = layout.find("uart0").orElse(NO_DEVICE);
    this.powerButton = layout.find("acpipm").orElse(NO_DEVICE);
    resetBoard();
  }

  /** Reset of the whole machine: vCPUs and board. Memory stays; the caller loads the guest anew. */
  public void reset() {
    for (Vcpu vcpu : vcpus) {
      vcpu.reset();
    }
    resetBoard();
  }

  private void resetBoard() {
    now = time.nanos();
    outcome = null;
    holder = NOBODY;
    next = 0;
    queue.clear();
    timers.clear();
    for (int i = 0; i < devices.length; i++) {
      queue.add(new Envelope(i, new BoardMessage.Reset()));
    }
    drain();
  }

  /** Ends {@link #run()} within a turn, with {@link Outcome.Stopped}; from any thread. */
  public void stop() {
    stopping = true;
  }

  /** Presses the power button; on the machine's thread. */
  public void pressPowerButton() {
    now = time.nanos();
    ask(powerButton, new BoardMessage.PowerButton());
  }

  /** Runs until the guest, or {@link #stop()}, ends it. */
  public Outcome run() {
    try {
      while (outcome == null) {
        if (stopping) {
          return new Outcome.Stopped();
        }
        step();
      }
      return outcome;
    } catch (RuntimeException e) {
      return new Outcome.InternalFailure("at virtual time " + now + " ns: " + e, e);
    }
  }

  /** How the guest has ended the machine; empty while it goes on. */
  public Optional<Outcome> outcome() {
    return Optional.ofNullable(outcome);
  }

  /**
   * One run of one vCPU's engine and all that its exit causes, or a wait if all are halted. vCPUs
   * take turns of at most {@link #MAX_EXITS} such runs. What an engine throws passes through.
   */
  public void step() {
    if (holder == NOBODY) {
      holder = nextHolder();
      if (holder == NOBODY) {
        waitForWork();
        return;
      }
      exits = 0;
    }
    int index = holder;
    Exit exit = engines[index].run(vcpus[index], SLICE);
    now = time.nanos();
    fireTimers();
    handle(index, exit);
    if (outcome != null || !endsNoTurn(exit) || ++exits == MAX_EXITS) {
      holder = NOBODY;
      next = (index + 1) % vcpus.length;
      takeInput();
    }
  }

  /** The next vCPU in order that is not halted. */
  private int nextHolder() {
    for (int n = 0; n < vcpus.length; n++) {
      int index = (next + n) % vcpus.length;
      Vcpu vcpu = vcpus[index];
      if (vcpu.nextDeadline() <= now) {
        vcpu.cpu.attend();
      }
      if (!halted[index] || vcpu.cpu.attention()) {
        halted[index] = false;
        return index;
      }
    }
    return NOBODY;
  }

  private static boolean endsNoTurn(Exit exit) {
    return !(exit instanceof Exit.TurnEnd
        || exit instanceof Exit.Halt
        || exit instanceof Exit.Pause);
  }

  private void waitForWork() {
    long deadline = timers.nextDeadline();
    for (Vcpu vcpu : vcpus) {
      deadline = Math.min(deadline, vcpu.nextDeadline());
    }
    if (deadline > now) {
      idle.until(deadline);
      now = time.nanos();
    }
    fireTimers();
    takeInput();
  }

  private void handle(int index, Exit exit) {
    Vcpu vcpu = vcpus[index];
    switch (exit) {
      case Exit.TurnEnd _, Exit.Pause _ -> {}
      case Exit.PortRead(int port, int size) ->
          vcpu.complete(BusAccess.read(addresses, AddressSpace.PORT, port, size, caller));
      case Exit.PortWrite(int port, int size, long value) ->
          BusAccess.write(addresses, AddressSpace.PORT, port, size, value, caller);
      case Exit.MemoryRead(long address, int size) ->
          vcpu.complete(BusAccess.read(addresses, AddressSpace.MEMORY, address, size, caller));
      case Exit.MemoryWrite(long address, int size, long value) ->
          BusAccess.write(addresses, AddressSpace.MEMORY, address, size, value, caller);
      case Exit.InterruptAcknowledge _ ->
          vcpu.complete(ask(pic, new BoardMessage.InterruptAcknowledge(index)));
      case Exit.EndOfInterrupt(int vector) -> ask(ioApic, new BoardMessage.EndOfInterrupt(vector));
      case Exit.NumericError(boolean asserted) ->
          ask(numericError, new BoardMessage.LineLevel(index, asserted));
      case Exit.Ipi ipi -> router.route(index, ipi);
      case Exit.Halt _ -> halted[index] = true;
      case Exit.Shutdown _ -> outcome = new Outcome.TripleFault(index, vcpu.summary());
    }
  }

  /** A message and all that it causes; the device's answer. */
  private long ask(int device, BoardMessage message) {
    if (device == NO_DEVICE) {
      return 0;
    }
    effects.device = device;
    long answer = devices[device].handle(message, now, effects);
    if (!queue.isEmpty()) {
      drain();
    }
    return answer;
  }

  private void drain() {
    int handled = 0;
    for (Envelope next = queue.poll(); next != null; next = queue.poll()) {
      if (++handled > MAX_CASCADE) {
        throw new IllegalStateException(
            "messages without end: handled=%d last=%s".formatted(handled, next));
      }
      effects.device = next.device();
      devices[next.device()].handle(next.message(), now, effects);
    }
  }

  private void fireTimers() {
    int fired = 0;
    for (EventHeap.Due due = timers.poll(now); due != null; due = timers.poll(now)) {
      ask(due.actor(), new BoardMessage.TimerFired(due.timer(), due.deadline()));
      if (++fired > MAX_TIMERS_AT_ONCE) {
        throw new IllegalStateException(
            "timers without end: fired=%d last=%s".formatted(fired, due));
      }
    }
  }

  private void takeInput() {
    if (inputRoom > 0) {
      byte[] bytes = console.input(inputRoom);
      if (bytes.length > 0) {
        inputRoom -= bytes.length;
        ask(consoleDevice, new BoardMessage.ConsoleInput(bytes));
      }
    }
    if (written >= Uart.OUTPUT_WINDOW / 2) {
      int room = written;
      written = 0;
      ask(consoleDevice, new BoardMessage.ConsoleRoom(room));
    }
  }

  private void post(int vcpu, Interrupt interrupt) {
    vcpus[vcpu].post(interrupt);
  }

  /** What devices cause: messages go to the queue, everything else takes effect at once. */
  private final class BoardEffects implements Effects {
    private int device;

    @Override
    public void line(int output, boolean high) {
      for (Target target : layout.targets(device, output)) {
        switch (target) {
          case Target.Pin(int to, int pin) ->
              queue.add(new Envelope(to, new BoardMessage.LineLevel(pin, high)));
          case Target.Intr _ -> {
            for (int i = 0; i < vcpus.length; i++) {
              post(i, new Interrupt.Intr(high));
            }
          }
          case Target.IgnoreNumericError _ -> {
            for (int i = 0; i < vcpus.length; i++) {
              post(i, new Interrupt.IgnoreNumericError(high));
            }
          }
          case Target.Nmi _ -> {
            for (int i = 0; high && i < vcpus.length; i++) {
              post(i, new Interrupt.Nmi());
            }
          }
        }
      }
    }

    @Override
    public void timer(int timer, long deadline) {
      timers.set(device, timer, deadline);
    }

    @Override
    public void interrupt(InterruptMessage message) {
      router.route(message);
    }

    @Override
    public void output(byte[] bytes) {
      console.output(bytes);
      written += bytes.length;
    }

    @Override
    public void room(int bytes) {
      inputRoom += bytes;
    }

    @Override
    public void power(PowerEvent event) {
      if (outcome == null) {
        outcome =
            switch (event) {
              case PowerEvent.PowerOff _ -> new Outcome.PoweredOff();
              case PowerEvent.Reset _ -> new Outcome.Reset();
              case PowerEvent.DebugExit(long value) -> new Outcome.DebugExit(value);
            };
      }
    }
  }
}
