package dev.troupe.actors.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.vmd.ControlException;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.ConsolePlace;
import dev.troupe.proto.vmd.OpenConsole;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.junit.jupiter.api.Test;

class AttachmentTest implements Told {
  private static final long SECOND = 1_000_000_000L;

  private long now;
  private int locating;
  private final List<ConsoleOutput> told = new ArrayList<>();
  private final TestInbox<ConsoleHub.Command> hub = TestInbox.create("hub");
  private final TestInbox<ConsoleHub.Reply> self = TestInbox.create("self");
  private final Attachment attachment =
      new Attachment("s", "anna", OpenConsole.getDefaultInstance(), () -> now, this, self.getRef());

  @Override
  public void locate() {
    locating++;
  }

  @Override
  public void output(ConsoleOutput output) {
    told.add(output);
  }

  @Override
  public void failed(ControlException reason) {
    throw new AssertionError(reason);
  }

  @Override
  public void closed() {}

  private void read(int credit) {
    attachment.start();
    attachment.located(new Locator.Here(1, hub.getRef()));
    attachment.request(credit);
    long request = ((ConsoleHub.Attach) hub.receiveMessage()).request();
    attachment.handle(new ConsoleHub.Attached(request, new Place(1, 0)));
  }

  private ConsoleHub.Read lastRead() {
    List<ConsoleHub.Command> all = hub.getAllReceived();
    return (ConsoleHub.Read) all.getLast();
  }

  private void passes(long time) {
    now += time;
    attachment.tick();
  }

  /** Row 28: what lay in the queues of a frozen process is asked for again, at the fence. */
  @Test
  void anAnswerThatComesTooLateIsNotShownButAskedForAgain() {
    read(9);
    ConsoleHub.Read asked = lastRead();
    now += Attachment.FRESH + 1;
    attachment.handle(new ConsoleHub.Chunk(asked.request(), asked.at(), new byte[5]));
    assertThat(told).noneMatch(ConsoleOutput::hasChunk);
    ConsoleHub.Read again = lastRead();
    assertThat(again.at()).isEqualTo(asked.at());
    attachment.handle(new ConsoleHub.Chunk(again.request(), again.at(), new byte[5]));
    assertThat(told).anyMatch(ConsoleOutput::hasChunk);
  }

  @Test
  void aQuestionThatIsAskedAgainBeforeIsStillTooLate() {
    read(9);
    ConsoleHub.Read asked = lastRead();
    passes(Attachment.FRESH + 1); // the timer's message lay before the answer in the queue
    attachment.handle(new ConsoleHub.Chunk(asked.request(), asked.at(), new byte[5]));
    assertThat(told).noneMatch(ConsoleOutput::hasChunk);
  }

  @Test
  void noMoreIsAskedForThanTheWatcherTakes() {
    read(1);
    ConsoleHub.Read asked = lastRead();
    attachment.handle(new ConsoleHub.Chunk(asked.request(), asked.at(), new byte[5]));
    passes(60 * SECOND);
    assertThat(hub.getAllReceived()).isEmpty();
    attachment.request(1);
    assertThat(lastRead().at()).isEqualTo(new Place(1, 5));
  }

  @Test
  void anAnswerThatComesTwiceIsShownOnce() {
    read(9);
    ConsoleHub.Read asked = lastRead();
    var chunk = new ConsoleHub.Chunk(asked.request(), asked.at(), new byte[5]);
    attachment.handle(chunk);
    attachment.handle(chunk);
    assertThat(told.stream().filter(ConsoleOutput::hasChunk)).hasSize(1);
  }

  @Test
  void aHubThatDoesNotAnswerIsAskedAgainAndTheMachineLookedFor() {
    read(9);
    assertThat(locating).isEqualTo(1);
    for (int i = 0; i < Attachment.PATIENCE; i++) {
      passes(Attachment.RETRY);
    }
    assertThat(hub.getAllReceived()).hasSize(1 + Attachment.PATIENCE);
    assertThat(locating).isEqualTo(2);
    assertThat(told).anyMatch(output -> output.getNote().contains("does not answer"));

    TestInbox<ConsoleHub.Command> next = TestInbox.create("next");
    attachment.located(new Locator.Here(2, next.getRef()));
    assertThat(((ConsoleHub.Read) next.receiveMessage()).at()).isEqualTo(new Place(2, 0));
    assertThat(told)
        .anyMatch(
            output ->
                output.getNote().equals("output from epoch 1 byte 0 on cannot be read any more"));
  }

  /** One that goes on where an earlier one was cut off. */
  private Attachment goingOn() {
    OpenConsole open =
        OpenConsole.newBuilder()
            .setFrom(ConsolePlace.newBuilder().setEpoch(1).setOffset(70))
            .setScrollback(1000)
            .build();
    Attachment other = new Attachment("t", "anna", open, () -> now, this, self.getRef());
    other.start();
    other.request(9);
    return other;
  }

  @Test
  void aSessionThatGoesOnSomewhereReadsFromThereOn() {
    goingOn().located(new Locator.Here(1, hub.getRef()));
    assertThat(lastRead().at()).isEqualTo(new Place(1, 70));
    assertThat(told.getFirst().getOpened().getAt().getOffset()).isEqualTo(70);
  }

  @Test
  void whatCannotBeHadAnyMoreIsSaidWhenTheMachineWasStartedElsewhereMeanwhile() {
    Attachment other = goingOn();
    other.located(new Locator.Here(3, hub.getRef()));
    ConsoleHub.Read asked = lastRead();
    assertThat(asked.at()).isEqualTo(new Place(1, 70));
    other.handle(new ConsoleHub.Unknown(asked.request(), new Place(3, 0)));
    assertThat(told.getLast().getNote())
        .isEqualTo("output from epoch 1 byte 70 on is not kept any more");
    assertThat(lastRead().at()).isEqualTo(new Place(3, 0));
  }

  @Test
  void aLocatorThatIsBehindDoesNotTakeTheSessionBack() {
    read(9);
    TestInbox<ConsoleHub.Command> old = TestInbox.create("old");
    attachment.located(new Locator.Here(1, old.getRef()));
    assertThat(old.getAllReceived()).isEmpty();
  }

  @Test
  void aMachineWhoseNodeIsGoneForGoodIsClosedWithAWordOnWhatIsMissing() {
    read(9);
    ConsoleHub.Read asked = lastRead();
    attachment.handle(new ConsoleHub.Chunk(asked.request(), asked.at(), new byte[5]));
    for (int i = 0; i <= Attachment.PATIENCE; i++) {
      passes(Attachment.RETRY);
    }
    attachment.located(
        new Locator.Stopped(
            "its node is lost", java.util.Optional.of(new Locator.Here(1, hub.getRef()))));
    assertThat(attachment.done()).isTrue();
    assertThat(told.get(told.size() - 2).getNote())
        .isEqualTo("output from epoch 1 byte 5 on cannot be read any more");
    assertThat(told.getLast().getClosed()).isEqualTo("its node is lost");
  }
}
