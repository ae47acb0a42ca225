package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.interpreter.Block;
import dev.troupe.runtime.isa.Insn;
import java.util.List;

/**
 * What is translated at once: the instructions along a path of blocks of one page, which may end by
 * going back into itself. The budget is charged for a whole segment: what comes before the loop, or
 * one turn of the loop.
 */
final class Trace {
  /** How a block goes on to the next one of the path. */
  enum Way {
    /** To what follows in memory. */
    NEXT,
    /** To the target of its branch or call. */
    TAKEN,
    /** To where a call of the path has come from, if that is still on the guest's stack. */
    RETURN
  }

  /** Instructions of a trace, at most. */
  static final int MAX_COUNT = 3 * Block.MAX_COUNT;

  private final List<Block> blocks;

  /** From each block to the next; the last one's, if there is a loop, leads to its head. */
  private final List<Way> ways;

  private final Plan[] plans;
  private final int[] blockOf;
  private final int[] starts;

  /** Index of the loop's first instruction, -1 if there is none. */
  final int loop;

  /** Instructions. */
  final int count;

  /**
   * A path.
   *
   * @param loop index of the block that the last one goes on to, -1 for none
   */
  Trace(List<Block> blocks, List<Way> ways, int loop, Plan[] plans) {
    this.blocks = List.copyOf(blocks);
    this.ways = List.copyOf(ways);
    this.plans = plans;
    count = plans.length;
    blockOf = new int[count];
    starts = new int[blocks.size()];
    int at = 0;
    for (int b = 0; b < blocks.size(); b++) {
      starts[b] = at;
      for (int k = 0; k < blocks.get(b).count; k++) {
        blockOf[at++] = b;
      }
    }
    this.loop = loop < 0 ? -1 : starts[loop];
  }

  /** The block that it begins with. */
  Block head() {
    return blocks.getFirst();
  }

  List<Block> blocks() {
    return blocks;
  }

  Plan plan(int index) {
    return plans[index];
  }

  Insn insn(int index) {
    return plans[index].insn();
  }

  /** The block that an instruction belongs to. */
  Block block(int index) {
    return blocks.get(blockOf[index]);
  }

  /** The instruction's index in its block. */
  int inBlock(int index) {
    return index - starts[blockOf[index]];
  }

  /** Whether a block ends with this instruction. */
  boolean endsBlock(int index) {
    return index == count - 1 || blockOf[index + 1] != blockOf[index];
  }

  /** How the path goes on after the block that ends with this instruction; null if it does not. */
  Way way(int index) {
    int b = blockOf[index];
    return b < ways.size() ? ways.get(b) : null;
  }

  /** Whether the path goes on after this instruction, in a line or by the loop. */
  boolean goesOn(int index) {
    return index < count - 1 || loop >= 0;
  }

  /** The instruction that the path has after this one, if it {@link #goesOn}. */
  int after(int index) {
    return index < count - 1 ? index + 1 : loop;
  }

  /** Index of the first instruction of the segment that an instruction is in. */
  int segmentStart(int index) {
    return loop >= 0 && index >= loop ? loop : 0;
  }

  /** Index behind the last one of the segment. */
  int segmentEnd(int index) {
    return loop > 0 && index < loop ? loop : count;
  }
}
