package dev.troupe.actors.client;

import dev.troupe.actors.cli.SizeConverter;
import dev.troupe.actors.cli.Terminal;
import dev.troupe.actors.guest.GuestException;
import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.TerminalProgress;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.Placement;
import dev.troupe.proto.spec.VmSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What a machine is to be, as far as the user says; the daemon knows the rest. */
final class SpecOptions {
  /** What {@code --engine} may say. */
  enum EngineName {
    AUTO(EngineKind.ENGINE_KIND_AUTO),
    INTERPRETER(EngineKind.ENGINE_KIND_INTERPRETER),
    TRANSLATOR(EngineKind.ENGINE_KIND_TRANSLATOR);

    private final EngineKind kind;

    EngineName(EngineKind kind) {
      this.kind = kind;
    }
  }

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"-m", "--memory"},
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Guest memory, with K, M, G or T.")
  private Long memory;

  @Option(
      names = {"-p", "--cpus"},
      paramLabel = "N",
      description = "Virtual CPUs, 1 to 64.")
  private Integer cpus;

  @Option(
      names = {"-b", "--kernel"},
      paramLabel = "FILE",
      description = {
        "A Linux bzImage, a PVH kernel or a multiboot ELF, on the node that",
        "runs the machine; or debian, debian-generic, debian-i386."
      })
  private String kernel;

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

  @Option(names = "--cpu", paramLabel = "MODEL", description = "The CPU model.")
  private String cpuModel;

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      description = "What executes the guest: auto, interpreter or translator.")
  private EngineName engine;

  @Option(names = "--no-reboot", description = "End when the guest reboots, instead of resetting.")
  private boolean noReboot;

  @Option(
      names = "--label",
      paramLabel = "KEY=VALUE",
      description = "Only on nodes with this label; may be given several times.")
  private Map<String, String> labels = new LinkedHashMap<>();

  @Option(
      names = "--affinity",
      paramLabel = "GROUP",
      description = "Rather on one node with the machines of this group.")
  private List<String> affinity = new ArrayList<>();

  @Option(
      names = "--anti-affinity",
      paramLabel = "GROUP",
      description = "Never on one node with a machine of this group.")
  private List<String> antiAffinity = new ArrayList<>();

  /**
   * The machine, with files' paths from the root. A guest that has a name is fetched first.
   *
   * @throws ClientException if that cannot be had
   */
  VmSpec spec(String name) {
    VmSpec.Builder spec = VmSpec.newBuilder().setNoReboot(noReboot);
    if (!Character.isDigit(name.charAt(0))) {
      spec.setName(name);
    }
    if (cpus != null) {
      if (cpus < 1) { // the daemon knows the upper bound; 0 would say nothing to it
        throw new ParameterException(command.commandLine(), "--cpus: expected 1 to 64, is " + cpus);
      }
      spec.setCpus(cpus);
    }
    if (memory != null) {
      spec.setMemoryBytes(memory);
    }
    if (cpuModel != null) {
      spec.setCpuModel(cpuModel);
    }
    if (engine != null) {
      spec.setEngine(engine.kind);
    }
    if (kernel != null || initrd != null || append != null) {
      spec.setBoot(boot());
    }
    if (!labels.isEmpty() || !affinity.isEmpty() || !antiAffinity.isEmpty()) {
      spec.setPlacement(
          Placement.newBuilder()
              .putAllLabels(labels)
              .addAllAffinity(affinity)
              .addAllAntiAffinity(antiAffinity));
    }
    return spec.build();
  }

  private Boot boot() {
    Boot.Builder boot = Boot.newBuilder();
    String begin = "";
    if (kernel != null) {
      Optional<GuestImage> named = GuestImage.named(kernel);
      if (named.isPresent() && !Files.exists(Path.of(kernel))) {
        GuestFiles files = fetch(named.get());
        boot.setKernel(files.kernel().toString()).setInitrd(files.initrd().toString());
        begin = files.commandLine();
      } else {
        boot.setKernel(absolute(kernel));
      }
    }
    if (initrd != null) {
      boot.setInitrd(Modules.absolute(initrd));
    }
    String rest = append == null ? "" : append;
    return boot.setCommandLine(
            begin.isEmpty() || rest.isEmpty() ? begin + rest : begin + " " + rest)
        .build();
  }

  private static GuestFiles fetch(GuestImage guest) {
    try {
      return GuestImages.ofUser(new TerminalProgress(System.err, Terminal.isErrorTerminal()))
          .get(guest);
    } catch (GuestException e) {
      throw new ClientException(ClientExit.NOT_FOUND, e.getMessage());
    }
  }

  private static String absolute(String file) {
    return Path.of(file).toAbsolutePath().toString();
  }

  /** A list of modules, {@code FILE [ARGUMENTS],...}, two commas for one. */
  static final class Modules {
    private Modules() {}

    /** The same list with paths from the root; a list that is an existing file's name is that. */
    static String absolute(String list) {
      if (Files.exists(Path.of(list))) {
        return SpecOptions.absolute(list);
      }
      StringBuilder out = new StringBuilder();
      int start = 0;
      for (int i = 0; i <= list.length(); i++) {
        boolean end = i == list.length() || list.charAt(i) == ',';
        if (end && i + 1 < list.length() && list.charAt(i + 1) == ',') {
          i++;
        } else if (end) {
          out.append(out.isEmpty() ? "" : ",").append(module(list.substring(start, i)));
          start = i + 1;
        }
      }
      return out.toString();
    }

    /** Commas stay doubled. */
    private static String module(String module) {
      int space = module.indexOf(' ');
      String file = space < 0 ? module : module.substring(0, space);
      return file.isEmpty()
          ? module
          : Path.of(file).toAbsolutePath() + (space < 0 ? "" : module.substring(space));
    }
  }
}
