package dev.troupe.actors.vmctl;

/**
 * How {@code vmctl run} ends. Ours are even: a guest that writes v to its debug exit port ends the
 * process with the odd code {@code (2 * v + 1) & 255}, as with QEMU's isa-debug-exit.
 */
final class ExitCode {
  /** The guest powered off, or the user left. */
  static final int OK = 0;

  /** A replay or a journal differs from another. */
  static final int DIFFERENT = 1;

  /** The command line is wrong. */
  static final int USAGE = 2;

  /** An image is missing or bad. */
  static final int BAD_IMAGE = 4;

  /** The guest ended in a triple fault. */
  static final int TRIPLE_FAULT = 6;

  /** We failed. */
  static final int INTERNAL = 8;

  /** {@code --timeout} ran out, as with timeout(1). */
  static final int TIMEOUT = 124;

  private ExitCode() {}
}
