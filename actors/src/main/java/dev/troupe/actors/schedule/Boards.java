package dev.troupe.actors.schedule;

import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.AbstractExtensionId;
import org.apache.pekko.actor.ActorPath;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Extension;

/**
 * Which board belongs to which machine, by the path of the machine's actor; entered before its
 * children are spawned, because a mailbox is made with its actor.
 */
public final class Boards implements Extension {
  private static final class Id extends AbstractExtensionId<Boards> {
    @Override
    public Boards createExtension(ExtendedActorSystem system) {
      return new Boards();
    }
  }

  private static final Id ID = new Id();

  private final ConcurrentHashMap<ActorPath, Board> byMachine = new ConcurrentHashMap<>();

  private Boards() {}

  /** The one of this actor system. */
  public static Boards of(ActorSystem system) {
    return ID.get(system);
  }

  /** Enters a machine's board; a machine has one. */
  public void enter(ActorPath machine, Board board) {
    if (byMachine.putIfAbsent(machine, board) != null) {
      throw new IllegalStateException("two boards for " + machine);
    }
  }

  /** Forgets the board of a machine that has stopped. */
  public void remove(ActorPath machine) {
    byMachine.remove(machine);
  }

  Board at(ActorPath machine) {
    return byMachine.get(machine);
  }

  /** Machines that have a board. */
  public int size() {
    return byMachine.size();
  }
}
