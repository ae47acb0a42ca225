package dev.troupe.lockstep;

import dev.troupe.direct.DirectGuest;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.CodeTrace;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.EngineCounters;
import dev.troupe.runtime.engine.EngineWatch;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.engine.translator.Translator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Runs a guest on two engines at once and compares them: after each turn the registers of the vCPU
 * that ran, and at intervals everything, with all of memory. A run follows from its options alone,
 * so that a difference is narrowed down by running again: to the turn, then to the instruction of
 * the turn after which it shows.
 */
public final class Lockstep {
  /**
   * What is run.
   *
   * @param seed of the lengths of turns, and of what RDRAND gives
   * @param every units of the longest turn
   * @param whole turns from one comparison of everything to the next
   * @param units after which the run ends
   */
  public record Options(DirectGuest.Start guest, long seed, int every, int whole, long units) {
    Side side(Function<Vcpu, Engine> engines) {
      return new Side(guest, seed, every, engines);
    }
  }

  /** Makes the engine that is compared with the interpreter. */
  @FunctionalInterface
  public interface EngineMaker {
    /** The translator, as it is. */
    EngineMaker TRANSLATOR = (vcpu, trace) -> new Translator(vcpu, new EngineWatch(() -> 0, trace));

    Engine subject(Vcpu vcpu, CodeTrace trace);

    /** Makes the engine that is right. */
    default Function<Vcpu, Engine> reference() {
      return Interpreter::new;
    }
  }

  /**
   * How a run ended.
   *
   * @param difference the first, empty if there was none
   * @param turns compared
   * @param end how the guest ended; empty if it did not
   * @param emitted units that emitted code has retired on the subject
   */
  public record Result(
      Optional<Difference> difference,
      long units,
      long turns,
      String end,
      String console,
      long emitted) {}

  private final Options options;
  private final EngineMaker engines;
  private final Consumer<String> progress;

  public Lockstep(Options options, EngineMaker engines, Consumer<String> progress) {
    this.options = options;
    this.engines = engines;
    this.progress = progress;
  }

  /** Runs it to the end of the guest, of the units, or to the first difference. */
  public Result run() {
    try (Pair pair = new Pair(options, engines)) {
      long good = 0;
      long reported = 0;
      boolean same = true;
      while (same && !pair.ended() && pair.reference.retired() < options.units()) {
        pair.step();
        same = pair.same();
        if (same && pair.steps() - good >= options.whole() && pair.quiet()) {
          same = pair.allSame();
          good = same ? pair.steps() : good;
        }
        if (pair.reference.retired() - reported >= PROGRESS_UNITS) {
          reported = pair.reference.retired();
          progress.accept("equal so far: %,d instructions".formatted(reported));
        }
      }
      same = same && (!pair.quiet() || pair.allSame());
      long emitted =
          pair.subject.engines().stream()
              .map(Engine::counters)
              .mapToLong(EngineCounters::emitted)
              .sum();
      Optional<Difference> difference =
          same ? Optional.empty() : Optional.of(locate(good, pair.steps()));
      return new Result(
          difference,
          pair.reference.retired(),
          pair.steps(),
          pair.reference.end(),
          pair.reference.console(),
          emitted);
    }
  }

  private static final long PROGRESS_UNITS = 100_000_000;

  // Where it is -----------------------------------------------------------------------------------

  /** What a run again has found in one turn that was cut short. */
  private record Probe(
      boolean same,
      Side.Ran ran,
      Side.Ran other,
      long position,
      List<Entries.Stay> stays,
      List<String> differences,
      Culprits.Wanted wanted) {}

  /**
   * The first difference.
   *
   * @param good all was equal after this step
   * @param bad something was not after this one
   */
  private Difference locate(long good, long bad) {
    long step = firstDifferent(good, bad);
    progress.accept("different in turn %,d; looking for the instruction".formatted(step));
    Probe last = probe(step, Long.MAX_VALUE);
    long equal = 0;
    long different = Math.max(1, last.ran == null ? 1 : last.ran.granted());
    Probe before = null;
    while (different - equal > 1) {
      long middle = (equal + different) >>> 1;
      Probe probe = probe(step, middle);
      if (probe.same) {
        equal = middle;
        before = probe;
      } else {
        different = middle;
        last = probe;
      }
    }
    return difference(step, last, before, different);
  }

  /** The first step after which not all is equal. */
  private long firstDifferent(long good, long bad) {
    try (Pair pair = new Pair(options, engines)) {
      pair.steps(good);
      while (pair.steps() < bad) {
        pair.step();
        if (!(pair.quiet() ? pair.allSame() : pair.same())) {
          return pair.steps();
        }
      }
      return bad;
    }
  }

  /** Everything once more up to a step, and at most so many units of that. */
  private Probe probe(long step, long units) {
    try (Pair pair = new Pair(options, engines)) {
      pair.steps(step - 1);
      long begun = pair.reference.retired();
      pair.reference.cut(units);
      pair.subject.cut(units);
      pair.entries.begin();
      pair.step();
      boolean quiet = pair.quiet();
      boolean same = quiet ? pair.allSame() : pair.same();
      Culprits.Wanted wanted =
          quiet && !same
              ? new Culprits.Wanted(pair.registers(), pair.bytes())
              : new Culprits.Wanted(List.of(), List.of());
      return new Probe(
          same,
          pair.ran(),
          pair.other(),
          begun,
          List.copyOf(pair.entries.stays()),
          wanted.texts(pair),
          wanted);
    }
  }

  private Difference difference(long step, Probe probe, Probe before, long units) {
    if (probe.ran == null) {
      return new Difference(step, -1, probe.position, 0, probe.differences, List.of());
    }
    long first = firstSuspect(probe, before, units);
    List<Difference.Line> lines;
    try (Pair pair = new Pair(options, engines)) {
      pair.steps(step - 1);
      lines = Culprits.walk(pair.reference, first, units, probe.wanted);
    }
    List<String> texts = new java.util.ArrayList<>();
    if (!probe.ran.equals(probe.other)) {
      texts.add("turn: %s / %s".formatted(probe.ran, probe.other));
    }
    texts.addAll(probe.differences);
    return new Difference(step, probe.ran.vcpu(), probe.position, units, texts, lines);
  }

  /**
   * The unit of the turn from which on one may be to blame. One unit less makes no difference, as
   * then the emitted code that does was not run to its end: the first stay in emitted code that the
   * two do not have in common.
   */
  private static long firstSuspect(Probe probe, Probe before, long units) {
    long granted = probe.ran.granted();
    for (int n = 0; n < probe.stays.size(); n++) {
      Entries.Stay stay = probe.stays.get(n);
      long from = granted - stay.from();
      long to = granted - stay.to();
      if (before == null || n >= before.stays.size()) {
        return Math.min(from, units - 1);
      }
      long otherGranted = before.ran.granted();
      long otherFrom = otherGranted - before.stays.get(n).from();
      long otherTo = otherGranted - before.stays.get(n).to();
      if (from != otherFrom || to != otherTo) {
        return Math.min(from == otherFrom ? Math.min(otherTo, to) : from, units - 1);
      }
    }
    return units - 1;
  }
}
