package dev.troupe.actors.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.vmd.Control;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.VmInfo;
import java.nio.file.Path;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a node says of what its machines use. */
@Timeout(60)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MachineUsageTest {
  private static final Control.Caller CALLER = new Control.Caller(0, "root", true);

  @TempDir private Path folder;
  private TestHost.Sharded host;

  @BeforeAll
  void startHost() {
    host = new TestHost.Sharded();
  }

  @AfterAll
  void stopHost() {
    host.close();
  }

  private TestHost.ShardedHandle start(VmSpec.Builder spec) throws Exception {
    return (TestHost.ShardedHandle) host.start(spec.build(), new TestConsole(), Doors.OPEN);
  }

  private static VmInfo info(TestHost.ShardedHandle machine) {
    return machine.control().show(CALLER, machine.name()).toCompletableFuture().join().getFirst();
  }

  private static VmInfo await(TestHost.ShardedHandle machine, Predicate<VmInfo> wanted)
      throws InterruptedException {
    VmInfo info = info(machine);
    while (!wanted.test(info)) {
      Thread.sleep(50);
      info = info(machine);
    }
    return info;
  }

  @Test
  void aGuestInALoopUsesAProcessorAndNoMoreThanOne() throws Exception {
    long before = System.nanoTime();
    TestHost.ShardedHandle machine = start(TinyGuest.spec("endless", folder));

    VmInfo early = await(machine, vm -> vm.getCpuNanos() > 0);
    VmInfo late = await(machine, vm -> vm.getCpuNanos() > early.getCpuNanos());
    assertThat(late.getCpuNanos()).isLessThan(System.nanoTime() - before);

    machine.stop();
    VmInfo over = await(machine, vm -> vm.getNode().isEmpty());
    assertThat(over.getCpuNanos()).isZero();
    assertThat(over.getCurrentMemoryBytes()).isZero();
  }

  @Test
  void aGuestThatTouchesLittleHasLittleOfItsMemory() throws Exception {
    long size = 32L << 20;
    TestHost.ShardedHandle machine = start(TinyGuest.spec("dead", folder).setMemoryBytes(size));

    VmInfo info = await(machine, vm -> vm.getCurrentMemoryBytes() > 0);
    assertThat(info.getCurrentMemoryBytes() % 4096).isZero();
    assertThat(info.getCurrentMemoryBytes()).isLessThan(size / 16);
    machine.stop();
  }
}
