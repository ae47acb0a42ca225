package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.troupe.config.Configuration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.SpawnProtocol;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Machines of eight plain devices on an actor system of two turn threads: what the board is tested
 * with.
 */
final class TestMachines implements AutoCloseable {
  static final int DEVICES = 8;
  static final long WAIT_SECONDS = 20;
  static final Props BOARD =
      DispatcherSelector.fromConfig(BoardDispatcher.ID).withMailboxFromConfig(BoardMailbox.ID);
  static final Props TURNS = DispatcherSelector.fromConfig(BoardDispatcher.ID);

  /** What the test devices understand. */
  interface Message {}

  record Io(ExitSlot exit, long value) implements Message, ExitSlot.Root {}

  record Tick(long ticket, int sender, long sequence, int hops) implements Message {}

  record Irq(int line) implements Message {}

  record Crash(ExitSlot exit) implements Message, ExitSlot.Root {}

  record Stop(boolean failing) implements Message {}

  /** Makes the behaviour of one device. */
  interface Devices {
    Behavior<Message> make(int index, TestMachine machine);
  }

  /** One machine: its board, its devices, and what its supervisor saw. */
  static final class TestMachine {
    final ExitSlot[] exits;
    final Board board;
    final List<ActorRef<Message>> devices = new ArrayList<>();
    final List<String> deaths = new CopyOnWriteArrayList<>();
    final CountDownLatch down = new CountDownLatch(1);
    ActorRef<String> self;

    private TestMachine(int vcpus, Board.Recorder recorder) {
      exits = new ExitSlot[vcpus];
      for (int i = 0; i < vcpus; i++) {
        exits[i] = new ExitSlot(i);
      }
      board = new Board(exits, recorder);
    }

    void io(int vcpu, int device, long value) {
      ExitSlot exit = exits[vcpu];
      board.call(exit, () -> devices.get(device).tell(new Io(exit, value)));
    }

    boolean stop() throws InterruptedException {
      self.tell("stop");
      return down.await(10, TimeUnit.SECONDS);
    }
  }

  private final ActorSystem<SpawnProtocol.Command> system;
  private final AtomicInteger names = new AtomicInteger();

  TestMachines() {
    var two = ConfigFactory.parseString("troupe.dispatcher.threads = 2\npekko.loglevel = OFF");
    system =
        ActorSystem.create(
            SpawnProtocol.create(),
            "board-test",
            Configuration.load(Configuration.Role.LOCAL, two).config());
  }

  <T> ActorRef<T> spawn(Behavior<T> behavior, Props props) {
    String name = "a" + names.incrementAndGet();
    return AskPattern.<SpawnProtocol.Command, ActorRef<T>>ask(
            system,
            reply -> new SpawnProtocol.Spawn<>(behavior, name, props, reply),
            java.time.Duration.ofSeconds(10),
            system.scheduler())
        .toCompletableFuture()
        .join();
  }

  TestMachine machine(int vcpus, Devices devices, Board.Recorder recorder)
      throws InterruptedException {
    TestMachine machine = new TestMachine(vcpus, recorder);
    CountDownLatch up = new CountDownLatch(1);
    Boards boards = Boards.of(system.classicSystem());
    machine.self =
        spawn(
            Behaviors.setup(
                context -> {
                  var path =
                      org.apache.pekko.actor.typed.javadsl.Adapter.toClassic(context.getSelf())
                          .path();
                  boards.enter(path, machine.board);
                  for (int i = 0; i < DEVICES; i++) {
                    var device = context.spawn(devices.make(i, machine), "dev" + i, BOARD);
                    context.watch(device);
                    machine.devices.add(device);
                  }
                  up.countDown();
                  return Behaviors.receive(String.class)
                      .onMessageEquals("stop", Behaviors::stopped)
                      .onSignal(
                          ChildFailed.class,
                          failed -> {
                            machine.deaths.add("failed " + failed.getRef().path().name());
                            return Behaviors.same();
                          })
                      .onSignal(
                          Terminated.class,
                          gone -> {
                            machine.deaths.add("stopped " + gone.getRef().path().name());
                            return Behaviors.same();
                          })
                      .onSignal(
                          org.apache.pekko.actor.typed.PostStop.class,
                          stopped -> {
                            boards.remove(path);
                            machine.down.countDown();
                            return Behaviors.same();
                          })
                      .build();
                }),
            TURNS);
    up.await();
    return machine;
  }

  /** Waits for their ends; one that hangs is a failure. */
  static void join(Thread[] threads) throws InterruptedException {
    for (Thread thread : threads) {
      thread.join(TimeUnit.SECONDS.toMillis(WAIT_SECONDS));
      assertThat(thread.isAlive()).as("hung: %s", thread).isFalse();
    }
  }

  /** Waits until that holds, and fails if it never does. */
  static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("gave up waiting").isLessThan(end);
      Thread.sleep(1);
    }
  }

  int boards() {
    return Boards.of(system.classicSystem()).size();
  }

  @Override
  public void close() {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
  }
}
