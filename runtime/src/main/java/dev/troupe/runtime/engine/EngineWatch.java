package dev.troupe.runtime.engine;

import java.util.function.LongSupplier;

/**
 * What the outside lends an engine to look at itself.
 *
 * @param nanos a clock for the time that translation takes; the guest never sees it
 * @param trace told of the engine's work; null for none, which costs nothing
 */
public record EngineWatch(LongSupplier nanos, CodeTrace trace) {
  /** Neither. */
  public static final EngineWatch NONE = new EngineWatch(() -> 0, null);
}
