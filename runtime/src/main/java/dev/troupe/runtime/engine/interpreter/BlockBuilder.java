package dev.troupe.runtime.engine.interpreter;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.engine.interpreter.Meaning.Flow;
import dev.troupe.runtime.engine.interpreter.op.Operands;
import dev.troupe.runtime.isa.DecodeTable;
import dev.troupe.runtime.isa.Decoder;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.Row;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import java.util.function.LongConsumer;

/** Decodes blocks, and decides what their mode decides: addressing, privilege, #UD and #NM. */
final class BlockBuilder {
  /** Stands in every place of a block that must not go on. */
  static final Insn RESYNC = new Insn();

  static {
    RESYNC.form = Forms.RESYNC;
  }

  /** The instruction in hand needs bytes past the page or segment, but others stand before it. */
  private static final class EndHere extends RuntimeException {
    private static final long serialVersionUID = 1L;

    EndHere() {
      super(null, null, false, false);
    }
  }

  private static final EndHere END_HERE = new EndHere();
  private static final int PAGE = GuestMemory.PAGE_SIZE;

  private final Cpu cpu;
  private final LongConsumer mark;
  private final Decoder decoder;
  private final Insn[] insns = new Insn[Block.MAX_COUNT];

  // The block in hand.
  private long linear;
  private long host;
  private int position;
  private int count;
  private long secondHost;
  private long bytesInSegment;

  /** The aligned word of code that was read last, and its host address; 0 for none. */
  private long word;

  private long wordHost;

  /**
   * Decodes for one vCPU.
   *
   * @param mark told the host address of a second page before its bytes are read
   */
  BlockBuilder(Cpu cpu, DecodeTable table, LongConsumer mark) {
    this.cpu = cpu;
    this.mark = mark;
    decoder = new Decoder(table);
  }

  /**
   * Decodes the block at {@code cpu.rip}. A fault of the fetch of its first instruction passes
   * through.
   *
   * @param linear of the first instruction
   * @param host of the same byte, or {@link GuestMemory#NO_RAM}: then each byte is fetched by
   *     itself
   */
  Block build(long linear, long host) {
    this.linear = linear;
    this.host = host;
    position = 0;
    count = 0;
    secondHost = 0;
    wordHost = 0;
    int mode = cpu.mode & BlockCache.KEY;
    long rip = cpu.rip;
    boolean code64 = (mode & Mode.CODE_64) != 0;
    bytesInSegment = code64 ? Long.MAX_VALUE : cpu.segmentLimit[Cpu.CS] + 1 - rip;
    int codeSize = code64 ? 64 : (mode & Mode.CODE_32) != 0 ? 32 : 16;
    long start = rip;
    Flow flow = Flow.NEXT;
    while (flow == Flow.NEXT
        && count < Block.MAX_COUNT
        && (count == 0 || host != GuestMemory.NO_RAM)) {
      Insn i = new Insn();
      int before = position;
      Decoder.Result result;
      try {
        result = decoder.decode(codeSize, this::fetch, i);
      } catch (EndHere e) {
        position = before;
        break;
      }
      position = before + i.length;
      i.rip = rip;
      // 16-bit code does not wrap at 64 KiB: it runs into its limit, or on if that is larger.
      rip = Operands.cut(rip + i.length, Math.max(codeSize, 32));
      i.nextRip = rip;
      if (result == Decoder.Result.DECODED) {
        if (count > 0 && i.repeat != 0 && i.row.has(Row.REP | Row.REPZ)) {
          position = before; // it charges the budget by itself, so it stands alone
          break;
        }
        finish(i, mode);
      } else {
        boolean undefined = result == Decoder.Result.UNDEFINED;
        raise(i, undefined ? Fault.UD : Fault.GP, undefined ? Fault.NO_ERROR_CODE : 0);
      }
      insns[count++] = i;
      flow = i.form == Forms.RAISE ? Flow.END : Forms.flow(i.form);
      if (secondHost != 0) {
        break;
      }
    }
    Insn[] own = new Insn[count];
    System.arraycopy(insns, 0, own, 0, count);
    Block block =
        new Block(
            start, linear, host, mode, own, Math.min(position, PAGE - (int) (linear & (PAGE - 1))));
    block.secondHost = secondHost;
    block.links = flow != Flow.END && secondHost == 0 && host != GuestMemory.NO_RAM;
    return block;
  }

  private int fetch(int offset) {
    int at = position + offset;
    if (at >= bytesInSegment) {
      if (count > 0) {
        throw END_HERE;
      }
      throw cpu.fault(Fault.GP, 0);
    }
    if (host == GuestMemory.NO_RAM) {
      return cpu.mmu.fetch8(next(at));
    }
    if ((linear & (PAGE - 1)) + at < PAGE) {
      return read(host + at);
    }
    if (count > 0) {
      throw END_HERE;
    }
    if (secondHost == 0) {
      long page = next(at);
      secondHost = cpu.mmu.fetchBeside(page);
      if (secondHost == GuestMemory.NO_RAM) {
        secondHost = -1; // matches no page: decoded anew each time
      } else {
        mark.accept(secondHost);
      }
    }
    return secondHost > 0
        ? read((secondHost & -PAGE) | (linear + at & PAGE - 1))
        : cpu.mmu.fetch8(next(at));
  }

  /**
   * A byte of code in RAM. Each aligned word is read once, so that what another vCPU changes by one
   * aligned store is decoded as it was before or as it is after (AMD APM vol. 2, 7.6.1); guests
   * patch the displacements of calls so while others run them.
   */
  private int read(long at) {
    long aligned = at & -Long.BYTES;
    if (aligned != wordHost) {
      word = Raw.get64(aligned);
      wordHost = aligned;
    }
    return (int) (word >>> (8 * (at & (Long.BYTES - 1)))) & 0xFF;
  }

  private long next(int at) {
    long address = linear + at;
    return (cpu.mode & Mode.CODE_64) != 0 ? address : address & 0xFFFF_FFFFL;
  }

  private static void raise(Insn i, int vector, int error) {
    i.form = Forms.RAISE;
    i.immediate = vector;
    i.immediate2 = error;
  }

  private void finish(Insn i, int mode) {
    Row row = i.row;
    if (i.ripRelative) {
      i.displacement += i.nextRip;
    }
    for (int n = 0; n < row.operands().size(); n++) {
      if (row.operands().get(n).kind() == OperandCode.Kind.RELATIVE) {
        i.displacement = Operands.cut(i.nextRip + i.immediate, i.operandSize);
      }
    }
    i.addressing = Operands.addressing(i, mode);
    i.form = Forms.of(i);
    boolean ts = (mode & Mode.TS) != 0;
    boolean em = (mode & Mode.EM) != 0;
    if (i.form < 0 || undefined(row, mode, em)) {
      raise(i, Fault.UD, Fault.NO_ERROR_CODE);
    } else if (row.has(Row.CPL0) && (mode & Mode.CPL) != 0) {
      raise(i, Fault.GP, 0);
    } else if ((row.has(Row.FPU | Row.FX) && (em || ts))
        || (row.has(Row.MMX | Row.SSE | Row.XSAVE) && ts)
        || (row.has(Row.WAIT) && ts && (mode & Mode.MP) != 0)) {
      raise(i, Fault.NM, Fault.NO_ERROR_CODE);
    }
  }

  private static boolean undefined(Row row, int mode, boolean em) {
    return (row.has(Row.PE) && ((mode & Mode.PROTECTED) == 0 || (mode & Mode.V86) != 0))
        || (row.has(Row.MMX) && em)
        || (row.has(Row.SSE) && (em || (mode & Mode.OSFXSR) == 0))
        || (row.has(Row.XSAVE | Row.OSXSAVE) && (mode & Mode.OSXSAVE) == 0);
  }
}
