package dev.troupe.store;

import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;

/** Counts, and answers when a count is kept. A store that fails ends it. */
final class Counter extends EventSourcedBehavior<Counter.Command, String, Long> {
  static final String ID = "counter";

  sealed interface Command {}

  /** Counts one more; answered with the count. */
  record Add(ActorRef<Long> replyTo) implements Command {}

  /** Answered with the count. */
  record Get(ActorRef<Long> replyTo) implements Command {}

  private Counter() {
    super(PersistenceId.ofUniqueId(ID), Optional.empty());
  }

  static Behavior<Command> create() {
    return new Counter();
  }

  @Override
  public Long emptyState() {
    return 0L;
  }

  @Override
  public CommandHandler<Command, String, Long> commandHandler() {
    return newCommandHandlerBuilder()
        .forAnyState()
        .onCommand(
            Add.class, add -> Effect().persist("added").thenReply(add.replyTo(), count -> count))
        .onCommand(Get.class, (count, get) -> Effect().reply(get.replyTo(), count))
        .build();
  }

  @Override
  public EventHandler<Long, String> eventHandler() {
    return (count, event) -> count + 1;
  }

  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(20, 2);
  }
}
