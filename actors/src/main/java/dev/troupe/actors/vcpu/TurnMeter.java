package dev.troupe.actors.vcpu;

/**
 * Takes the time of vCPUs' turns. Each turn's beginning and end are told on the thread that runs
 * it, and no other turn begins on that thread between the two.
 */
public interface TurnMeter {
  /** Takes no time. */
  TurnMeter NONE =
      new TurnMeter() {
        @Override
        public void begin() {}

        @Override
        public void end() {}
      };

  /** A turn begins. */
  void begin();

  /** It has ended. */
  void end();
}
