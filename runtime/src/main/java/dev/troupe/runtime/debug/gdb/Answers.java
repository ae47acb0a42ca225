package dev.troupe.runtime.debug.gdb;

/** Answers that say nothing but how it went. */
final class Answers {
  static final String OK = "OK";

  /** What the manual wants for all that a stub does not know. */
  static final String UNKNOWN = "";

  // Errors have no meaning but to people; these are Linux's numbers.
  static final String NOT_PERMITTED = "E01";
  static final String BAD_ADDRESS = "E0e";
  static final String BUSY = "E10";
  static final String NO_DEVICE = "E13";
  static final String INVALID = "E16";

  private Answers() {}
}
