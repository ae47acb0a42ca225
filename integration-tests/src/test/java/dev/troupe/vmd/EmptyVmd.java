package dev.troupe.vmd;

import dev.troupe.actors.vmd.NodeServices;
import dev.troupe.actors.vmd.Vmd;
import dev.troupe.config.NodeConfiguration;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The daemon with nothing in it: what is left is its process, its store and its cluster. */
public final class EmptyVmd implements NodeServices {
  private EmptyVmd() {}

  /** As {@code ./vmd}. */
  public static void main(String[] arguments) {
    Runtime.getRuntime()
        .exit(
            Vmd.commandLine((context, configuration, store) -> new EmptyVmd()).execute(arguments));
  }

  @Override
  public AutoCloseable open(NodeConfiguration configuration) {
    return () -> {};
  }

  @Override
  public void reload(NodeConfiguration configuration) {}

  @Override
  public CompletionStage<Void> stop(Duration limit) {
    return CompletableFuture.completedStage(null);
  }
}
