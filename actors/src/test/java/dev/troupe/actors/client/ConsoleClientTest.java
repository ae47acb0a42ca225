package dev.troupe.actors.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.vmd.door.MemoryControl.Session;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.OpenConsole;
import dev.troupe.proto.vmd.VmInfo;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Consoles through a real door: who types, who watches, and how it ends. */
class ConsoleClientTest {
  private DoorFixture vmd;

  @BeforeEach
  void open() throws IOException {
    vmd = new DoorFixture();
    vmd.control.put(
        VmInfo.newBuilder().setId(1).setName("a").setState(VmState.VM_STATE_RUNNING).build());
  }

  @AfterEach
  void close() throws IOException {
    vmd.close();
  }

  /** Somebody at a console. */
  private final class Person {
    final PipedOutputStream keyboard = new PipedOutputStream();
    final ByteArrayOutputStream screen = new ByteArrayOutputStream();
    final ByteArrayOutputStream notices = new ByteArrayOutputStream();
    final CompletableFuture<Integer> end = new CompletableFuture<>();

    Person(OpenConsole.Builder open, boolean terminal) throws IOException {
      this(open, terminal, null);
    }

    Person(OpenConsole.Builder open, boolean terminal, OutputStream slow) throws IOException {
      this(open, terminal, slow, Duration.ofMinutes(1));
    }

    Person(OpenConsole.Builder open, boolean terminal, OutputStream slow, Duration patience)
        throws IOException {
      PipedInputStream in = new PipedInputStream(keyboard, 1 << 20);
      Thread.ofPlatform()
          .daemon()
          .start(
              () -> {
                try (Daemon daemon = Daemon.at(vmd.socket);
                    ConsoleClient client =
                        new ConsoleClient(
                            daemon,
                            in,
                            slow == null ? screen : slow,
                            new PrintStream(notices, true, StandardCharsets.UTF_8),
                            terminal,
                            patience)) {
                  end.complete(client.converse(open.setVm("a").build()));
                } catch (Throwable e) {
                  end.completeExceptionally(e);
                }
              });
    }

    void type(String text) throws IOException {
      keyboard.write(text.getBytes(StandardCharsets.ISO_8859_1));
      keyboard.flush();
    }

    String screen() {
      return screen.toString(StandardCharsets.UTF_8);
    }

    String notices() {
      return notices.toString(StandardCharsets.UTF_8);
    }
  }

  private static OpenConsole.Builder writes() {
    return OpenConsole.newBuilder().setWrite(true);
  }

  private Session session(int number) throws InterruptedException {
    await(() -> vmd.control.sessions.size() > number);
    return vmd.control.sessions.get(number);
  }

  private static void await(java.util.function.BooleanSupplier condition)
      throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as("what is waited for comes").isNegative();
      Thread.sleep(2);
    }
  }

  private static void print(Session session, String text) throws InterruptedException {
    await(() -> session.print(text));
  }

  @Test
  void outputIsShownInputIsTypedAndCtrlBracketLeaves() throws Exception {
    Person person = new Person(writes().setScrollback(77), true);
    Session session = session(0);
    assertThat(session.open.getScrollback()).isEqualTo(77);
    print(session, "login: ");
    await(() -> person.screen().equals("login: "));
    person.type("root\r");
    await(() -> session.typed().equals("root\r"));
    person.type("x\035y");
    assertThat(person.end.get(60, TimeUnit.SECONDS)).isZero();
    await(() -> session.closed);
    assertThat(session.typed()).isIn("root\r", "root\rx"); // the rest may still be on its way
    assertThat(person.notices()).isEqualTo("\r\n");
  }

  @Test
  void aTildeAndADotAtTheBeginningOfALineLeave() throws Exception {
    Person person = new Person(writes(), true);
    Session session = session(0);
    person.type("~~a~.\r~b\r~");
    await(() -> session.typed().equals("~a~.\r~b\r"));
    person.type(".");
    assertThat(person.end.get(60, TimeUnit.SECONDS)).isZero();
  }

  @Test
  void leavingWorksThoughTheGuestTakesNothing() throws Exception {
    Person person = new Person(writes(), true);
    Session session = session(0);
    session.takes = false;
    person.type("a");
    await(() -> session.typed().equals("a"));
    person.type("b".repeat(5000));
    person.type("\r~.");
    assertThat(person.end.get(60, TimeUnit.SECONDS)).isZero();
    assertThat(session.inputs()).as("the next comes when the guest has taken one").isEqualTo(1);
  }

  @Test
  void aPipeHasNoEscapesAndItsEndEndsNothing() throws Exception {
    Person person = new Person(writes(), false);
    Session session = session(0);
    person.type("\035\n~.\n" + "x".repeat(10_000));
    person.keyboard.close();
    await(() -> session.typed().length() == 10_005);
    print(session, "still there");
    await(() -> person.screen().equals("still there"));
    session.say(ConsoleOutput.newBuilder().setClosed("powered off").build());
    session.end();
    assertThat(person.end.get(60, TimeUnit.SECONDS)).isZero();
    assertThat(person.notices()).isEqualTo("vmctl: the console is closed: powered off\n");
  }

  @Test
  void oneTypesAndTheOthersWatchUntilOneTakesOver() throws Exception {
    Person first = new Person(writes(), true);
    Session one = session(0);
    await(one::writes);
    Person second = new Person(writes(), true);
    Session two = session(1);
    await(() -> second.notices().contains("somebody types on vm 1 already; --force takes over"));
    second.type("not heard");
    print(two, "seen");
    await(() -> second.screen().equals("seen"));
    Person third = new Person(writes().setForce(true), true);
    Session three = session(2);
    await(() -> first.notices().contains("types from now on; you watch"));
    first.type("not heard");
    third.type("heard");
    await(() -> three.typed().equals("heard"));
    assertThat(one.typed() + two.typed()).isEmpty();
    second.type("\035");
    assertThat(second.end.get(60, TimeUnit.SECONDS)).as("who watches may leave").isZero();
  }

  @Test
  void aSlowReaderIsAskedForNoMoreThanHeReads() throws Exception {
    Semaphore reads = new Semaphore(0);
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    OutputStream slow =
        new OutputStream() {
          @Override
          public void write(int b) {
            throw new UnsupportedOperationException();
          }

          @Override
          public void write(byte[] bytes, int from, int count) {
            reads.acquireUninterruptibly();
            read.write(bytes, from, count);
          }
        };
    Person person = new Person(OpenConsole.newBuilder(), false, slow);
    Session session = session(0);
    String piece = "0123456789abcdef".repeat(4096);
    int printed = 0;
    long quiet = System.nanoTime();
    // As fast as the door asks, until it has not asked for a while.
    while (System.nanoTime() - quiet < TimeUnit.MILLISECONDS.toNanos(300)) {
      if (session.print(piece)) {
        printed++;
        quiet = System.nanoTime();
        assertThat(printed).as("of 64 KiB each, nobody reads").isLessThan(100);
      } else {
        Thread.sleep(1);
      }
    }
    reads.release(1_000_000);
    int all = printed + 50;
    while (printed < all) {
      print(session, piece);
      printed++;
    }
    await(() -> read.size() == (long) all * piece.length());
    assertThat(read.toString(StandardCharsets.UTF_8)).isEqualTo(piece.repeat(all));
    assertThat(person.notices()).as("without gaps").isEmpty();
  }

  @Test
  void gapsMovesAndNewEpochsAreSaid() throws Exception {
    Person person = new Person(OpenConsole.newBuilder(), false);
    Session session = session(0);
    print(session, "a");
    session.say(
        ConsoleOutput.newBuilder()
            .setLost(ConsoleOutput.Lost.newBuilder().setEpoch(1).setOffset(1).setBytes(70))
            .build());
    session.say(ConsoleOutput.newBuilder().setNote("vm a moves to\033 n2").build());
    var next = ConsoleOutput.Chunk.newBuilder();
    next.setEpoch(1).setOffset(71).setData(com.google.protobuf.ByteString.copyFromUtf8("b"));
    session.say(ConsoleOutput.newBuilder().setChunk(next).build());
    session.say(ConsoleOutput.newBuilder().setChunk(next.setOffset(80)).build());
    session.say(ConsoleOutput.newBuilder().setChunk(next.setEpoch(2).setOffset(0)).build());
    session.end();
    assertThat(person.end.get(60, TimeUnit.SECONDS)).isZero();
    assertThat(person.screen()).isEqualTo("abbb");
    assertThat(person.notices())
        .isEqualTo(
            """
            vmctl: 70 bytes of output are lost here
            vmctl: vm a moves to? n2
            vmctl: output is missing here: from byte 72 to 80
            vmctl: the machine started anew (epoch 2)
            """);
  }

  @Test
  void aDaemonThatDoesNotComeBackEndsTheConsoleWithOneLine() throws Exception {
    Person person = new Person(writes(), true, null, Duration.ofMillis(300));
    Session session = session(0);
    person.type("\r~");
    await(() -> session.typed().equals("\r"));
    vmd.shut();
    assertThat(person.end)
        .failsWithin(60, TimeUnit.SECONDS)
        .withThrowableThat()
        .havingCause()
        .isInstanceOf(ClientException.class)
        .withMessageMatching("the daemon at .* went away, and none has answered there for 0 s")
        .matches(e -> ((ClientException) e).exitCode() == ClientExit.UNAVAILABLE);
    await(() -> session.closed);
    vmd.open();
  }

  @Test
  void aConsoleOutlivesItsDaemonAndGoesOnWhereItWas() throws Exception {
    Person person = new Person(writes().setForce(true).setScrollback(5), false);
    Session before = session(0);
    print(before, "abc");
    await(() -> person.screen().equals("abc"));
    person.type("x");
    await(() -> before.typed().equals("x"));
    vmd.shut();
    await(() -> person.notices().contains("went away"));
    person.type("y");
    vmd.open();
    Session after = session(1);
    assertThat(after.open.getFrom().getEpoch()).isEqualTo(1);
    assertThat(after.open.getFrom().getOffset()).isEqualTo(3);
    assertThat(after.open.getWrite()).isTrue();
    assertThat(after.open.getForce()).as("somebody may have been faster").isFalse();
    await(() -> after.typed().equals("y"));
    print(after, "def");
    await(() -> person.screen().equals("abcdef"));
    after.end();
    assertThat(person.end.get(60, TimeUnit.SECONDS)).isZero();
    assertThat(person.notices())
        .isEqualTo(
            """
            vmctl: the daemon went away; waiting for it for up to 60 s
            vmctl: the daemon is back
            """);
  }

  @Test
  void bytesThatWereShownAreNotShownAgainByADaemonThatBeginsEarlier() throws Exception {
    Person person = new Person(OpenConsole.newBuilder(), false);
    print(session(0), "abcd");
    await(() -> person.screen().equals("abcd"));
    vmd.shut();
    vmd.open();
    Session after = session(1);
    after.say(chunk(0, "abc"));
    after.say(chunk(3, "def"));
    after.end();
    assertThat(person.end.get(60, TimeUnit.SECONDS)).isZero();
    assertThat(person.screen()).isEqualTo("abcdef");
  }

  private static ConsoleOutput chunk(long offset, String text) {
    return ConsoleOutput.newBuilder()
        .setChunk(
            ConsoleOutput.Chunk.newBuilder()
                .setEpoch(1)
                .setOffset(offset)
                .setData(com.google.protobuf.ByteString.copyFromUtf8(text)))
        .build();
  }

  @Test
  void whoTypedBeforeAsksAgainUntilHisFormerSessionIsForgotten() throws Exception {
    Person person = new Person(writes(), false);
    Session before = session(0);
    person.type("a");
    await(() -> before.typed().equals("a"));
    vmd.shut();
    await(() -> person.notices().contains("went away"));
    vmd.control.refusals = 1;
    person.type("b");
    vmd.open();
    Session second = session(2);
    await(() -> second.typed().equals("b"));
    assertThat(person.notices()).doesNotContain("somebody types");
    person.keyboard.close();
    second.end();
    assertThat(person.end.get(60, TimeUnit.SECONDS)).isZero();
  }

  @Test
  void aMachineThatIsNotThereHasNoConsole() {
    assertThat(vmd.vmctl("console", "b"))
        .isEqualTo(new DoorFixture.Result(4, "", "vmctl: vm 'b' not found\n"));
  }
}
