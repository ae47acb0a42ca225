package dev.troupe.actors.vmctl;

import dev.troupe.actors.cli.DurationConverter;
import dev.troupe.actors.cli.SizeConverter;
import dev.troupe.actors.cli.Terminal;
import dev.troupe.actors.guest.GuestException;
import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.Progress;
import dev.troupe.actors.guest.TerminalProgress;
import dev.troupe.actors.machine.Checkpoints;
import dev.troupe.actors.schedule.ScriptedInput;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.Deterministic;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BoardDescription;
import dev.troupe.runtime.snapshot.SnapshotFile;
import dev.troupe.runtime.snapshot.StateException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vmctl run}: one machine, its console in this terminal. */
@Command(
    name = "run",
    description = "Boots a guest and connects its console to this terminal; Ctrl-] leaves.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Exit codes: 0 the guest powered off; (2v+1)&255 it wrote v to port 0xf4; 2 usage; 4 bad"
          + " image;",
      "6 triple fault; 8 internal error; 124 time-out."
    })
final class RunCommand implements Callable<Integer> {
  static final int MAX_CPUS = BoardDescription.MAX_CPUS;

  /** Room for what a PC has below 1 MiB and for the smallest kernel above it. */
  static final long MIN_MEMORY = 2L << 20;

  private static final long PAGE = 4096;

  /** What the guest's clock says when a repeatable run begins: 2026-01-01 00:00:00 UTC. */
  private static final long DETERMINISTIC_START = 1_767_225_600_000_000_000L;

  /** What {@code --engine} may say. */
  enum EngineName {
    AUTO(EngineKind.ENGINE_KIND_AUTO),
    INTERPRETER(EngineKind.ENGINE_KIND_INTERPRETER),
    TRANSLATOR(EngineKind.ENGINE_KIND_TRANSLATOR);

    private final EngineKind kind;

    EngineName(EngineKind kind) {
      this.kind = kind;
    }

    EngineKind kind() {
      return kind;
    }
  }

  @Spec private CommandSpec command;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "IMAGE",
      description = "What to run: 'debian', 'debian-generic', 'debian-i386', or a kernel's path.")
  private String image;

  @Option(
      names = "--kernel",
      paramLabel = "FILE",
      description = "A Linux bzImage, a PVH kernel or a multiboot ELF.")
  private Path kernel;

  @Option(
      names = "--initrd",
      paramLabel = "FILE",
      description = {
        "The initial RAM disk; for a multiboot kernel its modules:",
        "FILE [ARGUMENTS],FILE [ARGUMENTS],..."
      })
  private String initrd;

  @Option(names = "--append", paramLabel = "TEXT", description = "The kernel's command line.")
  private String append;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      defaultValue = "1",
      description = "Virtual CPUs, 1 to 64; default ${DEFAULT-VALUE}.")
  private int cpus;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      defaultValue = "512M",
      converter = SizeConverter.class,
      description = "Guest memory, with K, M or G; default ${DEFAULT-VALUE}.")
  private long memory;

  @Option(names = "--cpu", paramLabel = "MODEL", description = "The CPU model.")
  private String cpuModel;

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = {
        "What executes the guest: interpreter; translator, which makes",
        "host code of what runs often; or ${DEFAULT-VALUE}, the default:",
        "the translator where the host is an x86-64 Linux."
      })
  private EngineName engine;

  @Option(
      names = "--timeout",
      paramLabel = "D",
      converter = DurationConverter.class,
      description = "End the machine after so long (90s, 5m), with exit code 124.")
  private Duration timeout;

  @Option(names = "--no-reboot", description = "End when the guest reboots, instead of resetting.")
  private boolean noReboot;

  @Option(names = "--quiet", description = "Print nothing but the guest's console.")
  private boolean quiet;

  @Option(names = "--stats", description = "Print what was executed and sent, at the end.")
  private boolean stats;

  @Option(
      names = "--deterministic",
      description = "Make the run repeatable: one vCPU at a time, in virtual time.")
  private boolean deterministic;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Another repeatable run, by this seed; default 0.")
  private Long seed;

  @Option(
      names = "--no-pacing",
      description = "Let the idle time of a repeatable run pass at once.")
  private boolean unpaced;

  @Option(
      names = "--inputs",
      paramLabel = "FILE",
      description = {
        "Inputs of a repeatable run, a line each:",
        "i:N or t:D (or both), then console \"TEXT\" or power-button."
      })
  private Path inputs;

  @Option(
      names = "--hash-every",
      paramLabel = "D",
      converter = DurationConverter.class,
      description = "Print a repeatable run's state hash at such intervals of virtual time.")
  private Duration hashEvery;

  @Option(
      names = "--snapshot-at",
      arity = "2",
      paramLabel = "POSITION FILE",
      hideParamSyntax = true,
      description = "Save a repeatable run's state at i:N instructions or t:D of virtual time.")
  private List<String> snapshotAt;

  @Option(
      names = "--restore",
      paramLabel = "FILE",
      description = "Go on from a snapshot; it says what the machine is.")
  private Path restore;

  @Mixin private RecordOptions record;

  @Mixin private GdbOptions gdb;

  @Mixin private FaultOptions faults;

  @Mixin private TraceOptions trace;

  @Option(
      names = "--sharded",
      description = "Run behind a sharded entity, in a cluster of one node.")
  private boolean sharded;

  @Override
  public Integer call() {
    record
        .complaint(restore != null, sharded)
        .ifPresent(
            complaint -> {
              throw usage(complaint);
            });
    gdb.complaint(sharded)
        .ifPresent(
            complaint -> {
              throw usage(complaint);
            });
    trace
        .complaint(engine.kind, sharded)
        .ifPresent(
            complaint -> {
              throw usage(complaint);
            });
    VmSpec spec = restore == null ? spec() : restored();
    List<ScriptedInput> script = List.of();
    if (inputs != null) {
      script = InputScript.read(inputs);
    }
    Checkpoints checkpoints =
        new Checkpoints(
            Optional.ofNullable(hashEvery),
            Optional.ofNullable(snapshotAt).map(this::snapshot),
            Optional.ofNullable(restore));
    boolean extras = !script.isEmpty() || !checkpoints.equals(Checkpoints.NONE);
    if (extras && !spec.hasDeterministic()) {
      throw usage("--inputs, --hash-every and --snapshot-at are for --deterministic runs");
    }
    if (extras && sharded) {
      throw usage("--inputs, --hash-every, --snapshot-at and --restore are not for --sharded runs");
    }
    var options =
        new Run.Options(
            timeout,
            quiet,
            stats,
            sharded,
            hashEvery != null,
            script,
            record.checkpoints(checkpoints));
    return new Run(spec, options, record, gdb, trace).call();
  }

  private Checkpoints.Snapshot snapshot(List<String> words) {
    try {
      var position = InputScript.Position.parse(words.getFirst());
      return new Checkpoints.Snapshot(
          position.instructions(), position.nanos(), Path.of(words.get(1)).toAbsolutePath());
    } catch (IllegalArgumentException e) {
      throw usage("--snapshot-at " + e.getMessage());
    }
  }

  /** What a snapshot says of its machine; how idle time passes is not the guest's. */
  private VmSpec restored() {
    if (image != null || kernel != null || deterministic || seed != null || faults.given()) {
      throw usage(
          "--restore says what the machine is: give no image, no --fault and no --deterministic");
    }
    try {
      VmSpec spec = SnapshotFile.readHeader(restore).getSpec();
      if (!spec.hasDeterministic()) {
        throw new UserException(
            ExitCode.BAD_IMAGE,
            "snapshot " + restore + ": spec of a machine that is not repeatable");
      }
      return spec.toBuilder()
          .setNoReboot(noReboot)
          .setEngine(engine.kind)
          .setDeterministic(spec.getDeterministic().toBuilder().setUnpaced(unpaced))
          .build();
    } catch (StateException e) {
      throw new UserException(ExitCode.BAD_IMAGE, e.getMessage());
    } catch (NoSuchFileException e) {
      throw new UserException(ExitCode.BAD_IMAGE, "snapshot " + restore + ": no such file");
    } catch (IOException e) {
      throw new UserException(ExitCode.BAD_IMAGE, "snapshot " + restore + ": " + e.getMessage());
    }
  }

  private VmSpec spec() {
    if (cpus < 1 || cpus > MAX_CPUS) {
      throw usage("--cpus must be 1 to " + MAX_CPUS + ", is " + cpus);
    }
    checkMemory();
    if (image != null && kernel != null) {
      throw usage("give IMAGE or --kernel, not both");
    }
    if (image == null && kernel == null) {
      throw usage("give an IMAGE (for example: debian) or --kernel FILE");
    }
    Boot.Builder boot = Boot.newBuilder();
    Optional<GuestImage> named = Optional.ofNullable(image).flatMap(GuestImage::named);
    if (named.isPresent()) {
      GuestFiles files = fetch(named.get());
      boot.setKernel(files.kernel().toString()).setInitrd(files.initrd().toString());
      boot.setCommandLine(
          append == null ? files.commandLine() : files.commandLine() + " " + append);
    } else {
      boot.setKernel(kernel != null ? readable("kernel", kernel) : imageFile());
      boot.setCommandLine(append == null ? "" : append);
    }
    if (initrd != null) {
      boot.setInitrd(initrd);
    }
    VmSpec.Builder spec =
        VmSpec.newBuilder()
            .setName("run")
            .setCpus(cpus)
            .setMemoryBytes(memory)
            .setCpuModel(cpuModel == null ? "" : cpuModel)
            .setBoot(boot)
            .setEngine(engine.kind)
            .setNoReboot(noReboot);
    boolean repeatable = deterministic || faults.given();
    if (repeatable && record.given() && !record.repeatable()) {
      throw usage("--record-parallel is not for repeatable runs: --deterministic and --fault");
    }
    if (repeatable || record.repeatable()) {
      spec.setDeterministic(
          Deterministic.newBuilder()
              .setSeed(seed == null ? 0 : seed)
              .setWallClockNanos(DETERMINISTIC_START)
              .setUnpaced(unpaced)
              .addAllFaults(faults.rules()));
    } else if (seed != null || unpaced) {
      throw usage((seed != null ? "--seed" : "--no-pacing") + " is for --deterministic runs");
    }
    return spec.build();
  }

  private String imageFile() {
    Path file = Path.of(image);
    if (!Files.exists(file)) {
      throw new UserException(
          ExitCode.BAD_IMAGE,
          "no image or file is called '%s'; images: %s"
              .formatted(image, String.join(", ", GuestImage.names())));
    }
    return readable("kernel", file);
  }

  private GuestFiles fetch(GuestImage guest) {
    Progress progress =
        quiet ? Progress.SILENT : new TerminalProgress(System.err, Terminal.isErrorTerminal());
    try {
      return GuestImages.ofUser(progress).get(guest);
    } catch (GuestException e) {
      throw new UserException(ExitCode.BAD_IMAGE, e.getMessage());
    }
  }

  private void checkMemory() {
    memoryComplaint(memory)
        .ifPresent(
            complaint -> {
              throw usage("--memory " + complaint);
            });
  }

  /** Why a machine cannot have so many bytes of memory; empty if it can. */
  static Optional<String> memoryComplaint(long memory) {
    if (memory < MIN_MEMORY) {
      return Optional.of("must be at least " + MIN_MEMORY + " bytes, is " + memory);
    }
    if (memory % PAGE != 0) {
      return Optional.of("must be a multiple of " + PAGE + " bytes, is " + memory);
    }
    long host = hostMemory();
    return memory > host
        ? Optional.of(memory + " bytes is more than this host has: " + host)
        : Optional.empty();
  }

  private static long hostMemory() {
    return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
        .getTotalMemorySize();
  }

  private static String readable(String what, Path file) {
    if (!Files.exists(file)) {
      throw new UserException(ExitCode.BAD_IMAGE, what + " " + file + ": no such file");
    }
    if (!Files.isRegularFile(file)) {
      throw new UserException(ExitCode.BAD_IMAGE, what + " " + file + ": not a file");
    }
    if (!Files.isReadable(file)) {
      throw new UserException(ExitCode.BAD_IMAGE, what + " " + file + ": permission denied");
    }
    return file.toAbsolutePath().toString();
  }

  private ParameterException usage(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
