package dev.troupe.actors.cluster;

import com.google.protobuf.Message;
import dev.troupe.actors.cluster.logic.Surroundings;
import dev.troupe.actors.cluster.logic.VmEffect;
import dev.troupe.actors.cluster.logic.VmLogic;
import dev.troupe.actors.cluster.logic.VmRecords;
import dev.troupe.proto.cluster.Ensure;
import dev.troupe.proto.cluster.Evict;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Offer;
import dev.troupe.proto.cluster.Query;
import dev.troupe.proto.cluster.Report;
import dev.troupe.proto.cluster.Settled;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.cluster.VmChanged;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.cluster.VmStored;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.StashBuffer;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/**
 * One machine as the cluster knows it: what it should be, under which epoch it was last started and
 * on which host. Small: the machine itself is a child of the host's actor, and stays there when the
 * entity moves. What it decides is {@link VmLogic}'s; what it stores is {@link StoreActor}'s.
 */
public final class VmEntity {
  /** The entities' type. */
  public static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "Vm");

  /** What an entity understands: {@link Wire}, from anywhere, and its own. */
  public sealed interface Command permits Wire, FromStore, Tick {}

  record FromStore(StoreActor.Told told) implements Command {}

  record Tick() implements Command {}

  /** Messages kept until the store has been read; its client asks again when one is dropped. */
  private static final int STASH = 1000;

  private static final String TIMER = "tick";

  private static final Duration TICK = Duration.ofMillis(250);

  /**
   * While the machine is as it is wanted, and nothing but the loss of its host is looked out for.
   */
  private static final Duration SLOW_TICK = Duration.ofSeconds(1);

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final String name;
  private final ClusterParts parts;
  private final ActorRefResolver references;
  private final ActorRef<StoreActor.Persist> store;
  private VmLogic logic;

  /** Of the timer that runs. */
  private Duration tick = TICK;

  private VmEntity(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      String name,
      ClusterParts parts) {
    this.context = context;
    this.timers = timers;
    this.name = name;
    this.parts = parts;
    references = ActorRefResolver.get(context.getSystem());
    store =
        context.spawn(
            StoreActor.create(
                KEY.name(),
                name,
                VmRecord.getDefaultInstance(),
                (state, event) -> VmRecords.apply((VmRecord) state, (VmStored) event),
                context.messageAdapter(StoreActor.Told.class, FromStore::new)),
            "store");
  }

  /** The entity of the machine of that name. */
  static Behavior<Command> create(String name, ClusterParts parts) {
    return Behaviors.withStash(
        STASH,
        stash ->
            Behaviors.setup(
                context ->
                    Behaviors.withTimers(
                        timers -> new VmEntity(context, timers, name, parts).recovering(stash))));
  }

  private Behavior<Command> recovering(StashBuffer<Command> stash) {
    return Behaviors.receive(Command.class)
        .onMessage(
            FromStore.class,
            message -> {
              if (message.told() instanceof StoreActor.Recovered(Message state)) {
                begin((VmRecord) state);
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

  private void begin(VmRecord record) {
    logic = new VmLogic(name, record, parts.policy());
    perform(logic.on(new VmLogic.Tick(), surroundings()));
  }

  private Behavior<Command> serving() {
    return Behaviors.receive(Command.class)
        .onMessage(Wire.class, this::onWire)
        .onMessage(FromStore.class, this::onStore)
        .onMessage(
            Tick.class,
            tick -> {
              perform(logic.on(new VmLogic.Tick(), surroundings()));
              return Behaviors.same();
            })
        .build();
  }

  private Behavior<Command> onWire(Wire wire) {
    switch (wire.body()) {
      case Query query -> answer(query.getReplyTo(), logic.info());
      case Ensure _ -> perform(logic.on(new VmLogic.Tick(), surroundings()));
      case Submit submit -> perform(logic.on(new VmLogic.Submitted(submit), surroundings()));
      case Report report -> perform(logic.on(new VmLogic.Reported(report), surroundings()));
      case Offer offer -> perform(logic.on(new VmLogic.Offered(offer), surroundings()));
      case Evict evict -> perform(logic.on(new VmLogic.Evicted(evict), surroundings()));
      case Message other ->
          context.getLog().warn("{}: not for an entity: {}", name, other.getDescriptorForType());
    }
    return Behaviors.same();
  }

  private Behavior<Command> onStore(FromStore message) {
    switch (message.told()) {
      case StoreActor.Persisted _ -> perform(logic.stored(surroundings()));
      case StoreActor.Recovered(Message state) -> onRecovered((VmRecord) state);
    }
    return Behaviors.same();
  }

  /** The store's actor has started again: a write has failed, or has only seemed to. */
  private void onRecovered(VmRecord stored) {
    switch (logic.recovered(stored)) {
      case STORED -> perform(logic.stored(surroundings()));
      case NOT_STORED -> perform(logic.notStored("the store has failed", surroundings()));
      case UNCHANGED -> {}
      case FOREIGN -> {
        context.getLog().warn("{}: somebody else has stored something of it", name);
        begin(stored);
      }
    }
  }

  private Surroundings surroundings() {
    return new Surroundings(System.nanoTime(), System.currentTimeMillis(), parts.hosts());
  }

  private void perform(List<VmEffect> effects) {
    for (VmEffect effect : effects) {
      switch (effect) {
        case VmEffect.Persist(var event) -> store.tell(new StoreActor.Persist(event));
        case VmEffect.SendWant(var want) -> send(want.getHost(), want);
        case VmEffect.SendRelease(var release) -> send(release.getHost(), release);
        case VmEffect.SendChosen(var host, var chosen) -> send(host, chosen);
        case VmEffect.SendBid(var host, var bid) -> send(host, bid);
        case VmEffect.Reply(String replyTo, var reply) -> answer(replyTo, reply);
        case VmEffect.Changed(var vm) -> {
          Wire changed = new Wire(VmChanged.newBuilder().setVm(vm).build());
          parts.hosts().refs().values().forEach(host -> host.tell(changed));
        }
        case VmEffect.Settled(boolean settled) ->
            parts
                .registry()
                .tell(new Wire(Settled.newBuilder().setVm(name).setSettled(settled).build()));
      }
    }
    Duration wanted = logic.steady() ? SLOW_TICK : TICK;
    if (!logic.busy()) {
      timers.cancel(TIMER);
    } else if (!timers.isTimerActive(TIMER) || !tick.equals(wanted)) {
      tick = wanted;
      timers.startTimerWithFixedDelay(TIMER, new Tick(), tick);
    }
  }

  private void send(HostId host, Message message) {
    parts.hosts().ref(host).ifPresent(ref -> ref.tell(new Wire(message)));
  }

  private void answer(String replyTo, Message message) {
    references.<Wire>resolveActorRef(replyTo).tell(new Wire(message));
  }
}
