package dev.troupe.actors.cluster;

import com.google.protobuf.Message;
import dev.troupe.actors.cluster.logic.RegistryEffect;
import dev.troupe.actors.cluster.logic.RegistryLogic;
import dev.troupe.actors.cluster.logic.Surroundings;
import dev.troupe.proto.cluster.DrainReport;
import dev.troupe.proto.cluster.Ensure;
import dev.troupe.proto.cluster.Lookup;
import dev.troupe.proto.cluster.Register;
import dev.troupe.proto.cluster.RegistryRecord;
import dev.troupe.proto.cluster.RegistryStored;
import dev.troupe.proto.cluster.Settled;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.cluster.Wake;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.StashBuffer;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/** The cluster's one {@link RegistryLogic}, on whichever node its shard is. */
public final class RegistryEntity {
  /** The registry's type; its one entity is {@link #ID}. */
  public static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "Registry");

  /** The only entity of its type. */
  public static final String ID = "registry";

  /** What the registry understands: {@link Wire}, from anywhere, and its own. */
  public sealed interface Command permits Wire, FromStore {}

  record FromStore(StoreActor.Told told) implements Command {}

  private static final int STASH = 1000;

  private final ActorContext<Command> context;
  private final HostRefs hosts;
  private final ActorRefResolver references;
  private final ClusterSharding sharding;
  private final ActorRef<StoreActor.Persist> store;
  private RegistryLogic logic;

  private RegistryEntity(ActorContext<Command> context, HostRefs hosts) {
    this.context = context;
    this.hosts = hosts;
    references = ActorRefResolver.get(context.getSystem());
    sharding = ClusterSharding.get(context.getSystem());
    store =
        context.spawn(
            StoreActor.create(
                KEY.name(),
                ID,
                RegistryRecord.getDefaultInstance(),
                (state, event) ->
                    RegistryLogic.apply((RegistryRecord) state, (RegistryStored) event),
                context.messageAdapter(StoreActor.Told.class, FromStore::new)),
            "store");
  }

  /** The registry. */
  static Behavior<Command> create(HostRefs hosts) {
    return Behaviors.withStash(
        STASH,
        stash -> Behaviors.setup(context -> new RegistryEntity(context, hosts).recovering(stash)));
  }

  private Behavior<Command> recovering(StashBuffer<Command> stash) {
    return Behaviors.receive(Command.class)
        .onMessage(
            FromStore.class,
            message -> {
              if (message.told() instanceof StoreActor.Recovered(Message state)) {
                logic = new RegistryLogic((RegistryRecord) state);
                return stash.unstashAll(serving());
              }
              return Behaviors.same();
            })
        .onAnyMessage(
            message -> {
              if (!stash.isFull()) {
                stash.stash(message);
              }
              return Behaviors.same();
            })
        .build();
  }

  private Behavior<Command> serving() {
    return Behaviors.receive(Command.class)
        .onMessage(Wire.class, this::onWire)
        .onMessage(FromStore.class, this::onStore)
        .build();
  }

  private Behavior<Command> onWire(Wire wire) {
    switch (wire.body()) {
      case Wake _ -> perform(logic.on(new RegistryLogic.Woken(), surroundings()));
      case Register register ->
          perform(logic.on(new RegistryLogic.Registering(register), surroundings()));
      case Lookup lookup -> perform(logic.on(new RegistryLogic.Looked(lookup), surroundings()));
      case Submit submit -> perform(logic.on(new RegistryLogic.Submitted(submit), surroundings()));
      case Settled settled ->
          perform(logic.on(new RegistryLogic.Settling(settled), surroundings()));
      case DrainReport report ->
          perform(logic.on(new RegistryLogic.Draining(report), surroundings()));
      case Message other ->
          context.getLog().warn("not for the registry: {}", other.getDescriptorForType());
    }
    return Behaviors.same();
  }

  private Behavior<Command> onStore(FromStore message) {
    switch (message.told()) {
      case StoreActor.Persisted _ -> perform(logic.stored(surroundings()));
      case StoreActor.Recovered(Message state) -> onRecovered((RegistryRecord) state);
    }
    return Behaviors.same();
  }

  private void onRecovered(RegistryRecord stored) {
    switch (logic.recovered(stored)) {
      case STORED -> perform(logic.stored(surroundings()));
      case NOT_STORED -> perform(logic.notStored("the store has failed", surroundings()));
      case UNCHANGED -> {}
      case FOREIGN -> {
        context.getLog().warn("somebody else has stored something of the registry");
        logic = new RegistryLogic(stored);
      }
    }
  }

  private Surroundings surroundings() {
    return new Surroundings(System.nanoTime(), System.currentTimeMillis(), hosts);
  }

  private void perform(List<RegistryEffect> effects) {
    for (RegistryEffect effect : effects) {
      switch (effect) {
        case RegistryEffect.Persist(var event) -> store.tell(new StoreActor.Persist(event));
        case RegistryEffect.Reply(String replyTo, Message reply) ->
            references.<Wire>resolveActorRef(replyTo).tell(new Wire(reply));
        case RegistryEffect.SendEnsure(String vm) ->
            sharding.entityRefFor(VmEntity.KEY, vm).tell(new Wire(Ensure.getDefaultInstance()));
        case RegistryEffect.SendDrained(var drained) ->
            hosts.refs().values().forEach(host -> host.tell(new Wire(drained)));
      }
    }
  }
}
