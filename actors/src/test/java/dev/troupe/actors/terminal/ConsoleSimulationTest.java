package dev.troupe.actors.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConsoleSimulationTest {
  private static final int SEEDS = Integer.getInteger("troupe.console.seeds", 300);
  private static final int HAPPENINGS = 400;

  @Test
  void everybodyIsShownEachByteOnceAndToldOfTheOthersWhateverMessagesAndNodesDo() {
    long shown = 0;
    long lost = 0;
    int typed = 0;
    for (long seed = 1; seed <= SEEDS; seed++) {
      ConsoleWorld world = new ConsoleWorld(seed, new ConsoleWorld.Bug() {}).live(HAPPENINGS);
      typed += world.typed.size();
      for (ConsoleWorld.Person person : world.people) {
        shown += person.seen.size();
        lost += person.lost;
      }
    }
    // It was about something.
    assertThat(shown).isGreaterThan(SEEDS * 1000L);
    assertThat(lost).isPositive();
    assertThat(typed).isGreaterThan(SEEDS);
  }

  /** A world with a bug must be found out within a few seeds. */
  private static void assertFound(ConsoleWorld.Bug bug, String complaint) {
    List<String> complaints = new ArrayList<>();
    for (long seed = 1; seed <= 30; seed++) {
      try {
        new ConsoleWorld(seed, bug).live(HAPPENINGS);
      } catch (AssertionError e) {
        if (e.getMessage().contains(complaint)) {
          return;
        }
        complaints.add(e.getMessage());
      }
    }
    fail("not found: " + complaint + "; but " + complaints);
  }

  @Test
  void aHubThatForgetsTheFenceIsFound() {
    assertFound(
        new ConsoleWorld.Bug() {
          @Override
          public boolean mayEmit(boolean may) {
            return true;
          }
        },
        "is shown bytes of a node whose lease has run out");
  }

  @Test
  void aSessionThatBelievesThatEachAnswerIsAboutItsPlaceIsFound() {
    assertFound(
        new ConsoleWorld.Bug() {
          private final Map<String, ConsoleHub.Read> last = new HashMap<>();

          @Override
          public void sent(ConsoleHub.Command command) {
            if (command instanceof ConsoleHub.Read read) {
              last.put(read.reader(), read);
            }
          }

          @Override
          public ConsoleHub.Reply reply(ConsoleHub.Reply reply, String session) {
            ConsoleHub.Read read = last.get(session);
            return reply instanceof ConsoleHub.Chunk chunk && read != null
                ? new ConsoleHub.Chunk(read.request(), read.at(), chunk.bytes())
                : reply;
          }
        },
        "is shown what the guest did not put out");
  }

  @Test
  void aHubThatLeavesOutAByteIsFound() {
    assertFound(
        ConsoleWorld.replies(
            reply ->
                reply instanceof ConsoleHub.Chunk(long request, Place at, byte[] bytes)
                        && bytes.length > 30
                    ? new ConsoleHub.Chunk(request, at, Arrays.copyOfRange(bytes, 1, bytes.length))
                    : reply),
        "is shown what the guest did not put out");
  }

  @Test
  void aHubThatMiscountsWhatIsLostIsFound() {
    assertFound(
        ConsoleWorld.replies(
            reply ->
                reply instanceof ConsoleHub.Lost(long request, Place at, long bytes)
                    ? new ConsoleHub.Lost(request, at, bytes - 1)
                    : reply),
        "");
  }

  @Test
  void aHubThatTakesACopyForNewInputIsFound() {
    assertFound(
        new ConsoleWorld.Bug() {
          private long number = 1000;

          @Override
          public ConsoleHub.Command command(ConsoleHub.Command command) {
            return command instanceof ConsoleHub.Write write
                ? new ConsoleHub.Write(
                    write.session(), write.epoch(), number++, write.bytes(), write.replyTo())
                : command;
          }
        },
        "the guest was given something twice");
  }

  @Test
  void aHubThatSaysTakenTooEarlyIsFound() {
    assertFound(
        ConsoleWorld.replies(
            reply ->
                reply instanceof ConsoleHub.NotTaken not
                    ? new ConsoleHub.Taken(not.session(), not.sequence())
                    : reply),
        "is told that the guest has what it has not");
  }
}
