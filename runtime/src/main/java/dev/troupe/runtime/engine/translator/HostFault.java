package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.memory.Raw;
import java.util.StringJoiner;

/**
 * What a signal handler has seen of a fault in emitted code.
 *
 * @param signal its number
 * @param code si_code: what kind of it
 * @param address si_addr: what could not be accessed, or the instruction
 * @param registers the host's, by the numbers below
 */
record HostFault(int signal, int code, long address, long[] registers) {
  /** Offsets of what the handler stores, from {@link State#FAULT}. */
  static final int SIGNAL = 0;

  static final int CODE = 4;
  static final int ADDRESS = 8;
  static final int REGISTERS = 16;

  /** In the order of glibc's {@code gregset_t}. */
  private static final String[] NAMES = {
    "r8",
    "r9",
    "r10",
    "r11",
    "r12",
    "r13",
    "r14",
    "r15",
    "rdi",
    "rsi",
    "rbp",
    "rbx",
    "rdx",
    "rax",
    "rcx",
    "rsp",
    "rip",
    "eflags",
    "segments",
    "error",
    "exception",
    "mask",
    "cr2"
  };

  static final int REGISTER_COUNT = NAMES.length;

  private static final int RIP = 16;
  private static final int EXCEPTION = 20;
  private static final int MASK = 21;
  private static final int PER_LINE = 4;

  private static final int BREAKPOINT = 3;

  /** Exception 13 comes without an address. */
  private static final int GENERAL_PROTECTION = 13;

  /** What the handler has stored. */
  static HostFault of(long state) {
    long base = state + State.FAULT;
    long[] registers = new long[REGISTER_COUNT];
    for (int n = 0; n < REGISTER_COUNT; n++) {
      registers[n] = Raw.get64(base + REGISTERS + 8L * n);
    }
    return new HostFault(
        Raw.get32(base + SIGNAL), Raw.get32(base + CODE), Raw.get64(base + ADDRESS), registers);
  }

  /** Host address of the instruction, or where {@link #isTrap} what is behind it. */
  long rip() {
    return registers[RIP];
  }

  /** Whether {@link #rip} is behind the instruction: INT3. */
  boolean isTrap() {
    return registers[EXCEPTION] == BREAKPOINT;
  }

  /** The signal and its address, in a few words. */
  String what() {
    String name =
        switch (signal) {
          case 4 -> "SIGILL";
          case 5 -> "SIGTRAP";
          case 7 -> "SIGBUS";
          case 8 -> "SIGFPE";
          case 11 -> "SIGSEGV";
          default -> "signal " + signal;
        };
    long exception = registers[EXCEPTION];
    String where =
        exception == GENERAL_PROTECTION ? "no address" : "address %#x".formatted(address);
    return "%s (code %d, exception %d, %s)".formatted(name, code, exception, where);
  }

  /** All registers, some a line. */
  String registerText() {
    StringJoiner lines = new StringJoiner("\n  ", "  ", "");
    StringJoiner line = new StringJoiner(" ");
    int shown = 0;
    for (int n = 0; n < REGISTER_COUNT; n++) {
      if (n == MASK) {
        continue;
      }
      line.add("%s=%016x".formatted(NAMES[n], registers[n]));
      if (++shown % PER_LINE == 0) {
        lines.add(line.toString());
        line = new StringJoiner(" ");
      }
    }
    return line.length() == 0 ? lines.toString() : lines.add(line.toString()).toString();
  }
}
