package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.interpreter.Block;
import dev.troupe.runtime.engine.interpreter.Compiled;
import java.util.ArrayList;
import java.util.List;

/** The code of one block: where it begins, where it can be resumed, and what leads to it. */
final class Translation implements Compiled {
  /** A jump out of a block to what runs next. */
  static final class Site {
    /** The block's code. */
    final Translation from;

    /** Host address of the jump's distance. */
    final long at;

    /** Where it leads while there is no link: a stub that leaves with this word. */
    final long stub;

    final int word;

    /** Whether the flags are in the host's when it is taken, and not in memory. */
    final boolean flagsInHost;

    /** What it has been linked to, or null. */
    Translation to;

    Site(Translation from, long at, long stub, int word, boolean flagsInHost) {
      this.from = from;
      this.at = at;
      this.stub = stub;
      this.word = word;
      this.flagsInHost = flagsInHost;
    }
  }

  final int number;
  final Block block;

  /** Host addresses of the entries, by where the flags are. */
  final long entryWithHostFlags;

  final long entryWithMemoryFlags;

  /** Host address of each instruction, for entry with the flags in both places. */
  final long[] resume;

  /** Which instructions are emitted, a bit each; the others are interpreted. */
  final long emitted;

  /** Index of the instruction before which the budget is charged. */
  final int chargedAt;

  /** To the end, and to the target of a branch; null where there is none. */
  Site next;

  Site taken;

  /** Jumps that have been linked to this code. */
  final List<Site> incoming = new ArrayList<>();

  /** Each instruction by itself, made when it is interpreted. */
  private final Block[] single;

  /** Bytes of code and stubs. */
  final int bytes;

  private final Translator owner;
  private boolean dropped;

  Translation(
      Translator owner,
      int number,
      Block block,
      long entryWithHostFlags,
      long entryWithMemoryFlags,
      long[] resume,
      long emitted,
      int chargedAt,
      int bytes) {
    this.owner = owner;
    this.number = number;
    this.block = block;
    this.entryWithHostFlags = entryWithHostFlags;
    this.entryWithMemoryFlags = entryWithMemoryFlags;
    this.resume = resume;
    this.emitted = emitted;
    this.chargedAt = chargedAt;
    this.bytes = bytes;
    single = new Block[block.count];
  }

  /** One instruction as a block. */
  Block single(int index) {
    if (single[index] == null) {
      single[index] = block.part(index, index + 1);
    }
    return single[index];
  }

  boolean emits(int index) {
    return (emitted >>> index & 1) != 0;
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
