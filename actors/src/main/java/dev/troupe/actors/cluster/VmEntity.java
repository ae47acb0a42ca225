package dev.troupe.actors.cluster;

import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.VmSpec;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/**
 * One machine as the cluster knows it: what it should be, under which epoch it was last started and
 * on which host. Small: the machine itself is a child of the host's actor, and stays there when the
 * entity moves.
 *
 * <p>Messages between entity and host may be lost. {@link Ensure} is therefore sent again by
 * whoever wants the machine to run; it repeats what has not been confirmed, under the same epoch.
 */
public final class VmEntity {
  /** The entities' type. */
  public static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "Vm");

  /** What an entity understands. */
  public sealed interface Command {}

  /** Commands that may come from another node. */
  public sealed interface Remote extends Command, Wire {}

  /** The machine is to run as this says; changes nothing about one that does. */
  public record Ensure(VmSpec spec, ActorRef<VmStatus> replyTo) implements Remote {}

  /** Asks for the machine's status. */
  public record Query(ActorRef<VmStatus> replyTo) implements Remote {}

  /** Passed on to the machine's host. */
  public record Operate(HostActor.Operation operation) implements Remote {}

  /** From a host. */
  public record HostReport(long epoch, VmState state, Optional<VmStatus.Ending> ending)
      implements Remote {}

  private record Hosts(Receptionist.Listing listing) implements Command {}

  private final String name;
  private List<ActorRef<HostActor.Command>> hosts = List.of();
  private Optional<VmSpec> spec = Optional.empty();
  private long epoch;
  private ActorRef<HostActor.Command> host;
  private VmState state = VmState.VM_STATE_WAITING;
  private Optional<VmStatus.Ending> ending = Optional.empty();

  private VmEntity(String name) {
    this.name = name;
  }

  /** The entity of the machine of that name. */
  public static Behavior<Command> create(String name) {
    return Behaviors.setup(
        context -> {
          var listings = context.messageAdapter(Receptionist.Listing.class, Hosts::new);
          context.getSystem().receptionist().tell(Receptionist.subscribe(HostActor.KEY, listings));
          return new VmEntity(name).behavior();
        });
  }

  /** Makes this node one that holds entities; called at start, before the node is up. */
  public static void init(ClusterSharding sharding) {
    sharding.init(Entity.of(KEY, entity -> create(entity.getEntityId())));
  }

  private Behavior<Command> behavior() {
    return Behaviors.receive(Command.class)
        .onMessage(Ensure.class, this::onEnsure)
        .onMessage(Query.class, this::onQuery)
        .onMessage(Operate.class, this::onOperate)
        .onMessage(HostReport.class, this::onReport)
        .onMessage(Hosts.class, this::onHosts)
        .build();
  }

  private Behavior<Command> onEnsure(Ensure command) {
    spec = Optional.of(command.spec());
    switch (state) {
      case VM_STATE_WAITING, VM_STATE_ENDED -> place();
      case VM_STATE_STARTING -> host.tell(new HostActor.Run(epoch, command.spec()));
      default -> {}
    }
    command.replyTo().tell(status());
    return Behaviors.same();
  }

  private Behavior<Command> onQuery(Query query) {
    query.replyTo().tell(status());
    return Behaviors.same();
  }

  private Behavior<Command> onOperate(Operate command) {
    if (host != null) {
      host.tell(new HostActor.Operate(name, epoch, command.operation()));
    }
    return Behaviors.same();
  }

  private Behavior<Command> onReport(HostReport report) {
    if (report.epoch() == epoch) {
      state = report.state();
      ending = report.ending();
    }
    return Behaviors.same();
  }

  private Behavior<Command> onHosts(Hosts message) {
    List<ActorRef<HostActor.Command>> found =
        new ArrayList<>(message.listing().getServiceInstances(HostActor.KEY));
    found.sort(Comparator.comparing(ref -> ref.path().toSerializationFormat()));
    hosts = found;
    if (state == VmState.VM_STATE_WAITING && spec.isPresent()) {
      place();
    }
    return Behaviors.same();
  }

  /** Chooses a host and starts the machine there, under a new epoch. */
  private void place() {
    if (hosts.isEmpty()) {
      return; // the next listing has one, or the next Ensure comes
    }
    host = hosts.getFirst();
    epoch++;
    state = VmState.VM_STATE_STARTING;
    ending = Optional.empty();
    host.tell(new HostActor.Run(epoch, spec.orElseThrow()));
  }

  private VmStatus status() {
    String address = host == null ? "" : host.path().address().toString();
    return new VmStatus(name, epoch, address, state, ending);
  }
}
