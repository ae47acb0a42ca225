package dev.troupe.runtime.engine;

import java.util.List;

/**
 * Sees an engine at its work. An interpreter's blocks count as code, of which nothing is emitted.
 * Called on the vCPU's thread; vCPUs that run at once call at once.
 */
public interface CodeTrace {
  /** Something that has been made of guest code; good during the call only. */
  interface Code {
    /** Index of the vCPU that it is for. */
    int vcpu();

    /** Its number there, from 0 in the order of emission; again from 0 after a cache reset. */
    int number();

    /** The guest's instructions, by linear address, in the order in which they run. */
    List<Instruction> guest();

    /** What has been emitted for them, by host address. */
    List<Instruction> hot();

    /** What leaves that code, elsewhere. */
    List<Instruction> stubs();
  }

  /**
   * An instruction, or a byte that is none.
   *
   * @param address of its first byte
   * @param text as {@code objdump -d -M intel} writes it
   */
  record Instruction(long address, byte[] bytes, String text) {}

  /** Guest code has been translated, or decoded by an engine that emits nothing. */
  void translated(Code code);

  /**
   * Code is about to run.
   *
   * @param number {@link Code#number} of what is entered
   * @param guest linear address of the instruction that it begins with
   * @param host where emitted code is entered, 0 if there is none
   * @param left units of the turn that are left
   */
  void entered(int vcpu, int number, long guest, long host, long left);

  /**
   * It has been left; not told if it ended in a signal of the host's.
   *
   * @param number of the code that was left, which others may have jumped to
   * @param left units of the turn that are left
   */
  void left(int vcpu, int number, long left);
}
