package dev.troupe.actors.vmctl;

import dev.troupe.actors.debug.ReplayTarget;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.actors.journal.RecordFilter;
import dev.troupe.actors.journal.Where;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Stops;
import dev.troupe.runtime.debug.CodeListing;
import dev.troupe.runtime.debug.DebugTarget;
import dev.troupe.runtime.debug.DebugTarget.Stop;
import dev.troupe.runtime.debug.LinearMemory;
import dev.troupe.runtime.debug.RegisterText;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.Function;
import picocli.CommandLine.TypeConversionException;

/**
 * The commands of {@code vmctl replay --interactive}: lines in, text out. What is wrong with a line
 * is said, and the next one is taken.
 */
final class ReplayShell {
  /** A line that is no command. */
  private static final class BadCommand extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BadCommand(String message) {
      super(message);
    }
  }

  /** What a command does with its words. */
  @FunctionalInterface
  private interface Action {
    void with(List<String> words);
  }

  private record Command(String usage, String description, Action action) {}

  private static final int DEFAULT_BYTES = 64;
  private static final int MAX_BYTES = 4096;
  private static final int BYTES_A_LINE = 16;
  private static final int DEFAULT_INSTRUCTIONS = 8;
  private static final int MAX_INSTRUCTIONS = 1000;
  private static final int DEFAULT_MESSAGES = 10;
  private static final int MAX_STEPS = 1_000_000_000;
  private static final int WORD = 8;

  private final ReplayTarget target;
  private final RecordFields fields;
  private final PrintWriter out;
  private final TreeMap<String, Command> commands = new TreeMap<>();
  private final List<Long> breakpoints = new ArrayList<>();
  private final List<Stops.Watchpoint> watchpoints = new ArrayList<>();
  private int vcpu;
  private boolean over;

  ReplayShell(ReplayTarget target, RecordFields fields, PrintWriter out) {
    this.target = target;
    this.fields = fields;
    this.out = out;
    add(
        "step",
        "[N] | m [N] | until CONDITION",
        "go on by instructions, messages, to a record",
        this::step);
    add("back", "[N] | m [N]", "go back by instructions or messages", this::back);
    add("goto", "POSITION", "go to i:N, m:N or t:D, forwards or backwards", this::goTo);
    add(
        "continue",
        "",
        "go on to a breakpoint, a watchpoint or the end",
        w -> stopped(target.move(new DebugTarget.Run(false))));
    add(
        "reverse",
        "",
        "go back to a breakpoint, a watchpoint or the beginning",
        w -> stopped(target.move(new DebugTarget.Run(true))));
    add("break", "[ADDRESS]", "stop before this instruction; without one, list", this::breakAt);
    add(
        "watch",
        "ADDRESS [LENGTH [r|w|rw]]",
        "stop after an access, by default a write",
        this::watch);
    add("delete", "", "remove all breakpoints and watchpoints", this::delete);
    add("vcpu", "[N]", "choose the vCPU that regs, mem, disas and step are about", this::choose);
    add("regs", "", "print registers", w -> look(cpu -> RegisterText.of(cpu)));
    add("mem", "ADDRESS [LENGTH]", "print memory", this::memory);
    add("disas", "[ADDRESS [N]]", "print instructions", this::disassemble);
    add("messages", "[N]", "print the records before this place", this::messages);
    add(
        "console",
        "",
        "print what the guest has printed since the last checkpoint",
        w -> out.println(target.console()));
    add("hash", "", "print the hash of the machine's state", w -> out.println(target.hash()));
    add("help", "", "this list", this::help);
    add("quit", "", "leave", w -> over = true);
  }

  private void add(String name, String usage, String description, Action action) {
    commands.put(name, new Command(usage, description, action));
  }

  /** The names of all commands. */
  List<String> names() {
    return List.copyOf(commands.keySet());
  }

  /** Whether somebody has left. */
  boolean isOver() {
    return over;
  }

  /** Where the machine stands, and before which instruction. */
  String where() {
    return target.position()
        + "\n"
        + target
            .look(
                vcpu, cpu -> "vcpu" + vcpu + " " + CodeListing.of(cpu, cpu.linearRip(), 1).strip())
            .orElse("the machine has ended");
  }

  /** Does what a line says. */
  void execute(String line) {
    List<String> words = List.of(line.strip().split("\\s+"));
    if (words.getFirst().isEmpty()) {
      return;
    }
    try {
      command(words.getFirst()).action.with(words.subList(1, words.size()));
    } catch (BadCommand | TypeConversionException e) {
      out.println(e.getMessage());
    } catch (UserException e) {
      out.println(e.getMessage());
    }
    out.flush();
  }

  /** By its name, or the beginning of one name alone. */
  private Command command(String word) {
    Command exact = commands.get(word);
    if (exact != null) {
      return exact;
    }
    List<String> fitting = commands.keySet().stream().filter(n -> n.startsWith(word)).toList();
    if (fitting.size() != 1) {
      throw new BadCommand(
          fitting.isEmpty()
              ? "no command '" + word + "'; see help"
              : "'" + word + "' may be " + String.join(" or ", fitting));
    }
    return commands.get(fitting.getFirst());
  }

  private void help(List<String> words) {
    commands.forEach(
        (name, command) ->
            out.println("%-38s %s".formatted(name + " " + command.usage, command.description)));
  }

  // Motion --------------------------------------------------------------------------------------

  private void stopped(Stop stop) {
    switch (stop.reason()) {
      case TRAP -> {}
      case INTERRUPTED -> out.println("interrupted");
      case BEGIN -> out.println("this is the beginning of the run");
      case END -> out.println("this is the end of the run");
      case GONE -> out.println("the machine has ended");
      case HIT -> out.println(text(stop.hit()));
    }
    if (stop.vcpu() != DebugTarget.NO_VCPU) {
      vcpu = stop.vcpu();
    }
    out.println(where());
  }

  private static String text(Stops.Hit hit) {
    return hit.watchpoint() == null
        ? "breakpoint 0x%x".formatted(hit.address())
        : "watchpoint 0x%x: access at 0x%x".formatted(hit.watchpoint().linear(), hit.address());
  }

  private void step(List<String> words) {
    if (!words.isEmpty() && words.getFirst().equals("until")) {
      String condition = String.join(" ", words.subList(1, words.size()));
      if (condition.isBlank()) {
        throw new BadCommand("step until what? For example: step until to=pic kind=LineLevel");
      }
      try {
        stopped(target.until(new RecordFilter(fields, condition)));
      } catch (IllegalArgumentException e) {
        throw new BadCommand(e.getMessage());
      }
    } else if (isByMessage(words)) {
      long wanted = target.place().messages() + steps(words, 1);
      stopped(target.go(new Where.Messages(wanted)::units));
    } else {
      stopped(target.step(vcpu, steps(words, 0)));
    }
  }

  private void back(List<String> words) {
    if (isByMessage(words)) {
      long wanted = target.place().messages() - steps(words, 1);
      stopped(target.go(new Where.Messages(Math.max(0, wanted))::units));
      return;
    }
    stopped(target.stepBack(vcpu, steps(words, 0)));
  }

  private static boolean isByMessage(List<String> words) {
    return !words.isEmpty() && words.getFirst().equals("m");
  }

  private void goTo(List<String> words) {
    stopped(target.go(new WhereConverter().convert(word(words, 0, "a position"))::units));
  }

  // What to stop at -----------------------------------------------------------------------------

  private void breakAt(List<String> words) {
    if (words.isEmpty()) {
      breakpoints.forEach(address -> out.println("break 0x%x".formatted(address)));
      watchpoints.forEach(
          w ->
              out.println(
                  "watch 0x%x %d %s"
                      .formatted(
                          w.linear(), w.length(), w.access().name().toLowerCase(Locale.ROOT))));
      return;
    }
    breakpoints.add(address(words, 0));
    target.stopAt(List.copyOf(breakpoints), List.copyOf(watchpoints));
  }

  private void watch(List<String> words) {
    long address = address(words, 0);
    long length = number(words, 1, WORD, MAX_BYTES);
    Stops.Access access =
        switch (words.size() > 2 ? words.get(2) : "w") {
          case "r" -> Stops.Access.READ;
          case "w" -> Stops.Access.WRITE;
          case "rw" -> Stops.Access.EITHER;
          default -> throw new BadCommand("expected r, w or rw, not '" + words.get(2) + "'");
        };
    watchpoints.add(new Stops.Watchpoint(access, address, length));
    target.stopAt(List.copyOf(breakpoints), List.copyOf(watchpoints));
  }

  private void delete(List<String> words) {
    breakpoints.clear();
    watchpoints.clear();
    target.stopAt(List.of(), List.of());
  }

  // What there is to see ------------------------------------------------------------------------

  private void look(Function<Cpu, String> what) {
    out.print(target.look(vcpu, what).orElse("the machine has ended\n"));
  }

  private void choose(List<String> words) {
    if (!words.isEmpty()) {
      vcpu = (int) number(words, 0, 0, target.vcpus() - 1);
    }
    out.println(where());
  }

  private void memory(List<String> words) {
    long address = address(words, 0);
    int length = (int) number(words, 1, DEFAULT_BYTES, MAX_BYTES);
    look(
        cpu -> {
          byte[] bytes = LinearMemory.read(cpu, address, length);
          StringBuilder text = new StringBuilder();
          for (int at = 0; at < bytes.length; at += BYTES_A_LINE) {
            text.append("%016x ".formatted(address + at));
            for (int i = at; i < Math.min(bytes.length, at + BYTES_A_LINE); i++) {
              text.append(" %02x".formatted(bytes[i]));
            }
            text.append('\n');
          }
          return bytes.length < length
              ? text + "nothing is mapped at 0x%x\n".formatted(address + bytes.length)
              : text.toString();
        });
  }

  private void disassemble(List<String> words) {
    int count = (int) number(words, 1, DEFAULT_INSTRUCTIONS, MAX_INSTRUCTIONS);
    look(cpu -> CodeListing.of(cpu, words.isEmpty() ? cpu.linearRip() : address(words, 0), count));
  }

  private void messages(List<String> words) {
    int count = (int) number(words, 0, DEFAULT_MESSAGES, ReplayTarget.KEPT);
    target.records(count).forEach(record -> out.println(fields.line(record)));
  }

  // Words ---------------------------------------------------------------------------------------

  private static String word(List<String> words, int index, String what) {
    if (words.size() <= index) {
      throw new BadCommand("expected " + what);
    }
    return words.get(index);
  }

  private static long address(List<String> words, int index) {
    String word = word(words, index, "an address");
    try {
      return Long.parseUnsignedLong(word.startsWith("0x") ? word.substring(2) : word, 16);
    } catch (NumberFormatException e) {
      throw new BadCommand("'" + word + "' is no address: hexadecimal is expected");
    }
  }

  private static long steps(List<String> words, int index) {
    long steps = number(words, index, 1, MAX_STEPS);
    if (steps == 0) {
      throw new BadCommand("expected at least one step");
    }
    return steps;
  }

  private static long number(List<String> words, int index, long otherwise, long most) {
    if (words.size() <= index) {
      return otherwise;
    }
    try {
      long number = Long.parseLong(words.get(index));
      if (number >= 0 && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new BadCommand("'" + words.get(index) + "' is no number from 0 to " + most);
  }
}
