package dev.troupe.actors.store;

import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;

/** Counts, and answers when a count is kept. */
final class Counter extends EventSourcedBehavior<Counter.Command, String, Long> {
  sealed interface Command {}

  record Add(ActorRef<Long> replyTo) implements Command {}

  record Get(ActorRef<Long> replyTo) implements Command {}

  private Counter(String name) {
    super(
        PersistenceId.ofUniqueId("counter-" + name),
        SupervisorStrategy.restartWithBackoff(Duration.ofMillis(50), Duration.ofMillis(500), 0.1));
  }

  static Behavior<Command> create(String name) {
    return new Counter(name);
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
