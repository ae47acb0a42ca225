package dev.troupe.actors.cluster;

import dev.troupe.actors.console.ConsoleEnd;
import dev.troupe.actors.terminal.ConsoleHub;
import dev.troupe.actors.terminal.Fence;
import dev.troupe.proto.cluster.FoundConsole;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/**
 * The consoles of a host's machines, which people attach to. One outlives its machine's starts, so
 * that its last words can be read.
 */
final class HostConsoles {
  /**
   * A machine's console on this node.
   *
   * @param epoch of its last start here
   */
  private record Console(ActorRef<ConsoleHub.Command> hub, long epoch) {}

  private final ActorContext<HostActor.Command> context;
  private final ActorRefResolver references;
  private final Lease lease;
  private final int ring;
  private final Map<String, Console> consoles = new HashMap<>();

  /**
   * None yet.
   *
   * @param context whose children they are
   * @param lease without which nothing that a guest has written leaves the node
   * @param ring bytes that each keeps
   */
  HostConsoles(ActorContext<HostActor.Command> context, Lease lease, int ring) {
    this.context = context;
    this.lease = lease;
    this.ring = ring;
    references = ActorRefResolver.get(context.getSystem());
  }

  /**
   * The outside end of a machine's console, for one start.
   *
   * @param fenced run when output was kept back; on any thread
   */
  ConsoleEnd end(String vm, long epoch, Runnable fenced) {
    Console before = consoles.get(vm);
    ActorRef<ConsoleHub.Command> hub =
        before == null
            ? context.spawn(ConsoleHub.create(vm, ring), "console-" + consoles.size())
            : before.hub();
    consoles.put(vm, new Console(hub, epoch));
    Fence fence =
        new Fence() {
          @Override
          public boolean mayEmit() {
            return lease.held();
          }

          @Override
          public void refused() {
            fenced.run();
          }
        };
    return ConsoleHub.end(hub, epoch, fence);
  }

  /** Where a machine's console is; nothing is set if it has none here. */
  FoundConsole found(String vm) {
    Console console = consoles.get(vm);
    return console == null
        ? FoundConsole.getDefaultInstance()
        : FoundConsole.newBuilder()
            .setConsole(references.toSerializationFormat(console.hub()))
            .setEpoch(console.epoch())
            .build();
  }
}
