package dev.troupe.actors.terminal;

import dev.troupe.actors.vmd.ConsoleSession;
import dev.troupe.actors.vmd.ConsoleWatcher;
import dev.troupe.actors.vmd.ControlException;
import dev.troupe.proto.vmd.ConsoleOutput;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Remembers what it is told. */
public final class TestWatcher implements ConsoleWatcher {
  private final List<ConsoleOutput> told = new ArrayList<>();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private ControlException failure;
  private boolean closed;
  private ConsoleSession session;

  /** Takes as much as comes. */
  public synchronized void takeAll(ConsoleSession of) {
    session = of;
    of.request(4);
  }

  @Override
  public synchronized void output(ConsoleOutput output) {
    told.add(output);
    if (output.hasChunk()) {
      bytes.writeBytes(output.getChunk().getData().toByteArray());
      if (session != null) {
        session.request(1);
      }
    }
    notifyAll();
  }

  @Override
  public synchronized void failed(ControlException reason) {
    failure = reason;
    notifyAll();
  }

  @Override
  public synchronized void closed() {
    closed = true;
    notifyAll();
  }

  /** What the guest put out. */
  public synchronized byte[] bytes() {
    return bytes.toByteArray();
  }

  /** What the guest put out, as UTF-8. */
  public synchronized String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** All that was told. */
  public synchronized List<ConsoleOutput> told() {
    return List.copyOf(told);
  }

  /** Why it failed; null if it has not. */
  public synchronized ControlException failure() {
    return failure;
  }

  /** Whether the machine has stopped and all was told. */
  public synchronized boolean isClosed() {
    return closed;
  }

  /** Waits until this is so. */
  public synchronized TestWatcher await(Predicate<TestWatcher> condition) {
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (!condition.test(this)) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError("told: " + told + ", failure " + failure + ", " + closed);
      }
      try {
        wait(left);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
    return this;
  }

  /** Waits until the output ends so. */
  public TestWatcher awaitText(String end) {
    return await(self -> self.text().endsWith(end));
  }

  /** Waits until something like this was told. */
  public TestWatcher awaitTold(Predicate<ConsoleOutput> what) {
    return await(self -> self.told().stream().anyMatch(what));
  }
}
