package dev.troupe.runtime.engine.interpreter;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.InstructionTable;
import dev.troupe.runtime.isa.Opcode;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.Row;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Writes the interpreter's dispatch from the instruction table and the {@link Meaning} methods: a
 * case for each row, operand size, register or memory form and LOCK, equal cases shared, 64 cases a
 * class; and the resource that {@link Forms} reads. The output is checked in; run {@link #main}
 * after a change of rows or of meanings' names and signatures.
 */
final class DispatchGenerator {
  static final String RESOURCE = "dev/troupe/runtime/engine/interpreter/dispatch.forms";
  private static final int[] SIZES = {16, 32, 64};

  /**
   * The forms that most instructions of a Linux boot and of its programs have (measured: 95 of 100
   * instructions), by opcode, operand size, register or memory: they come first, and the loop over
   * a block has them in itself.
   */
  private static final List<String> HOT =
      List.of(
          "89 /r|64|r",
          "01 /r|64|r",
          "0F AF /r|64|r",
          "8B /r|64|m",
          "39 /r|64|r",
          "C1 /5|64|r",
          "89 /r|32|r",
          "75|64|r",
          "89 /r|64|m",
          "29 /r|64|r",
          "8D /r m|64|m",
          "81 /0|32|r",
          "74|64|r",
          "81 /0|64|r",
          "63 /r|64|r",
          "0F B6 /r|32|r",
          "C1 /4|64|r",
          "0F 92 /r|64|r",
          "0F B6 /r|32|m",
          "0F 43 /r|64|r",
          "31 /r|32|r",
          "50+r|64|r",
          "58+r|64|r",
          "11 /r|64|r",
          "E9|64|r",
          "03 /r|64|m",
          "8B /r|32|m",
          "72|64|r",
          "84 /r|64|r",
          "C3|64|r",
          "E8|64|r",
          "01 /r|32|r",
          "90 B0|64|r",
          "85 /r|32|r",
          "81 /7|64|r",
          "39 /r|32|r",
          "81 /7|32|r",
          "73|64|r",
          "0F B7 /r|32|m",
          "81 /4|32|r",
          "79|64|r",
          "77|64|r",
          "76|64|r",
          "85 /r|64|r",
          "B8+r|32|r",
          "89 /r|32|m",
          "C1 /1|32|r",
          "F6 /0|64|m",
          "3C|64|r",
          "81 /5|64|r",
          "80 /7|64|m",
          "88 /r|64|m",
          "29 /r|32|r",
          "81 /2|64|r",
          "C1 /0|32|r",
          "8D /r m|32|m",
          "89 /r|16|m",
          "C1 /5|32|r",
          "63 /r|64|m",
          "B8+r|64|r");

  /** Cases by text, with their numbers. */
  private final Map<String, Integer> cases = new LinkedHashMap<>();

  private final List<Flow> flows = new ArrayList<>();
  private final Map<String, Method> methods = new TreeMap<>();

  /** Names of meanings that rows of features which a CPU model offers use, and no method has. */
  final Set<String> missing = new TreeSet<>();

  /** File contents by path relative to runtime/src/main. */
  final Map<String, String> output = new LinkedHashMap<>();

  /** Rewrites the generated files; the working directory is the project's or the module's root. */
  public static void main(String[] args) throws IOException {
    Path main = sourceRoot();
    DispatchGenerator generator = new DispatchGenerator();
    generator.generate(main);
    Path old = main.resolve("java").resolve(DispatchClasses.PACKAGE.replace('.', '/'));
    if (Files.isDirectory(old)) {
      try (Stream<Path> files = Files.list(old)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
    }
    for (Map.Entry<String, String> file : generator.output.entrySet()) {
      Path path = main.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue());
    }
    System.out.println(generator.cases.size() + " cases; meanings missing: " + generator.missing);
  }

  static Path sourceRoot() {
    Path module = Path.of("src/main");
    return Files.isDirectory(module) ? module : Path.of("runtime/src/main");
  }

  void generate(Path main) throws IOException {
    findMethods(main.resolve("java").resolve(DispatchClasses.OP.replace('.', '/')));
    cases.put("Checks.raise(c, i);\n", Forms.RAISE);
    cases.put("Checks.resync(c, i);\n", Forms.RESYNC);
    flows.add(Flow.END);
    flows.add(Flow.END);
    Map<String, Row> byOpcode = new LinkedHashMap<>();
    InstructionTable.rows().forEach(row -> byOpcode.putIfAbsent(row.opcode(), row));
    for (String hot : HOT) {
      String[] parts = hot.split("\\|", -1);
      form(byOpcode.get(parts[0]), Integer.parseInt(parts[1]), parts[2].equals("m"), false);
    }
    int hotCases = cases.size();
    StringBuilder rows = new StringBuilder();
    for (Row row : InstructionTable.rows()) {
      StringBuilder line = new StringBuilder();
      for (int size : SIZES) {
        for (int variant = 0; variant < 4; variant++) {
          line.append(line.isEmpty() ? "" : " ")
              .append(form(row, size, (variant & 1) != 0, (variant & 2) != 0));
        }
      }
      rows.append(line).append('\n');
    }
    StringBuilder letters = new StringBuilder();
    for (Flow flow : flows) {
      letters.append(flow.name().charAt(0));
    }
    output.put("resources/" + RESOURCE, letters.append('\n').append(rows).toString());
    output.putAll(DispatchClasses.texts(List.copyOf(cases.keySet()), hotCases));
  }

  private void findMethods(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (String name :
          files
              .map(f -> f.getFileName().toString())
              .filter(f -> f.endsWith(".java"))
              .sorted()
              .toList()) {
        Class<?> type;
        try {
          type = Class.forName(DispatchClasses.OP + "." + name.substring(0, name.length() - 5));
        } catch (ClassNotFoundException e) {
          throw new IllegalStateException("compile first: " + name, e);
        }
        for (Method method : type.getDeclaredMethods()) {
          Meaning meaning = method.getAnnotation(Meaning.class);
          if (meaning == null) {
            continue;
          }
          if (!Modifier.isPublic(method.getModifiers())
              || method.getParameterTypes()[0] != Cpu.class) {
            throw new IllegalStateException("no public meaning on a Cpu: " + method);
          }
          for (String word : meaning.value()) {
            Method other = methods.put(word, method);
            if (other != null) {
              throw new IllegalStateException(
                  "two meanings " + word + ": " + method + " and " + other);
            }
          }
        }
      }
    }
  }

  /** The form's number, or -1 if there is no such form. */
  private int form(Row row, int size, boolean memory, boolean lock) {
    if ((lock && !(memory && row.has(Row.LOCK))) || !exists(row, memory)) {
      return -1;
    }
    Method method = methods.get(row.meaning());
    if (memory && methods.containsKey(row.meaning() + "_MEMORY")) {
      method = methods.get(row.meaning() + "_MEMORY");
    }
    if (method == null) {
      if (CpuModel.all().stream().anyMatch(model -> model.has(row.feature()))) {
        missing.add(row.meaning());
      }
      return -1;
    }
    Flow flow = method.getAnnotation(Meaning.class).flow();
    if (flow == Flow.DEFAULT) {
      flow = row.has(Row.END) ? Flow.END : Flow.NEXT;
    }
    StringBuilder text = new StringBuilder();
    if (row.has(Row.UMIP)) {
      text.append("Checks.umip(c);\n");
    }
    if (row.has(Row.FPU | Row.WAIT | Row.MMXREGS) && !row.has(Row.NOWAIT)) {
      text.append("c.x87.checkPending(c);\n");
    }
    if (flow == Flow.END) {
      text.append("c.rip = i.rip;\nc.jumped = false;\n");
    }
    text.append(new DispatchCase(row, method, size, memory, lock).body());
    if (flow == Flow.END) {
      text.append("if (!c.jumped) {\n  c.rip = i.nextRip;\n}\n");
    }
    Integer known = cases.putIfAbsent(text.toString(), cases.size());
    if (known != null) {
      return known;
    }
    flows.add(flow);
    return cases.size() - 1;
  }

  private static boolean exists(Row row, boolean memory) {
    boolean modRm = false;
    for (OperandCode operand : row.operands()) {
      switch (operand.kind()) {
        case MEMORY, OFFSET, SOURCE_STRING, TARGET_STRING, XLAT -> {
          return memory;
        }
        case RM, MMX_RM, XMM_RM -> modRm = true;
        default -> {}
      }
    }
    int form = row.encoding().form();
    if (row.has(Row.REGISTER)) {
      return !memory;
    }
    return form == Opcode.FORM_ANY ? modRm || !memory : memory == (form == Opcode.FORM_MEMORY);
  }
}
