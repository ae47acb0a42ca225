package dev.troupe.actors.vmd;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jline.utils.Signals;

/**
 * SIGTERM and SIGINT: the first one asks the process to stop, the second one ends it at once. No
 * shutdown hooks: while they run the JVM hears no second signal. SIGHUP, where it is said what for.
 */
public final class StopSignals {
  private final CompletableFuture<String> first = new CompletableFuture<>();

  private StopSignals() {}

  /** No signals: of a node inside a process that is more than the node. */
  public static StopSignals none() {
    return new StopSignals();
  }

  /** Handles them from now on. */
  public static StopSignals install() {
    StopSignals signals = new StopSignals();
    // By JLine: javac warns of the JVM's own class for it, and nothing stops it from that.
    Signals.register("TERM", () -> signals.on("SIGTERM", 15));
    Signals.register("INT", () -> signals.on("SIGINT", 2));
    return signals;
  }

  private void on(String name, int number) {
    if (!first.complete(name)) {
      Runtime.getRuntime().halt(VmdExit.SIGNALLED + number);
    }
  }

  /** What a SIGHUP does from now on; before that it ends the process. */
  public static void onReload(Runnable what) {
    Signals.register("HUP", what);
  }

  /** Asks to stop without a signal. */
  public void stop(String reason) {
    first.complete(reason);
  }

  /** Completed when the process is to stop, with what asked for it. */
  public CompletionStage<String> requested() {
    return first.minimalCompletionStage();
  }
}
