package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.machine.EventHeap;
import dev.troupe.runtime.memory.GuestMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The turns that a seed gives, whatever the threads of the vCPUs do meanwhile. */
class DeterministicScheduleTest {
  private static final int VCPUS = 3;
  private static final int TURNS = 30;

  /** A turn, as it began. */
  private record Turn(int vcpu, long units) {}

  private final GuestMemory memory = GuestMemory.allocate(1 << 20);
  private final HostTimer timer = new HostTimer();

  @AfterEach
  void close() {
    timer.close();
    memory.close();
  }

  /** A machine whose vCPUs never halt, without threads: messages wait in a list. */
  private final class Stage {
    private final Deque<Integer> messages = new ArrayDeque<>();
    private final List<Turn> turns = new ArrayList<>();
    private final TurnGate gate = new TurnGate();
    private final DeterministicSchedule schedule;

    /** Done once, by the vCPU that comes to rest next: what another thread does just then. */
    private Runnable meanwhile = () -> {};

    private final class Door implements Schedule.Runner {
      private final int index;
      private final Vcpu vcpu;
      private boolean underway = true;

      Door(int index) {
        this.index = index;
        vcpu = new Vcpu(new Cpu(CpuModel.DEFAULT, memory, schedule, () -> 0, index, VCPUS));
      }

      @Override
      public Vcpu vcpu() {
        return vcpu;
      }

      @Override
      public void turn() {
        if (!underway) {
          underway = true;
          messages.add(index);
        }
      }

      @Override
      public void hold() {
        underway = true;
      }

      @Override
      public void rest() {
        Runnable now = meanwhile;
        meanwhile = () -> {};
        now.run();
        underway = false;
      }
    }

    Stage(long seed) {
      var options = new DeterministicSchedule.Options(seed, false);
      Board board = new Board(new ExitSlot[0], null);
      board.stepped(true);
      schedule = new DeterministicSchedule(timer, board, 0, options, gate, (a, t, d) -> {});
      schedule.gate(
          new QuietGate(List.of(), null, schedule::arrived, (place, scripted, input) -> {}));
      schedule.observe(
          new DeterministicSchedule.QuietPoint() {
            @Override
            public void reached() {}

            @Override
            public long nextNanos() {
              return EventHeap.NEVER;
            }
          });
      schedule.attach(IntStream.range(0, VCPUS).mapToObj(Door::new).toList());
      schedule.clear();
      schedule.start();
    }

    /** What an actor does with a message that starts its turn. */
    void handle(int vcpu) {
      for (long units = schedule.begin(vcpu); units > 0; units = schedule.begin(vcpu)) {
        turns.add(new Turn(vcpu, units));
        schedule.running(vcpu, units);
        schedule.ran(vcpu, units);
        if (!schedule.end(vcpu, Schedule.End.MORE)) {
          return;
        }
      }
    }

    List<Turn> turns() {
      while (turns.size() < TURNS && !messages.isEmpty()) {
        handle(messages.remove());
      }
      return turns;
    }
  }

  /** The messages that all vCPUs owe at first, one after the other. */
  private List<Turn> undisturbed() {
    Stage stage = new Stage(1);
    for (int vcpu = 0; vcpu < VCPUS; vcpu++) {
      stage.messages.add(vcpu);
    }
    return stage.turns();
  }

  @Test
  void aSeedGivesEveryVcpuItsTurns() {
    assertThat(undisturbed()).hasSize(TURNS);
    assertThat(undisturbed()).extracting(Turn::vcpu).contains(0, 1, 2);
    assertThat(undisturbed()).isEqualTo(undisturbed());
  }

  /** Bring-up with seed 11 had two histories: a turn's length was drawn twice. */
  @Test
  void aVcpuThatIsGivenTheTurnJustAsItFindsThatItHasNoneTakesItOnce() {
    Stage stage = new Stage(1);
    stage.messages.add(2);
    stage.meanwhile = () -> stage.handle(0);
    stage.handle(1);
    assertThat(stage.turns()).isEqualTo(undisturbed());
  }

  @Test
  void aMessageTooManyGivesNoTurn() {
    Stage stage = new Stage(1);
    for (int vcpu = 0; vcpu < VCPUS; vcpu++) {
      stage.messages.add(vcpu);
      stage.messages.add(vcpu);
    }
    assertThat(stage.turns()).isEqualTo(undisturbed());
  }

  @Test
  void whenTheGuestHasEndedNobodyHasATurnAndNoTimePasses() {
    Stage stage = new Stage(1);
    DeterministicSchedule schedule = stage.schedule;
    assertThat(schedule.begin(0)).isZero();
    long units = schedule.begin(1);
    assertThat(units).isPositive();
    schedule.running(1, units);
    schedule.ran(1, units);
    final long ended = schedule.nanos();
    stage.gate.close();

    assertThat(schedule.end(1, Schedule.End.HALTED)).isFalse();
    assertThat(stage.messages).isEmpty();
    for (int vcpu = 0; vcpu < VCPUS; vcpu++) {
      assertThat(schedule.begin(vcpu)).isZero();
    }
    schedule.stop();
    assertThat(schedule.nanos()).isEqualTo(ended);
  }
}
