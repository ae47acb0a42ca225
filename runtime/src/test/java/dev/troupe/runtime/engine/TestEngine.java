package dev.troupe.runtime.engine;

import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.engine.translator.Translator;

/**
 * The engine that tests of guest code run on: the interpreter, or by {@code -Dtroupe.engine=
 * translator} the translator, which then translates everything at once.
 */
public final class TestEngine {
  private static final boolean TRANSLATED =
      System.getProperty("troupe.engine", "interpreter").equals("translator");

  private TestEngine() {}

  /** An engine for a vCPU. */
  public static Interpreter of(Vcpu vcpu) {
    return TRANSLATED ? new Translator(vcpu, 1, 1, EngineWatch.NONE) : new Interpreter(vcpu);
  }
}
