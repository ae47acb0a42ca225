package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.interpreter.Block;
import dev.troupe.runtime.engine.interpreter.Compiled;
import dev.troupe.runtime.isa.Disassembler;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
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

  /** In place of an index: no instruction is on x87 registers. */
  static final int NO_X87 = Integer.MAX_VALUE;

  /** Index behind the first instruction on x87 registers. */
  private final int x87From;

  /** What its slots of {@link LoopPages} are for. */
  final List<LoopPages.Group> groups;

  /** Groups of accesses that have been found not to be worth a slot. */
  final List<LoopPages.Group> unsteady;

  /** A shorter one for the same block, for when the budget does not do for this one; or null. */
  Translation shorter;

  /** The path has been followed as far as it goes. */
  boolean whole;

  /** How often a stay in emitted code has ended here for want of budget. */
  int samples;

  /** Jumps out of it that can be linked. */
  private final List<Site> sites = new ArrayList<>();

  /** Jumps that have been linked to this code. */
  final List<Site> incoming = new ArrayList<>();

  /** Each instruction by itself, made when it is interpreted. */
  private final Block[] single;

  /** Bytes of code, which begins at {@link #start}. */
  final int codeBytes;

  /** Host address of its stubs. */
  final long stubs;

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
      int x87From,
      List<LoopPages.Group> groups,
      List<LoopPages.Group> unsteady,
      int codeBytes,
      long stubs,
      int bytes) {
    this.owner = owner;
    this.number = number;
    this.trace = trace;
    this.entryWithHostFlags = entryWithHostFlags;
    this.entryWithMemoryFlags = entryWithMemoryFlags;
    this.resume = resume;
    this.chargedAt = chargedAt;
    this.x87From = x87From;
    this.groups = groups;
    this.unsteady = unsteady;
    this.codeBytes = codeBytes;
    this.stubs = stubs;
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

  boolean usesX87() {
    return x87From != NO_X87;
  }

  /** Whether code resumed at an instruction takes the host to have the guest's x87 registers. */
  boolean x87Loaded(int index) {
    return index >= x87From;
  }

  /** One instruction as a block. */
  Block single(int index) {
    if (single[index] == null) {
      int at = trace.inBlock(index);
      single[index] = trace.block(index).part(at, at + 1);
    }
    return single[index];
  }

  /** Host address of its first byte. */
  long start() {
    return Math.min(entryWithHostFlags, entryWithMemoryFlags);
  }

  /** Linear address of an instruction. */
  long linear(int index) {
    Block block = trace.head();
    return block.linear + (trace.insn(index).rip - block.insns[0].rip);
  }

  /** Its bytes in guest memory now; none if that is no RAM. */
  byte[] guestBytes(int index) {
    Block block = trace.head();
    return block.host == GuestMemory.NO_RAM
        ? new byte[0]
        : bytes(
            block.host + (trace.insn(index).rip - block.insns[0].rip), trace.insn(index).length);
  }

  /** It as text. */
  String guestText(int index) {
    Insn insn = trace.insn(index);
    return insn.row == null ? "(no instruction)" : Disassembler.text(insn, linear(index));
  }

  /** Bytes at a host address. */
  static byte[] bytes(long from, int count) {
    byte[] bytes = new byte[count];
    for (int n = 0; n < count; n++) {
      bytes[n] = Raw.get8(from + n);
    }
    return bytes;
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
