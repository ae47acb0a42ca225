package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.interpreter.Block;
import dev.troupe.runtime.engine.interpreter.BlockCache;
import dev.troupe.runtime.isa.Insn;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Finds the path that a trace follows: from block to block of one page, at each branch to the side
 * that has run more often, into calls and back out of them, until it comes to a block that it has
 * already. Then it goes through the loop once more, so that the second time round the emitter knows
 * what the first has left; and that goes on into itself. Of a short loop there are several rounds
 * then: one jump and one charge for all of them.
 */
final class Path {
  private static final int MAX_BLOCKS = 16;

  /** Instructions of all rounds of a loop, unless one round has more. */
  private static final int LOOP_COUNT = 64;

  private static final int LOOP_ROUNDS = 4;

  private record Step(Block block, Trace.Way way) {}

  private final BlockCache cache;
  private final Function<Insn, Plan> planner;
  private final List<Block> blocks = new ArrayList<>();
  private final List<Trace.Way> ways = new ArrayList<>();

  /** Where calls of the path return to. */
  private final List<Long> returns = new ArrayList<>();

  private int count;

  private Path(BlockCache cache, Function<Insn, Plan> planner) {
    this.cache = cache;
    this.planner = planner;
  }

  /** One block alone, or as many as there are until one ends for more than the interrupt flag. */
  static Trace of(Block block, BlockCache cache, Function<Insn, Plan> planner) {
    Path path = new Path(cache, planner).add(block);
    while (path.blocks.size() < MAX_BLOCKS && path.kindAtEnd().goesOn()) {
      Step step = path.step(path.blocks.getLast());
      if (step == null
          || path.blocks.contains(step.block)
          || path.count + step.block.count > Trace.MAX_COUNT) {
        break;
      }
      path.ways.add(step.way);
      path.add(step.block);
    }
    return path.trace(-1);
  }

  private Kind kindAtEnd() {
    Block last = blocks.getLast();
    return planner.apply(last.insns[last.count - 1]).kind();
  }

  /** The path from a block on. */
  static Trace from(Block head, BlockCache cache, Function<Insn, Plan> planner) {
    return new Path(cache, planner).add(head).follow();
  }

  private Path add(Block block) {
    blocks.add(block);
    count += block.count;
    return this;
  }

  private Trace follow() {
    while (true) {
      Step step = step(blocks.getLast());
      if (step == null) {
        return trace(-1);
      }
      int seen = blocks.indexOf(step.block);
      if (seen >= 0) {
        return again(seen, step.way);
      }
      if (blocks.size() == MAX_BLOCKS || count + step.block.count > Trace.MAX_COUNT) {
        return trace(-1);
      }
      ways.add(step.way);
      add(step.block);
    }
  }

  /** Once more from a block on, and then round and round. */
  private Trace again(int from, Trace.Way back) {
    int end = blocks.size();
    int length = 0;
    for (Block block : blocks.subList(from, end)) {
      length += block.count;
    }
    if (count + length > Trace.MAX_COUNT) {
      return trace(-1);
    }
    int room = Math.min(LOOP_COUNT, Trace.MAX_COUNT - count);
    int rounds = Math.clamp(room / length, 1, LOOP_ROUNDS);
    for (int round = 0; round < rounds; round++) {
      ways.add(back);
      for (int b = from; b < end; b++) {
        add(blocks.get(b));
        if (b < end - 1) {
          ways.add(ways.get(b));
        }
      }
    }
    ways.add(back);
    return trace(end);
  }

  private Trace trace(int loop) {
    Plan[] plans = new Plan[count];
    int at = 0;
    for (Block block : blocks) {
      for (Insn i : block.insns) {
        plans[at++] = planner.apply(i);
      }
    }
    // An event may come between two segments, but not right behind an STI.
    for (int n = 0; n < count; n++) {
      boolean ends = n == count - 1 || (loop >= 0 && n + 1 == startOf(loop));
      if (ends && plans[n].kind() == Kind.STI) {
        plans[n] = Plan.step(plans[n].insn());
      }
    }
    return new Trace(blocks, ways, loop, plans);
  }

  private int startOf(int index) {
    return blocks.subList(0, index).stream().mapToInt(block -> block.count).sum();
  }

  private Step step(Block block) {
    Insn last = block.insns[block.count - 1];
    return switch (planner.apply(last).kind()) {
      case JCC -> branch(block, last);
      case JMP -> to(block, last.displacement, Trace.Way.TAKEN);
      case CALL -> {
        returns.add(last.nextRip);
        yield to(block, last.displacement, Trace.Way.TAKEN);
      }
      case RET -> returns.isEmpty() ? null : to(block, returns.removeLast(), Trace.Way.RETURN);
      case STEP, JMP_INDIRECT, CALL_INDIRECT, SYSCALL, SYSRET -> null;
      default -> to(block, block.end, Trace.Way.NEXT);
    };
  }

  private Step branch(Block block, Insn last) {
    Step taken = to(block, last.displacement, Trace.Way.TAKEN);
    Step next = to(block, block.end, Trace.Way.NEXT);
    if (taken == null || next == null) {
      return taken == null ? next : taken;
    }
    int difference = heat(taken.block) - heat(next.block);
    if (difference == 0) {
      boolean back = blocks.contains(taken.block) || last.displacement < last.rip;
      return back ? taken : next;
    }
    return difference > 0 ? taken : next;
  }

  private static int heat(Block block) {
    return block.compiled != null ? Integer.MAX_VALUE : block.heat;
  }

  private Step to(Block from, long rip, Trace.Way way) {
    Block block = cache.beside(from, rip);
    return block == null ? null : new Step(block, way);
  }
}
