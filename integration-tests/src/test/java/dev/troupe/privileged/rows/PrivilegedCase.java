package dev.troupe.privileged.rows;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * One case: registers, code, and what has to come out of it.
 *
 * <p>What comes out is compared with QEMU, unless the case names QEMU's error; and checked against
 * the manual, where the case says what that demands.
 */
final class PrivilegedCase {
  private final String name;
  private final int ring;
  private final String code;
  private final Map<Integer, Long> registers = new TreeMap<>();
  private String setup = "";
  private long flags = 2;
  private String qemuError = "";
  private Consumer<Result> expectation = r -> {};
  private boolean registersCompared = true;
  private boolean inQemu = true;

  /** Where the code is in the guest; set when the image is made. */
  int address;

  PrivilegedCase(String name, int ring, String code) {
    this.name = name;
    this.ring = ring;
    this.code = code.replace(" ", "");
  }

  String name() {
    return name;
  }

  int ring() {
    return ring;
  }

  String code() {
    return code;
  }

  String setup() {
    return setup;
  }

  long flags() {
    return flags;
  }

  String qemuError() {
    return qemuError;
  }

  boolean registersCompared() {
    return registersCompared;
  }

  /** A register's value at the beginning; those not set have one of their own. */
  long register(int number) {
    return registers.getOrDefault(number, 0x1111_1111_0000_0000L * (number & 7) + 0x100L * number);
  }

  PrivilegedCase with(int number, long value) {
    registers.put(number, value);
    return this;
  }

  /** Code at ring 0 beforehand; may use any register. */
  PrivilegedCase after(String before) {
    setup = before.replace(" ", "");
    return this;
  }

  PrivilegedCase flags(long image) {
    flags = image | 2;
    return this;
  }

  /** QEMU does it wrong, in this way: its result does not count. */
  PrivilegedCase qemuErs(String how) {
    qemuError = how;
    return this;
  }

  /** QEMU takes what it should refuse, and cannot go on then: the case is not run there. */
  PrivilegedCase qemuBreaks(String how) {
    qemuError = how;
    inQemu = false;
    return this;
  }

  boolean inQemu() {
    return inQemu;
  }

  /** What the case reads differs from machine to machine. */
  PrivilegedCase withoutRegisters() {
    registersCompared = false;
    return this;
  }

  PrivilegedCase expect(Consumer<Result> check) {
    expectation = expectation.andThen(check);
    return this;
  }

  /** The vector, and how many bytes of code had been passed. */
  PrivilegedCase expect(int vector, int offset) {
    return expect(
        r -> {
          r.check("vector", r.vector(), vector);
          r.check("offset of the saved RIP", r.rip() - address, offset);
        });
  }

  void check(Result result) {
    expectation.accept(result);
  }
}
