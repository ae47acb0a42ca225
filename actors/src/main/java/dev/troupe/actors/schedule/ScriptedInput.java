package dev.troupe.actors.schedule;

import dev.troupe.runtime.journal.Place;
import java.util.Optional;

/**
 * An input with its position: it enters a machine at the first quiet point with at least so many
 * instructions retired and at least so much virtual time gone.
 *
 * @param instructions 0 for any
 * @param nanos virtual nanoseconds, 0 for any
 * @param recorded set if it has entered a recorded run, and is to enter in the same place again
 */
public record ScriptedInput(
    long instructions, long nanos, Input input, Optional<Recorded> recorded) {
  /** An input that a user has given a position. */
  public ScriptedInput(long instructions, long nanos, Input input) {
    this(instructions, nanos, input, Optional.empty());
  }

  /** An input of a recorded run. */
  public static ScriptedInput recorded(Place place, boolean scripted, Input input) {
    return new ScriptedInput(
        place.position().instructions(),
        place.position().nanos(),
        input,
        Optional.of(new Recorded(place, scripted)));
  }

  /**
   * Where it entered.
   *
   * @param scripted whether it came from a script then
   */
  public record Recorded(Place place, boolean scripted) {}

  /** What enters. */
  public sealed interface Input {}

  /** Bytes for the serial line. */
  public record Console(byte[] bytes) implements Input {}

  /** Somebody presses the power button. */
  public record PowerButton() implements Input {}

  /** Whether it enters a machine that stands there. */
  boolean due(Place now) {
    if (recorded.isEmpty()) {
      return instructions <= now.position().instructions() && nanos <= now.position().nanos();
    }
    Place then = recorded.get().place();
    boolean later = now.turn() > then.turn() || now.position().nanos() > nanos;
    return now.turn() >= then.turn()
        && now.position().nanos() >= nanos
        && (later || now.position().messages() >= then.position().messages());
  }

  /** Whether a machine that stands there has retired enough for it. */
  boolean waitsForTime(Place now) {
    return recorded.isEmpty()
        ? instructions <= now.position().instructions()
        : recorded.get().place().turn() <= now.turn();
  }
}
