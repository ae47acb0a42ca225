package dev.troupe.actors.store;

import com.typesafe.config.Config;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.setup.Setup;
import org.apache.pekko.persistence.jdbc.db.SlickDatabase;
import org.apache.pekko.persistence.jdbc.db.SlickDatabaseProvider;

/** Gives all plugins of an actor system the store that its process has opened. Made by Pekko. */
public final class StoreDatabaseProvider implements SlickDatabaseProvider {
  /** Tells an actor system of its store. */
  static final class StoreSetup extends Setup {
    private final SlickDatabase database;

    StoreSetup(SlickDatabase database) {
      this.database = database;
    }
  }

  private final SlickDatabase database;

  /** Called by Pekko. */
  public StoreDatabaseProvider(ActorSystem system) {
    database =
        system
            .settings()
            .setup()
            .get(StoreSetup.class)
            .orElseThrow(
                () -> new IllegalStateException("actor system was started without a store"))
            .database;
  }

  @Override
  public SlickDatabase database(Config plugin) {
    return database;
  }
}
