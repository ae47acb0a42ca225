package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.memory.GuestMemory;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ParallelScheduleTest {
  private static final long WAIT_SECONDS = 30;

  /** Not yet when the first thread sets its deadline. */
  private static final long SOON = TimeUnit.MILLISECONDS.toNanos(200);

  /**
   * Another thread may take a vCPU through its next turn, and have set the deadline that it halts
   * with, before the thread that has just halted it sets its own.
   */
  @Test
  void theDeadlineOfAnEarlierTurnNeverReplacesThatOfALaterOne() throws Exception {
    CountDownLatch woken = new CountDownLatch(1);
    try (GuestMemory memory = GuestMemory.allocate(1 << 20);
        HostTimer timer = new HostTimer()) {
      ParallelSchedule schedule =
          new ParallelSchedule(timer, 0, 1, (actor, number, deadline) -> {});
      Vcpu vcpu = new Vcpu(new Cpu(CpuModel.DEFAULT, memory, schedule, () -> 0));
      vcpu.service(); // so that it asks for no attention
      schedule.start();
      Thread later = new Thread(() -> schedule.timer(0, 0, schedule.nanos() + SOON));
      schedule.attach(
          List.of(
              new Schedule.Runner() {
                private int asked;

                @Override
                public Vcpu vcpu() {
                  if (++asked
                      == 3) { // for its deadline, which is none, after two looks for attention
                    later.start();
                    await(later);
                  }
                  return vcpu;
                }

                @Override
                public void turn() {
                  woken.countDown();
                }

                @Override
                public void hold() {}

                @Override
                public void rest() {}
              }));
      schedule.end(0, Schedule.End.HALTED);
      assertThat(woken.await(WAIT_SECONDS, TimeUnit.SECONDS)).isTrue();
      schedule.close();
    }
  }

  /** Until it has done its work or cannot. */
  private static void await(Thread thread) {
    while (thread.isAlive() && thread.getState() != Thread.State.BLOCKED) {
      Thread.onSpinWait();
    }
  }
}
