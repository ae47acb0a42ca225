package dev.troupe.runtime.engine.interpreter.op;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.Meaning;

/** Bitwise logic, BMI1 and BMI2's bit-field instructions. */
public final class Logic {
  private Logic() {}

  @Meaning("AND")
  public static long and(Cpu c, long a, long b, int size) {
    Flags.logic(c, a & b, size);
    return a & b;
  }

  @Meaning("OR")
  public static long or(Cpu c, long a, long b, int size) {
    Flags.logic(c, a | b, size);
    return a | b;
  }

  @Meaning("XOR")
  public static long xor(Cpu c, long a, long b, int size) {
    Flags.logic(c, a ^ b, size);
    return a ^ b;
  }

  @Meaning("TEST")
  public static void test(Cpu c, long a, long b, int size) {
    Flags.logic(c, a & b, size);
  }

  @Meaning("NOT")
  public static long not(Cpu c, long a, int size) {
    return ~a;
  }

  /** PDEP: the source's low bits, deposited where the mask has ones. */
  static long deposit(long source, long mask) {
    return Long.expand(source, mask);
  }

  /** PEXT: the source's bits where the mask has ones, packed low. */
  static long extract(long source, long mask) {
    return Long.compress(source, mask);
  }
}
