package dev.troupe.actors.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.machine.TinyGuest;
import dev.troupe.runtime.journal.Place;
import dev.troupe.runtime.machine.Position;
import dev.troupe.runtime.snapshot.StateException;
import dev.troupe.runtime.snapshot.StateHasher;
import dev.troupe.runtime.snapshot.StatePart;
import dev.troupe.runtime.snapshot.StateReader;
import dev.troupe.runtime.snapshot.StateWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class QuietGateTest {
  private static final List<ScriptedInput> SCRIPT =
      List.of(
          TinyGuest.typed(100, 0, "a"),
          TinyGuest.typed(0, 2_000, "b"),
          TinyGuest.typed(300, 9_000, "c"));

  /** What got in. */
  private static final class Line implements InputGate.Inside {
    private final List<String> seen = new ArrayList<>();

    @Override
    public void input(byte[] bytes) {
      seen.add(new String(bytes, StandardCharsets.US_ASCII));
    }

    @Override
    public void room(int bytes) {
      seen.add("room " + bytes);
    }

    @Override
    public void powerButton() {
      seen.add("button");
    }
  }

  private final Line line = new Line();

  private QuietGate gate(List<ScriptedInput> script) {
    QuietGate gate = new QuietGate(script, line, () -> {}, (place, scripted, input) -> {});
    gate.grant(16);
    return gate;
  }

  private static Place at(long instructions, long nanos) {
    return new Place(0, new Position(instructions, 0, nanos));
  }

  private static List<StatePart> parts(QuietGate gate) {
    return List.of(new StatePart("gate", gate));
  }

  /** An idle wait by the wall clock may be looked at at any time of it. */
  @Test
  void aQuietPointThatLetsNothingInIsNoState() {
    QuietGate gate = gate(SCRIPT);
    gate.admit(at(150, 1_000));
    long hash = StateHasher.hash(parts(gate));
    gate.admit(at(150, 1_234));
    gate.admit(at(150, 1_567));

    assertThat(line.seen).containsExactly("a");
    assertThat(StateHasher.hash(parts(gate))).isEqualTo(hash);
  }

  @Test
  void aRestoredGateGoesOnInTheScriptWhereTheSavedOneStood() throws StateException {
    QuietGate gate = gate(SCRIPT);
    gate.admit(at(150, 1_000));
    gate.admit(at(350, 2_500));
    byte[] saved = StateWriter.save(parts(gate));
    line.seen.clear();
    QuietGate restored = gate(SCRIPT);
    StateReader.restore(saved, parts(restored));

    restored.admit(at(350, 2_500));
    assertThat(line.seen).isEmpty();
    restored.admit(at(350, 9_000));
    assertThat(line.seen).containsExactly("c");
  }

  @Test
  void whatIsDueWhereTheStateIsSavedGetsInAfterIt() throws StateException {
    QuietGate gate = gate(SCRIPT);
    gate.admit(at(50, 1_000));
    byte[] saved = StateWriter.save(parts(gate)); // at 150 instructions, before anything is let in
    QuietGate restored = gate(SCRIPT);
    StateReader.restore(saved, parts(restored));

    restored.admit(at(150, 1_500));
    assertThat(line.seen).containsExactly("a");
  }
}
