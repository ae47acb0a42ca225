package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.EngineCounters;
import dev.troupe.runtime.isa.InstructionTable;
import dev.troupe.runtime.isa.Row;
import java.util.Map;
import java.util.TreeMap;

/** What a translator counts: where code is left, never in code. */
final class Tally {
  /** Units that emitted code has retired. */
  long emitted;

  long blocks;
  long bytes;
  long entries;

  /** Accesses that emitted code has left to the interpreter. */
  long misses;

  /** Ends of blocks where code was left for want of a link, and got one. */
  long linked;

  /** The same, where there was nothing to link. */
  long lookedUp;

  /** Translations of changed guest code. */
  long dropped;

  /** Times when all translations were dropped. */
  long resets;

  /** What translation has taken. */
  long nanos;

  /** Instructions that have no code, by their row. */
  final long[] steps = new long[InstructionTable.rows().size()];

  EngineCounters counters(long codeWrites) {
    Map<String, Long> byMnemonic = new TreeMap<>();
    for (Row row : InstructionTable.rows()) {
      if (steps[row.number()] != 0) {
        byMnemonic.merge(row.mnemonic(), steps[row.number()], Long::sum);
      }
    }
    return new EngineCounters(
        emitted,
        blocks,
        bytes,
        nanos,
        new EngineCounters.Exits(entries, misses, linked, lookedUp),
        new EngineCounters.Invalidations(codeWrites, dropped, resets),
        byMnemonic);
  }
}
