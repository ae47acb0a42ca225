package dev.troupe.runtime.engine.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.memory.Raw;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link PortableMath} against {@link HostMath} on an x86 host, as near as its page says. */
class PortableMathTest {
  /** The x87 instructions, and where the manual gives their results (SDM vol. 2A, each one's). */
  enum Instruction {
    F2XM1(HostMath.F2XM1, false),
    FYL2X(HostMath.FYL2X, true),
    FPTAN(HostMath.FPTAN, false),
    FPATAN(HostMath.FPATAN, true),
    FYL2XP1(HostMath.FYL2XP1, true),
    FSINCOS(HostMath.FSINCOS, false),
    FSIN(HostMath.FSIN, false),
    FCOS(HostMath.FCOS, false);

    final int opcode;
    final boolean pair;

    /** C2 is defined for these only. */
    final boolean angle;

    Instruction(int opcode, boolean pair) {
      this.opcode = opcode;
      this.pair = pair;
      angle = opcode == HostMath.FPTAN || opcode >= HostMath.FSINCOS;
    }

    boolean isDefined(Value a) {
      return switch (this) {
        case F2XM1 -> a.isNan() || a.biased() < BIAS || (a.biased() == BIAS && a.s << 1 == 0);
        case FYL2XP1 -> // to 1 - √½, a little less than 0.293
            a.isNan() || a.biased() < BIAS - 2 || (a.biased() == BIAS - 2 && a.s >>> 60 <= 8);
        default -> true;
      };
    }
  }

  /** Sign and exponent, and significand. */
  record Value(int e, long s) {
    int biased() {
      return e & 0x7FFF;
    }

    boolean isNan() {
      return (biased() == 0x7FFF && s << 1 != 0) || (biased() != 0 && s >= 0);
    }
  }

  private static final int BIAS = 0x3FFF;
  private static final int FLAGS_OF_ROUNDING = X87.C1 | X87.PE;

  private static final int[] EXPONENTS = {
    0, 1, 0x3C00, 0x3FBE, 0x3FDD, 0x3FFC, 0x3FFD, 0x3FFE, BIAS, 0x4000, 0x4001, 0x403D, 0x403E,
    0x403F, 0x43FE, 0x43FF, 0x4400, 0x7FFE, 0x7FFF
  };

  private static final long[] SIGNIFICANDS = {
    0,
    1,
    1L << 63,
    (1L << 63) + 1,
    0xC000_0000_0000_0000L,
    0xC90F_DAA2_2168_C235L, // of pi
    0xA000_0000_0000_0000L,
    -1,
    1L << 62,
    Long.MAX_VALUE
  };

  private static final long BLOCK = Arena.global().allocate(HostMath.BLOCK_SIZE, 64).address();

  @BeforeEach
  void host() {
    assumeTrue(HostStub.available(), "not an x86-64 Linux host");
  }

  private static X87 state(int control, int status, int used, Value a, Value b) {
    X87 x = new X87();
    x.initialize();
    x.setControlWord(control);
    x.setStatusWord(status);
    for (int i = 0; i < 8; i++) {
      x.set(i, BIAS + i, 1L << 63 | i);
    }
    x.set(0, a.e, a.s);
    x.set(1, b.e, b.s);
    x.used = used;
    return x;
  }

  private static void compare(
      Instruction op, int control, int status, int used, Value a, Value b, String where) {
    X87 host = state(control, status, used, a, b);
    HostMath.x87(host, op.opcode, BLOCK);
    X87 ours = state(control, status, used, a, b);
    PortableMath.x87(ours, op.opcode);
    int free = FLAGS_OF_ROUNDING | X87.C0 | X87.C3 | (op.angle ? 0 : X87.C2);
    String difference = difference(host, ours, free);
    if (difference != null) {
      assertThat(describe(ours))
          .as("%s %s of %s, %s, control %x: %s", where, op, a, b, control, difference)
          .isEqualTo(describe(host));
    }
  }

  /** What differs beyond what {@link PortableMath} says may; null if nothing. */
  private static String difference(X87 host, X87 ours, int undefined) {
    int free = undefined;
    for (int i = 0; i < 8; i++) {
      Value want = new Value(host.exponent[i], host.significand[i]);
      Value got = new Value(ours.exponent[i], ours.significand[i]);
      if (!isNear(want, got)) {
        return "register " + i;
      }
      if (want.biased() <= 1) {
        free |= X87.UE;
      } else if (want.biased() >= 0x7FFE) {
        free |= X87.OE;
      }
    }
    boolean flags = ((host.status ^ ours.status) & ~free) == 0;
    return flags && host.top == ours.top && host.used == ours.used ? null : "status";
  }

  /** Within 2^-50 of one another. */
  private static boolean isNear(Value a, Value b) {
    if (a.equals(b)) {
      return true;
    }
    if (a.e >>> 15 != b.e >>> 15 || a.isNan() || b.isNan()) {
      return false;
    }
    int distance = Math.max(a.biased(), 1) - Math.max(b.biased(), 1);
    return switch (distance) {
      case 0 -> Math.abs(a.s - b.s) < 1 << 14;
      case 1 -> a.s - (1L << 63) + (-b.s >>> 1) < 1 << 13;
      case -1 -> b.s - (1L << 63) + (-a.s >>> 1) < 1 << 13;
      default -> false;
    };
  }

  private static String describe(X87 x) {
    StringBuilder text =
        new StringBuilder("status %04x used %02x".formatted(x.statusWord(), x.used));
    for (int i = 0; i < 8; i++) {
      text.append(" %04x_%016x".formatted(x.exponent[x.physical(i)], x.significand[x.physical(i)]));
    }
    return text.toString();
  }

  @ParameterizedTest
  @EnumSource
  void edgeOperandsGiveWhatTheHostGives(Instruction op) {
    Value other = new Value(BIAS, 1L << 63);
    for (Value a : edges()) {
      if (op.isDefined(a)) {
        for (Value b : op.pair ? edges() : new Value[] {other}) {
          compare(op, X87.INITIAL_CONTROL, 0, 0x7F, a, b, "edges");
        }
      }
    }
  }

  private static Value[] edges() {
    Value[] all = new Value[2 * EXPONENTS.length * SIGNIFICANDS.length];
    int n = 0;
    for (int e : EXPONENTS) {
      for (long s : SIGNIFICANDS) {
        all[n++] = new Value(e, s);
        all[n++] = new Value(e | 0x8000, s);
      }
    }
    return all;
  }

  @ParameterizedTest
  @EnumSource
  void anyOperandsMasksAndStacksGiveWhatTheHostGives(Instruction op) {
    long seed = 20L + op.opcode;
    SplittableRandom random = new SplittableRandom(seed);
    for (int n = 0; n < 50_000; n++) {
      Value a = any(random);
      Value b = any(random);
      int masks = random.nextInt(4) == 0 ? random.nextInt(64) | X87.OE | X87.UE | X87.PE : 0x3F;
      int control = masks | random.nextInt(16) << 8;
      int status = random.nextInt(8) << 11 | (random.nextInt() & 0x4700);
      int top = status >> 11;
      int used = random.nextInt(4) == 0 ? random.nextInt(256) : 0xFF & ~(1 << (top + 7 & 7));
      if (op.isDefined(a)) {
        compare(op, control, status, used, a, b, "seed " + seed + " case " + n);
      }
    }
  }

  private static Value any(SplittableRandom random) {
    Value[] edges = edges();
    if (random.nextInt(8) == 0) {
      return edges[random.nextInt(edges.length)];
    }
    int e =
        switch (random.nextInt(4)) {
          case 0 -> random.nextInt(0x8000);
          case 1 -> BIAS + random.nextInt(-70, 70);
          default -> BIAS + random.nextInt(-6, 3);
        };
    return new Value(e | random.nextInt(2) << 15, 1L << 63 | random.nextLong());
  }

  @ParameterizedTest
  @ValueSource(ints = {HostMath.RCPPS, HostMath.RSQRTPS})
  void approximationsAreAsNearAsTheArchitectureAsks(int opcode) {
    int[] edges = {
      0,
      1,
      0x007F_FFFF,
      0x0080_0000,
      0x3F80_0000,
      0x7E7F_FFFF,
      0x7E80_0000,
      0x7EFF_FFFF,
      0x7F00_0000,
      0x7F7F_FFFF,
      0x7F80_0000,
      0x7F80_0001,
      0x7FC0_1234
    };
    for (int bits : edges) {
      approximate(opcode, bits, "edge");
      approximate(opcode, bits | 1 << 31, "edge");
    }
    SplittableRandom random = new SplittableRandom(opcode);
    for (int n = 0; n < 200_000; n++) {
      approximate(opcode, random.nextInt(), "seed " + opcode + " case " + n);
    }
  }

  private static void approximate(int opcode, int bits, String where) {
    Raw.put64(BLOCK, bits & 0xFFFF_FFFFL);
    Raw.put64(BLOCK + 8, 0);
    HostMath.packed(opcode, BLOCK);
    float host = Float.intBitsToFloat(Raw.get32(BLOCK));
    float ours = Float.intBitsToFloat(PortableMath.approximation(opcode, bits));
    boolean same = Float.floatToRawIntBits(host) == Float.floatToRawIntBits(ours);
    // A result at the least normal number is one or the other processor's zero.
    boolean least =
        Math.abs(ours) <= Float.MIN_NORMAL * 1.001f && Math.abs(host) <= Float.MIN_NORMAL * 1.001f;
    boolean near = Math.abs((double) host - ours) <= 1.5 * 0x1p-12 * Math.abs((double) ours);
    assertThat(same || least || near)
        .as("%s: opcode %x of %08x: host %s, ours %s", where, opcode, bits, host, ours)
        .isTrue();
  }

  @Test
  void theArcOfInfinitiesAndAxesHasAllBits() {
    Value infinity = new Value(0x7FFF, 1L << 63);
    X87 x = state(X87.INITIAL_CONTROL, 0, 0x7F, infinity, infinity);
    PortableMath.x87(x, HostMath.FPATAN);
    assertThat(new Value(x.exponent[x.top], x.significand[x.top]))
        .isEqualTo(new Value(BIAS - 1, 0xC90F_DAA2_2168_C235L)); // pi / 4
  }
}
