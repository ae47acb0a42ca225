package dev.troupe.actors.console;

import org.apache.pekko.actor.typed.ActorRef;

/**
 * The outside end of a console: a terminal, a pipe, a test. Its methods are called by the machine's
 * actors and never block; what it has to say it says by messages.
 */
public interface ConsoleEnd {
  /** Called once, before anything else. Input may be sent from now on. */
  void open(ActorRef<ConsoleActor.Command> console);

  /** Takes bytes of output; when they are out, the end sends {@link ConsoleActor.Written}. */
  void write(byte[] bytes);

  /** The guest has been given this {@link ConsoleActor.Input}; the end may send the next. */
  void taken();

  /** Nothing more comes. */
  void close();
}
