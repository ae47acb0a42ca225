package dev.troupe.actors.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.console.ConsoleActor;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.junit.jupiter.api.Test;

class HubStateTest {
  private static final long SECOND = 1_000_000_000L;

  private long now;
  private boolean lease = true;
  private final HubState hub = new HubState("vm", 1000, () -> now);
  private final TestInbox<ConsoleHub.Command> local = TestInbox.create("hub");
  private final TestInbox<ConsoleHub.Reply> replies = TestInbox.create("session");
  private final TestInbox<ConsoleActor.Command> console = TestInbox.create("console");

  private HubEnd start(long epoch) {
    HubEnd end = new HubEnd(local.getRef(), epoch, () -> lease);
    end.open(console.getRef());
    pass();
    return end;
  }

  /** What the machine says to its hub arrives. */
  private void pass() {
    local.getAllReceived().forEach(hub::handle);
  }

  private void print(HubEnd end, String text) {
    end.write(text.getBytes(StandardCharsets.UTF_8));
    pass();
  }

  private List<ConsoleHub.Reply> ask(ConsoleHub.Command command) {
    hub.handle(command);
    return replies.getAllReceived();
  }

  private List<ConsoleHub.Reply> read(String reader, long request, Place at) {
    return ask(new ConsoleHub.Read(reader, request, at, 1000, replies.getRef()));
  }

  private List<ConsoleHub.Reply> claim(String session, boolean force) {
    return ask(new ConsoleHub.Claim(session, "who-" + session, force, replies.getRef()));
  }

  private List<ConsoleHub.Reply> write(String session, long epoch, long sequence, String text) {
    return ask(
        new ConsoleHub.Write(
            session, epoch, sequence, text.getBytes(StandardCharsets.UTF_8), replies.getRef()));
  }

  private List<String> given() {
    return console.getAllReceived().stream()
        .filter(ConsoleActor.Input.class::isInstance)
        .map(input -> new String(((ConsoleActor.Input) input).bytes(), StandardCharsets.UTF_8))
        .toList();
  }

  @Test
  void aReaderIsAnsweredWhenThereIsSomethingAndAtTheLatestWithNothing() {
    HubEnd end = start(1);
    assertThat(read("r", 1, new Place(1, 0))).isEmpty();
    print(end, "x");
    assertThat(replies.getAllReceived())
        .usingRecursiveComparison()
        .isEqualTo(List.of(new ConsoleHub.Chunk(1, new Place(1, 0), new byte[] {'x'})));
    assertThat(read("r", 2, new Place(1, 1))).isEmpty();
    now += ConsoleHub.LONG_POLL.toNanos() - 1;
    hub.tick();
    assertThat(replies.getAllReceived()).isEmpty();
    now++;
    hub.tick();
    assertThat(replies.getAllReceived()).isEqualTo(List.of(new ConsoleHub.Nothing(2)));
    assertThat(hub.waiting()).isZero();
  }

  @Test
  void aQuestionReplacesTheOneBeforeOfItsReader() {
    HubEnd end = start(1);
    read("r", 1, new Place(1, 0));
    read("r", 2, new Place(1, 0));
    assertThat(hub.waiting()).isEqualTo(1);
    print(end, "x");
    assertThat(replies.getAllReceived())
        .hasSize(1)
        .allMatch(reply -> ((ConsoleHub.Answer) reply).request() == 2);
  }

  @Test
  void readersWhoAreTooManyToWaitAreAnsweredAtOnce() {
    start(1);
    for (int i = 0; i < HubState.MAX_WAITING; i++) {
      assertThat(read("r" + i, i, new Place(1, 0))).isEmpty();
    }
    assertThat(read("one more", 99, new Place(1, 0)))
        .isEqualTo(List.of(new ConsoleHub.Nothing(99)));
    assertThat(hub.waiting()).isEqualTo(HubState.MAX_WAITING);
  }

  @Test
  void theEndIsToldWhenAllIsReadAndANewEpochInsteadOfIt() {
    HubEnd end = start(1);
    print(end, "abc");
    end.close();
    pass();
    assertThat(read("r", 1, new Place(1, 3)))
        .isEqualTo(List.of(new ConsoleHub.Closed(1, new Place(1, 3))));
    start(4);
    assertThat(read("r", 2, new Place(1, 3)))
        .isEqualTo(List.of(new ConsoleHub.NewEpoch(2, new Place(1, 3), 4)));
    assertThat(read("r", 3, new Place(1, 0))).hasOnlyElementsOfType(ConsoleHub.Chunk.class);
  }

  @Test
  void aStartOfThePastIsNotHeardAndCanStillEnd() {
    start(5);
    HubEnd late = start(4);
    console.getAllReceived();
    print(late, "ghost");
    assertThat(console.getAllReceived()).isEqualTo(List.of(new ConsoleActor.Written(5)));
    late.close();
    pass();
    assertThat(read("r", 1, new Place(5, 0))).isEmpty();
  }

  @Test
  void aFenceThatFallsForgetsTheEpochAndALeaseThatComesBackDoesNotBringItBack() {
    HubEnd end = start(1);
    print(end, "abc");
    lease = false;
    assertThat(read("r", 1, new Place(1, 0))).isEqualTo(List.of(new ConsoleHub.Fenced(1)));
    lease = true; // nothing was put out meanwhile
    assertThat(read("r", 2, new Place(1, 0))).hasOnlyElementsOfType(ConsoleHub.Chunk.class);
    lease = false;
    print(end, "defg");
    lease = true;
    print(end, "h");
    assertThat(read("r", 3, new Place(1, 1)))
        .isEqualTo(List.of(new ConsoleHub.Lost(3, new Place(1, 1), 2)));
    assertThat(read("r", 4, new Place(1, 3))).isEqualTo(List.of(new ConsoleHub.Fenced(4)));
    TestInbox<ConsoleHub.Counts> counts = TestInbox.create("counts");
    hub.handle(new ConsoleHub.Inspect(counts.getRef()));
    assertThat(counts.receiveMessage()).isEqualTo(new ConsoleHub.Counts(3, 0, 5, 0, 0));
    assertThat(console.getAllReceived())
        .containsExactly(
            new ConsoleActor.Written(3), new ConsoleActor.Written(4), new ConsoleActor.Written(1));
  }

  @Test
  void aMachineWhoseHubStopsIsToldAndCanEnd() {
    HubEnd end = start(1);
    hub.stop();
    end.write(new byte[7]);
    assertThat(console.getAllReceived())
        .containsExactly(
            new ConsoleActor.Failed("its hub has stopped"), new ConsoleActor.Written(7));
  }

  @Test
  void inputIsGivenOnceHoweverOftenItComes() {
    HubEnd end = start(1);
    claim("a", false);
    assertThat(write("a", 1, 1, "x")).isEmpty();
    assertThat(write("a", 1, 1, "x")).isEmpty();
    end.taken();
    pass();
    assertThat(replies.getAllReceived()).isEqualTo(List.of(new ConsoleHub.Taken("a", 1)));
    assertThat(write("a", 1, 1, "x")).isEqualTo(List.of(new ConsoleHub.Taken("a", 1)));
    assertThat(given()).containsExactly("x");
  }

  @Test
  void inputForAnotherEpochIsRefusedByName() {
    start(1);
    HubEnd end = start(2);
    claim("a", false);
    assertThat(write("a", 1, 1, "x"))
        .isEqualTo(
            List.of(
                new ConsoleHub.NotTaken("a", 1, 2, "meant for epoch 1, the machine runs under 2")));
    assertThat(write("a", 2, 2, "y".repeat(ConsoleHub.MAX_INPUT + 1)).toString())
        .contains("4097 bytes, expected at most 4096");
    end.close();
    pass();
    assertThat(write("a", 2, 3, "z").toString()).contains("the machine does not run");
    assertThat(given()).isEmpty();
  }

  @Test
  void inputThatTheGuestHasNotTakenAtItsEndIsGivenUpAndSaidSo() {
    HubEnd end = start(1);
    claim("a", false);
    write("a", 1, 1, "x");
    claim("b", true);
    write("b", 1, 1, "y");
    replies.getAllReceived();
    end.close();
    pass();
    assertThat(replies.getAllReceived())
        .containsExactly(
            new ConsoleHub.NotTaken("a", 1, 1, "the machine has ended"),
            new ConsoleHub.NotTaken("b", 1, 1, "the machine has ended"));
    assertThat(given()).containsExactly("x");
  }

  @Test
  void oneWritesUntilItIsForcedAndALateClaimOfItsDoesNotBringItBack() {
    HubEnd end = start(1);
    assertThat(claim("a", false)).isEqualTo(List.of(new ConsoleHub.Claimed("a", 1)));
    assertThat(claim("b", false)).isEqualTo(List.of(new ConsoleHub.NotWriter("b", "who-a")));
    write("a", 1, 1, "of a");
    assertThat(claim("b", true))
        .isEqualTo(List.of(new ConsoleHub.NotWriter("a", "who-b"), new ConsoleHub.Claimed("b", 1)));
    assertThat(claim("a", true)).isEqualTo(List.of(new ConsoleHub.NotWriter("a", "who-b")));
    assertThat(write("a", 1, 2, "late")).hasOnlyElementsOfType(ConsoleHub.NotWriter.class);
    write("b", 1, 1, "of b"); // waits for what the guest has
    assertThat(given()).containsExactly("of a");
    end.taken();
    pass();
    assertThat(given()).containsExactly("of b");

    hub.handle(new ConsoleHub.Release("b"));
    assertThat(claim("a", true))
        .isEqualTo(List.of(new ConsoleHub.Taken("a", 1), new ConsoleHub.NotWriter("a", "")));
    assertThat(claim("c", false)).isEqualTo(List.of(new ConsoleHub.Claimed("c", 1)));
  }

  @Test
  void aWriterOfWhomNothingIsHeardMakesRoomForWhoAsks() {
    start(1);
    claim("a", false);
    now += 19 * SECOND;
    claim("a", false);
    now += 19 * SECOND;
    assertThat(claim("b", false)).isEqualTo(List.of(new ConsoleHub.NotWriter("b", "who-a")));
    now += 2 * SECOND;
    assertThat(claim("b", false)).contains(new ConsoleHub.Claimed("b", 1));
  }
}
