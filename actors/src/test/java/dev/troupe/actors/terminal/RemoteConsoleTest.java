package dev.troupe.actors.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.vmd.ConsoleSession;
import dev.troupe.actors.vmd.ConsoleWatcher;
import dev.troupe.actors.vmd.ControlException;
import dev.troupe.actors.wire.NodeMessageSerializer;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.OpenConsole;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Two nodes, by TCP on the loopback address. */
class RemoteConsoleTest {
  private static final TestNode ONE = new TestNode("one", "");
  private static final TestNode TWO = new TestNode("two", "");

  private static final class Where implements Locator {
    final AtomicReference<Location> location = new AtomicReference<>();

    Where(Location location) {
      this.location.set(location);
    }

    @Override
    public CompletableFuture<Location> locate(String vm) {
      return CompletableFuture.completedFuture(location.get());
    }
  }

  @AfterAll
  static void stop() {
    ONE.close();
    TWO.close();
  }

  private static ConsoleSession attach(
      TestNode node, String who, OpenConsole.Builder open, Locator locator, TestWatcher watcher) {
    return ConsoleAttachment.attach(node.system, who, open.setVm("vm").build(), locator, watcher);
  }

  private static OpenConsole.Builder writing() {
    return OpenConsole.newBuilder().setWrite(true).setScrollback(1 << 20);
  }

  /** A hub on node one, as node two knows it. */
  private static Where seenFromTwo(ActorRef<ConsoleHub.Command> hub, long epoch) {
    return new Where(new Locator.Here(epoch, TWO.remote(ONE, hub)));
  }

  @Test
  void outputAndInputCrossNodesAndTheEndIsTold() {
    var hub = ONE.hub("both-ways", 1 << 20);
    TestNode.Guest guest = ONE.guest(hub, 1, Fence.NONE);
    guest.print("before ");
    Where where = seenFromTwo(hub, 1);
    TestWatcher watcher = new TestWatcher();
    ConsoleSession session = attach(TWO, "anna", writing(), where, watcher);
    watcher.takeAll(session);
    watcher.awaitText("before ");
    assertThat(watcher.told().getFirst().getOpened().getWriter()).isTrue();

    guest.print("login: ");
    watcher.awaitText("login: ");
    session.input("root\n".getBytes(StandardCharsets.UTF_8));
    watcher.awaitTold(ConsoleOutput::getTaken);
    assertThat(guest.typed()).isEqualTo("root\n");

    guest.print("bye");
    guest.end();
    where.location.set(new Locator.Stopped("powered off", Optional.empty()));
    watcher.await(TestWatcher::isClosed);
    assertThat(watcher.text()).isEqualTo("before login: bye");
    assertThat(watcher.told().getLast().getClosed()).isEqualTo("powered off");
    assertThat(NodeMessageSerializer.get(TWO.system).refused().malformed()).isZero();
  }

  @Test
  void whoForcesWritesAndTheOtherIsToldByWhom() {
    var hub = ONE.hub("takeover", 1 << 20);
    TestNode.Guest guest = ONE.guest(hub, 1, Fence.NONE);
    TestWatcher first = new TestWatcher();
    ConsoleSession session = attach(TWO, "anna", writing(), seenFromTwo(hub, 1), first);
    first.awaitTold(output -> output.getOpened().getWriter());

    TestWatcher second = new TestWatcher();
    attach(ONE, "bert", writing(), new Where(new Locator.Here(1, hub)), second);
    second.awaitTold(ConsoleOutput::hasOpened);
    assertThat(second.told().getFirst().getOpened().getWriter()).isFalse();
    assertThat(second.told().getFirst().getOpened().getText()).isEqualTo("anna writes");

    TestWatcher third = new TestWatcher();
    ConsoleSession forced =
        attach(ONE, "carl", writing().setForce(true), new Where(new Locator.Here(1, hub)), third);
    third.awaitTold(output -> output.getOpened().getWriter());
    first.awaitTold(output -> output.getTakenOver().equals("carl"));
    session.input("lost".getBytes(StandardCharsets.UTF_8));
    forced.input("taken".getBytes(StandardCharsets.UTF_8));
    third.awaitTold(ConsoleOutput::getTaken);
    assertThat(guest.typed()).isEqualTo("taken");

    forced.close();
    TestWatcher fourth = new TestWatcher();
    ConsoleSession later = attach(TWO, "dora", writing(), seenFromTwo(hub, 1), fourth);
    fourth.awaitTold(ConsoleOutput::hasOpened);
    assertThat(fourth.told().getFirst().getOpened().getWriter()).isTrue();
    later.close();
  }

  @Test
  void aConsoleFollowsItsMachineToAnotherNode() {
    var old = ONE.hub("follow", 1 << 20);
    TestNode.Guest guest = ONE.guest(old, 1, Fence.NONE);
    Where where = seenFromTwo(old, 1);
    TestWatcher watcher = new TestWatcher();
    ConsoleSession session = attach(TWO, "anna", writing(), where, watcher);
    watcher.takeAll(session);
    guest.print("first");
    watcher.awaitText("first");
    guest.print(" last");

    var next = TWO.hub("follow", 1 << 20);
    where.location.set(new Locator.Waiting("vm waits for a node"));
    guest.end();
    watcher.awaitTold(output -> output.getNote().equals("vm waits for a node"));
    TestNode.Guest anew = TWO.guest(next, 2, Fence.NONE);
    anew.print(" anew");
    where.location.set(new Locator.Here(2, next));
    watcher.awaitText(" anew");

    assertThat(watcher.text()).isEqualTo("first last anew");
    assertThat(watcher.told())
        .anyMatch(output -> output.getNote().contains("another node now, epoch 2"));
    session.input("x".getBytes(StandardCharsets.UTF_8));
    watcher.awaitTold(ConsoleOutput::getTaken);
    assertThat(anew.typed()).isEqualTo("x");
    session.close();
  }

  @Test
  void aConsoleGoesOnUnderTheNextEpochWhereItIs() {
    var hub = ONE.hub("restart", 1 << 20);
    TestNode.Guest guest = ONE.guest(hub, 1, Fence.NONE);
    Where where = seenFromTwo(hub, 1);
    TestWatcher watcher = new TestWatcher();
    watcher.takeAll(attach(TWO, "anna", writing(), where, watcher));
    guest.print("one");
    watcher.awaitText("one");
    guest.end();
    TestNode.Guest second = ONE.guest(hub, 3, Fence.NONE);
    second.print("two");
    where.location.set(new Locator.Here(3, TWO.remote(ONE, hub)));
    watcher.awaitText("two");
    assertThat(watcher.text()).isEqualTo("onetwo");
  }

  /** Row 10 and row 36: much output, and nobody who takes it. */
  @Test
  void aReaderThatTakesNothingHoldsUpNothingAndIsToldWhatItMissed() {
    int capacity = 1 << 18;
    var hub = ONE.hub("slow", capacity);
    TestNode.Guest guest = ONE.guest(hub, 1, Fence.NONE);
    TestWatcher watcher = new TestWatcher();
    ConsoleSession session = attach(TWO, "anna", writing(), seenFromTwo(hub, 1), watcher);
    watcher.awaitTold(ConsoleOutput::hasOpened);

    byte[] block = new byte[16 * 1024];
    long total = 64L << 20;
    for (long sent = 0; sent < total; sent += block.length) {
      // As the gate has it: no more than this under way.
      while (sent - guest.written.get() > 32 * 1024) {
        Thread.onSpinWait();
      }
      guest.console.tell(new ConsoleActor.Output(block));
    }
    guest.print("END");
    long all = total + 3;
    watcher.await(_ -> guest.written.get() == all);
    ConsoleHub.Counts counts = ONE.counts(hub);
    assertThat(counts.written()).isEqualTo(all);
    assertThat(counts.overwritten()).isEqualTo(all - capacity);

    watcher.takeAll(session);
    watcher.awaitText("END");
    ConsoleOutput.Lost lost =
        watcher.told().stream().filter(ConsoleOutput::hasLost).findFirst().orElseThrow().getLost();
    assertThat(lost.getOffset()).isZero();
    assertThat(lost.getBytes()).isEqualTo(all - capacity);
    assertThat(watcher.text()).hasSize(capacity);
  }

  /** Row 36: a console dropped in the midst of an escape sequence. */
  @Test
  void whoComesBackIsShownTheWholeEscapeSequenceThatWasCut() {
    var hub = ONE.hub("escape", 1 << 20);
    TestNode.Guest guest = ONE.guest(hub, 1, Fence.NONE);
    TestWatcher cut = new TestWatcher();
    ConsoleSession session = attach(TWO, "anna", writing(), seenFromTwo(hub, 1), cut);
    cut.takeAll(session);
    guest.print("\u001b[3");
    cut.awaitText("[3");
    session.close();
    guest.print("1mred\u001b[0m");

    TestWatcher back = new TestWatcher();
    back.takeAll(attach(TWO, "anna", writing(), seenFromTwo(hub, 1), back));
    back.awaitText("\u001b[0m");
    assertThat(back.text()).isEqualTo("\u001b[31mred\u001b[0m");
    assertThat(cut.text()).isEqualTo("\u001b[3");
    guest.end();
  }

  /** Row 28: what a node puts out after its lease has run out is shown to nobody. */
  @Test
  void aFencedMachineEmitsNothingMoreAndCanStillEnd() {
    var hub = ONE.hub("fenced", 1 << 20);
    AtomicReference<Boolean> lease = new AtomicReference<>(true);
    TestNode.Guest guest = ONE.guest(hub, 1, lease::get);
    Where where = seenFromTwo(hub, 1);
    TestWatcher watcher = new TestWatcher();
    ConsoleSession session = attach(TWO, "anna", writing(), where, watcher);
    watcher.takeAll(session);
    guest.print("before");
    watcher.awaitText("before");

    lease.set(false);
    guest.print("after");
    session.input("x".getBytes(StandardCharsets.UTF_8));
    guest.end(); // its output counts as written, or this would not return
    var next = TWO.hub("fenced", 1 << 20);
    TWO.guest(next, 2, Fence.NONE).print(" elsewhere");
    where.location.set(new Locator.Here(2, next));
    watcher.awaitText("elsewhere");

    assertThat(watcher.text()).isEqualTo("before elsewhere");
    assertThat(guest.typed()).isEmpty();
    assertThat(ONE.counts(hub).refused()).isEqualTo(5);
    TestWatcher late = new TestWatcher();
    late.takeAll(
        attach(
            ONE,
            "bert",
            writing(),
            new Where(new Locator.Stopped("off", Optional.of(new Locator.Here(1, hub)))),
            late));
    late.await(TestWatcher::isClosed);
    assertThat(late.text()).isEmpty();
  }

  @Test
  void aMachineThatIsNotKnownIsAFailureAndAPassingOneIsANote() {
    CompletableFuture<Locator.Location> unknown = new CompletableFuture<>();
    unknown.completeExceptionally(
        new ControlException(ControlException.Kind.NOT_FOUND, "no vm 'vm'"));
    TestWatcher watcher = new TestWatcher();
    attach(TWO, "anna", writing(), _ -> unknown, watcher);
    watcher.await(self -> self.failure() != null);
    assertThat(watcher.failure().kind()).isEqualTo(ControlException.Kind.NOT_FOUND);

    CompletableFuture<Locator.Location> store = new CompletableFuture<>();
    store.completeExceptionally(
        new ControlException(ControlException.Kind.UNAVAILABLE, "no store"));
    TestWatcher waits = new TestWatcher();
    ConsoleSession session = attach(TWO, "anna", writing(), _ -> store, waits);
    waits.awaitTold(output -> output.getNote().equals("cannot be reached: no store"));
    assertThat(waits.failure()).isNull();
    session.close();
    assertThatThrownBy(() -> session.input(new byte[ConsoleHub.MAX_INPUT + 1]))
        .hasMessageContaining("4097 bytes");
  }

  @Test
  void aWatcherThatThrowsLeavesTheWritingToOthers() throws Exception {
    CompletableFuture<String> released = new CompletableFuture<>();
    Behavior<ConsoleHub.Command> hub =
        Behaviors.receiveMessage(
            message -> {
              switch (message) {
                case ConsoleHub.Attach attach ->
                    attach
                        .replyTo()
                        .tell(new ConsoleHub.Attached(attach.request(), new Place(1, 0)));
                case ConsoleHub.Claim claim ->
                    claim.replyTo().tell(new ConsoleHub.Claimed(claim.session(), 1));
                case ConsoleHub.Release(String session) -> released.complete(session);
                default -> {}
              }
              return Behaviors.same();
            });
    ActorRef<ConsoleHub.Command> there = ONE.system.systemActorOf(hub, "fake", Props.empty());
    ConsoleWatcher broken =
        new ConsoleWatcher() {
          @Override
          public void output(ConsoleOutput output) {
            throw new IllegalStateException("gone");
          }

          @Override
          public void failed(ControlException reason) {}

          @Override
          public void closed() {}
        };
    ConsoleAttachment.attach(
        TWO.system, "anna", writing().setVm("vm").build(), seenFromTwo(there, 1), broken);
    assertThat(released.get(60, TimeUnit.SECONDS)).isNotEmpty();
  }

  @Test
  void aLocatorThatThrowsIsAPassingFailure() {
    TestWatcher watcher = new TestWatcher();
    Locator broken =
        _ -> {
          throw new IllegalStateException("no region");
        };
    ConsoleSession session = attach(TWO, "anna", writing(), broken, watcher);
    watcher.awaitTold(output -> output.getNote().equals("cannot be reached: no region"));
    session.close();
  }

  @Test
  void theLastOutputOfAStoppedMachineIsShown() {
    var hub = ONE.hub("stopped", 1 << 20);
    TestNode.Guest guest = ONE.guest(hub, 7, Fence.NONE);
    guest.print("panic");
    guest.end();
    TestWatcher watcher = new TestWatcher();
    Where where =
        new Where(
            new Locator.Stopped(
                "triple fault", Optional.of(new Locator.Here(7, TWO.remote(ONE, hub)))));
    watcher.takeAll(attach(TWO, "anna", writing(), where, watcher));
    watcher.await(TestWatcher::isClosed);
    assertThat(watcher.text()).isEqualTo("panic");
    assertThat(watcher.told().getFirst().getOpened().getWriter()).isFalse();
    assertThat(watcher.told().getLast().getClosed()).isEqualTo("triple fault");

    TestWatcher nothing = new TestWatcher();
    attach(
        TWO,
        "anna",
        writing(),
        new Where(new Locator.Stopped("never started", Optional.empty())),
        nothing);
    nothing.await(TestWatcher::isClosed);
    assertThat(nothing.told()).hasSize(2);
  }
}
