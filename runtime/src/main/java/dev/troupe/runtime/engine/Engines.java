package dev.troupe.runtime.engine;

import dev.troupe.proto.spec.EngineKind;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.engine.interpreter.TracedInterpreter;
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

  /** Whether an engine of that kind would emit code on this host. */
  public static boolean emits(EngineKind kind) {
    return kind != EngineKind.ENGINE_KIND_INTERPRETER && Translator.available();
  }

  /**
   * What makes the engine of each vCPU.
   *
   * @param watch what the engine may look at itself with
   * @throws IllegalArgumentException if this host cannot have it
   */
  public static Function<Vcpu, Engine> of(EngineKind kind, EngineWatch watch) {
    Function<Vcpu, Engine> translator = vcpu -> new Translator(vcpu, watch);
    Function<Vcpu, Engine> interpreter =
        watch.trace() == null
            ? Interpreter::new
            : vcpu -> new TracedInterpreter(vcpu, watch.trace());
    return switch (kind) {
      case ENGINE_KIND_AUTO -> Translator.available() ? translator : interpreter;
      case ENGINE_KIND_INTERPRETER -> interpreter;
      case ENGINE_KIND_TRANSLATOR -> {
        if (!Translator.available()) {
          throw new IllegalArgumentException("engine translator: " + WANTS);
        }
        yield translator;
      }
      case UNRECOGNIZED -> throw new IllegalArgumentException("engine: not known");
    };
  }
}
