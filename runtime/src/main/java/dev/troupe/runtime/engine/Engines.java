package dev.troupe.runtime.engine;

import dev.troupe.proto.spec.EngineKind;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.engine.translator.Translator;
import java.util.Optional;
import java.util.function.Function;

/** Which engine a machine's vCPUs have. */
public final class Engines {
  private static final String WANTS =
      "needs Linux on x86-64 with BMI2, is "
          + System.getProperty("os.name")
          + " on "
          + System.getProperty("os.arch");

  private Engines() {}

  /** Why the best engine that there is cannot be had on this host; empty if it can. */
  public static Optional<String> lack() {
    return Translator.available() ? Optional.empty() : Optional.of("translator " + WANTS);
  }

  /**
   * What makes the engine of each vCPU.
   *
   * @throws IllegalArgumentException if this host cannot have it
   */
  public static Function<Vcpu, Engine> of(EngineKind kind) {
    return switch (kind) {
      case ENGINE_KIND_AUTO -> Translator.available() ? Translator::new : Interpreter::new;
      case ENGINE_KIND_INTERPRETER -> Interpreter::new;
      case ENGINE_KIND_TRANSLATOR -> {
        if (!Translator.available()) {
          throw new IllegalArgumentException("engine translator: " + WANTS);
        }
        yield Translator::new;
      }
      case UNRECOGNIZED -> throw new IllegalArgumentException("engine: not known");
    };
  }
}
