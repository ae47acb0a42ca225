package dev.troupe.runtime.engine.translator;

/** Operations that set all arithmetic flags, as the emitter writes them (Intel SDM vol. 2). */
enum Arithmetic {
  ADD(0),
  OR(1),
  AND(4),
  SUB(5),
  XOR(6),
  CMP(7),
  TEST(0),
  NEG(3),
  SHL(4),
  SHR(5),
  SAR(7),
  IMUL2(0),
  IMUL3(0);

  /** In ModRM.reg or the opcode. */
  final int digit;

  Arithmetic(int digit) {
    this.digit = digit;
  }

  /** By the name of a meaning; null for any other. */
  static Arithmetic of(String meaning) {
    return switch (meaning) {
      case "ADD" -> ADD;
      case "OR" -> OR;
      case "AND" -> AND;
      case "SUB" -> SUB;
      case "XOR" -> XOR;
      case "CMP" -> CMP;
      case "TEST" -> TEST;
      case "NEG" -> NEG;
      case "SAL", "SHL" -> SHL;
      case "SHR" -> SHR;
      case "SAR" -> SAR;
      case "IMUL2" -> IMUL2;
      case "IMUL3" -> IMUL3;
      default -> null;
    };
  }

  /** Whether carry and overflow are cleared and all else follows from the result. */
  boolean logic() {
    return this == AND || this == OR || this == XOR;
  }

  boolean shift() {
    return this == SHL || this == SHR || this == SAR;
  }

  /** Whether it writes no result. */
  boolean compares() {
    return this == CMP || this == TEST;
  }
}
