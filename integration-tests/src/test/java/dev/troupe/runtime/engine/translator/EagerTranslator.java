package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.EngineWatch;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** A translator that emits all that runs, for comparisons with the interpreter. */
public final class EagerTranslator {
  private EagerTranslator() {}

  /**
   * An engine.
   *
   * @param amends whether to put right what hosts of the other vendor leave in undefined flags
   */
  public static Translator of(Vcpu vcpu, boolean amends) {
    return new Translator(vcpu, 1, 1, amends, EngineWatch.NONE, Plant.NONE);
  }

  /**
   * What engines are compared in: size of code, long mode, and whether flags are amended; without
   * only where the host needs none.
   */
  public static Stream<Arguments> modes() {
    Stream<Boolean> amends =
        UndefinedFlags.differOnHost() ? Stream.of(true) : Stream.of(false, true);
    return amends.flatMap(
        amend ->
            Stream.of(
                Arguments.of(64, true, amend),
                Arguments.of(32, true, amend),
                Arguments.of(32, false, amend)));
  }
}
