package dev.troupe.actors.cluster;

import com.google.protobuf.Message;
import java.time.Duration;
import java.util.function.BinaryOperator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/**
 * The stored half of an entity: events in, and the state that they make after a start. Apart from
 * the entity, because a store that fails ends whoever writes to it, and an entity must go on
 * looking after its machine.
 *
 * <p>Two entities of one name, should a cluster ever come to that, cannot both write: an event's
 * number is unique in the store, and who comes second starts again from what is there.
 */
final class StoreActor extends EventSourcedBehavior<StoreActor.Persist, Wire, Wire> {
  /** Store this; one at a time. */
  record Persist(Message event) {}

  /** What the entity is told. */
  sealed interface Told {}

  /** The store has been read: at first, and again after each failure. */
  record Recovered(Message state) implements Told {}

  /** The event is stored. */
  record Persisted(Message event) implements Told {}

  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(3);

  /** Events between two snapshots: so many are read at most when an entity starts. */
  private static final int SNAPSHOT_EVERY = 50;

  private final Message empty;
  private final BinaryOperator<Message> apply;
  private final ActorRef<Told> entity;

  private StoreActor(
      PersistenceId id, Message empty, BinaryOperator<Message> apply, ActorRef<Told> entity) {
    super(
        id,
        SupervisorStrategy.restartWithBackoff(SHORTEST_PAUSE, LONGEST_PAUSE, 0.2)
            .withLogLevel(org.slf4j.event.Level.WARN));
    this.empty = empty;
    this.apply = apply;
    this.entity = entity;
  }

  /**
   * A store's actor.
   *
   * @param empty the state before the first event
   * @param apply the state after an event, from state and event
   */
  static Behavior<Persist> create(
      String kind,
      String name,
      Message empty,
      BinaryOperator<Message> apply,
      ActorRef<Told> entity) {
    return new StoreActor(PersistenceId.of(kind, name), empty, apply, entity);
  }

  @Override
  public Wire emptyState() {
    return new Wire(empty);
  }

  @Override
  public CommandHandler<Persist, Wire, Wire> commandHandler() {
    return newCommandHandlerBuilder()
        .forAnyState()
        .onCommand(
            Persist.class,
            command ->
                Effect()
                    .persist(new Wire(command.event()))
                    .thenRun(state -> entity.tell(new Persisted(command.event()))))
        .build();
  }

  @Override
  public EventHandler<Wire, Wire> eventHandler() {
    return (state, event) -> new Wire(apply.apply(state.body(), event.body()));
  }

  @Override
  public SignalHandler<Wire> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), state -> entity.tell(new Recovered(state.body())))
        .build();
  }

  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(SNAPSHOT_EVERY, 2);
  }
}
