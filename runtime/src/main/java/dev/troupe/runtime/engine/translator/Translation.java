package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.interpreter.Block;
import dev.troupe.runtime.engine.interpreter.Compiled;
import java.util.ArrayList;
import java.util.List;

/** The code of one trace: where it begins, where it can be resumed, and what leads to it. */
final class Translation implements Compiled {
  /** A jump out of a trace to what runs next. */
  static final class Site {
    /** The trace's code. */
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
  final Trace trace;

  /** Host addresses of the entries, by where the flags are. */
  final long entryWithHostFlags;

  final long entryWithMemoryFlags;

  /** In place of an address: the code cannot be resumed there. */
  static final long NOWHERE = 0;

  /** Host address of each instruction, for entry with the flags in both places. */
  final long[] resume;

  /** Index of the instruction before which the first segment is charged. */
  final int chargedAt;

  /** What its slots of {@link LoopPages} are for. */
  final List<LoopPages.Group> groups;

  /** Groups of accesses that have been found not to be worth a slot. */
  final List<LoopPages.Group> unsteady;

  /** A shorter one for the same block, for when the budget does not do for this one; or null. */
  Translation shorter;

  /** The path has been followed as far as it goes. */
  boolean whole;

  /** How often a turn has ended here. */
  int turnEnds;

  /** Jumps out of it that can be linked. */
  private final List<Site> sites = new ArrayList<>();

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
      Trace trace,
      long entryWithHostFlags,
      long entryWithMemoryFlags,
      long[] resume,
      int chargedAt,
      List<LoopPages.Group> groups,
      List<LoopPages.Group> unsteady,
      int bytes) {
    this.owner = owner;
    this.number = number;
    this.trace = trace;
    this.entryWithHostFlags = entryWithHostFlags;
    this.entryWithMemoryFlags = entryWithMemoryFlags;
    this.resume = resume;
    this.chargedAt = chargedAt;
    this.groups = groups;
    this.unsteady = unsteady;
    this.bytes = bytes;
    single = new Block[trace.count];
  }

  void add(Site site) {
    sites.add(site);
  }

  /** The jump that leaves with this word, null if it cannot be linked. */
  Site site(int word) {
    for (Site site : sites) {
      if (site.word == word) {
        return site;
      }
    }
    return null;
  }

  /** The index before which the segment of an instruction is charged. */
  int chargedAt(int index) {
    return trace.segmentStart(index) == 0 ? chargedAt : trace.loop;
  }

  /** One instruction as a block. */
  Block single(int index) {
    if (single[index] == null) {
      int at = trace.inBlock(index);
      single[index] = trace.block(index).part(at, at + 1);
    }
    return single[index];
  }

  boolean emits(int index) {
    return trace.plan(index).kind() != Kind.STEP;
  }

  boolean dropped() {
    return dropped;
  }

  @Override
  public void drop() {
    if (!dropped) {
      dropped = true;
      owner.drop(this);
    }
  }

  /** As all others, when the area is emptied. */
  void forget() {
    dropped = true;
    trace.blocks().forEach(Block::forget);
  }
}
