package dev.troupe.actors.vmd;

import dev.troupe.proto.vmd.ConsoleOutput;

/** What is told to somebody at a console. One call at a time, from any thread; must not block. */
public interface ConsoleWatcher {
  /** Something happened; chunks come only as far as {@link ConsoleSession#request} allows. */
  void output(ConsoleOutput output);

  /** The console cannot be had, or not any longer; nothing follows. */
  void failed(ControlException reason);

  /** The machine has stopped, and everything has been told. */
  void closed();
}
