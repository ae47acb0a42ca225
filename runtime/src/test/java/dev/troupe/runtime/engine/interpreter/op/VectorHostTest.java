package dev.troupe.runtime.engine.interpreter.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Rflags;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every row of the MMX and SSE tables whose operands are registers, run by its meaning and by the
 * host's CPU on the same random and edge values, rounding and denormal modes; results, MXCSR and
 * flags must be the same.
 */
class VectorHostTest {
  private static final int CASES = Integer.getInteger("troupe.vectorCases", 1000);
  private static final List<String> TABLES = List.of("mmx", "sse", "sse2", "sse4");

  private static final List<Class<?>> MEANINGS =
      List.of(
          MmxLanes.class,
          MmxPack.class,
          SseLanes.class,
          SseOrder.class,
          SsePack.class,
          SseShuffle.class,
          SseWiden.class,
          SseMove.class,
          SseArithmetic.class,
          SseHorizontal.class,
          SseCompare.class,
          SseConvert.class,
          MmxMove.class,
          SseApproximate.class,
          SseStrings.class,
          Aes.class);

  /** One row in one form. */
  record Line(
      String table,
      String text,
      String opcode,
      String operands,
      String flags,
      String meaning,
      boolean wide) {
    @Override
    public String toString() {
      return text.split("\\|", -1)[1].strip() + (wide ? " REX.W" : "") + " [" + opcode + "]";
    }

    /**
     * Half of the result, as far as processors agree on it: they add products in different orders,
     * so that other NaNs meet, and one of them is as good as another.
     */
    long result(long half) {
      return switch (meaning) {
        case "DPPS" ->
            (single((int) half) & 0xFFFF_FFFFL) | (long) single((int) (half >> 32)) << 32;
        case "DPPD" -> Double.doubleToLongBits(Double.longBitsToDouble(half));
        default -> half;
      };
    }

    private static int single(int bits) {
      return Float.floatToIntBits(Float.intBitsToFloat(bits));
    }
  }

  static Stream<Line> rows() throws IOException {
    List<Line> lines = new ArrayList<>();
    for (String table : TABLES) {
      try (InputStream in = Insn.class.getResourceAsStream(table + ".table")) {
        for (String text : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
          String[] f = text.split("\\|", -1);
          if (text.startsWith("#") || f.length < 7) {
            continue;
          }
          String opcode = f[0].strip();
          String instruction = f[1].strip();
          String operands =
              instruction.contains(" ") ? instruction.substring(instruction.indexOf(' ') + 1) : "";
          boolean memoryOnly =
              opcode.endsWith(" m") || operands.isEmpty() || operands.contains("M");
          if (memoryOnly || opcode.contains("F7 /r r")) {
            continue;
          }
          boolean general = operands.matches(".*[EGR]y.*");
          lines.add(new Line(table, text, opcode, operands, f[5].strip(), f[6].strip(), false));
          if (general) {
            lines.add(new Line(table, text, opcode, operands, f[5].strip(), f[6].strip(), true));
          }
        }
      }
    }
    return lines.stream();
  }

  static final Map<String, Method> METHODS = methods();

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

  private static byte[] encode(Line line, int immediate) {
    ByteArrayOutputStream o = new ByteArrayOutputStream();
    int digit = -1;
    boolean rexDone = false;
    for (String s : line.opcode().split(" ", -1)) {
      if (s.matches("/[0-7]")) {
        digit = s.charAt(1) - '0';
      } else if (s.matches("[0-9A-F]{2}")) {
        if (line.wide() && !rexDone && s.equals("0F")) {
          o.write(0x48);
          rexDone = true;
        }
        o.write(Integer.parseInt(s, 16));
      }
    }
    o.write(0xC0 | (digit >= 0 ? digit << 3 : 0) | 1);
    if (line.operands().contains("Ib")) {
      o.write(immediate);
    }
    return o.toByteArray();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void meaningAndHostAgree(Line line) throws Throwable {
    assumeTrue(HostStub.available(), "not an x86-64 Linux host");
    Method method = METHODS.get(line.meaning());
    assertThat(method).as("meaning %s", line.meaning()).isNotNull();
    boolean immediates = line.operands().contains("Ib");
    HostTraps.install();
    long seed = line.text().hashCode();
    SplittableRandom random = new SplittableRandom(seed);
    int rounds = immediates ? 64 : 1;
    for (int round = 0; round < rounds; round++) {
      int immediate = random.nextInt(4) == 0 ? random.nextInt(256) : random.nextInt(32);
      HostVector host = new HostVector(encode(line, immediate), touchesMmx(line));
      for (int n = 0; n < CASES / rounds + 8; n++) {
        compare(
            line,
            method,
            host,
            random,
            immediate,
            "seed " + seed + " round " + round + " case " + n);
      }
    }
  }

  private static boolean touchesMmx(Line line) {
    return line.operands().matches(".*[PNQ][qd].*");
  }

  private static void compare(
      Line line,
      Method method,
      HostVector host,
      SplittableRandom random,
      int immediate,
      String where)
      throws Throwable {
    Cpu c = VectorCpu.make();
    Values values = new Values(random);
    for (int half = 0; half < 6; half++) {
      c.xmm[half] = values.quadword();
    }
    if (random.nextInt(16) == 0) {
      c.xmm[2] = c.xmm[0];
      c.xmm[3] = c.xmm[1];
    }
    if (line.operands().matches("[PVUN][a-z]+,.*") && line.meaning().matches("PS[LR].*")) {
      if (random.nextInt(4) != 0) {
        c.xmm[2] = random.nextInt(80);
      }
    }
    c.x87.initialize();
    c.x87.significand[0] = values.quadword();
    c.x87.significand[1] =
        line.meaning().matches("PS[LR].*") && random.nextBoolean()
            ? random.nextInt(80)
            : values.quadword();
    for (int r = 0; r < 3; r++) {
      c.gpr[r] = random.nextInt(4) == 0 ? random.nextInt(-20, 20) : values.quadword();
    }
    c.mxcsr = 0x1F80 | (random.nextBoolean() ? 0 : random.nextInt(4) << 13) | random.nextInt(64);
    if (random.nextInt(4) == 0) {
      c.mxcsr |= random.nextInt(2) << 15 | random.nextInt(2) << 6;
    }
    if (random.nextBoolean()) {
      c.mxcsr &= ~0x3F;
    }
    if (random.nextInt(8) == 0) {
      c.mxcsr &= ~(random.nextInt(64) << 7);
    }
    host.set(HostVector.XMM0, c.xmm[0]);
    host.set(HostVector.XMM0 + 8, c.xmm[1]);
    host.set(HostVector.XMM1, c.xmm[2]);
    host.set(HostVector.XMM1 + 8, c.xmm[3]);
    host.set(HostVector.XMM2, c.xmm[4]);
    host.set(HostVector.XMM2 + 8, c.xmm[5]);
    host.set(HostVector.MM0, c.x87.significand[0]);
    host.set(HostVector.MM1, c.x87.significand[1]);
    host.set(HostVector.RAX, c.gpr[0]);
    host.set(HostVector.RCX, c.gpr[1]);
    host.set(HostVector.RDX, c.gpr[2]);
    host.mxcsr(c.mxcsr);
    String before = describe(c);
    host.run();
    boolean trapped = false;

    Insn i = new Insn();
    i.reg = 0;
    i.rm = 1;
    i.immediate = immediate;
    i.rex = line.wide() ? 0x48 : 0;
    i.operandSize = line.wide() ? 64 : 32;
    i.addressSize = 64;
    try {
      if (method.getParameterCount() == 2) {
        method.invoke(null, c, i);
      } else {
        // A row whose first operand is in ModRM.rm: MOVDQA Wdq,Vdq and such.
        boolean reversed = line.operands().matches("[WUQE].*,[VP].*");
        int to = reversed ? 1 : 0;
        int from = reversed ? 0 : 1;
        if (method.getParameterCount() == 3) {
          method.invoke(null, c, to, from);
        } else {
          method.invoke(null, c, to, from, immediate);
        }
      }
    } catch (InvocationTargetException e) {
      trapped = true;
      if (!(e.getCause() instanceof Fault fault && fault.vector == Fault.XM)) {
        throw new AssertionError(where + " " + line + " " + before, e.getCause());
      }
    }
    String expected =
        describe(
            line.result(host.get(HostVector.XMM0)),
            line.result(host.get(HostVector.XMM0 + 8)),
            host.get(HostVector.XMM1),
            host.get(HostVector.XMM1 + 8),
            host.get(HostVector.MM0),
            host.get(HostVector.MM1),
            host.get(HostVector.RAX),
            host.get(HostVector.RCX),
            host.mxcsr());
    boolean flags = line.flags().startsWith(">") && !trapped;
    if (flags) {
      expected += " flags=" + Long.toHexString(host.get(HostVector.FLAGS) & Rflags.ARITHMETIC);
    }
    c.xmm[0] = line.result(c.xmm[0]);
    c.xmm[1] = line.result(c.xmm[1]);
    String actual = describe(c) + (flags ? " flags=" + Long.toHexString(Rflags.arithmetic(c)) : "");
    assertThat(actual)
        .as("%s %s imm=%x before: %s", where, line, immediate, before)
        .isEqualTo(expected);
  }

  private static String describe(Cpu c) {
    return describe(
        c.xmm[0],
        c.xmm[1],
        c.xmm[2],
        c.xmm[3],
        c.x87.significand[0],
        c.x87.significand[1],
        c.gpr[0],
        c.gpr[1],
        c.mxcsr);
  }

  private static String describe(
      long a, long b, long x, long y, long m, long n, long rax, long rcx, int mxcsr) {
    return "xmm0="
        + hex(b)
        + "_"
        + hex(a)
        + " xmm1="
        + hex(y)
        + "_"
        + hex(x)
        + " mm0="
        + hex(m)
        + " mm1="
        + hex(n)
        + " rax="
        + hex(rax)
        + " rcx="
        + hex(rcx)
        + " mxcsr="
        + Integer.toHexString(mxcsr);
  }

  private static String hex(long v) {
    return String.format("%016x", v);
  }

  @Test
  void everyMeaningIsARow() throws IOException {
    List<String> named = rows().map(Line::meaning).toList();
    assertThat(named).isNotEmpty();
  }
}
