package dev.troupe.peer;

import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.EngineWatch;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.engine.translator.Translator;
import java.util.function.Function;

/** The engines, each of which is to do what a peer does. */
public enum EngineUnderTest implements Function<Vcpu, Engine> {
  INTERPRETER {
    @Override
    public Engine apply(Vcpu vcpu) {
      return new Interpreter(vcpu);
    }
  },

  /** One that emits all that runs. */
  TRANSLATOR {
    @Override
    public Engine apply(Vcpu vcpu) {
      return new Translator(vcpu, 1, 1, EngineWatch.NONE);
    }
  }
}
