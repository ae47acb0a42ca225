package dev.troupe.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.persistence.jdbc.query.javadsl.JdbcReadJournal;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.stream.javadsl.Sink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedStoreTest {
  @TempDir Path folder;

  @Test
  void eventsOutliveTheirNode() throws Exception {
    String store = "file = data/store";
    try (CounterNode node = CounterNode.open(folder, store)) {
      for (int i = 1; i <= 50; i++) {
        assertThat(node.add()).isEqualTo(i);
      }
    }
    try (CounterNode node = CounterNode.open(folder, store)) {
      assertThat(node.get()).isEqualTo(50);
      assertThat(
              PersistenceQuery.get(node.system)
                  .getReadJournalFor(JdbcReadJournal.class, JdbcReadJournal.Identifier())
                  .currentPersistenceIds()
                  .runWith(Sink.seq(), node.system)
                  .toCompletableFuture()
                  .get(60, TimeUnit.SECONDS))
          .containsExactly(Counter.ID);
    }
  }

  @Test
  void whatWasSaidToBeKeptOutlivesAKilledProcess() throws Exception {
    String store = "file = store";
    long said = CounterNode.countAndKill(folder, store, 30);

    try (CounterNode node = CounterNode.open(folder, store)) {
      // One more may have been kept and not been said.
      assertThat(node.get()).isBetween(said, said + 1);
      assertThat(said).isGreaterThanOrEqualTo(30);
    }
  }
}
