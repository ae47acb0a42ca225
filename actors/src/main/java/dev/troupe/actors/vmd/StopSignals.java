package dev.troupe.actors.vmd;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import sun.misc.Signal;

/**
 * SIGTERM and SIGINT: the first one asks the process to stop, the second one ends it at once. No
 * shutdown hooks: while they run the JVM hears no second signal.
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
    for (String name : new String[] {"TERM", "INT"}) {
      Signal.handle(new Signal(name), signals::on);
    }
    return signals;
  }

  private void on(Signal signal) {
    if (!first.complete("SIG" + signal.getName())) {
      Runtime.getRuntime().halt(VmdExit.SIGNALLED + signal.getNumber());
    }
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
