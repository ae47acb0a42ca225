package dev.troupe.actors.cluster;

import com.google.protobuf.Message;
import dev.troupe.actors.cluster.logic.NodeLease;
import dev.troupe.proto.cluster.Heartbeat;
import dev.troupe.proto.cluster.HeartbeatAck;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Wake;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * This node among the others: who is a member, who can be spoken to, and whether this node still
 * has most of them behind it. Tells its host, and wakes the registry.
 */
public final class NodeActor {
  /** What it understands: {@link Wire}, from other nodes, and its own. */
  public sealed interface Command permits Wire, Changed, Listed, Hosts, Tick {}

  /** The cluster is another. */
  record Changed() implements Command {}

  /** Other nodes' actors of this kind. */
  record Listed(Receptionist.Listing listing) implements Command {}

  /** Hosts. */
  record Hosts(Receptionist.Listing listing) implements Command {}

  record Tick() implements Command {}

  private static final ServiceKey<Command> KEY = ServiceKey.create(Command.class, "troupe-node");

  /** The role that carries a node's name begins so. */
  static final String NAME_ROLE = "node-";

  private static final Duration TICK = Duration.ofMillis(250);

  /** Two ticks and the time of a few turns; less where a lease is so short. */
  private static final long MARGIN_NANOS = Duration.ofMillis(700).toNanos();

  /** Ticks between two words to the registry. */
  private static final int WAKE_EVERY = 8;

  private final ActorContext<Command> context;
  private final Cluster cluster;
  private final HostId self;
  private final HostRefs hosts;
  private final Lease lease;
  private final NodeLease votes;
  private final ActorRef<HostActor.Command> host;
  private final ClusterParts parts;
  private final ActorRefResolver references;
  private final Map<String, ActorRef<Command>> peers = new HashMap<>();
  private final Map<String, ActorRef<HostActor.Command>> found = new HashMap<>();
  private final long renewNanos;
  private final long marginNanos;
  private long nextHeartbeat;
  private int ticks;

  private NodeActor(
      ActorContext<Command> context,
      HostId self,
      Lease lease,
      NodeSettings settings,
      ActorRef<HostActor.Command> host,
      ClusterParts parts) {
    this.context = context;
    this.self = self;
    this.hosts = parts.hosts();
    this.lease = lease;
    this.host = host;
    this.parts = parts;
    renewNanos = settings.renew().toNanos();
    marginNanos = Math.min(MARGIN_NANOS, settings.lease().minus(settings.renew()).toNanos() / 2);
    nextHeartbeat = System.nanoTime();
    votes = new NodeLease(self, settings.lease().toNanos());
    cluster = Cluster.get(context.getSystem());
    references = ActorRefResolver.get(context.getSystem());
  }

  /**
   * This node's part.
   *
   * @param lease kept up from now on
   */
  static Behavior<Command> create(
      HostId self,
      Lease lease,
      NodeSettings settings,
      ActorRef<HostActor.Command> host,
      ClusterParts parts) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context ->
                    new NodeActor(context, self, lease, settings, host, parts).begin(timers)));
  }

  private Behavior<Command> begin(TimerScheduler<Command> timers) {
    cluster
        .subscriptions()
        .tell(
            Subscribe.create(
                context.messageAdapter(ClusterEvent.ClusterDomainEvent.class, e -> new Changed()),
                ClusterEvent.ClusterDomainEvent.class));
    ActorRef<Receptionist.Command> receptionist = context.getSystem().receptionist();
    receptionist.tell(Receptionist.register(KEY, context.getSelf()));
    receptionist.tell(
        Receptionist.subscribe(
            KEY, context.messageAdapter(Receptionist.Listing.class, Listed::new)));
    context.spawnAnonymous(
        Behaviors.<Receptionist.Listing>setup(
            child -> {
              child
                  .getSystem()
                  .receptionist()
                  .tell(
                      Receptionist.subscribe(
                          HostActor.KEY, child.getSelf().<Receptionist.Listing>narrow()));
              return Behaviors.receiveMessage(
                  listing -> {
                    context.getSelf().tell(new Hosts(listing));
                    return Behaviors.same();
                  });
            }));
    timers.startTimerAtFixedRate(new Tick(), TICK);
    return Behaviors.receive(Command.class)
        .onMessage(Changed.class, changed -> look())
        .onMessage(Listed.class, message -> onListed(message.listing()))
        .onMessage(Hosts.class, message -> onHosts(message.listing()))
        .onMessage(Tick.class, tick -> onTick())
        .onMessage(Wire.class, this::onWire)
        .build();
  }

  private Behavior<Command> onListed(Receptionist.Listing listing) {
    peers.clear();
    listing.getServiceInstances(KEY).forEach(ref -> peers.put(address(ref), ref));
    return Behaviors.same();
  }

  private Behavior<Command> onHosts(Receptionist.Listing listing) {
    found.clear();
    listing.getServiceInstances(HostActor.KEY).forEach(ref -> found.put(address(ref), ref));
    return look();
  }

  /** A reference of this node has no address of its own. */
  private String address(ActorRef<?> ref) {
    return ref.path().address().hasLocalScope()
        ? self.getAddress()
        : ref.path().address().toString();
  }

  private Behavior<Command> look() {
    List<Member> all =
        StreamSupport.stream(cluster.state().getMembers().spliterator(), false)
            .sorted((one, other) -> Member.ordering().compare(one, other))
            .toList();
    List<HostId> ids =
        all.stream()
            .filter(
                member ->
                    member.status().equals(MemberStatus.up())
                        || member.status().equals(MemberStatus.leaving()))
            .map(NodeActor::id)
            .toList();
    votes.members(ids.contains(self) ? all.stream().map(NodeActor::id).toList() : List.of());
    List<HostId> byName = new ArrayList<>(ids);
    byName.sort(Comparator.comparing(HostId::getName));
    Map<HostId, ActorRef<HostActor.Command>> refs = new LinkedHashMap<>();
    for (HostId id : byName) {
      ActorRef<HostActor.Command> ref = found.get(id.getAddress());
      if (ref != null) {
        refs.put(id, ref);
      }
    }
    hosts.update(new HostRefs.View(Collections.unmodifiableMap(refs), ids), ids.contains(self));
    return Behaviors.same();
  }

  /** A member as the protocol names it. */
  static HostId id(Member member) {
    String name =
        member.getRoles().stream()
            .filter(role -> role.startsWith(NAME_ROLE))
            .map(role -> role.substring(NAME_ROLE.length()))
            .findFirst()
            .orElse(member.address().toString());
    return HostId.newBuilder()
        .setName(name)
        .setAddress(member.address().toString())
        .setUid(member.uniqueAddress().longUid())
        .build();
  }

  private Behavior<Command> onTick() {
    long nanos = System.nanoTime();
    long until = votes.until(nanos);
    lease.extend(until);
    // Machines are to stand before their output would be kept back.
    host.tell(new HostActor.Tick(nanos, until - nanos > marginNanos));
    if (nanos - nextHeartbeat >= 0) {
      nextHeartbeat = nanos + renewNanos;
      askOthers(nanos);
    }
    if (ticks++ % WAKE_EVERY == 0 && hosts.members().contains(self)) {
      parts.registry().tell(new Wire(Wake.getDefaultInstance()));
    }
    return Behaviors.same();
  }

  private void askOthers(long nanos) {
    Wire heartbeat =
        new Wire(
            Heartbeat.newBuilder()
                .setFrom(self)
                .setNanos(nanos)
                .setReplyTo(references.toSerializationFormat(context.getSelf()))
                .build());
    for (HostId member : hosts.members()) {
      ActorRef<Command> peer = peers.get(member.getAddress());
      if (peer != null && !member.equals(self)) {
        peer.tell(heartbeat);
      }
    }
  }

  private Behavior<Command> onWire(Wire wire) {
    switch (wire.body()) {
      case Heartbeat heartbeat -> {
        // Who has been removed gets no answer: that is what ends its lease.
        if (hosts.members().contains(heartbeat.getFrom())) {
          references
              .<Command>resolveActorRef(heartbeat.getReplyTo())
              .tell(
                  new Wire(
                      HeartbeatAck.newBuilder()
                          .setFrom(self)
                          .setNanos(heartbeat.getNanos())
                          .build()));
        }
      }
      case HeartbeatAck ack -> votes.answered(ack.getFrom(), ack.getNanos());
      case Message other ->
          context.getLog().warn("not for a node: {}", other.getDescriptorForType());
    }
    return Behaviors.same();
  }
}
