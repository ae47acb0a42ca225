package dev.troupe.runtime.engine.interpreter;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.InstructionTable;
import dev.troupe.runtime.isa.Opcode;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.OperandCode.Kind;
import dev.troupe.runtime.isa.Row;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
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
  static final String PACKAGE = "dev.troupe.runtime.engine.interpreter.group";
  static final String RESOURCE = "dev/troupe/runtime/engine/interpreter/dispatch.forms";
  private static final String OP = "dev.troupe.runtime.engine.interpreter.op";
  private static final int CASES = 64;
  private static final int[] SIZES = {16, 32, 64};
  private static final Set<String> BIT_STRINGS = Set.of("BT", "BTS", "BTR", "BTC");

  private static final String[] CONDITIONS = {
    "overflow", "below", "zero", null, "sign", "parity", null, null
  };

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

  /** Cases below this number are hot. */
  private int hotCases;

  /** Names of meanings that rows of features which a CPU model offers use, and no method has. */
  final Set<String> missing = new TreeSet<>();

  /** File contents by path relative to runtime/src/main. */
  final Map<String, String> output = new LinkedHashMap<>();

  /** Rewrites the generated files; the working directory is the project's or the module's root. */
  public static void main(String[] args) throws IOException {
    Path main = sourceRoot();
    DispatchGenerator generator = new DispatchGenerator();
    generator.generate(main);
    Path old = main.resolve("java").resolve(PACKAGE.replace('.', '/'));
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
    findMethods(main.resolve("java").resolve(OP.replace('.', '/')));
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
    hotCases = cases.size();
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
    writeClasses();
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
          type = Class.forName(OP + "." + name.substring(0, name.length() - 5));
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
    text.append(new Case(row, method, size, memory, lock).body());
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

  /** One case's text. */
  private static final class Case {
    private final Row row;
    private final Method method;
    private final int size;
    private final boolean memory;
    private final boolean lock;
    private final StringBuilder text = new StringBuilder();

    Case(Row row, Method method, int size, boolean memory, boolean lock) {
      this.row = row;
      this.method = method;
      this.size = size;
      this.memory = memory;
      this.lock = lock;
    }

    private String call(List<String> arguments) {
      List<String> all = new ArrayList<>();
      all.add("c");
      if (Arrays.asList(method.getParameterTypes()).contains(boolean.class)) {
        all.add(condition(row.encoding().code() & 15));
      }
      all.addAll(arguments);
      return method.getDeclaringClass().getSimpleName()
          + "."
          + method.getName()
          + "("
          + String.join(", ", all)
          + ")";
    }

    private static String condition(int code) {
      String not = (code & 1) != 0 ? "!" : "";
      return switch (code >> 1) {
        case 3 -> not.isEmpty() ? "Flags.belowOrEqual(c)" : "!Flags.belowOrEqual(c)";
        case 6 -> not + "Flags.less(c)";
        case 7 -> not + "Flags.lessOrEqual(c)";
        default -> not + "Flags." + CONDITIONS[code >> 1] + "(c)";
      };
    }

    String body() {
      List<Class<?>> types = List.of(method.getParameterTypes());
      boolean longs = types.contains(long.class) || method.getReturnType() == long.class;
      if (types.contains(Insn.class)) {
        List<String> arguments = new ArrayList<>(List.of("i"));
        if (types.contains(int.class)) {
          arguments.add(Integer.toString(operationSize()));
        }
        return call(arguments) + ";\n";
      }
      if (longs) {
        integer(types);
      } else {
        vector();
      }
      return text.toString();
    }

    /** The first operand's width; a port number and a relative distance say nothing about it. */
    private int operationSize() {
      for (OperandCode operand : row.operands()) {
        int bits = operand.bits(size);
        boolean number =
            operand.kind() == Kind.RELATIVE
                || (operand.kind() == Kind.IMMEDIATE && row.operands().size() > 1)
                || operand == OperandCode.DX
                || row.meaning().equals("RET")
                || (row.meaning().equals("PUSH") && operand.kind() == Kind.IMMEDIATE)
                || row.meaning().equals("ENTER");
        if (!number && bits != 0) {
          return bits > 64 || row.meaning().equals("BOUND") ? size : bits;
        }
      }
      return size;
    }

    private void integer(List<Class<?>> types) {
      int width = operationSize();
      List<String> arguments = new ArrayList<>();
      OperandCode first = row.operands().isEmpty() ? null : row.operands().getFirst();
      boolean result = method.getReturnType() == long.class;
      boolean firstInMemory = first != null && inMemory(first);
      boolean writes = result && first != null && row.writes(0);
      long want = types.stream().filter(t -> t == long.class).count();
      int sourceSize = width;
      List<String> locals = new ArrayList<>();
      for (int n = 0; n < row.operands().size(); n++) {
        OperandCode operand = row.operands().get(n);
        boolean address = row.access().charAt(n) == 'a';
        if (!row.reads(n) && !address) {
          continue;
        }
        int bits = operand.bits(size);
        if (row.meaning().equals("MOVSXD")) {
          bits = Math.min(bits, size); // r16 takes r/m16
        }
        if (operand.kind() == Kind.IMMEDIATE
            && row.operands().size() > 1
            && !row.meaning().equals("IN")
            && !row.meaning().equals("OUT")) {
          bits = operand == OperandCode.I_B ? 8 : width;
        } else if (operand.kind() == Kind.IMMEDIATE && row.meaning().equals("PUSH")) {
          bits = width;
        }
        String value =
            address
                ? "Operands.offset(c, i)"
                : n == 0 && writes && firstInMemory ? "old" : read(operand, bits);
        if (inMemory(operand) && !value.equals("old") && !address) {
          locals.add("long m = " + value + ";\n");
          value = "m";
        }
        arguments.add(value);
        sourceSize = bits;
      }
      if (arguments.size() != want) {
        throw new IllegalStateException(
            row + " reads " + arguments.size() + " operands, " + method + " takes " + want);
      }
      long ints = types.stream().filter(t -> t == int.class).count();
      arguments.add(Integer.toString(width));
      if (ints == 2) {
        arguments.add(Integer.toString(sourceSize));
      }
      if (!writes || !firstInMemory) {
        locals.forEach(text::append);
        text.append(writes ? write(first, width, call(arguments)) : call(arguments)).append(";\n");
        return;
      }
      String address =
          bitString()
              ? "Operands.bitAddress(c, i, " + arguments.get(1) + ", " + width + ", true)"
              : "Operands.address(c, i, " + width / 8 + ", true)";
      text.append("long a = ").append(address).append(";\n");
      if (!row.reads(0)) {
        text.append("c.mmu.store")
            .append(width)
            .append("(a, ")
            .append(call(arguments))
            .append(");\n");
      } else if (lock) {
        text.append("long carry = c.flagCarry;\nlong old;\nlong r;\ndo {\n");
        text.append("c.flagCarry = carry;\nold = c.mmu.loadRmw").append(width).append("(a);\n");
        text.append("r = ").append(call(arguments)).append(";\n");
        text.append("} while (!Operands.compareAndSet(c, a, ")
            .append(width)
            .append(", old, r));\n");
      } else {
        text.append("long old = c.mmu.loadRmw").append(width).append("(a);\n");
        text.append("c.mmu.store")
            .append(width)
            .append("(a, ")
            .append(call(arguments))
            .append(");\n");
      }
    }

    private boolean bitString() {
      return BIT_STRINGS.contains(row.meaning()) && row.operands().get(1).kind() == Kind.REG;
    }

    private boolean inMemory(OperandCode operand) {
      return switch (operand.kind()) {
        case RM, MEMORY, OFFSET -> memory;
        default -> false;
      };
    }

    private String read(OperandCode operand, int bits) {
      return switch (operand.kind()) {
        case RM, RM_REGISTER, MEMORY, OFFSET ->
            inMemory(operand) ? load(bits) : register("i.rm", bits);
        case REG, OPCODE -> register("i.reg", bits);
        case VVVV -> register("i.vvvv", bits);
        case IMMEDIATE -> mask("i.immediate", bits);
        case ONE -> "1";
        case FIXED_REGISTER -> register(Integer.toString(operand.fixed()), bits);
        default -> throw new IllegalStateException(row + ": " + operand + " is no integer");
      };
    }

    private String load(int bits) {
      String address =
          bitString()
              ? "Operands.bitAddress(c, i, "
                  + read(row.operands().get(1), bits)
                  + ", "
                  + bits
                  + ", false)"
              : "Operands.address(c, i, " + bits / 8 + ", false)";
      return "c.mmu.load" + bits + "(" + address + ")";
    }

    private static String register(String number, int bits) {
      return switch (bits) {
        case 8 ->
            number.startsWith("i")
                ? "Operands.register8(c, " + number + ")"
                : "c.gpr[" + number + "] & 0xFF";
        case 64 -> "c.gpr[" + number + "]";
        default -> mask("c.gpr[" + number + "]", bits);
      };
    }

    private static String mask(String value, int bits) {
      return switch (bits) {
        case 8 -> value + " & 0xFF";
        case 16 -> value + " & 0xFFFF";
        case 32 -> value + " & 0xFFFF_FFFFL";
        default -> value;
      };
    }

    private String write(OperandCode operand, int bits, String value) {
      String number =
          switch (operand.kind()) {
            case RM, RM_REGISTER -> "i.rm";
            case REG, OPCODE -> "i.reg";
            case VVVV -> "i.vvvv";
            case FIXED_REGISTER -> Integer.toString(operand.fixed());
            default -> throw new IllegalStateException(row + ": cannot write " + operand);
          };
      return switch (bits) {
        case 8 -> "Operands.setRegister8(c, " + number + ", " + value + ")";
        case 16 -> "Operands.setRegister16(c, " + number + ", " + value + ")";
        case 32 -> "c.gpr[" + number + "] = " + value + " & 0xFFFF_FFFFL";
        default -> "c.gpr[" + number + "] = " + value;
      };
    }

    private void vector() {
      List<String> arguments = new ArrayList<>();
      String store = "";
      boolean mmxRow =
          row.operands().stream()
              .anyMatch(o -> o.kind() == Kind.MMX_REG || o.kind() == Kind.MMX_RM);
      boolean xmmRow =
          row.operands().stream()
              .anyMatch(o -> o.kind() == Kind.XMM_REG || o.kind() == Kind.XMM_RM);
      for (int n = 0; n < row.operands().size(); n++) {
        OperandCode operand = row.operands().get(n);
        switch (operand.kind()) {
          case XMM_REG, MMX_REG, REG -> arguments.add("i.reg");
          case XMM_RM_REGISTER, MMX_RM_REGISTER -> arguments.add("i.rm");
          case IMMEDIATE -> arguments.add("(int) i.immediate");
          case FIXED_XMM -> {}
          case X87_TOP -> {}
          case X87_RM -> arguments.add("i.rm");
          case XMM_RM, MMX_RM, MEMORY -> {
            if (!memory) {
              arguments.add("i.rm");
              continue;
            }
            arguments.add("Vectors.SLOT");
            boolean mmx =
                operand.kind() == Kind.MMX_RM
                    || (mmxRow && !(xmmRow && operand.kind() == Kind.XMM_RM));
            int bits = operand.bits(size);
            String width =
                "(c, i, "
                    + bits
                    + (mmx ? "" : ", " + (bits == 128 && !row.has(Row.UNALIGNED)))
                    + ");\n";
            if (row.writes(n)) {
              store = (mmx ? "Vectors.storeMmx" : "Vectors.store") + width;
            } else {
              text.append(mmx ? "Vectors.loadMmx" : "Vectors.load").append(width);
            }
          }
          default ->
              throw new IllegalStateException(
                  row + ": " + operand + " is no vector, for " + method);
        }
      }
      if (arguments.size() != method.getParameterCount() - 1) {
        throw new IllegalStateException(row + " has " + arguments + ", " + method);
      }
      text.append(call(arguments)).append(";\n").append(store);
    }
  }

  private void writeClasses() {
    List<String> bodies = List.copyOf(cases.keySet());
    int groups = (bodies.size() + CASES - 1) / CASES;
    String head =
        "// Generated by DispatchGenerator from the instruction table; not to be edited.\n";
    for (int group = 0; group < groups; group++) {
      int from = Math.max(hotCases, group * CASES);
      int to = Math.min(bodies.size(), (group + 1) * CASES);
      if (from < to) {
        output.put(
            "java/" + PACKAGE.replace('.', '/') + "/Group" + group + ".java",
            group(head, "Group" + group, bodies.subList(from, to), from & (CASES - 1)));
      }
    }
    output.put(
        "java/" + PACKAGE.replace('.', '/') + "/Dispatch.java", dispatch(head, bodies, groups));
  }

  private String dispatch(String head, List<String> bodies, int groups) {
    StringBuilder code = new StringBuilder();
    for (int n = 0; n < hotCases; n++) {
      appendCase(code, n, bodies.get(n), 5);
    }
    StringBuilder text = new StringBuilder(head);
    text.append("package ").append(PACKAGE).append(";\n\n");
    Set<String> imports = imports(code.toString());
    imports.add("dev.troupe.runtime.isa.Insn");
    imports.forEach(i -> text.append("import ").append(i).append(";\n"));
    text.append(
        """

        /** The loop over a block, with the hot cases in it; the others are in groups of 64. */
        public final class Dispatch {
          private Dispatch() {}

          /** Executes {@code n} instructions. If one throws, {@code c.undone} is its index. */
          public static void run(Cpu c, Insn[] ops, int n) {
            int k = 0;
            try {
              for (; k < n; k++) {
                Insn i = ops[k];
                switch (i.form) {
        """);
    text.append(code);
    text.append(
        """
                  default -> cold(c, i, i.form);
                }
              }
            } catch (RuntimeException e) {
              c.undone = k;
              throw e;
            }
          }

          private static void cold(Cpu c, Insn i, int form) {
            switch (form >> 6) {
        """);
    for (int group = hotCases / CASES; group < groups; group++) {
      text.append("      case ")
          .append(group)
          .append(" -> Group")
          .append(group)
          .append(".run(c, i, form);\n");
    }
    text.append(
        """
              default -> throw new IllegalStateException("no such form: " + form);
            }
          }
        }
        """);
    return text.toString();
  }

  private static void appendCase(StringBuilder code, int number, String body, int indent) {
    code.append("  ".repeat(indent - 2)).append("case ").append(number).append(" -> {\n");
    int depth = indent - 1;
    for (String line : body.lines().toList()) {
      depth -= line.startsWith("}") ? 1 : 0;
      code.append("  ".repeat(depth)).append(line).append('\n');
      depth += line.endsWith("{") ? 1 : 0;
    }
    code.append("  ".repeat(indent - 2)).append("}\n");
  }

  private static Set<String> imports(String code) {
    Set<String> imports = new LinkedHashSet<>(List.of("dev.troupe.runtime.cpu.Cpu"));
    for (String word : new TreeSet<>(List.of(code.split("[^A-Za-z0-9.]+")))) {
      int dot = word.indexOf('.');
      if (dot > 0 && Character.isUpperCase(word.charAt(0))) {
        imports.add(OP + "." + word.substring(0, dot));
      }
    }
    return imports;
  }

  private static String group(String head, String name, List<String> bodies, int first) {
    StringBuilder code = new StringBuilder();
    for (int n = 0; n < bodies.size(); n++) {
      appendCase(code, first + n, bodies.get(n), 5);
    }
    Set<String> imports = imports(code.toString());
    imports.add("dev.troupe.runtime.isa.Insn");
    StringBuilder text = new StringBuilder(head).append("package ").append(PACKAGE).append(";\n\n");
    imports.forEach(i -> text.append("import ").append(i).append(";\n"));
    text.append("\nfinal class ")
        .append(name)
        .append(" {\n  private ")
        .append(name)
        .append("() {}\n\n");
    text.append("  static void run(Cpu c, Insn i, int form) {\n    switch (form & 63) {\n");
    text.append(code);
    text.append(
        """
              default -> throw new IllegalStateException("no such form: " + form);
            }
          }
        }
        """);
    return text.toString();
  }
}
