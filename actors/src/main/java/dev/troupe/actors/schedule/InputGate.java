package dev.troupe.actors.schedule;

/**
 * The only door through which anything from outside enters a machine. The outside offers from any
 * thread; when it gets in is the schedule's choice.
 */
public interface InputGate {
  /** Where what gets in goes. */
  interface Inside {
    /** Bytes for the serial line, no more than it has room for. */
    void input(byte[] bytes);

    /** The console has taken so many bytes of output and has room for as many. */
    void room(int bytes);

    /** Somebody presses the power button. */
    void powerButton();
  }

  /** From outside: bytes for the guest; {@code taken} is called when the last of them is in. */
  void offer(byte[] bytes, Runnable taken);

  /** From outside: so many bytes of output are out. */
  void written(int bytes);

  /** From outside: the power button. */
  void pressPowerButton();

  /** From the serial line: it has room for that many more bytes of input. */
  void grant(int bytes);

  /** From the serial line: it has put out so many bytes. */
  void put(int bytes);

  /** Whether anything gets in. A paused machine takes nothing. */
  void open(boolean now);
}
