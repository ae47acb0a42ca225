package dev.troupe.lockstep;

import dev.troupe.runtime.engine.CodeTrace;
import java.util.ArrayList;
import java.util.List;

/** Where emitted code ran within a turn, while somebody wants to know. */
final class Entries implements CodeTrace {
  /**
   * A stay in emitted code.
   *
   * @param from units of the turn that were left when it began
   * @param to the same when it ended
   */
  record Stay(long from, long to) {}

  private final List<Stay> stays = new ArrayList<>();
  private boolean on;
  private long entered;

  /** From now on. */
  void begin() {
    on = true;
    stays.clear();
  }

  List<Stay> stays() {
    return stays;
  }

  @Override
  public void translated(Code code) {}

  @Override
  public void entered(int vcpu, int number, long guest, long host, long left) {
    entered = left;
  }

  @Override
  public void left(int vcpu, int number, long left) {
    if (on) {
      stays.add(new Stay(entered, left));
    }
  }
}
