package dev.troupe.actors.terminal;

import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;

/** Finds a machine's console. */
public interface Locator {
  /** Where a console is. */
  sealed interface Location {}

  /**
   * The machine runs, or is being started.
   *
   * @param epoch of this start
   */
  record Here(long epoch, ActorRef<ConsoleHub.Command> hub) implements Location {}

  /** The machine is to run and does not, for this reason; it may be somewhere later. */
  record Waiting(String reason) implements Location {}

  /**
   * The machine is not to run.
   *
   * @param reason for people
   * @param last where its last output is, if it is anywhere
   */
  record Stopped(String reason, Optional<Here> last) implements Location {}

  /**
   * Asks where a console is; called again and again, also while an earlier call is not answered.
   *
   * @param vm the machine's name
   * @return fails with a {@link dev.troupe.actors.vmd.ControlException}: of a kind other than
   *     {@code UNAVAILABLE} it ends the session, any other failure is taken for a passing one
   */
  CompletionStage<Location> locate(String vm);
}
