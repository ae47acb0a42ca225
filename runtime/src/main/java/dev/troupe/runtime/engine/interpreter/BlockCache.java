package dev.troupe.runtime.engine.interpreter;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.isa.DecodeTable;
import dev.troupe.runtime.memory.CodeListener;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Turns;
import java.util.Arrays;

/**
 * One vCPU's decoded blocks. In front, a direct-mapped cache by linear address, validated by
 * comparing, so that it is never flushed: an entry counts if its mode, offset and the page that the
 * execute TLB gives now are those it was decoded for. Behind it, a table by host address, and lists
 * by host page, which self-modifying code is looked up in.
 */
public final class BlockCache implements CodeListener {
  /**
   * Entries of the cache by linear address: 512 KiB of references; a Linux boot has some 100,000
   * blocks.
   */
  private static final int JUMPS = 1 << 16;

  /** Buckets of the table by host address: a Linux boot has one or two blocks in each. */
  private static final int BUCKETS = 1 << 16;

  /**
   * Blocks, at about 1 KiB each, after which all are dropped: a bound on memory, not met by a Linux
   * boot.
   */
  private static final int MAX_BLOCKS = 1 << 18;

  /**
   * Writes beside the code of a page, after which its code is dropped, so that the writes become
   * fast.
   */
  private static final int MAX_STRAY_WRITES = 256;

  /** Parts of the mode word that no decoded block depends on. */
  static final int KEY = ~(Mode.SLOW | Mode.AC | Mode.ALIGNMENT_CHECK);

  private static final long PAGE_MASK = -GuestMemory.PAGE_SIZE;

  /** Of the number of a page's 64th in an address. */
  private static final int PART_SHIFT = 6;

  /** Changed code that another thread has told of: pages, until the vCPU takes them. */
  private long[] foreign = new long[16];

  private int foreignCount;
  private volatile boolean foreignWaiting;

  private final Cpu cpu;

  /** Says whether the calling thread runs the vCPU now, and so may change the cache. */
  private final Turns.Turn turn;

  /** This cache's number among the holders of code of its memory. */
  private final int holder;

  private final BlockBuilder builder;
  private final Block[] jumps = new Block[JUMPS];
  private final Block[] buckets = new Block[BUCKETS];

  // Open addressing by host page: the page, its blocks, its stray writes.
  private long[] pages = new long[1 << 12];
  private Block[] heads = new Block[1 << 12];
  private int[] strays = new int[1 << 12];

  /** Which 64ths of a page its blocks may be in, a bit each. */
  private long[] covered = new long[1 << 12];

  private int pageCount;
  private int blockCount;
  private long codeWrites;

  BlockCache(Cpu cpu, Turns.Turn turn, DecodeTable table) {
    this.cpu = cpu;
    this.turn = turn;
    builder = new BlockBuilder(cpu, table, this::mark);
    Arrays.fill(jumps, Block.NONE);
    holder = cpu.memory.addCodeListener(this);
  }

  /** True if code was changed by another thread: {@link #takeForeign} before the next block. */
  public boolean foreignWaiting() {
    return foreignWaiting;
  }

  /**
   * The block at {@code cpu.rip}, in the current mode; faults as the fetch of its first instruction
   * does.
   */
  public Block find() {
    long rip = cpu.rip;
    int mode = cpu.mode;
    long linear = (mode & Mode.CODE_64) != 0 ? rip : inSegment(rip);
    long host = cpu.mmu.fetchHost(linear);
    Block block = jumps[slot(linear)];
    if (block.linear == linear
        && block.host == host
        && block.rip == rip
        && block.mode == (mode & KEY)
        && (block.secondHost == 0 || secondMatches(block))
        && (mode & (Mode.CODE_64 | Mode.FLAT_CODE)) != 0) {
      return block;
    }
    return findByHost(rip, linear, host, mode & KEY);
  }

  /**
   * The block at {@code rip} in the page of another one, if it has been decoded for the same mode;
   * else null. Asks and changes nothing that the guest could see.
   */
  public Block beside(Block block, long rip) {
    long distance = rip - block.rip;
    long host = block.host + distance;
    if (block.host == GuestMemory.NO_RAM || (host ^ block.host) >>> 12 != 0) {
      return null;
    }
    for (Block b = buckets[bucket(host)]; b != null; b = b.nextInBucket) {
      if (b.host == host
          && b.linear == block.linear + distance
          && b.mode == block.mode
          && b.follows(block)) {
        return b;
      }
    }
    return null;
  }

  /** The limit is looked at before the page is. */
  private long inSegment(long offset) {
    if (offset > cpu.segmentLimit[Cpu.CS]) {
      throw cpu.fault(Fault.GP, 0);
    }
    return offset + cpu.segmentBase[Cpu.CS] & 0xFFFF_FFFFL;
  }

  private static int slot(long linear) {
    return (int) (linear ^ linear >>> 16) & (JUMPS - 1);
  }

  private boolean secondMatches(Block block) {
    long page = (block.linear & PAGE_MASK) + GuestMemory.PAGE_SIZE;
    long linear = (cpu.mode & Mode.CODE_64) != 0 ? page : page & 0xFFFF_FFFFL;
    return cpu.mmu.fetchBeside(linear) == block.secondHost;
  }

  private Block findByHost(long rip, long linear, long host, int key) {
    if (host == GuestMemory.NO_RAM) {
      return builder.build(linear, host);
    }
    boolean limited = (key & (Mode.CODE_64 | Mode.FLAT_CODE)) == 0;
    for (Block block = buckets[bucket(host)]; block != null; block = block.nextInBucket) {
      if (block.host == host
          && block.linear == linear
          && block.rip == rip
          && block.mode == key
          && (block.secondHost == 0 || secondMatches(block))
          && !(limited && outside(block))) {
        jumps[slot(linear)] = block;
        return block;
      }
    }
    return make(linear, host, host & PAGE_MASK);
  }

  /**
   * True if the code segment's limit, which is not in the mode word, no longer covers the block.
   */
  private boolean outside(Block block) {
    return block.rip + block.length - 1 > cpu.segmentLimit[Cpu.CS];
  }

  private Block make(long linear, long host, long page) {
    mark(host);
    Block block = builder.build(linear, host);
    if (blockCount == MAX_BLOCKS) {
      clear();
    }
    int at = index(page);
    if (heads[at] == null && pages[at] == 0) {
      if (pageCount * 2 >= pages.length) {
        grow();
        at = index(page);
      }
      pages[at] = page;
      pageCount++;
    }
    list(at, block);
    int bucket = bucket(host);
    block.nextInBucket = buckets[bucket];
    buckets[bucket] = block;
    if (block.secondHost > 0) {
      addSecond(block);
    }
    blockCount++;
    jumps[slot(linear)] = block;
    return block;
  }

  /** Before bytes of a page are read: from here on each write to it is told of. */
  private void mark(long host) {
    if (cpu.memory.markCode(host, holder)) {
      turn.awaitOthers();
      cpu.memory.codeSettled(host);
    }
  }

  /** A block that ends in another page is listed there too, by a stand-in that invalidates it. */
  private void addSecond(Block block) {
    long page = block.secondHost & PAGE_MASK;
    int at = index(page);
    if (pages[at] == 0) {
      if (pageCount * 2 >= pages.length) {
        grow();
        at = index(page);
      }
      pages[at] = page;
      pageCount++;
    }
    Block tail = Block.tail(block, page);
    list(at, tail);
    blockCount++;
  }

  private void list(int at, Block block) {
    block.nextInPage = heads[at];
    heads[at] = block;
    covered[at] |= parts(block.host, block.length);
  }

  /** The 64ths of a page that bytes of it are in, a bit each; what is behind the page has none. */
  private static long parts(long from, int length) {
    int start = (int) (from & ~PAGE_MASK);
    int last = Math.min(start + Math.max(length, 1), GuestMemory.PAGE_SIZE) - 1;
    return (-1L << (start >>> PART_SHIFT)) & (-1L >>> (63 - (last >>> PART_SHIFT)));
  }

  private int index(long page) {
    int mask = pages.length - 1;
    int at = ((int) (page >>> 12) * 0x9E37_79B1) >>> 8 & mask;
    while (pages[at] != 0 && pages[at] != page) {
      at = at + 1 & mask;
    }
    return at;
  }

  private void grow() {
    long[] oldPages = pages;
    Block[] oldHeads = heads;
    int[] oldStrays = strays;
    long[] oldCovered = covered;
    pages = new long[oldPages.length * 2];
    heads = new Block[pages.length];
    strays = new int[pages.length];
    covered = new long[pages.length];
    for (int k = 0; k < oldPages.length; k++) {
      if (oldPages[k] != 0) {
        int at = index(oldPages[k]);
        pages[at] = oldPages[k];
        heads[at] = oldHeads[k];
        strays[at] = oldStrays[k];
        covered[at] = oldCovered[k];
      }
    }
  }

  /** Drops all blocks. Their pages stay marked as code until they are written. */
  private void clear() {
    for (Block head : heads) {
      for (Block block = head; block != null; block = block.nextInPage) {
        block.invalidate();
      }
    }
    Arrays.fill(jumps, Block.NONE);
    Arrays.fill(buckets, null);
    Arrays.fill(heads, null);
    Arrays.fill(strays, 0);
    Arrays.fill(covered, 0);
    Arrays.fill(pages, 0);
    pageCount = 0;
    blockCount = 0;
  }

  @Override
  public boolean codeWritten(long host, int length) {
    if (turn.mine()) {
      return invalidate(host, length);
    }
    synchronized (this) {
      if (foreignCount == foreign.length) {
        foreign = Arrays.copyOf(foreign, foreignCount * 2);
      }
      long page = host & PAGE_MASK;
      if (foreignCount == 0 || foreign[foreignCount - 1] != page) {
        foreign[foreignCount++] = page;
      }
      foreignWaiting = true;
    }
    // At rest it looks by itself when its next turn begins.
    if (turn.running()) {
      cpu.attend();
    }
    return false;
  }

  /** Drops the blocks of all pages that other threads have written to. On the owner's thread. */
  synchronized void takeForeign() {
    for (int k = 0; k < foreignCount; k++) {
      if (invalidate(foreign[k], GuestMemory.PAGE_SIZE)) {
        cpu.memory.codeGone(foreign[k], holder);
      }
    }
    foreignCount = 0;
    foreignWaiting = false;
  }

  /** How often a page with blocks has been written to, as far as the owner knows. */
  public long codeWrites() {
    return codeWrites;
  }

  private static int bucket(long host) {
    return (int) (host ^ host >>> 16) & (BUCKETS - 1);
  }

  /** Takes a block out of the table by host address; a stand-in is not in it. */
  private void unlink(Block gone) {
    int bucket = bucket(gone.host);
    Block before = null;
    for (Block block = buckets[bucket]; block != null; block = block.nextInBucket) {
      if (block == gone) {
        if (before == null) {
          buckets[bucket] = block.nextInBucket;
        } else {
          before.nextInBucket = block.nextInBucket;
        }
        return;
      }
      before = block;
    }
  }

  /** Drops the blocks that overlap these bytes of one page; true if the page has none any more. */
  private boolean invalidate(long from, int length) {
    int at = index(from & PAGE_MASK);
    if (heads[at] == null) {
      return true;
    }
    codeWrites++;
    boolean all = ++strays[at] > MAX_STRAY_WRITES;
    if (!all && (covered[at] & parts(from, length)) == 0) {
      return false;
    }
    covered[at] = 0;
    Block kept = null;
    Block next;
    for (Block block = heads[at]; block != null; block = next) {
      next = block.nextInPage;
      if (all || block.overlaps(from, from + length)) {
        block.invalidate();
        unlink(block);
        blockCount--;
        strays[at] = 0;
      } else {
        block.nextInPage = kept;
        kept = block;
        covered[at] |= parts(block.host, block.length);
      }
    }
    heads[at] = kept;
    return kept == null;
  }
}
