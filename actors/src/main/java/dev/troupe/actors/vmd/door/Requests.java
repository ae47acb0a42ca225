package dev.troupe.actors.vmd.door;

import dev.troupe.actors.vmd.ControlException;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.Placement;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.ExplainRequest;
import dev.troupe.proto.vmd.OpenConsole;
import dev.troupe.proto.vmd.StartVm;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Looks at requests where they come in, so that everything behind may take them for well-formed.
 * Each method throws a {@link ControlException} that says what, the value, and what was expected.
 */
final class Requests {
  /** vm.conf's names, or a number. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0,63}");

  private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,9}");
  private static final long LARGEST_NUMBER = 0xFFFF_FFFFL;
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9-]{1,64}");
  private static final Pattern NODE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,127}");
  private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/-]{0,62}");

  /** Also of virtual CPUs that a board has places for. */
  private static final int CPUS = 64;

  /** Room for what a PC has below 1 MiB and for the smallest kernel above it. */
  private static final long LEAST_MEMORY = 2L << 20;

  /** More than any host has, and less than any processor's physical addresses reach. */
  private static final long MOST_MEMORY = 16L << 40;

  private static final long PAGE = 4096;

  /** PATH_MAX of Linux. */
  private static final int PATH_BYTES = 4096;

  /** A list of modules with their arguments, or a command line; kernels read far less. */
  private static final int TEXT_BYTES = 64 << 10;

  /** Labels, groups or fault rules of one machine. */
  private static final int LIST = 64;

  /** How much of a bad value is shown. */
  private static final int SHOWN = 80;

  private Requests() {}

  static void check(Command command) {
    if (!ID.matcher(command.getId()).matches()) {
      throw bad("command id", command.getId(), "1 to 64 letters, digits and dashes");
    }
    switch (command.getWhatCase()) {
      case START -> check(command.getStart());
      case DEFINE -> check(command.getDefine());
      case STOP -> vm(command.getStop().getVm());
      case PAUSE -> vm(command.getPause().getVm());
      case UNPAUSE -> vm(command.getUnpause().getVm());
      case RESET -> vm(command.getReset().getVm());
      case DRAIN -> node(command.getDrain().getNode());
      case UNDRAIN -> node(command.getUndrain().getNode());
      case WHAT_NOT_SET ->
          throw new ControlException(
              ControlException.Kind.INVALID,
              "command: nothing that this daemon knows is to be done; is vmctl newer than vmd?");
    }
  }

  private static void check(StartVm start) {
    vm(start.getVm());
    if (!start.getLike().isEmpty()) {
      vm(start.getLike());
    }
    spec(start.getVm(), start.getSpec());
  }

  static void check(ExplainRequest request) {
    vm(request.getVm());
    spec(request.getVm(), request.getSpec());
  }

  static void check(OpenConsole open) {
    vm(open.getVm());
    if (Long.compareUnsigned(open.getScrollback(), DoorLimits.SCROLLBACK_BYTES) > 0) {
      throw bad(
          "scrollback",
          Long.toUnsignedString(open.getScrollback()),
          "at most " + DoorLimits.SCROLLBACK_BYTES + " bytes");
    }
  }

  /** A machine's name or number. */
  static void vm(String name) {
    boolean number = NUMBER.matcher(name).matches() && Long.parseLong(name) <= LARGEST_NUMBER;
    if (!number && !NAME.matcher(name).matches()) {
      throw bad(
          "vm name",
          name,
          "a letter, then letters, digits, dots, underscores and dashes, at most 64; or a number");
    }
  }

  private static void node(String name) {
    if (!NODE.matcher(name).matches()) {
      throw bad("node name", name, "letters, digits, dots, underscores, dashes and colons");
    }
  }

  private static void spec(String vm, VmSpec spec) {
    if (!spec.getName().isEmpty() && !spec.getName().equals(vm)) {
      throw bad("vm name in its settings", spec.getName(), "none, or " + vm);
    }
    if (Integer.compareUnsigned(spec.getCpus(), CPUS) > 0) {
      throw bad("cpus", Integer.toUnsignedString(spec.getCpus()), "1 to " + CPUS);
    }
    memory(spec.getMemoryBytes());
    if (!spec.getCpuModel().isEmpty() && !MODEL.matcher(spec.getCpuModel()).matches()) {
      throw bad("cpu model", spec.getCpuModel(), "the name of one");
    }
    if (spec.getEngine() == EngineKind.UNRECOGNIZED) {
      throw bad(
          "engine", Integer.toString(spec.getEngineValue()), "auto, interpreter or translator");
    }
    boot(spec.getBoot());
    placement(spec.getPlacement());
    count("fault rules", spec.getDeterministic().getFaultsCount());
    for (String rule : spec.getDeterministic().getFaultsList()) {
      text("fault rule", rule, TEXT_BYTES);
    }
    text("turns", spec.getDeterministic().getTurns().getFrom(), PATH_BYTES);
  }

  private static void memory(long bytes) {
    if (bytes == 0) {
      return; // not said
    }
    if (Long.compareUnsigned(bytes, LEAST_MEMORY) < 0
        || Long.compareUnsigned(bytes, MOST_MEMORY) > 0
        || bytes % PAGE != 0) {
      throw bad(
          "memory",
          Long.toUnsignedString(bytes),
          "a multiple of %d bytes from %d to %d".formatted(PAGE, LEAST_MEMORY, MOST_MEMORY));
    }
  }

  private static void boot(Boot boot) {
    text("kernel", boot.getKernel(), PATH_BYTES);
    if (!boot.getKernel().isEmpty() && !boot.getKernel().startsWith("/")) {
      throw bad("kernel", boot.getKernel(), "a path from /");
    }
    text("initrd", boot.getInitrd(), TEXT_BYTES);
    if (!boot.getInitrd().isEmpty() && !boot.getInitrd().startsWith("/")) {
      throw bad("initrd", boot.getInitrd(), "paths from /");
    }
    text("command line", boot.getCommandLine(), TEXT_BYTES);
  }

  private static void placement(Placement placement) {
    count("labels", placement.getLabelsCount());
    placement
        .getLabelsMap()
        .forEach(
            (key, value) -> {
              label("label", key);
              if (!value.isEmpty()) {
                label("value of label " + key, value);
              }
            });
    count("affinity groups", placement.getAffinityCount());
    placement.getAffinityList().forEach(group -> label("affinity group", group));
    count("anti-affinity groups", placement.getAntiAffinityCount());
    placement.getAntiAffinityList().forEach(group -> label("anti-affinity group", group));
  }

  private static void label(String what, String text) {
    if (!LABEL.matcher(text).matches()) {
      throw bad(
          what,
          text,
          "a letter or digit, then letters, digits, dots, underscores, slashes and dashes, at most"
              + " 63");
    }
  }

  private static void count(String what, int count) {
    if (count > LIST) {
      throw bad(what, Integer.toString(count), "at most " + LIST);
    }
  }

  private static void text(String what, String text, int bytes) {
    if (text.indexOf('\0') >= 0) {
      throw bad(what, text, "no byte 0 in it");
    }
    int length = text.getBytes(StandardCharsets.UTF_8).length;
    if (length > bytes) {
      throw bad("length of the " + what, Integer.toString(length), "at most " + bytes + " bytes");
    }
  }

  private static ControlException bad(String what, String value, String expected) {
    return new ControlException(
        ControlException.Kind.INVALID,
        "%s '%s': expected %s".formatted(what, shown(value), expected));
  }

  /** On one line, and not endless. */
  private static String shown(String value) {
    String start = value.length() > SHOWN ? value.substring(0, SHOWN) + "..." : value;
    return start.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Zl}\\p{Zp}]", "?");
  }
}
