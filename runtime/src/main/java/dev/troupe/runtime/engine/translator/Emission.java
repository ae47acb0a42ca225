package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Tlb;
import dev.troupe.runtime.engine.interpreter.Block;
import java.util.ArrayList;
import java.util.List;

/**
 * A trace's code in the making: hot code, cold stubs, the jumps between them, and where the guest's
 * arithmetic flags are. What would destroy the host's flags saves them first if they are nowhere
 * else and have no {@link Recipe}, so that they are exact wherever code is left.
 */
final class Emission {
  /** Where the flags are. */
  enum Flags {
    HOST,
    MEMORY,
    BOTH,
    /** Nowhere, but the recipe gives them. */
    RECIPE
  }

  /** A jump whose site is an offset in code or stubs, to an offset in one of them or an address. */
  private record Fixup(boolean inStubs, int site, Base base, long target) {}

  private enum Base {
    CODE,
    STUBS,
    ADDRESS
  }

  /** A jump that has been emitted, and is still to be told where it goes. */
  record Jump(boolean inStubs, int site) {}

  /** A jump out of the trace that can be linked. */
  private record Leaving(boolean inStubs, int site, int stub, int word, boolean flagsInHost) {}

  final Assembler code = new Assembler();
  final Assembler stubs = new Assembler();
  private final CodeArea area;
  private final List<Fixup> fixups = new ArrayList<>();
  private final List<Leaving> leavings = new ArrayList<>();

  private Trace trace;
  private int number;

  /** Offset of the TLB bank from the state, without and with EFLAGS.AC. */
  private int plainBank;

  private int liftedBank;

  /** EFLAGS.AC is set here. */
  private boolean lifted;

  /** Index of the instruction in hand. */
  private int at;

  /** The segment in hand has been charged to the budget. */
  private boolean charged;

  private Flags flags = Flags.MEMORY;

  /** Of the instruction that has set the flags last; null if it has none. */
  private Recipe recipe;

  /** The host has the guest's x87 registers. */
  private boolean x87Loaded;

  /** The host's flags are the guest's but for AF, which the guest has clear. */
  private boolean clearsAux;

  /** The stub of the instruction in hand, -1 if it has none yet. */
  private int stepStub;

  Emission(CodeArea area) {
    this.area = area;
  }

  void begin(Trace newTrace, int newNumber, int bank, int bankWithAc) {
    trace = newTrace;
    number = newNumber;
    plainBank = bank;
    liftedBank = bankWithAc;
    lifted = false;
    code.clear();
    stubs.clear();
    fixups.clear();
    leavings.clear();
    charged = false;
    recipe = null;
    x87Loaded = false;
    clearsAux = false;
  }

  Trace trace() {
    return trace;
  }

  int bank() {
    return lifted ? liftedBank : plainBank;
  }

  boolean lifted() {
    return lifted;
  }

  /**
   * EFLAGS.AC has been set or cleared: other rights, for code, too. Goes on if the execute TLB has
   * this page for them, as the interpreter's next fetch asks.
   */
  void lift(boolean on) {
    if (on == lifted) {
      return;
    }
    lifted = on;
    Block head = trace.head();
    long page = head.linear & -4096L;
    int entry = bank() + ((int) (page >>> Tlb.INDEX_SHIFT) & Tlb.INDEX_MASK);
    int stub = stub(ExitWord.CHANGED);
    code.constant(Assembler.R15, page);
    code.state(true, 0x3B, Assembler.R15, entry + Tlb.EXECUTE); // cmp
    toStub(code.jump(Assembler.NOT_EQUAL), stubs.position());
    code.constant(Assembler.R15, head.host - head.linear);
    code.state(true, 0x3B, Assembler.R15, entry + Tlb.ADDEND);
    toStub(code.jump(Assembler.NOT_EQUAL), stub);
    entry = State.side(State.bankAt(bank())) + Tlb.sideEntry(page);
    stubs.state(true, 0x3B, Assembler.R15, entry + Tlb.EXECUTE);
    stubs.patch(stubs.jump(Assembler.NOT_EQUAL), stub);
    stubs.constant(Assembler.R15, head.host - head.linear);
    stubs.state(true, 0x3B, Assembler.R15, entry + Tlb.ADDEND);
    stubs.patch(stubs.jump(Assembler.NOT_EQUAL), stub);
    toCode(new Jump(true, stubs.jump()), code.position());
  }

  /** Has the guest's x87 registers in the host's, from here on to the trace's end. */
  void loadX87() {
    if (x87Loaded) {
      return;
    }
    x87Loaded = true;
    clobber();
    comparePlace(code, State.X87_LOADED);
    toStub(code.jump(Assembler.NOT_EQUAL), stubs.position());
    int onward = code.position();
    comparePlace(stubs, State.X87_READY);
    Jump elsewhere = new Jump(true, stubs.jump(Assembler.NOT_EQUAL));
    fromStub(stubs.call(), area.loadX87());
    toCode(new Jump(true, stubs.jump()), onward);
    stepFrom(elsewhere);
  }

  private static void comparePlace(Assembler a, int place) {
    a.state(false, 0x83, 7, State.X87); // cmp dword [],
    a.emit(place);
  }

  int at() {
    return at;
  }

  void instruction(int index) {
    at = index;
    stepStub = -1;
  }

  /** Puts code and stubs into the area. */
  void finish(Translation made) {
    long codeBase = area.blockAddress();
    long stubBase = area.stubAddress(stubs.position());
    for (Fixup jump : fixups) {
      long target =
          switch (jump.base) {
            case CODE -> codeBase + jump.target;
            case STUBS -> stubBase + jump.target;
            case ADDRESS -> jump.target;
          };
      (jump.inStubs ? stubs : code).patch(jump.site, target - (jump.inStubs ? stubBase : codeBase));
    }
    for (Leaving l : leavings) {
      long site = (l.inStubs ? stubBase : codeBase) + l.site;
      made.add(new Translation.Site(made, site, stubBase + l.stub, l.word, l.flagsInHost));
    }
    area.addStubs(stubs.bytes());
    area.addBlock(code.bytes());
  }

  // Flags ----------------------------------------------------------------------------------------

  Flags flags() {
    return flags;
  }

  Recipe recipe() {
    return recipe;
  }

  /**
   * Whether the last instruction has put operands into slots, so that the flags are not to be had
   * if the interpreter has done it.
   */
  boolean flagsNeedSlots() {
    return flags == Flags.HOST && recipe != null && (recipe.keepsFirst() || recipe.keepsSecond());
  }

  /** Where an entry or the head of a loop finds them. */
  void flagsAre(Flags where, Recipe by) {
    flags = where;
    recipe = by;
    clearsAux = false;
  }

  /** An instruction has set them all. */
  void flagsSet(Recipe by) {
    flags = Flags.HOST;
    recipe = by;
    clearsAux = false;
  }

  /** The same on a host that sets AF where the guest has it clear. */
  void flagsSetButAux(Recipe by) {
    flagsSet(by);
    clearsAux = true;
  }

  /** To memory as the guest has them; r15 and, where AF differs, the host's are lost. */
  void save(Assembler a) {
    CodeArea.saveFlags(a);
    if (clearsAux) {
      FlagImage.clearAux(a);
    }
  }

  /** Before what needs AF: has it in the host's as the guest knows it. */
  void settleAux() {
    if (clearsAux) {
      toMemory();
    }
  }

  /** What is known at a place of the code, to go on from there elsewhere. */
  record Place(Flags flags, Recipe recipe, boolean clearsAux, boolean charged, boolean lifted) {}

  Place place() {
    return new Place(flags, recipe, clearsAux, charged, lifted);
  }

  void at(Place place) {
    flags = place.flags;
    recipe = place.recipe;
    clearsAux = place.clearsAux;
    charged = place.charged;
    lifted = place.lifted;
  }

  /** The host's flags are about to be lost. */
  void clobber() {
    if (flags == Flags.HOST && recipe != null) {
      flags = Flags.RECIPE;
    } else {
      if (flags == Flags.HOST) {
        save(code);
        clearsAux = false;
      }
      flags = flags == Flags.RECIPE ? Flags.RECIPE : Flags.MEMORY;
    }
  }

  /** Has them in the host's; r15 is lost. */
  void toHost() {
    if (flags == Flags.MEMORY) {
      CodeArea.restoreFlags(code);
      flags = Flags.BOTH;
    } else if (flags == Flags.RECIPE) {
      recipe.emit(code);
      flags = Flags.HOST;
    }
  }

  /** Has them in memory, and in the host's if they were there; r15 is lost. */
  void toMemory() {
    if (flags == Flags.RECIPE) {
      recipe.emit(code);
      flags = Flags.HOST;
    }
    if (flags == Flags.HOST) {
      save(code);
      if (clearsAux) {
        CodeArea.restoreFlags(code);
        clearsAux = false;
      }
      flags = Flags.BOTH;
    }
  }

  // Leaving --------------------------------------------------------------------------------------

  int word(int kind) {
    return ExitWord.of(number, at, kind, charged);
  }

  /** A stub that leaves with this kind of exit; gives its offset. */
  private int stub(int kind) {
    int position = stubs.position();
    if (flags == Flags.RECIPE) {
      recipe.emit(stubs);
    }
    boolean inHost = flags == Flags.HOST || flags == Flags.RECIPE;
    if (inHost && clearsAux) {
      save(stubs);
      inHost = false;
    }
    leaveFromStub(kind, inHost);
    return position;
  }

  private void leaveFromStub(int kind, boolean inHost) {
    stubs.push(word(kind));
    fromStub(stubs.jump(), inHost ? area.leaveByHost() : area.leaveByMemory());
  }

  /** A stub that leaves since a slot of {@link LoopPages} does more harm than good. */
  int unsteadyStub(int slot) {
    int position = stubs.position();
    stubs.state(true, 0xC7, 0, State.TARGET); // mov qword [],n
    stubs.emit32(slot);
    stub(ExitWord.UNSTEADY);
    return position;
  }

  /**
   * Where a look into the TLB goes that has found another page: looks into the side table. Gives
   * the jump that is taken if it is not there, either.
   *
   * @param onward where the code goes on with the addend in r10
   */
  Jump besideStub(int site, int bank, int tag, int most, int onward) {
    toStub(site, stubs.position());
    lookBeside(bank, tag, most);
    toCode(new Jump(true, stubs.jump(Assembler.BELOW_OR_EQUAL)), onward);
    return new Jump(true, stubs.jump());
  }

  /** In a stub; leaves what {@link Assembler#BELOW_OR_EQUAL} tells about, and the addend in r10. */
  void lookBeside(int bank, int tag, int most) {
    fromStub(stubs.call(), area.lookBeside(bank, tag));
    stubs.compare(Assembler.R15, most);
  }

  void fromStub(int site, long address) {
    fixups.add(new Fixup(true, site, Base.ADDRESS, address));
  }

  /** Calls what is at an address from the hot code. */
  void call(long address) {
    fixups.add(new Fixup(false, code.call(), Base.ADDRESS, address));
  }

  /** Makes a jump of the hot code lead to a stub. */
  void toStub(int site, int stub) {
    fixups.add(new Fixup(false, site, Base.STUBS, stub));
  }

  /** Makes a jump lead to an offset in the hot code. */
  void toCode(Jump jump, int target) {
    fixups.add(new Fixup(jump.inStubs, jump.site, Base.CODE, target));
  }

  /** The interpreter does the instruction in hand if the jump is taken. */
  void stepFrom(Jump jump) {
    if (stepStub < 0) {
      stepStub = stub(ExitWord.STEP);
    }
    fixups.add(new Fixup(jump.inStubs, jump.site, Base.STUBS, stepStub));
  }

  /**
   * The interpreter does the instruction in hand if the condition holds; flags are not the host's.
   */
  void stepIf(int condition) {
    stepFrom(new Jump(false, code.jump(condition)));
  }

  /** The interpreter does the instruction in hand. */
  void step() {
    toStub(code.jump(), stub(ExitWord.STEP));
    flagsAre(Flags.BOTH, null);
  }

  /** Charges the segment that begins here or has begun. */
  void charge() {
    clobber();
    charged = true;
    int units = trace.segmentEnd(at) - trace.segmentStart(at);
    boolean small = units == (byte) units;
    code.state(false, small ? 0x83 : 0x81, 5, State.BUDGET); // sub dword [],n
    if (small) {
      code.emit(units);
    } else {
      code.emit32(units);
    }
    toStub(code.jump(Assembler.SIGN), stub(ExitWord.BUDGET));
  }

  /** Gives back to the budget what the rest of the segment would have used; keeps the flags. */
  void refund() {
    int units = trace.segmentEnd(at) - (at + 1);
    if (units != 0) {
      stubs.state(false, 0x8B, Assembler.R15, State.BUDGET);
      stubs.add(Assembler.R15, Assembler.R15, units);
      stubs.state(false, 0x89, Assembler.R15, State.BUDGET);
    }
  }

  private boolean ends() {
    return at + 1 == trace.segmentEnd(at);
  }

  /** Out of the trace by a jump that is emitted already, with the flags as they are then. */
  void leave(int kind, int site) {
    boolean saves = flags == Flags.HOST && clearsAux;
    boolean inHost = flags == Flags.HOST && !saves;
    if (ends() && !saves) {
      int stub = stub(kind);
      toStub(site, stub);
      linkable(new Leaving(false, site, stub, word(kind), inHost));
      return;
    }
    int by = stubs.position();
    refund();
    if (saves) {
      save(stubs);
    }
    int onward = stubs.jump();
    int stub = stubs.position();
    leaveFromStub(kind, inHost);
    stubs.patch(onward, stub);
    toStub(site, by);
    linkable(new Leaving(true, onward, stub, word(kind), inHost));
  }

  /** Other code takes it that EFLAGS.AC is clear. */
  private void linkable(Leaving leaving) {
    if (!lifted) {
      leavings.add(leaving);
    }
  }
}
