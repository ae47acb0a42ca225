package dev.troupe.actors.machine;

import dev.troupe.actors.fault.FaultRule;
import dev.troupe.actors.fault.FaultSyntax;
import dev.troupe.actors.journal.Where;
import dev.troupe.actors.schedule.DeterministicSchedule;
import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.actors.vcpu.Brake;
import dev.troupe.actors.vcpu.TurnMeter;
import dev.troupe.proto.spec.TurnVariation;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BadImageException;
import dev.troupe.runtime.boot.BootImages;
import dev.troupe.runtime.boot.BootPlan;
import dev.troupe.runtime.boot.Image;
import dev.troupe.runtime.boot.ImageFiles;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Entropy;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.engine.CodeTrace;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.EngineWatch;
import dev.troupe.runtime.engine.Engines;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.Position;
import dev.troupe.runtime.machine.SeededNumbers;
import dev.troupe.runtime.memory.GuestMemory;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What a machine is put together from, made and checked before there is a machine: images, memory,
 * devices. Whoever made it closes it, unless an actor has taken it over.
 */
public final class MachineParts implements AutoCloseable {
  private final VmSpec spec;
  private final CpuModel model;
  private final BootImages images;
  private final BootPlan plan;
  private final BoardLayout layout;
  private final GuestMemory memory;
  private final Function<Vcpu, Engine> engines;
  private final Entropy entropy;
  private final List<ScriptedInput> inputs;
  private final Checkpoints checkpoints;
  private final List<FaultRule> faults;
  private final DeterministicSchedule.Variation variation;
  private Predicate<Position> paced;
  private RunObserver observer = RunObserver.NONE;
  private Brake brake = Brake.NONE;
  private TurnMeter turnMeter = TurnMeter.NONE;

  private MachineParts(
      VmSpec spec,
      CpuModel model,
      BootImages images,
      BootPlan plan,
      BoardLayout layout,
      List<ScriptedInput> inputs,
      Checkpoints checkpoints,
      Function<Vcpu, Engine> engines) {
    this.spec = spec;
    this.model = model;
    this.images = images;
    this.plan = plan;
    this.layout = layout;
    this.engines = engines;
    this.inputs = List.copyOf(inputs);
    faults = FaultSyntax.parse(spec.getDeterministic().getFaultsList(), cast().names());
    this.checkpoints = checkpoints;
    variation = variation(spec);
    paced = position -> !spec.getDeterministic().getUnpaced();
    memory = GuestMemory.allocate(spec.getMemoryBytes()); // after all that may be refused
    entropy =
        spec.hasDeterministic()
            ? new SeededNumbers(~spec.getDeterministic().getSeed()) // not those of the turns
            : new SecureRandom()::nextLong;
  }

  private static DeterministicSchedule.Variation variation(VmSpec spec) {
    TurnVariation turns = spec.getDeterministic().getTurns();
    return spec.getDeterministic().hasTurns()
        ? new DeterministicSchedule.Variation(Where.parse(turns.getFrom()), turns.getSeed())
        : DeterministicSchedule.Variation.NONE;
  }

  /**
   * Opens the images of a spec and places them.
   *
   * @throws BadImageException if an image is missing, bad or too large; the message is one line for
   *     the user
   * @throws IllegalArgumentException if there is no CPU model of that name
   */
  public static MachineParts prepare(VmSpec spec) {
    return prepare(spec, List.of(), Checkpoints.NONE);
  }

  /**
   * The same.
   *
   * @param files opens the images
   */
  public static MachineParts prepare(VmSpec spec, ImageFiles files) {
    return prepare(spec, files, List.of(), Checkpoints.NONE, engines(spec, null));
  }

  /**
   * The same for a spec that is deterministic.
   *
   * @param inputs in the order in which they enter
   * @param checkpoints where the state is looked at
   */
  public static MachineParts prepare(
      VmSpec spec, List<ScriptedInput> inputs, Checkpoints checkpoints) {
    return prepare(spec, inputs, checkpoints, (CodeTrace) null);
  }

  /** The same with somebody who is told what the engines do; null for nobody. */
  public static MachineParts prepare(
      VmSpec spec, List<ScriptedInput> inputs, Checkpoints checkpoints, CodeTrace trace) {
    return prepare(spec, inputs, checkpoints, engines(spec, trace));
  }

  private static Function<Vcpu, Engine> engines(VmSpec spec, CodeTrace trace) {
    return Engines.of(spec.getEngine(), new EngineWatch(System::nanoTime, trace));
  }

  /** The same with another engine. */
  public static MachineParts prepare(
      VmSpec spec,
      List<ScriptedInput> inputs,
      Checkpoints checkpoints,
      Function<Vcpu, Engine> engines) {
    return prepare(spec, ImageFiles.OF_THIS_PROCESS, inputs, checkpoints, engines);
  }

  private static MachineParts prepare(
      VmSpec spec,
      ImageFiles files,
      List<ScriptedInput> inputs,
      Checkpoints checkpoints,
      Function<Vcpu, Engine> engines) {
    if (!spec.hasDeterministic() && !(inputs.isEmpty() && checkpoints.equals(Checkpoints.NONE))) {
      throw new IllegalArgumentException(
          "inputs with positions, hashes and snapshots need a deterministic machine");
    }
    CpuModel model = model(spec.getCpuModel());
    BootImages images =
        BootImages.open(
            Path.of(spec.getBoot().getKernel()),
            spec.getBoot().getInitrd(),
            spec.getBoot().getCommandLine(),
            files);
    try {
      BoardLayout layout = BoardLayout.standard(spec, wallClockNanos(spec));
      BootPlan plan =
          images.plan(spec.getMemoryBytes(), BoardLayout.description(spec.getCpus()), model);
      return new MachineParts(spec, model, images, plan, layout, inputs, checkpoints, engines);
    } catch (RuntimeException e) {
      images.close();
      throw e;
    }
  }

  private static CpuModel model(String name) {
    if (name.isEmpty()) {
      return CpuModel.DEFAULT;
    }
    return CpuModel.byName(name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no CPU model '"
                        + name
                        + "'; there are "
                        + CpuModel.all().stream()
                            .map(CpuModel::name)
                            .collect(Collectors.joining(", "))));
  }

  private static long wallClockNanos(VmSpec spec) {
    if (spec.hasDeterministic()) {
      return spec.getDeterministic().getWallClockNanos();
    }
    Instant now = Instant.now();
    return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
  }

  /** What the kernel's file is, for people. */
  public String format() {
    return images.format();
  }

  /** What the machine is. */
  public VmSpec spec() {
    return spec;
  }

  /** What the guest sees for its CPU. */
  public CpuModel model() {
    return model;
  }

  BootPlan plan() {
    return plan;
  }

  BoardLayout layout() {
    return layout;
  }

  /** Nanoseconds since 1970-01-01 UTC at virtual time 0. */
  public long wallClockNanos() {
    return layout.wallClockNanos();
  }

  GuestMemory memory() {
    return memory;
  }

  Engine engine(Vcpu vcpu) {
    return engines.apply(vcpu);
  }

  List<FaultRule> faults() {
    return faults;
  }

  List<ScriptedInput> inputs() {
    return inputs;
  }

  Checkpoints checkpoints() {
    return checkpoints;
  }

  /** Who sees the run; before there is the machine. */
  public MachineParts observe(RunObserver watching) {
    observer = watching;
    return this;
  }

  /** What stops the machine's vCPUs for somebody outside; before there is the machine. */
  public MachineParts brake(Brake stopping) {
    brake = stopping;
    return this;
  }

  Brake brake() {
    return brake;
  }

  /**
   * Takes the time of the machine's turns; before there is the machine.
   *
   * @return what it uses from then on
   */
  public MachineUsage measure(TurnTimes times) {
    MachineUsage usage = new MachineUsage(memory);
    turnMeter = usage.meter(times);
    return usage;
  }

  TurnMeter turnMeter() {
    return turnMeter;
  }

  /** From where on idle time takes as long by the wall clock; before there is the machine. */
  public MachineParts pace(Predicate<Position> from) {
    paced = from;
    return this;
  }

  Predicate<Position> paced() {
    return paced;
  }

  DeterministicSchedule.Variation variation() {
    return variation;
  }

  RunObserver observer() {
    return observer;
  }

  /** The names of the machine's actors, by the numbers that an observer is told. */
  public List<String> actors() {
    return cast().names();
  }

  Cast cast() {
    return new Cast(spec.getCpus(), layout.devices().stream().map(Device::name).toList());
  }

  /** The files that the machine begins with. */
  public List<Image> files() {
    return images.files();
  }

  Entropy entropy() {
    return entropy;
  }

  @Override
  public void close() {
    images.close();
    memory.close();
  }
}
