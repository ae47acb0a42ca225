package dev.troupe.runtime.engine.interpreter;

/** What a faster engine has made of a block. */
public interface Compiled {
  /** The block is no longer good: nothing may lead into its code. */
  void drop();
}
