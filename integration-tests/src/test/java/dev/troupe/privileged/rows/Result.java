package dev.troupe.privileged.rows;

/** What a case left: the handler's frame and the registers. */
record Result(long[] record) {
  /** Index of RFLAGS in the record. */
  static final int FLAGS = 4;

  static final long RF = 0x1_0000;

  static final String[] NAMES = {
    "vector", "error", "rip", "cs", "rflags", "rsp", "ss", "-", "rax", "rcx", "rdx", "rbx", "-",
    "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cr2", "dr6", "cr0",
    "cr4", "cr8", "scratch", "-", "-"
  };

  long vector() {
    return record[0];
  }

  long error() {
    return record[1];
  }

  long rip() {
    return record[2];
  }

  long flags() {
    return record[FLAGS];
  }

  /** General register by number. */
  long register(int number) {
    return record[8 + number];
  }

  long dr6() {
    return record[25];
  }

  long cr0() {
    return record[26];
  }

  long cr4() {
    return record[27];
  }

  /** Complains with the numbers if they differ. */
  void check(String what, long actual, long expected) {
    if (actual != expected) {
      throw new AssertionError("%s is %#x, not %#x".formatted(what, actual, expected));
    }
  }
}
