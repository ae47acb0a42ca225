package dev.troupe.actors.vmctl;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.debug.LinearMemory;
import dev.troupe.runtime.debug.RegisterNames;
import dev.troupe.runtime.journal.JournalRecord;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** What a run is looked at for: something on its console, in its state, or how it ends. */
sealed interface Sought {
  /** The console's output has this somewhere. */
  record OnConsole(Pattern pattern) implements Sought {}

  /** The machine ends, and this is found in how: {@code triple fault}, {@code debug exit 5}. */
  record AtEnd(Pattern pattern) implements Sought {}

  /**
   * At a quiet point a vCPU has this value in a register.
   *
   * @param vcpu which; {@link #ANY} for one of them
   * @param name one of {@link RegisterNames}
   */
  record InRegister(int vcpu, String name, long value) implements Sought {}

  /** At a quiet point a vCPU's page tables have this value at a linear address. */
  record InMemory(int vcpu, long linear, int size, long value) implements Sought {}

  /** Any vCPU. */
  int ANY = -1;

  /** {@code rax==VALUE} or {@code memory[ADDRESS,SIZE]==VALUE}, in hexadecimal. */
  Pattern STATE =
      Pattern.compile(
          ("(?:vcpu(?<vcpu>\\d{1,2})\\.)?"
               + "(?:(?<register>%s)|memory\\[(?:0x)?(?<address>[0-9a-f]{1,16}),(?<size>[1248])])"
               + "==(?:0x)?(?<value>[0-9a-f]{1,16})")
              .formatted(RegisterNames.alternatives()),
          Pattern.CASE_INSENSITIVE);

  /**
   * Reads {@code console~REGEX}, {@code end~REGEX}, or what {@link #STATE} describes.
   *
   * @throws IllegalArgumentException if it is none
   */
  static Sought parse(String text) {
    Matcher state = STATE.matcher(text);
    if (state.matches()) {
      int vcpu = state.group("vcpu") == null ? ANY : Integer.parseInt(state.group("vcpu"));
      long value = Long.parseUnsignedLong(state.group("value"), 16);
      String register = state.group("register");
      return register == null
          ? new InMemory(
              vcpu,
              Long.parseUnsignedLong(state.group("address"), 16),
              Integer.parseInt(state.group("size")),
              value)
          : new InRegister(vcpu, register.toLowerCase(Locale.ROOT), value);
    }
    int tilde = text.indexOf('~');
    String of = tilde < 0 ? text : text.substring(0, tilde);
    try {
      return switch (of) {
        case "console" -> new OnConsole(Pattern.compile(text.substring(tilde + 1)));
        case "end" -> new AtEnd(Pattern.compile(text.substring(tilde + 1)));
        default ->
            throw new IllegalArgumentException(
                ("'%s', expected console~REGEX, end~REGEX, [vcpuN.]REGISTER==VALUE or"
                        + " [vcpuN.]memory[ADDRESS,SIZE]==VALUE")
                    .formatted(text));
      };
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "'%s': %s at %d".formatted(text, e.getDescription(), e.getIndex()), e);
    } catch (StringIndexOutOfBoundsException e) {
      throw new IllegalArgumentException("'%s', expected %s~REGEX".formatted(text, of), e);
    }
  }

  /** Looks at one run, on its machine's thread. */
  final class Watch {
    /** Output that is looked at: a regular expression is no reason to keep all of it. */
    private static final int MAX_LETTERS = 64 << 10;

    private final Sought sought;
    private final StringBuilder output = new StringBuilder();
    private boolean more;
    private boolean found;

    Watch(Sought sought) {
      this.sought = sought;
    }

    void output(byte[] bytes) {
      for (byte letter : bytes) {
        output.append((char) (letter & 0xFF));
      }
      if (output.length() > MAX_LETTERS) {
        output.delete(0, output.length() - MAX_LETTERS / 2);
      }
      more = true;
    }

    /** The same at a quiet point, where the vCPUs stand. */
    boolean found(List<Vcpu> vcpus) {
      for (int i = 0; i < vcpus.size() && !found; i++) {
        found = holds(i, vcpus.get(i).cpu);
      }
      return found();
    }

    private boolean holds(int vcpu, Cpu cpu) {
      return switch (sought) {
        case InRegister(int which, String name, long value) ->
            (which == ANY || which == vcpu)
                && RegisterNames.find(name).orElseThrow().applyAsLong(cpu) == value;
        case InMemory(int which, long linear, int size, long value) -> {
          if (which != ANY && which != vcpu) {
            yield false;
          }
          byte[] bytes = LinearMemory.read(cpu, linear, size);
          long there = 0;
          for (int i = 0; i < bytes.length; i++) {
            there |= (bytes[i] & 0xFFL) << (8 * i);
          }
          yield bytes.length == size && there == value;
        }
        case OnConsole _, AtEnd _ -> false;
      };
    }

    boolean found() {
      if (more && !found && sought instanceof OnConsole(Pattern pattern)) {
        found = pattern.matcher(output).find();
      }
      more = false;
      return found;
    }

    boolean found(JournalRecord.End end) {
      return found()
          || (sought instanceof AtEnd(Pattern pattern)
              && end.exact()
              && pattern.matcher(end.outcome()).find());
    }
  }
}
