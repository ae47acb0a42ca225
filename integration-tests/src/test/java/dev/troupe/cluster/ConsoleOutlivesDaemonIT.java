package dev.troupe.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.vmctl.TinyKernel;
import dev.troupe.vmctl.VmctlProcess;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A console whose node's process is killed, or stopped, and started again. */
class ConsoleOutlivesDaemonIT {
  @TempDir private Path folder;

  private String echo() throws Exception {
    return TinyKernel.write(folder, TinyKernel.ECHO).toString();
  }

  private static void awaitNotice(VmctlProcess console, String text) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    while (!console.output().contains(text)) {
      assertThat(System.nanoTime() - end).as(text + " in " + console.output()).isNegative();
      Thread.sleep(100);
    }
  }

  @Test
  void onAnotherNodeThanItsMachineItHasNoGapAndNoDoubledByte() throws Exception {
    try (TwoNodes nodes = new TwoNodes(folder)) {
      nodes.startFirst("first");
      VmctlProcess second = nodes.start("second");
      Daemon first = nodes.daemon("first");
      first.done("node", "drain", "second"); // the machine is on the first
      first.done("start", "-m", "16M", "-b", echo(), "echo");
      first.done("node", "undrain", "second");
      try (VmctlProcess console = nodes.daemon("second").open("console", "echo")) {
        console.type("one ");
        console.await("one ", 0, 60);

        second.handle().destroy(); // as a service manager does
        awaitNotice(console, "the daemon went away");
        try (VmctlProcess other = first.open("console", "--scrollback", "0", "echo")) {
          other.type("two ");
          other.await("two ", 0, 60);
        }
        assertThat(second.exitCode(60)).isZero();
        nodes.start("second");
        awaitNotice(console, "the daemon is back");
        console.await("one two ", 0, 60);

        console.type("three ");
        console.await("one two three ", 0, 60);
        assertThat(console.output()).containsOnlyOnce("one").containsOnlyOnce("two");
        console.type("\u0004");
        assertThat(console.exitCode(60)).isZero();
      }
    }
  }

  @Test
  void onAKilledNodeItFollowsItsMachineToTheNextStart() throws Exception {
    VmctlProcess node = Daemon.start(folder);
    Daemon daemon = Daemon.of(folder);
    daemon.done("start", "-m", "16M", "-b", echo(), "echo");
    try (VmctlProcess console = daemon.open("console", "echo")) {
      console.type("one ");
      console.await("one ", 0, 60);

      node.close();
      node.handle().onExit().get(30, TimeUnit.SECONDS);
      awaitNotice(console, "the daemon went away");
      node = Daemon.start(folder);
      awaitNotice(console, "the daemon is back");
      daemon.await("echo", 60, status -> status.contains("\"epoch\":2"));
      awaitNotice(console, "is not kept any more");

      console.type("two ");
      console.await("one two ", 0, 60);
    } finally {
      node.close();
    }
  }
}
