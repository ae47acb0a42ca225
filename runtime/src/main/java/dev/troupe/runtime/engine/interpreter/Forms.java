package dev.troupe.runtime.engine.interpreter;

import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Which case of the generated dispatch an instruction goes to. The resource's first line has a
 * letter a form, for its flow; then one line a row of the instruction table: forms by operand size
 * (16, 32, 64), each for register, memory, register with LOCK, memory with LOCK; -1 for what cannot
 * be.
 */
final class Forms {
  /** The instruction faults whatever its operands are: {@code Checks.raise}. */
  static final int RAISE = 0;

  /** {@code Checks.resync}. */
  static final int RESYNC = 1;

  private static final int VARIANTS = 12;
  private static final Flow[] FLOWS;
  private static final short[] FORMS;

  static {
    List<String> lines = new ArrayList<>();
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                Forms.class.getResourceAsStream("dispatch.forms"), StandardCharsets.US_ASCII))) {
      in.lines().forEach(lines::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String letters = lines.getFirst();
    FLOWS = new Flow[letters.length()];
    for (int form = 0; form < FLOWS.length; form++) {
      FLOWS[form] =
          switch (letters.charAt(form)) {
            case 'N' -> Flow.NEXT;
            case 'E' -> Flow.END;
            default -> Flow.BRANCH;
          };
    }
    FORMS = new short[(lines.size() - 1) * VARIANTS];
    int at = 0;
    for (String line : lines.subList(1, lines.size())) {
      for (String number : line.split(" ", -1)) {
        FORMS[at++] = Short.parseShort(number);
      }
    }
  }

  private Forms() {}

  /** The form, or -1 if no meaning is bound to the row. */
  static int of(Insn i) {
    int size = i.operandSize >> 5; // 16, 32, 64: 0, 1, 2
    return FORMS[i.row.number() * VARIANTS + size * 4 + (i.memory ? 1 : 0) + (i.lock ? 2 : 0)];
  }

  /** How the block goes on after a form. */
  static Flow flow(int form) {
    return FLOWS[form];
  }
}
