package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the parallel schedule's gate promises about output that the outside does not take. */
class DirectGateTest {
  private final TurnGate turns = new TurnGate();
  private final List<Boolean> told = new ArrayList<>();
  private final List<Integer> rooms = new ArrayList<>();
  private final DirectGate gate =
      new DirectGate(
          new InputGate.Inside() {
            @Override
            public void input(byte[] bytes) {}

            @Override
            public void room(int bytes) {
              rooms.add(bytes);
            }

            @Override
            public void powerButton() {}
          },
          turns,
          told::add);

  @Test
  void theVcpusAreHeldFromTheVeryByteThatIsTooMuch() {
    gate.put(DirectGate.HIGH_WATER);
    assertThat(turns.isOpen()).isTrue();
    gate.put(1);
    assertThat(turns.isOpen()).isFalse();
    assertThat(told).containsExactly(true);
  }

  @Test
  void theyGoOnWhenTheOutsideHasCaughtUpAndNotBefore() {
    gate.put(DirectGate.HIGH_WATER + 1);
    gate.written(DirectGate.HIGH_WATER - DirectGate.LOW_WATER);
    assertThat(turns.isOpen()).isFalse();
    gate.written(1);
    assertThat(turns.isOpen()).isTrue();
    assertThat(told).containsExactly(true, false);
    assertThat(rooms).containsExactly(DirectGate.HIGH_WATER - DirectGate.LOW_WATER, 1);
  }

  @Test
  void aMachineThatIsSwitchedOffStaysSoWhenTheOutsideCatchesUp() {
    gate.put(DirectGate.HIGH_WATER + 1);
    turns.close();
    gate.written(DirectGate.HIGH_WATER + 1);
    assertThat(turns.isOpen()).isFalse();
    turns.open();
    assertThat(turns.isOpen()).isTrue();
  }
}
