package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;

/** A translator with an error. */
public final class PlantedEngine {
  private static final int HOT = 8;
  private static final int HOTTER = 2;

  private PlantedEngine() {}

  /** Puts an undefined instruction into the {@code number}th code that it emits, and all after. */
  public static Engine withUndefined(Vcpu vcpu, int number) {
    return new Translator(
        vcpu,
        HOT,
        HOTTER,
        (code, n) -> {
          if (n >= number) {
            code.emit(0x0F, 0x0B); // ud2
          }
        });
  }
}
