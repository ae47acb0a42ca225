package dev.troupe.runtime.engine.interpreter;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Execution;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Leave;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Stops;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.interpreter.group.Dispatch;
import dev.troupe.runtime.engine.interpreter.op.Operands;
import dev.troupe.runtime.isa.DecodeTable;
import dev.troupe.runtime.memory.Turns;

/**
 * The reference engine: decoded blocks, dispatched over the generated cases. Pure Java. One object
 * serves one vCPU, from one thread at a time.
 *
 * <p>No instruction stores its instruction pointer or looks for events. What stops a block in its
 * middle (a queued exit, changed code) puts {@link Resync} in place of its other instructions; what
 * faults is found by its index.
 */
public class Interpreter implements Engine, Execution {
  private static final Exit TURN_END = new Exit.TurnEnd();

  /** The vCPU's state. */
  protected final Cpu cpu;

  /** Its decoded blocks. */
  protected final BlockCache cache;

  private final Vcpu vcpu;
  private final Turns.Turn turn;
  private long retired;

  /** Of the run under way. */
  private long slice;

  /** The block that runs. */
  private Block current = Block.NONE;

  /** An instruction of it is in progress. */
  private boolean running;

  /** A block that was stopped and is still good. */
  private Block stopped = Block.NONE;

  /** The next instruction is to be the only one of its block. */
  private boolean alone;

  /** True if the last {@link #blocks} ended with an instruction that retired. */
  private boolean completed;

  /** An engine for this vCPU. */
  public Interpreter(Vcpu vcpu) {
    this.vcpu = vcpu;
    cpu = vcpu.cpu;
    turn = cpu.memory.turns().add(cpu::attend);
    cache = new BlockCache(cpu, turn, DecodeTable.of(cpu.model.features()));
  }

  /** Units (instructions, REP iterations, events) charged since the start. */
  public long retired() {
    return retired;
  }

  /** The same within a run, between two instructions. */
  private long units() {
    return retired + slice - cpu.unitsLeft();
  }

  @Override
  public Exit run(Vcpu which, long slice) {
    if (which != vcpu || slice < 1) {
      throw new IllegalArgumentException("not this engine's vCPU, or slice=" + slice);
    }
    this.slice = slice;
    cpu.budget = slice;
    cpu.execution = this;
    if (cpu.activity != Cpu.Activity.ACTIVE) {
      cpu.attend(); // a halt goes on, or has come to its end
    }
    turn.begin();
    try {
      return loop();
    } finally {
      turn.end();
      retired += slice - cpu.budget;
    }
  }

  @Override
  public void stop() {
    stopped = current;
    current.poison();
  }

  @Override
  public void alone(Runnable step) {
    turn.alone(step);
  }

  private Exit loop() {
    Cpu c = cpu;
    while (true) {
      boolean single = !c.replay.isEmpty() || alone;
      alone = false;
      if (c.stops.isPending()) {
        c.stops.retired(units());
      }
      if (c.attention()) {
        turn.pass();
        Exit exit = vcpu.service();
        if (exit != null) {
          return exit;
        }
        // Also with nothing left of the slice: it has been acknowledged, and would be forgotten.
        int event = vcpu.takeEvent();
        if (event >= 0) {
          c.budget--;
          c.exceptions.interrupt(event);
          continue;
        }
        single |= c.attention();
      }
      if (c.stops.isActive() && c.stops.due(units())) {
        alone = single;
        return TURN_END;
      }
      if (c.budget <= 0) {
        return TURN_END;
      }
      if (cache.foreignWaiting()) {
        cache.takeForeign();
      }
      Exit exit;
      if ((c.mode & Mode.SLOW) != 0) {
        single = true;
        exit = step();
      } else {
        exit = blocks(single ? c.budget - 1 : 0);
      }
      if (single && exit == null) {
        c.replay.clear();
      }
      if (exit != null) {
        return exit;
      }
    }
  }

  /**
   * Runs blocks until an event waits or the budget is down to {@code floor}.
   *
   * @return an exit that an instruction in progress asks for, or null
   */
  private Exit blocks(long floor) {
    Cpu c = cpu;
    current = Block.NONE;
    running = false;
    completed = false;
    c.replay.rewind();
    try {
      chain(floor);
    } catch (Resync e) {
      leaveAt();
    } catch (Fault fault) {
      int at = leaveAt();
      if (fault.nonCanonical && at >= 0 && Operands.inStack(c, current.insns[at], fault.address)) {
        fault.vector = Fault.SS;
      }
      fault(fault);
    } catch (Leave leave) {
      leaveAt();
      c.stops.discard();
      restore();
      c.dropExits();
      if (leave.exit == null) {
        alone = true;
        return null;
      }
      return vcpu.asks(leave.exit);
    }
    restore();
    return null;
  }

  /**
   * Runs block after block until an event waits, the budget is down to {@code floor}, or only the
   * outer loop can go on; what an instruction throws passes through.
   */
  protected void chain(long floor) {
    if (cpu.stops.isActive()) {
      guardedChain(floor);
      return;
    }
    for (Block block = cache.find(); block != null; block = next(block)) {
      if (!interpret(block, floor)) {
        return;
      }
    }
  }

  /** The same where {@link Stops} has something to stop at. */
  private void guardedChain(long floor) {
    for (Block block = guard(cache.find()); block != null; block = guard(next(block))) {
      if (!interpret(block, floor) || cpu.stops.isPending()) {
        return;
      }
    }
  }

  /**
   * What may run of a block, given the instructions to stop at: all of it, or its first instruction
   * alone if another one of it is to be looked at.
   *
   * @return null if there is no block, or its first instruction is to be looked at, by the outer
   *     loop
   */
  protected final Block guard(Block block) {
    Stops stops = cpu.stops;
    if (block == null || !stops.isNear(block.linear)) {
      return block;
    }
    if (stops.asks(block.linear, units())) {
      return null;
    }
    boolean whole = block.count <= 1 || !stops.isWithin(block.linear + 1, block.length - 1);
    return whole ? block : block.part(0, 1);
  }

  /**
   * Runs one block, or as much of it as the budget has above {@code floor}.
   *
   * @return false if an event waits or the budget is down to {@code floor}
   */
  protected final boolean interpret(Block block, long floor) {
    Cpu c = cpu;
    current = block;
    int n = block.count;
    if (n > c.budget - floor) {
      n = (int) (c.budget - floor);
      c.rip = block.insns[n].rip;
    } else {
      c.rip = block.end;
    }
    c.shadow = 0;
    running = true;
    c.uncharged = n - 1;
    Dispatch.run(c, block.ops, n);
    running = false;
    c.uncharged = 0;
    c.budget -= n;
    completed = c.attention() || c.budget <= floor;
    return !completed;
  }

  /** The block after {@code block}; null if only the outer loop can go on. */
  protected final Block next(Block block) {
    long rip = cpu.rip;
    Block next = block.first;
    if (next.rip != rip) {
      next = block.second;
      if (next.rip != rip) {
        next = follow(block);
      }
    }
    return next;
  }

  /**
   * The block after {@code block}, remembered there if it is in the same page; null if only the
   * outer loop can go on.
   */
  private Block follow(Block block) {
    if ((cpu.mode & Mode.SLOW) != 0) {
      return null;
    }
    Block next = cache.find();
    if (block.links && next.follows(block)) {
      block.second = block.first;
      block.first = next;
    }
    return next;
  }

  /** One instruction with debug exceptions around it (SDM vol. 3B, 17.3). */
  private Exit step() {
    Cpu c = cpu;
    try {
      c.debug.before();
    } catch (Fault breakpoint) {
      fault(breakpoint);
      return null;
    }
    Exit exit = blocks(c.budget - 1);
    if (!completed) {
      c.debug.discard();
    } else if (c.debug.after()) {
      c.budget--;
      c.exceptions.trap(Fault.DB);
    }
    return exit;
  }

  /**
   * An instruction was undone: the block ended before it. Gives its index; -1 if it was a fetch.
   */
  private int leaveAt() {
    cpu.uncharged = 0;
    if (!running) {
      return -1;
    }
    int at = cpu.undone;
    cpu.budget -= at;
    cpu.rip = current.insns[at].rip;
    return at;
  }

  private void fault(Fault fault) {
    Cpu c = cpu;
    c.dropExits();
    c.replay.clear();
    c.stops.discard();
    c.budget--;
    c.exceptions.deliver(fault);
  }

  private void restore() {
    if (stopped != Block.NONE) {
      stopped.restore();
      stopped = Block.NONE;
    }
    current = Block.NONE;
  }
}
