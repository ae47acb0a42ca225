package dev.troupe.runtime.journal;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BootImages;
import dev.troupe.runtime.boot.BootPlan;
import dev.troupe.runtime.bus.BusAccess;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.InterruptRouter;
import dev.troupe.runtime.machine.SeededNumbers;
import dev.troupe.runtime.machine.TurnRules;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.snapshot.StatePart;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The vCPU of a machine with one alone, against its recorded board: it runs the guest from
 * power-on, or from the snapshot that the run began with, with the answers and interrupts that it
 * got, and what it sends is compared with what it sent then, its virtual time included, which is
 * the number of its instructions. No device runs.
 */
public final class VcpuReplay {
  /**
   * The first thing that the vCPU did otherwise.
   *
   * @param instructions that it had retired
   * @param recorded what it did then; for people
   * @param replayed what it does now
   */
  public record Difference(long instructions, String recorded, String replayed) {}

  /**
   * How a replay ended.
   *
   * @param instructions that the vCPU has retired
   * @param messages that it sent and were the same
   */
  public record Result(long instructions, long messages, Optional<Difference> difference) {}

  /** Ends a replay from within an exit. */
  private static final class Over extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Difference difference;

    /** With the first difference; null for the journal's end. */
    Over(Difference difference) {
      super(null, null, false, false);
      this.difference = difference;
    }
  }

  /** What the deterministic schedule makes of time. */
  private static final class Clock implements TimeSource {
    private long retired;
    private long skipped;
    private Cpu inEngine;
    private long slice;

    long instructions() {
      return inEngine == null ? retired : retired + slice - inEngine.unitsLeft();
    }

    @Override
    public long nanos() {
      return instructions() * TurnRules.NANOS_PER_UNIT + skipped;
    }

    @Override
    public boolean exact() {
      return true;
    }
  }

  private static final int VCPU = JournalActors.FIRST_VCPU;
  private static final int FIRST_DEVICE = VCPU + 1;

  private final JournalReader reader;
  private final List<String> actors;
  private final BoardLayout layout;
  private final BootPlan plan;
  private final GuestMemory memory;
  private final Clock clock = new Clock();
  private final SeededNumbers entropy;
  private final Vcpu vcpu;
  private final Engine engine;
  private final InterruptRouter router;
  private final BusAccess.Caller caller = this::call;
  private final int pic;
  private final int ioApic;
  private final int numericError;

  /** Lengths of turns. */
  private SeededNumbers turns;

  /** The next record that the vCPU has to do with; null at the end. */
  private JournalRecord next;

  /** Those behind it that have been read. */
  private final Deque<JournalRecord> ahead = new ArrayDeque<>();

  /** It came between two turns: a timer or the outside had caused it, not the vCPU. */
  private boolean between;

  /** The devices are being reset; the vCPU is when they have been. */
  private boolean resetting;

  private long messages;

  private VcpuReplay(
      JournalReader reader,
      VmSpec spec,
      CpuModel model,
      BootPlan plan,
      GuestMemory memory,
      Function<Vcpu, Engine> engines)
      throws IOException {
    this.reader = reader;
    this.plan = plan;
    this.memory = memory;
    long seed = spec.getDeterministic().getSeed();
    layout = BoardLayout.standard(spec, spec.getDeterministic().getWallClockNanos());
    actors = reader.header().getActorsList();
    List<String> devices = layout.devices().stream().map(Device::name).toList();
    if (!actors.equals(JournalActors.names(1, devices))) {
      throw new JournalException("recorded with other devices: " + actors);
    }
    pic = layout.find("pic").orElseThrow();
    ioApic = layout.find("ioapic").orElseThrow();
    numericError = layout.find("ferr").orElseThrow();
    turns = new SeededNumbers(seed);
    entropy = new SeededNumbers(~seed);
    Cpu cpu = new Cpu(model, memory, clock, entropy, 0, 1);
    cpu.pvclock.setWallClock(layout.wallClockNanos());
    vcpu = new Vcpu(cpu);
    engine = engines.apply(vcpu);
    router = new InterruptRouter(List.of(vcpu), (_, interrupt) -> posts(interrupt));
    if (reader.header().getRestored()) {
      restore(seed);
    } else {
      powerOn();
    }
    advance();
  }

  private void restore(long seed) throws IOException {
    List<StatePart> parts =
        List.of(new StatePart("entropy", entropy), new StatePart(actors.get(VCPU), vcpu));
    Place place = JournalCheckpoints.begin(reader, parts, Optional.of(memory));
    turns = SeededNumbers.after(place.turn(), seed);
    clock.retired = place.position().instructions();
    clock.skipped = place.position().nanos() - clock.instructions() * TurnRules.NANOS_PER_UNIT;
  }

  /**
   * Replays the vCPU.
   *
   * @param reader of a journal with messages of a machine with one vCPU, which has read nothing yet
   * @param engines makes what runs the vCPU, which may be a changed engine
   * @throws JournalException if the journal is of no such machine
   * @throws dev.troupe.runtime.boot.BadImageException if the guest's images are missing or bad
   * @throws IOException if the journal cannot be read
   */
  public static Result run(JournalReader reader, Function<Vcpu, Engine> engines)
      throws IOException {
    VmSpec spec = reader.header().getSpec();
    if (spec.getCpus() != 1 || !spec.hasDeterministic()) {
      throw new JournalException(
          "%d vCPUs, %s: a vCPU alone is for repeatable runs of one"
              .formatted(spec.getCpus(), spec.hasDeterministic() ? "repeatable" : "parallel"));
    }
    if (!reader.header().getTurns()) {
      throw new JournalException(
          "the journal does not tell the vCPU's turns: record with --record-level messages");
    }
    CpuModel model =
        CpuModel.byName(reader.header().getCpuModel())
            .orElseThrow(
                () -> new JournalException("no CPU model " + reader.header().getCpuModel()));
    try (BootImages images =
            BootImages.open(
                Path.of(spec.getBoot().getKernel()),
                spec.getBoot().getInitrd(),
                spec.getBoot().getCommandLine());
        GuestMemory memory = GuestMemory.allocate(spec.getMemoryBytes())) {
      BootPlan plan = images.plan(spec.getMemoryBytes(), BoardLayout.description(1), model);
      return new VcpuReplay(reader, spec, model, plan, memory, engines).all();
    }
  }

  private void powerOn() {
    vcpu.reset();
    plan.write(memory);
    plan.entry().apply(vcpu.cpu);
    vcpu.cpu.updateMode();
  }

  private Result all() throws IOException {
    Difference difference = null;
    try {
      while (next != null && !(next instanceof JournalRecord.End)) {
        take(next);
      }
      difference = end();
    } catch (Over e) {
      difference = e.difference;
    } catch (Unreadable e) {
      throw e.reason;
    }
    return new Result(clock.instructions(), messages, Optional.ofNullable(difference));
  }

  /** An end that the guest has made is where its last message was sent. */
  private Difference end() {
    if (next instanceof JournalRecord.End end
        && end.exact()
        && end.position().instructions() != clock.instructions()) {
      return new Difference(
          clock.instructions(),
          "%s after %d instructions".formatted(end.outcome(), end.position().instructions()),
          "after " + clock.instructions());
    }
    return null;
  }

  private void take(JournalRecord record) throws IOException {
    switch (record) {
      case JournalRecord.Turn turn -> {
        advance();
        turn(turn);
      }
      case JournalRecord.Interrupted(int _, Interrupt interrupt) -> {
        vcpu.post(interrupt);
        advance();
      }
      case JournalRecord.Message reset when isReset(reset) -> {
        resetting = true;
        advance();
      }
      default -> throw different(text(record), "nothing: the turn is over");
    }
  }

  private void turn(JournalRecord.Turn turn) throws IOException {
    long drawn = turns.upTo(TurnRules.TURN_UNITS);
    long left = turn.units() == 0 ? drawn : turn.units();
    clock.skipped += turn.idle();
    vcpu.cpu.attend();
    while (left > 0) {
      long used = step(left);
      left -= used;
      if (exit instanceof Exit.TurnEnd && (left > 0 || vcpu.cpu.budget > 0)) {
        continue;
      }
      left -= TurnRules.EXIT_UNITS;
      if (exit instanceof Exit.TurnEnd || exit instanceof Exit.Halt || exit instanceof Exit.Pause) {
        return;
      }
      handle(exit);
      if (next instanceof JournalRecord.Cut(long units)) {
        left = Math.min(left, units);
        advance();
      }
      if (next instanceof JournalRecord.End || next == null || resetFollows()) {
        return; // what it sent last has ended or reset the machine, or nobody knows how it went on
      }
    }
  }

  /** Whether the machine is reset before the vCPU does anything more. */
  private boolean resetFollows() throws IOException {
    if (isReset(next)) {
      return true;
    }
    if (!(next instanceof JournalRecord.Interrupted)) {
      return false;
    }
    for (JournalRecord record : ahead) {
      if (decides(record)) {
        return isReset(record);
      }
    }
    JournalRecord record = reader.next();
    while (record != null) {
      ahead.add(record);
      if (decides(record)) {
        return isReset(record);
      }
      record = reader.next();
    }
    return false;
  }

  private static boolean decides(JournalRecord record) {
    return record instanceof JournalRecord.Schedule
        || isReset(record)
        || (record instanceof JournalRecord.Message message && message.from() == VCPU);
  }

  private static boolean isReset(JournalRecord record) {
    return record instanceof JournalRecord.Message message
        && message.message() instanceof BoardMessage.Reset;
  }

  /** What the last run of the engine ended with. */
  private Exit exit;

  private long step(long slice) {
    clock.slice = slice;
    clock.inEngine = vcpu.cpu;
    exit = engine.run(vcpu, slice);
    clock.inEngine = null;
    long used = slice - vcpu.cpu.budget;
    clock.retired += used;
    return used;
  }

  private void handle(Exit exit) {
    var addresses = layout.addresses();
    long value = 0;
    switch (exit) {
      case Exit.PortRead(int port, int size) ->
          value = BusAccess.read(addresses, AddressSpace.PORT, port, size, caller);
      case Exit.PortWrite(int port, int size, long written) ->
          BusAccess.write(addresses, AddressSpace.PORT, port, size, written, caller);
      case Exit.MemoryRead(long address, int size) ->
          value = BusAccess.read(addresses, AddressSpace.MEMORY, address, size, caller);
      case Exit.MemoryWrite(long address, int size, long written) ->
          BusAccess.write(addresses, AddressSpace.MEMORY, address, size, written, caller);
      case Exit.InterruptAcknowledge _ ->
          value = call(pic, new BoardMessage.InterruptAcknowledge(0));
      case Exit.EndOfInterrupt(int vector) -> call(ioApic, new BoardMessage.EndOfInterrupt(vector));
      case Exit.NumericError(boolean asserted) ->
          call(numericError, new BoardMessage.LineLevel(0, asserted));
      case Exit.Ipi ipi -> router.route(0, ipi);
      case Exit.Shutdown _ -> {
        if (next != null && !(next instanceof JournalRecord.End)) {
          throw different(text(next), "a triple fault");
        }
      }
      case Exit.TurnEnd _, Exit.Halt _, Exit.Pause _ ->
          throw new IllegalStateException("no exit for the board: " + exit);
    }
    vcpu.complete(value);
  }

  /** Compares a message with the recorded one; what its receiver caused reaches the vCPU. */
  private long call(int device, BoardMessage message) {
    var sent =
        new JournalRecord.Message(
            next instanceof JournalRecord.Message m ? m.number() : 0,
            VCPU,
            FIRST_DEVICE + device,
            clock.nanos(),
            message);
    expect(sent);
    messages++;
    boolean asks =
        message instanceof BoardMessage.IoRead
            || message instanceof BoardMessage.InterruptAcknowledge;
    long answer = 0;
    // Interrupts come before the answer or after it, as the device has it.
    while ((next instanceof JournalRecord.Interrupted && !between)
        || (asks && next instanceof JournalRecord.Reply)) {
      if (next instanceof JournalRecord.Reply(int _, long value)) {
        answer = value;
        asks = false;
      } else if (next instanceof JournalRecord.Interrupted(int _, Interrupt interrupt)) {
        vcpu.post(interrupt);
      }
      advance();
    }
    if (asks && next != null && !(next instanceof JournalRecord.End)) {
      throw new Unreadable(new JournalException("no answer to " + text(sent)));
    }
    return answer;
  }

  /** The vCPU's own interrupt messages, which only itself can get. */
  private void posts(Interrupt interrupt) {
    expect(new JournalRecord.Interrupted(0, interrupt));
    vcpu.post(interrupt);
  }

  private void expect(JournalRecord now) {
    if (next == null) {
      throw new Over(null);
    }
    if (next instanceof JournalRecord.End end) {
      throw end.exact() ? different(end.outcome(), text(now)) : new Over(null);
    }
    if (!JournalRecord.same(next, now)) {
      throw different(text(next), text(now));
    }
    advance();
  }

  private Over different(String recorded, String replayed) {
    return new Over(new Difference(clock.instructions(), recorded, replayed));
  }

  private String text(JournalRecord record) {
    return switch (record) {
      case JournalRecord.Message message ->
          "%s to %s at %d".formatted(message.message(), actors.get(message.to()), message.time());
      case JournalRecord.Interrupted(int _, Interrupt interrupt) -> interrupt.toString();
      case JournalRecord.Turn _ -> "the turn's end";
      case JournalRecord.End end -> end.outcome();
      default -> record.toString();
    };
  }

  /** The journal cannot be read any more, or is of no machine. */
  private static final class Unreadable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient IOException reason;

    Unreadable(IOException reason) {
      super(reason);
      this.reason = reason;
    }
  }

  private void advance() {
    try {
      do {
        next = ahead.isEmpty() ? reader.next() : ahead.poll();
        if (resetting
            && (next instanceof JournalRecord.Turn
                || (next instanceof JournalRecord.Message && !isReset(next)))) {
          powerOn();
          resetting = false;
        }
        if (next instanceof JournalRecord.Turn) {
          between = false;
        } else if (next instanceof JournalRecord.Message message) {
          between |= message.from() < VCPU;
        }
      } while (next != null && !concerns(next));
    } catch (IOException e) {
      throw new Unreadable(e);
    }
  }

  private boolean concerns(JournalRecord record) throws JournalException {
    return switch (record) {
      case JournalRecord.Schedule _, JournalRecord.End _ -> true;
      case JournalRecord.Reply(int who, long _) -> who == 0;
      case JournalRecord.Interrupted(int who, Interrupt _) -> who == 0;
      case JournalRecord.Message message -> message.from() == VCPU || isReset(message);
      case JournalRecord.Injected injected -> {
        boolean simple =
            injected.deed() instanceof Deed.Dropped
                || injected.deed() instanceof Deed.Corrupted
                || injected.deed() instanceof Deed.Answered;
        if (!simple || injected.victim() instanceof JournalRecord.Interrupted) {
          throw new JournalException(
              "a fault rule changed the vCPU's interrupts, or when messages came: it cannot be had"
                  + " again alone");
        }
        yield false;
      }
      default -> false;
    };
  }
}
