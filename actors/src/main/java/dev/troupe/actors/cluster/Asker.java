package dev.troupe.actors.cluster;

import com.google.protobuf.Message;
import dev.troupe.actors.vmd.ControlException;
import dev.troupe.actors.vmd.ControlException.Kind;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.RecipientRef;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * Asks entities, hosts and the registry until there is an answer: a message may be lost, and who is
 * asked knows a command that has come before by its id.
 */
final class Asker {
  /** When a question is asked again. */
  private static final Duration AGAIN = Duration.ofSeconds(2);

  private final ActorSystem<?> system;
  private final ActorRefResolver references;

  Asker(ActorSystem<?> system) {
    this.system = system;
    references = ActorRefResolver.get(system);
  }

  /**
   * Asks.
   *
   * @param who for people
   * @param question from the reference that gets the answer
   * @return fails with a {@link ControlException} if nobody has answered in time
   */
  CompletionStage<Message> ask(
      RecipientRef<? super Wire> whom,
      String who,
      Duration patience,
      Function<String, Message> question) {
    return ask(whom, question, System.nanoTime() + patience.toNanos())
        .handle(
            (reply, failure) -> {
              if (failure == null) {
                return reply;
              }
              Throwable cause =
                  failure instanceof CompletionException wrapped ? wrapped.getCause() : failure;
              throw new ControlException(
                  Kind.UNAVAILABLE,
                  cause instanceof TimeoutException
                      ? who
                          + ": no answer within "
                          + patience.toSeconds()
                          + " s; what was asked may still be done, and is done once if asked again"
                          + " under its id"
                      : who + ": " + cause.getMessage());
            });
  }

  private CompletionStage<Message> ask(
      RecipientRef<? super Wire> whom, Function<String, Message> question, long end) {
    @SuppressWarnings("unchecked") // who takes a Wire takes this one
    RecipientRef<Wire> recipient = (RecipientRef<Wire>) whom;
    Duration left = Duration.ofNanos(Math.max(1, end - System.nanoTime()));
    boolean last = left.compareTo(AGAIN) <= 0;
    return AskPattern.ask(
            recipient,
            (ActorRef<Wire> replyTo) ->
                new Wire(question.apply(references.toSerializationFormat(replyTo))),
            last ? left : AGAIN,
            system.scheduler())
        .handle(
            (reply, failure) -> {
              if (failure == null) {
                return CompletableFuture.completedStage(reply.body());
              }
              return !last && failure instanceof TimeoutException
                  ? ask(whom, question, end)
                  : CompletableFuture.<Message>failedStage(failure);
            })
        .thenCompose(Function.identity());
  }
}
