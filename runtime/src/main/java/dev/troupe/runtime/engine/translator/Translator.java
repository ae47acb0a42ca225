package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Leave;
import dev.troupe.runtime.cpu.Mmu;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Stops;
import dev.troupe.runtime.cpu.Tlb;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.EngineCounters;
import dev.troupe.runtime.engine.EngineWatch;
import dev.troupe.runtime.engine.host.HostCpuid;
import dev.troupe.runtime.engine.interpreter.Block;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.engine.interpreter.Resync;
import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * The interpreter with machine code for what is hot: 64-bit code and flat 32-bit code, by blocks
 * and by traces along hot paths. One object serves one vCPU, from one thread at a time.
 *
 * <p>What a vCPU's registers are is in {@link Cpu} between calls of {@link #chain}; within it they
 * move to {@link State} when code is entered, and back when something is interpreted: {@link
 * RegisterTransfer}.
 */
public final class Translator extends Interpreter {
  /** Runs of a block before it is translated: most blocks of a boot never get there. */
  private static final int HOT = 8;

  /**
   * Stays that end in a block's code for want of budget before what runs from there on is
   * translated as one trace. Such an end is a sample of what runs, and costs nothing.
   */
  private static final int HOTTER = 2;

  /** Samples between two attempts to find a path, where there was none. */
  private static final int AGAIN = 64;

  /**
   * How often accesses of loops may be in another page than before, in one stay in emitted code,
   * beside one time in 64 instructions.
   */
  private static final int PAGE_CHANGES = 64;

  /**
   * Instructions in one stay in emitted code, at most: some 10 us, after which it is looked at
   * whether anything asks for attention, and what runs is sampled.
   */
  private static final int STAY = 20_000;

  private static final int UNMASKED = 0x1F80;

  /** In the mode word of 32-bit code and stack with nothing to check but FS and GS. */
  private static final int FLAT_32 =
      Mode.CODE_32 | Mode.STACK_32 | Mode.PROTECTED | Mode.FLAT_CODE | Mode.FLAT_DATA;

  private final CodeArea area = new CodeArea();
  private final TraceEmitter emitter;

  /** By their numbers; null for those that are no longer good. */
  private final List<Translation> translations = new ArrayList<>();

  private final long state;
  private final int hot;
  private final int hotter;

  private final RegisterTransfer registers;

  /** Code that is to be resumed, and at which instruction; null for none. */
  private Translation resumeIn;

  private int resumeAt;

  /** What CR4.SMAP, which chooses the TLB bank after STAC, was when the code was emitted. */
  private boolean emittedForSmap;

  /** What {@link Stops#version} was then. */
  private int emittedForStops;

  private final EngineWatch watch;
  private final Plant plant;
  private final Tally tally = new Tally();

  /** An engine for this vCPU; only where {@link #available()}. */
  public Translator(Vcpu vcpu, EngineWatch watch) {
    this(vcpu, HOT, HOTTER, watch);
  }

  /**
   * An engine that translates a block when it runs for the {@code hot}th time, and the path from
   * there on when the {@code hotter}th stay ends there.
   */
  public Translator(Vcpu vcpu, int hot, int hotter, EngineWatch watch) {
    this(vcpu, hot, hotter, UndefinedFlags.differOnHost(), watch, Plant.NONE);
  }

  /**
   * The same.
   *
   * @param amends whether to put flags right that this host may leave otherwise than others
   */
  Translator(Vcpu vcpu, int hot, int hotter, boolean amends, EngineWatch watch, Plant plant) {
    super(vcpu);
    this.hot = hot;
    this.hotter = hotter;
    this.watch = watch;
    this.plant = plant;
    emitter = new TraceEmitter(area, HostCpuid.features(), amends, plant);
    state = cpu.mmu.tlb().bankAddress(0) - State.BYTES;
    registers = new RegisterTransfer(cpu, state);
    if (State.BYTES + State.STACK_BYTES > Mmu.ENGINE_BYTES) {
      throw new IllegalStateException("state does not fit: bytes=" + State.BYTES);
    }
    FaultHandler.watch(state, area.leaveByFault());
    cpu.memory.keepBeside(area::close);
  }

  /** Whether code can be emitted for this host. */
  public static boolean available() {
    Set<Feature> host = HostCpuid.features();
    return host.contains(Feature.BMI2) && host.contains(Feature.LAHF64);
  }

  @Override
  public EngineCounters counters() {
    return tally.counters(cache.codeWrites());
  }

  @Override
  protected void chain(long floor) {
    // With an event waiting it is to be one instruction, whatever the floor.
    if (floor > 0 || cpu.attention()) {
      super.chain(floor);
      return;
    }
    if (cpu.stops.version() != emittedForStops) {
      emittedForStops = cpu.stops.version();
      clear(); // code in the pages of what there is to stop at is interpreted from now on
    }
    try {
      run();
    } catch (Fault | Leave | Resync e) {
      if (e instanceof Fault fault) {
        plant.faulting(fault);
      }
      registers.toCpu();
      throw e;
    }
    registers.toCpu();
  }

  private void run() {
    Cpu c = cpu;
    Block block = cache.find();
    resumeIn = null;
    while (block != null && !c.attention() && !cache.foreignWaiting() && !c.stops.isPending()) {
      Translation code = resumeIn;
      int from = code == null ? 0 : resumeAt;
      resumeIn = null;
      if (code == null) {
        code = code(block);
      }
      if (code == null) {
        registers.toCpu();
        block = guard(block);
        if (block == null || !interpret(block, 0)) {
          return;
        }
        block = next(block);
        continue;
      }
      block = code.emits(from) ? enter(code, from) : step(code, from);
    }
  }

  /** Whether emitted code can run in this mode. */
  private boolean usable() {
    boolean smap = (cpu.cr4 & ControlRegisters.SMAP) != 0;
    if (smap != emittedForSmap) {
      emittedForSmap = smap;
      clear();
    }
    boolean emits = (cpu.mode & Mode.CODE_64) != 0 || (cpu.mode & (FLAT_32 | Mode.V86)) == FLAT_32;
    return emits && (cpu.mode & (Mode.AC | Mode.SLOW)) == 0 && (cpu.mxcsr & UNMASKED) == UNMASKED;
  }

  /** The code of a block that has any or is to have it now, for this mode and budget; or null. */
  private Translation code(Block block) {
    if (!usable() || cpu.stops.isNear(block.linear)) {
      return null;
    }
    if (block.compiled instanceof Translation made) {
      if (suffices(made)) {
        return made;
      }
      return made.shorter != null && suffices(made.shorter) ? made.shorter : null;
    }
    if (++block.heat < hot || block.secondHost != 0 || block.host == GuestMemory.NO_RAM) {
      return null;
    }
    Translation made = translate(Path.of(block, cache, planner(block)), List.of());
    return suffices(made) ? made : null;
  }

  private Function<Insn, Plan> planner(Block block) {
    return insn -> emitter.plan(insn, block.mode);
  }

  private boolean suffices(Translation code) {
    return cpu.budget >= code.trace.segmentEnd(0) + TraceEmitter.MAX_DELAY;
  }

  private Translation translate(Trace trace, List<LoopPages.Group> unsteady) {
    long begun = watch.nanos().getAsLong();
    if (area.isFull(TraceEmitter.MAX_BYTES) || translations.size() == ExitWord.MAX_NUMBERS) {
      tally.resets++;
      clear();
    }
    int lifted = State.bank(emittedForSmap ? Tlb.SUPERVISOR_AC : Tlb.SUPERVISOR);
    Translation made = emitter.emit(this, trace, translations.size(), bank(), lifted, unsteady);
    translations.add(made);
    tally.blocks++;
    tally.bytes += made.bytes;
    trace.blocks().stream().distinct().forEach(block -> block.usedBy(made));
    trace.head().compiled = made;
    tally.nanos += watch.nanos().getAsLong() - begun;
    if (watch.trace() != null) {
      watch.trace().translated(new TracedCode(cpu.apicId, made));
    }
    return made;
  }

  /** A stay has ended in a block's code: what runs from there on may deserve better. */
  private void sample(Translation code) {
    Block block = code.trace.head();
    if (code.whole || block.compiled != code || ++code.samples < hotter) {
      return;
    }
    Trace path = Path.from(block, cache, planner(block));
    if (path.count == code.trace.count) {
      code.samples = hotter - AGAIN;
      return;
    }
    unlink(code);
    Translation longer = translate(path, List.of());
    longer.whole = true;
    if (!code.dropped()) {
      longer.shorter = code;
    }
  }

  /** A slot of this code for a loop's page is not worth having: does without it. */
  private Translation steadier(Translation code) {
    LoopPages.Group group = code.groups.get((int) Raw.get64(state + State.TARGET));
    unlink(code);
    List<LoopPages.Group> unsteady = new ArrayList<>(code.unsteady);
    unsteady.add(group);
    Translation made = translate(code.trace, unsteady);
    made.whole = code.whole;
    made.shorter = code.shorter != null && code.shorter.dropped() ? null : code.shorter;
    return made;
  }

  /** Offset of the TLB bank of code that is emitted now. */
  private int bank() {
    return State.bank((cpu.mode & Mode.CPL) == 3 ? Tlb.USER : Tlb.SUPERVISOR);
  }

  /** Runs code from an instruction on until it is left; gives the block that runs next or null. */
  private Block enter(Translation code, int from) {
    Cpu c = cpu;
    registers.toState(code.usesX87(), code.x87Loaded(from));
    c.shadow = 0;
    tally.entries++;
    long before = c.budget;
    boolean charged = from > code.chargedAt(from);
    int start = code.trace.segmentStart(from);
    long left = c.budget + (from - start);
    left -= charged ? code.trace.segmentEnd(from) - start : 0;
    long hidden = left - Math.min(left, STAY);
    Raw.put32(state + State.BUDGET, (int) (left - hidden) - TraceEmitter.MAX_DELAY);
    Raw.put32(state + State.PAGE_CHANGES, PAGE_CHANGES + ((int) (left - hidden) >>> 6));
    long entry = from == 0 ? code.entryWithMemoryFlags : code.resume[from];
    Raw.put64(state + State.ENTRY, entry);
    if (watch.trace() != null) {
      watch.trace().entered(c.apicId, code.number, code.linear(from), entry, before);
    }
    area.run(state);
    registers.ran();
    SystemCalls.settle(c, state);
    int word = (int) Raw.get64(state + State.EXIT);
    if (word == ExitWord.FAULT) {
      throw faulted(code);
    }
    Translation last = translations.get(ExitWord.number(word));
    Trace trace = last.trace;
    int index = ExitWord.index(word);
    int kind = ExitWord.kind(word);
    left = hidden + Raw.get32(state + State.BUDGET) + TraceEmitter.MAX_DELAY;
    if (kind <= ExitWord.BUDGET || kind >= ExitWord.CHANGED) {
      int begun = trace.segmentStart(index);
      left -= index - begun + (kind == ExitWord.CHANGED ? 1 : 0);
      left += ExitWord.charged(word) ? trace.segmentEnd(index) - begun : 0;
    }
    c.budget = left;
    tally.emitted += before - left;
    if (watch.trace() != null) {
      watch.trace().left(c.apicId, last.number, left);
    }
    if (kind != ExitWord.CHANGED) {
      c.mmu.runsIn(trace.head().linear, trace.head().host);
    }
    return switch (kind) {
      case ExitWord.NEXT, ExitWord.CHANGED -> link(last.site(word), trace.insn(index).nextRip);
      case ExitWord.TAKEN -> link(last.site(word), trace.insn(index).displacement);
      case ExitWord.INDIRECT -> indirect(last, index);
      case ExitWord.BUDGET -> rest(last, index);
      case ExitWord.UNSTEADY -> step(steadier(last), index);
      default -> step(last, index);
    };
  }

  /** The host has raised a signal after entry of {@code code}. */
  private EmittedCodeException faulted(Translation code) {
    FaultReport report = new FaultReport(HostFault.of(state), area, translations, code);
    registers.toCpu();
    cpu.rip = report.guestRip();
    return new EmittedCodeException(report.text());
  }

  /** The end of a block at {@code rip}: what runs there, linked to the jump if it has code. */
  private Block link(Translation.Site site, long rip) {
    cpu.rip = rip;
    Block next = cache.find();
    // A site that has a link, and came here, goes to a page that is elsewhere in other tables.
    if (site != null
        && site.to == null
        && !site.from.dropped()
        && next.compiled instanceof Translation to
        && !area.isFull(TraceEmitter.MAX_BYTES)) {
      long target;
      if (next.follows(site.from.trace.head()) || plant.omits(Plant.Duty.LOOK)) {
        target = site.flagsInHost ? to.entryWithHostFlags : to.entryWithMemoryFlags;
      } else {
        target = emitter.far(site, to, bank());
      }
      area.patch(site.at, target);
      site.to = to;
      to.incoming.add(site);
      tally.linked++;
    } else {
      tally.lookedUp++;
    }
    return next;
  }

  private Block indirect(Translation last, int index) {
    long target = Raw.get64(state + State.TARGET);
    if (target << 16 >> 16 != target) {
      Plan jump = last.trace.plan(index);
      if (jump.kind() == Kind.RET) {
        long at = state + State.register(Cpu.RSP);
        Raw.put64(at, Raw.get64(at) - Transfers.popped(jump.insn()));
      }
      cpu.budget++;
      tally.emitted--;
      return step(last, index);
    }
    cpu.rip = target;
    tally.lookedUp++;
    Block next = cache.find();
    if (next.compiled instanceof Translation to) {
      long entry = state + State.jump(target);
      Raw.put64(entry + State.JUMP_ADDRESS, target);
      Raw.put64(entry + State.JUMP_ADDEND, next.host - next.linear);
      Raw.put32(entry + State.JUMP_MODE, next.mode);
      Raw.put64(entry + State.JUMP_CODE, to.entryWithMemoryFlags);
    }
    return next;
  }

  /**
   * The budget does not do for the segment: goes on with the block's own code if it does for that,
   * else interprets what is left of the block.
   */
  private Block rest(Translation code, int index) {
    Block block = code.trace.block(index);
    int at = code.trace.inBlock(index);
    sample(code);
    cpu.rip = block.insns[at].rip;
    if (at == 0) {
      Block here = cache.find();
      if (here.compiled instanceof Translation made
          && (suffices(made) || (made.shorter != null && suffices(made.shorter)))) {
        return here;
      }
    }
    registers.toCpu();
    if (cpu.budget <= 0) {
      return null;
    }
    Block part = block.part(at, block.count);
    return interpret(part, 0) ? found() : null;
  }

  /** Interprets one instruction that emitted code has stopped at, and goes on behind it. */
  private Block step(Translation code, int index) {
    Trace trace = code.trace;
    Block block = trace.block(index);
    Insn insn = trace.insn(index);
    if (code.emits(index)) {
      tally.misses++;
    } else if (insn.row != null) {
      tally.steps[insn.row.number()]++;
    }
    registers.toCpu(insn.row);
    if (trace.plan(index).kind() == Kind.X87) {
      registers.wantX87();
    }
    if (!interpret(code.single(index), 0)) {
      return null;
    }
    int following = index + 1;
    if (following < trace.count
        && cpu.rip == trace.insn(following).rip
        && !code.dropped()
        && code.resume[following] != Translation.NOWHERE
        && usable()
        && (!code.x87Loaded(following) || registers.x87Fits())
        && cpu.budget >= trace.segmentEnd(following) - following + TraceEmitter.MAX_DELAY
        && LoopPages.refresh(code.groups, state, cpu.gpr[Cpu.RSP])) {
      resumeIn = code;
      resumeAt = following;
      return block;
    }
    return found();
  }

  /** What runs next; null if only the outer loop can go on, as after an IRET that has set RF. */
  private Block found() {
    return (cpu.mode & Mode.SLOW) != 0 ? null : cache.find();
  }

  // Code that is no longer good ------------------------------------------------------------------

  /** A block of this code is no longer what it was. */
  void drop(Translation gone) {
    tally.dropped++;
    if (plant.omits(Plant.Duty.DROP)) {
      return;
    }
    unlink(gone);
    if (gone.trace.head().compiled == gone) {
      gone.trace.head().compiled = null;
    }
    translations.set(gone.number, null); // its stubs are not reached any more
  }

  /** Nothing leads into this code any more. */
  private void unlink(Translation gone) {
    for (Translation.Site site : gone.incoming) {
      area.patch(site.at, site.stub);
      site.to = null;
    }
    gone.incoming.clear();
    long linear = gone.trace.head().linear;
    long entry = state + State.jump(linear);
    if (Raw.get64(entry + State.JUMP_CODE) == gone.entryWithMemoryFlags) {
      Raw.put64(entry + State.JUMP_ADDRESS, State.NO_ADDRESS);
    }
  }

  private void clear() {
    for (Translation translation : translations) {
      if (translation != null) {
        translation.forget();
      }
    }
    translations.clear();
    area.clear();
    clearJumps();
  }

  private void clearJumps() {
    for (int n = 0; n < State.JUMP_ENTRIES; n++) {
      Raw.put64(state + State.JUMPS + ((long) n << State.JUMP_SHIFT), State.NO_ADDRESS);
    }
  }
}
