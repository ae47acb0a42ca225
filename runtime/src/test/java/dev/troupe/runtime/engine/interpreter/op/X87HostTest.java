package dev.troupe.runtime.engine.interpreter.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.engine.host.HostStub;
import dev.troupe.runtime.engine.interpreter.Meaning;
import dev.troupe.runtime.isa.Insn;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every row of the x87 table, run by its meaning and by the host's CPU on the same random and edge
 * numbers, stack states, precisions, rounding modes and exception masks; registers, control, status
 * and tag words, flags and memory must be the same.
 */
class X87HostTest {
  private static final int CASES = Integer.getInteger("troupe.x87Cases", 2000);
  private static final long OPERAND = 0x8000;

  private static final List<Class<?>> MEANINGS =
      List.of(
          X87Arithmetic.class,
          X87Compare.class,
          X87Control.class,
          X87Function.class,
          X87Move.class,
          X87Transcendental.class);

  /** One row. */
  record Line(String text, String opcode, String operands, String checks, String meaning) {
    @Override
    public String toString() {
      return text.split("\\|", -1)[1].strip() + " [" + opcode + "]";
    }

    boolean memory() {
      return operands.startsWith("M");
    }
  }

  static Stream<Line> rows() throws IOException {
    List<Line> lines = new ArrayList<>();
    try (InputStream in = Insn.class.getResourceAsStream("x87.table")) {
      for (String text : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        String[] f = text.split("\\|", -1);
        if (text.startsWith("#") || f.length < 7) {
          continue;
        }
        String instruction = f[1].strip();
        String operands =
            instruction.contains(" ") ? instruction.substring(instruction.indexOf(' ') + 1) : "";
        lines.add(new Line(text, f[0].strip(), operands, f[4], f[6].strip()));
      }
    }
    return lines.stream();
  }

  private static final Map<String, Method> METHODS = methods();

  private static Map<String, Method> methods() {
    Map<String, Method> found = new LinkedHashMap<>();
    for (Class<?> c : MEANINGS) {
      for (Method m : c.getDeclaredMethods()) {
        Meaning meaning = m.getAnnotation(Meaning.class);
        if (meaning != null) {
          for (String name : meaning.value()) {
            found.put(name, m);
          }
        }
      }
    }
    return found;
  }

  private static byte[] encode(Line line, int register, boolean narrow) {
    ByteArrayOutputStream o = new ByteArrayOutputStream();
    if (narrow) {
      o.write(0x66);
    }
    int modRm = -1;
    for (String s : line.opcode().split(" ", -1)) {
      if (s.matches("/[0-7]")) {
        modRm = (s.charAt(1) - '0') << 3;
      } else if (s.matches("[0-9A-F]{2}")) {
        o.write(Integer.parseInt(s, 16));
      }
    }
    if (modRm >= 0) {
      o.write(modRm | (line.memory() ? 6 : 0xC0 | register));
    }
    return o.toByteArray();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void meaningAndHostAgree(Line line) throws Throwable {
    assumeTrue(HostStub.available(), "not an x86-64 Linux host");
    Method method = METHODS.get(line.meaning());
    assertThat(method).as("meaning %s", line.meaning()).isNotNull();
    long seed = line.text().hashCode();
    SplittableRandom random = new SplittableRandom(seed);
    int fixed = line.opcode().indexOf("rm=");
    int registers = line.memory() || fixed >= 0 ? 1 : 8;
    boolean environment = line.operands().matches("M(en|st)");
    for (int register = 0; register < registers; register++) {
      int rm = fixed >= 0 ? line.opcode().charAt(fixed + 3) - '0' : register;
      for (int narrow = 0; narrow < (environment ? 2 : 1); narrow++) {
        HostX87 host = new HostX87(encode(line, rm, narrow != 0));
        for (int n = 0; n < CASES / registers; n++) {
          compare(
              line,
              method,
              host,
              random,
              rm,
              narrow != 0,
              "seed " + seed + " rm " + rm + " case " + n);
        }
      }
    }
  }

  private static void compare(
      Line line,
      Method method,
      HostX87 host,
      SplittableRandom random,
      int rm,
      boolean narrow,
      String where)
      throws Throwable {
    Cpu c = VectorCpu.make();
    X87 x = c.x87;
    ExtendedValues values = new ExtendedValues(random);
    x.initialize();
    int masks = random.nextInt(4) == 0 ? random.nextInt(64) : 0x3F;
    x.setControlWord(
        masks
            | (random.nextBoolean() ? 3 : random.nextInt(4)) << 8
            | (random.nextBoolean() ? 0 : random.nextInt(4)) << 10);
    // No flag is set that would be pending.
    x.setStatusWord((random.nextInt(0x10000) & ~0x80FF) | (random.nextInt(64) & masks));
    x.used = random.nextInt(4) != 0 ? 0x7F : random.nextInt(256);
    x.used =
        (Integer.rotateLeft(x.used << 24 | x.used, x.top) & 0xFF)
            | (Integer.rotateLeft(x.used, x.top) >> 8 & 0xFF);
    if (random.nextInt(4) != 0) {
      x.used |= 1 << x.top | 1 << x.physical(1) | 1 << x.physical(rm);
    }
    values.fill(x);
    Rflags.setArithmetic(c, random.nextInt(0x1000) & Rflags.ARITHMETIC);
    long[] memory = new long[HostX87.MEMORY_SIZE / 8];
    fillMemory(line, memory, values, random, c);
    for (int n = 0; n < memory.length; n++) {
      host.quad(HostX87.MEMORY + 8 * n, memory[n]);
      c.mmu.store64(OPERAND + 8L * n, memory[n]);
    }
    host.word(0, x.control);
    host.word(4, x.statusWord());
    host.word(8, x.tagWord());
    for (int n = 12; n < 28; n += 2) {
      host.word(n, 0);
    }
    for (int n = 0; n < 8; n++) {
      host.quad(HostX87.register(HostX87.BEFORE, n), x.significand[x.physical(n)]);
      host.word(HostX87.register(HostX87.BEFORE, n) + 8, x.exponent[x.physical(n)]);
    }
    host.quad(HostX87.FLAGS, Rflags.arithmetic(c) | 0x202);
    int length = line.operands().matches("M(en|st)") ? memory.length : 2;
    String before = describe(c);
    String memoryBefore = describe(memory, length);
    host.run();

    Insn i = new Insn();
    i.rm = line.memory() ? -1 : rm;
    i.memory = line.memory();
    i.base = Cpu.ZERO;
    i.index = Cpu.ZERO;
    i.displacement = OPERAND;
    i.segment = Cpu.DS;
    i.addressing = Operands.PLAIN;
    i.operandSize = narrow ? 16 : 32;
    i.addressSize = 64;
    if (line.operands().equals("AX")) {
      i.rm = 0;
    }
    try {
      method.invoke(null, c, i);
    } catch (InvocationTargetException e) {
      throw new AssertionError(where + " " + line + " " + before, e.getCause());
    }
    for (int n = 0; n < memory.length; n++) {
      memory[n] = c.mmu.load64(OPERAND + 8L * n);
    }
    long[] hostMemory = new long[memory.length];
    for (int n = 0; n < memory.length; n++) {
      hostMemory[n] = host.quad(HostX87.MEMORY + 8 * n);
    }
    if (line.operands().matches("M(en|st)")) {
      // Instruction and data pointers are ours.
      maskPointers(memory, narrow);
      maskPointers(hostMemory, narrow);
    }
    String actual = describe(c) + "\n" + describe(memory, length);
    String expected = describe(host) + "\n" + describe(hostMemory, length);
    if (!actual.equals(expected)) {
      assertThat(actual)
          .as("%s %s before:\n%s\n%s\n", where, line, before, memoryBefore)
          .isEqualTo(expected);
    }
  }

  private static void maskPointers(long[] memory, boolean narrow) {
    if (narrow) {
      memory[0] &= 0x0000_FFFF_FFFF_FFFFL;
      memory[1] &= 0xFFFF_0000_0000_0000L;
    } else {
      memory[1] &= 0x0000_0000_FFFF_FFFFL;
      memory[2] = 0;
      memory[3] &= 0xFFFF_FFFF_0000_0000L;
    }
  }

  private static void fillMemory(
      Line line, long[] memory, ExtendedValues values, SplittableRandom random, Cpu c) {
    for (int n = 0; n < memory.length; n++) {
      memory[n] = random.nextLong();
    }
    switch (line.operands()) {
      case "Mt" -> {
        if (line.meaning().equals("FBLD")) {
          memory[0] = values.decimal();
          memory[1] = (memory[1] & ~0xFFFFL) | (values.decimal() & 0xFF) | random.nextInt(2) << 15;
        } else {
          memory[0] = values.significand();
          memory[1] = (memory[1] & ~0xFFFFL) | values.exponent();
        }
      }
      case "Md" ->
          memory[0] =
              line.meaning().contains("I") ? values.integer() : values.single(c) & 0xFFFF_FFFFL;
      case "Mq" -> memory[0] = line.meaning().contains("I") ? values.integer() : values.doubles(c);
      case "Mw" ->
          memory[0] = line.meaning().equals("FLDCW") ? random.nextInt(0x2000) : values.integer();
      case "Men", "Mst" -> {
        memory[0] &= ~0xFFFF_0000_0000_0000L;
      }
      default -> {}
    }
  }

  private static String describe(Cpu c) {
    X87 x = c.x87;
    StringBuilder s = new StringBuilder();
    s.append(
        String.format(
            "cw=%04x sw=%04x tw=%04x flags=%x",
            x.control, x.statusWord(), x.tagWord(), Rflags.arithmetic(c)));
    for (int n = 0; n < 8; n++) {
      s.append(
          String.format(" %04x_%016x", x.exponent[x.physical(n)], x.significand[x.physical(n)]));
    }
    return s.toString();
  }

  private static String describe(HostX87 h) {
    int a = HostX87.AFTER;
    StringBuilder s = new StringBuilder();
    s.append(
        String.format(
            "cw=%04x sw=%04x tw=%04x flags=%x",
            h.word(a), h.word(a + 4), h.word(a + 8), h.quad(HostX87.FLAGS) & Rflags.ARITHMETIC));
    for (int n = 0; n < 8; n++) {
      int r = HostX87.register(a, n);
      s.append(String.format(" %04x_%016x", h.word(r + 8), h.quad(r)));
    }
    return s.toString();
  }

  private static String describe(long[] memory, int length) {
    StringBuilder s = new StringBuilder();
    for (int n = 0; n < length; n++) {
      s.append(String.format(" %016x", memory[n]));
    }
    return s.toString();
  }
}
