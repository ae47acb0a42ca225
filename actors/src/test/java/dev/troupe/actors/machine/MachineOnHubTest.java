package dev.troupe.actors.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.schedule.BoardDispatcher;
import dev.troupe.actors.terminal.ConsoleAttachment;
import dev.troupe.actors.terminal.ConsoleHub;
import dev.troupe.actors.terminal.Fence;
import dev.troupe.actors.terminal.Locator;
import dev.troupe.actors.terminal.TestWatcher;
import dev.troupe.actors.vmd.ConsoleSession;
import dev.troupe.config.Configuration;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.OpenConsole;
import dev.troupe.runtime.machine.Outcome;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real machines, whose console is a hub. */
class MachineOnHubTest {
  private static final ActorSystem<Void> SYSTEM =
      ActorSystem.create(
          Behaviors.empty(),
          "machine-on-hub",
          Configuration.load(Configuration.Role.LOCAL).config());

  @AfterAll
  static void stop() {
    SYSTEM.terminate();
    SYSTEM.getWhenTerminated().toCompletableFuture().join();
  }

  private static ActorRef<ConsoleHub.Command> hub(String name, int capacity) {
    return SYSTEM.systemActorOf(ConsoleHub.create(name, capacity), name, Props.empty());
  }

  private static CompletableFuture<MachineActor.Ended> start(
      VmSpec spec, ActorRef<ConsoleHub.Command> hub, long epoch, Fence fence) {
    CompletableFuture<MachineActor.Ended> ended = new CompletableFuture<>();
    Behavior<MachineActor.Event> listener =
        Behaviors.receiveMessage(
            event -> {
              if (event instanceof MachineActor.Ended end) {
                ended.complete(end);
              }
              return Behaviors.same();
            });
    ActorRef<MachineActor.Event> events =
        SYSTEM.systemActorOf(listener, "events-" + spec.getName(), Props.empty());
    ActorRef<MachineActor.Command> machine =
        SYSTEM.systemActorOf(
            MachineActor.create(
                MachineParts.prepare(spec), ConsoleHub.end(hub, epoch, fence), Doors.OPEN, events),
            "machine-" + spec.getName(),
            DispatcherSelector.fromConfig(BoardDispatcher.ID));
    machine.tell(new MachineActor.Resume());
    return ended;
  }

  private static ConsoleSession attach(Locator locator, TestWatcher watcher) {
    OpenConsole open =
        OpenConsole.newBuilder().setVm("vm").setWrite(true).setScrollback(1 << 20).build();
    ConsoleSession session = ConsoleAttachment.attach(SYSTEM, "anna", open, locator, watcher);
    watcher.takeAll(session);
    return session;
  }

  @Test
  void whatIsTypedAtASessionComesBackByteByByteFromAnEchoingGuest(@TempDir Path folder)
      throws Exception {
    var hub = hub("echo", 1 << 16);
    var where = new AtomicReference<Locator.Location>(new Locator.Here(1, hub));
    var ended = start(TinyGuest.spec("echo", folder).build(), hub, 1, Fence.NONE);
    TestWatcher watcher = new TestWatcher();
    ConsoleSession session = attach(_ -> CompletableFuture.completedFuture(where.get()), watcher);
    watcher.awaitTold(output -> output.getOpened().getWriter());

    byte[] typed = new byte[6_000];
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < typed.length; i++) {
      typed[i] = (byte) (5 + random.nextInt(250));
    }
    int inputs = 0;
    for (int at = 0; at < typed.length; ) {
      int count = Math.min(typed.length - at, 1 + random.nextInt(1_500));
      session.input(Arrays.copyOfRange(typed, at, at + count));
      at += count;
      long wanted = ++inputs;
      watcher.await(self -> self.told().stream().filter(ConsoleOutput::getTaken).count() == wanted);
    }
    session.input(new byte[] {4}); // the guest's end
    assertThat(ended.get(60, TimeUnit.SECONDS).outcome()).isEqualTo(new Outcome.DebugExit(1));
    where.set(new Locator.Stopped("ended", Optional.of(new Locator.Here(1, hub))));
    watcher.await(TestWatcher::isClosed);
    assertThat(watcher.bytes()).isEqualTo(typed);
  }

  @Test
  void aFencedMachineRunsToItsEndAndShowsNothing(@TempDir Path folder) throws Exception {
    var hub = hub("flood", 1 << 16);
    var ended = start(TinyGuest.spec("flood", folder).build(), hub, 1, () -> false);
    assertThat(ended.get(60, TimeUnit.SECONDS).outcome()).isEqualTo(new Outcome.DebugExit(2));
    ConsoleHub.Counts counts =
        AskPattern.ask(hub, ConsoleHub.Inspect::new, Duration.ofSeconds(30), SYSTEM.scheduler())
            .toCompletableFuture()
            .join();
    assertThat(counts.refused()).isEqualTo(100_000);
    assertThat(counts.written()).isZero();
  }

  @Test
  void aFloodThatNobodyReadsEndsAndItsLastBytesAreKept(@TempDir Path folder) throws Exception {
    int capacity = 5_000;
    var hub = hub("unread", capacity);
    var ended = start(TinyGuest.spec("flood", folder).build(), hub, 1, Fence.NONE);
    assertThat(ended.get(60, TimeUnit.SECONDS).outcome()).isEqualTo(new Outcome.DebugExit(2));
    Locator.Location stopped = new Locator.Stopped("ended", Optional.of(new Locator.Here(1, hub)));
    TestWatcher watcher = new TestWatcher();
    attach(_ -> CompletableFuture.completedFuture(stopped), watcher);
    watcher.await(TestWatcher::isClosed);
    byte[] last = new byte[capacity];
    for (int i = 0; i < capacity; i++) {
      last[i] = (byte) (100_000 - capacity + i);
    }
    assertThat(watcher.bytes()).isEqualTo(last);
  }
}
