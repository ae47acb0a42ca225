package dev.troupe.runtime.engine.interpreter;

import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.GuestMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Instructions that run one after another: decoded from one page (the last one may end in the next
 * page if it stands alone), for one mode word and one offset in CS.
 */
public final class Block {
  /**
   * In {@link #rip} of a block that was invalidated, and of {@link #NONE}: no instruction pointer,
   * as it is not canonical.
   */
  private static final long NOWHERE = 0x4000_0000_0000_0000L;

  /** Most instructions of a block; longer runs are rare and gain nothing. */
  public static final int MAX_COUNT = 48;

  /** {@link Insn#form} of an instruction that faults whatever its operands are. */
  public static final int RAISE = Forms.RAISE;

  private static final Insn[] EMPTY = {};

  /** Matches nothing: in place of a successor or cache entry. */
  static final Block NONE = new Block(NOWHERE, 0, 0, 0, EMPTY, 0);

  /** Offset in CS of the first instruction. */
  public long rip;

  /** Linear address of the first instruction. */
  public final long linear;

  /** Host address of the first byte. */
  public final long host;

  public final int mode;

  /** Offset in CS of what follows the last instruction. */
  public final long end;

  public final int count;

  /** What runs: {@link #insns}, or after {@link #poison} resynchronization in their place. */
  final Insn[] ops;

  /** The instructions as decoded. */
  public final Insn[] insns;

  /** Bytes of all instructions. */
  final int length;

  /** True if a successor in the same page may be remembered: no mode or mapping changes here. */
  boolean links;

  /** Host address of the second page, 0 if there is none. */
  public long secondHost;

  /** What ran after this block, in the same page: two of them, for a conditional branch. */
  Block first;

  Block second;

  /** How often it has been run before it was compiled. */
  public int heat;

  /** What a faster engine has made of it, or null. */
  public Compiled compiled;

  /** What it has made of this block as a part of others. */
  private List<Compiled> users = List.of();

  /** Of a {@link #tail}: the block that it stands for. */
  private Block whole;

  /** The next block of the same bucket of the table by host address. */
  Block nextInBucket;

  /** The next block of the same page. */
  Block nextInPage;

  Block(long rip, long linear, long host, int mode, Insn[] insns, int length) {
    this.rip = rip;
    this.linear = linear;
    this.host = host;
    this.mode = mode;
    this.insns = insns;
    this.length = length;
    ops = insns.clone();
    count = insns.length;
    end = count == 0 ? 0 : insns[count - 1].nextRip;
    first = NONE;
    second = NONE;
  }

  /** What lists, in its second page, a block that has one. */
  static Block tail(Block whole, long page) {
    int here = (int) (GuestMemory.PAGE_SIZE - (whole.host & (GuestMemory.PAGE_SIZE - 1)));
    Block tail = new Block(NOWHERE, 0, page, 0, EMPTY, whole.insns[0].length - here);
    tail.whole = whole;
    return tail;
  }

  /** A part of the block, for itself: in no cache, followed by nothing. */
  public Block part(int from, int to) {
    Insn[] own = Arrays.copyOfRange(insns, from, to);
    long distance = own[0].rip - insns[0].rip;
    return new Block(own[0].rip, linear + distance, host + distance, mode, own, 0);
  }

  /**
   * True if this block may be remembered as what follows {@code other} without asking the TLB
   * again.
   */
  public boolean follows(Block other) {
    return secondHost == 0
        && rip != NOWHERE
        && host != GuestMemory.NO_RAM
        && (host ^ other.host) >>> 12 == 0
        && (linear ^ other.linear) >>> 12 == 0;
  }

  /** True if the block was decoded from any of these bytes of a page. */
  boolean overlaps(long from, long to) {
    return host < to && from < host + length;
  }

  /**
   * The code has changed: nobody finds the block any more, and if it runs it stops before the next
   * instruction.
   */
  void invalidate() {
    rip = NOWHERE;
    poison();
    compiled = null;
    for (Compiled user : users) {
      user.drop();
    }
    users = List.of();
    if (whole != null) {
      whole.invalidate();
    }
  }

  /** Something has been made of this block: it is dropped when the block is no longer good. */
  public void usedBy(Compiled user) {
    List<Compiled> longer = new ArrayList<>(users);
    longer.add(user);
    users = longer;
  }

  /** Forgets what has been made of it, which has been dropped. */
  public void forget() {
    compiled = null;
    users = List.of();
    heat = 0;
  }

  /** If this block runs, it stops before the next instruction. */
  void poison() {
    for (int k = 0; k < count; k++) {
      ops[k] = BlockBuilder.RESYNC;
    }
  }

  /** Undoes {@link #poison}. */
  void restore() {
    System.arraycopy(insns, 0, ops, 0, count);
  }
}
