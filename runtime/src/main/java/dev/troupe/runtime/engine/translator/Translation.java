package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.interpreter.Block;
import dev.troupe.runtime.engine.interpreter.Compiled;
import java.util.ArrayList;
import java.util.List;

/** The code of one block: where it begins, where it can be resumed, and what leads to it. */
final class Translation implements Compiled {
  /**
   * A jump out of a block to what runs next.
   *
   * @param from the block's code
   * @param at host address of the jump's distance
   * @param stub where it leads while there is no link
   * @param flagsInHost whether the flags are in the host's when it is taken, and not in memory
   */
  record Site(Translation from, long at, long stub, boolean flagsInHost) {}

  final int number;
  final Block block;

  /** Host addresses of the entries, by where the flags are. */
  final long entryWithHostFlags;

  final long entryWithMemoryFlags;

  /** Host address of each instruction, for entry with the flags in both places. */
  final long[] resume;

  /** Index of the instruction before which the budget is charged. */
  final int chargedAt;

  /** To the end, and to the target of a branch; null where there is none. */
  Site next;

  Site taken;

  /** Jumps that have been linked to this code. */
  final List<Site> incoming = new ArrayList<>();

  private final Translator owner;
  private boolean dropped;

  Translation(
      Translator owner,
      int number,
      Block block,
      long entryWithHostFlags,
      long entryWithMemoryFlags,
      long[] resume,
      int chargedAt) {
    this.owner = owner;
    this.number = number;
    this.block = block;
    this.entryWithHostFlags = entryWithHostFlags;
    this.entryWithMemoryFlags = entryWithMemoryFlags;
    this.resume = resume;
    this.chargedAt = chargedAt;
  }

  boolean dropped() {
    return dropped;
  }

  @Override
  public void drop() {
    dropped = true;
    owner.unlink(this);
  }
}
