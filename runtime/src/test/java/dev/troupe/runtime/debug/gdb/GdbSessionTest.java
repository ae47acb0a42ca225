package dev.troupe.runtime.debug.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Stops;
import dev.troupe.runtime.debug.DebugTarget;
import dev.troupe.runtime.memory.GuestMemory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** GDB's protocol, byte by byte; what is hostile ends the connection at most. */
class GdbSessionTest implements DebugTarget {
  private static final int VCPUS = 2;
  private static final long MEMORY = 1 << 20;
  private static final int FUZZ_BYTES = 200_000;

  private final GuestMemory memory = GuestMemory.allocate(MEMORY);
  private final List<Cpu> cpus =
      List.of(
          new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0, 0, VCPUS),
          new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0, 1, VCPUS));
  private final StringBuilder sent = new StringBuilder();
  private final List<Move> moves = new ArrayList<>();
  private final List<String> rejected = new ArrayList<>();
  private List<Long> addresses = List.of();
  private List<Stops.Watchpoint> ranges = List.of();
  private boolean writable = true;
  private boolean killed;
  private int interrupts;
  private GdbSession session = begin();

  private GdbSession begin() {
    return new GdbSession(this, new Outside(), new Stop(0, Reason.TRAP, null));
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Override
  public int vcpus() {
    return VCPUS;
  }

  @Override
  public <T> Optional<T> look(int vcpu, Function<Cpu, T> what) {
    return Optional.of(what.apply(cpus.get(vcpu)));
  }

  @Override
  public boolean writable() {
    return writable;
  }

  @Override
  public boolean reversible() {
    return true;
  }

  @Override
  public void stopAt(List<Long> instructions, List<Stops.Watchpoint> data) {
    addresses = instructions;
    ranges = data;
  }

  @Override
  public Stop move(Move how) {
    throw new AssertionError("the session asks the outside");
  }

  @Override
  public void interrupt() {
    throw new AssertionError("the session asks the outside");
  }

  @Override
  public String position() {
    return "i:1";
  }

  /** What the session does outside is noted. */
  private final class Outside implements GdbSession.Outside {
    @Override
    public void send(byte[] bytes) {
      sent.append(new String(bytes, StandardCharsets.ISO_8859_1));
    }

    @Override
    public void move(Move how) {
      moves.add(how);
    }

    @Override
    public void interrupt() {
      interrupts++;
    }

    @Override
    public void detach() {}

    @Override
    public void kill() {
      killed = true;
    }

    @Override
    public void reject(String reason) {
      rejected.add(reason);
    }
  }

  private static byte[] packet(String content) {
    int sum = content.chars().sum() & 0xFF;
    return "$%s#%02x".formatted(content, sum).getBytes(StandardCharsets.ISO_8859_1);
  }

  /** The answer to a packet, without its frame; "" if there is none but the acknowledgement. */
  private String ask(String content) {
    sent.setLength(0);
    session.received(packet(content));
    return answer();
  }

  private String answer() {
    Matcher frame = Pattern.compile("\\+?(?:\\$([^#]*)#([0-9a-f]{2}))?").matcher(sent);
    assertThat(frame.matches()).as(sent.toString()).isTrue();
    String content = frame.group(1) == null ? "" : frame.group(1);
    if (frame.group(2) != null) {
      assertThat(frame.group(2)).isEqualTo("%02x".formatted(content.chars().sum() & 0xFF));
    }
    return content;
  }

  @Test
  void aPacketCutAnywhereIsThePacket() {
    byte[] bytes = packet("m1000,4");
    for (int cut = 0; cut <= bytes.length; cut++) {
      sent.setLength(0);
      session.received(Arrays.copyOf(bytes, cut));
      session.received(Arrays.copyOfRange(bytes, cut, bytes.length));
      assertThat(sent.toString()).isEqualTo("+$00000000#80");
    }
  }

  @Test
  void aGarbledPacketIsRefusedAndALostAnswerSentAgain() {
    session.received("$vCont;c#00".getBytes(StandardCharsets.US_ASCII));
    assertThat(sent.toString()).isEqualTo("-");
    assertThat(moves).isEmpty();
    String answer = ask("qC");
    assertThat(answer).isEqualTo("QC1");
    sent.setLength(0);
    session.received(new byte[] {'-'});
    assertThat(answer()).isEqualTo(answer);
    assertThat(ask("QStartNoAckMode")).isEqualTo("OK");
    sent.setLength(0);
    session.received(packet("qC"));
    session.received(new byte[] {'-', '+'});
    assertThat(sent.toString()).isEqualTo("$QC1#c5");
  }

  @Test
  void theDescriptionAndThePacketOfAllRegistersAgree() {
    for (RegisterSet set : List.of(RegisterSet.LONG, RegisterSet.SHORT)) {
      Matcher bits = Pattern.compile("bitsize=\"(\\d+)\"").matcher(set.description());
      int sum = 0;
      while (bits.find()) {
        sum += Integer.parseInt(bits.group(1));
      }
      assertThat(set.readAll(cpus.getFirst())).hasSize(sum / 8);
    }
    StringBuilder xml = new StringBuilder();
    String part = "m";
    while (part.startsWith("m")) {
      part = ask("qXfer:features:read:target.xml:%x,123".formatted(xml.length()));
      xml.append(part, 1, part.length());
    }
    assertThat(xml.toString()).isEqualTo(RegisterSet.SHORT.description());
    assertThat(ask("qXfer:features:read:other.xml:0,10")).isEqualTo("E00");
  }

  @Test
  void registersAreReadAndWrittenAndARecordedGuestsAreNot() {
    cpus.get(1).gpr[Cpu.RAX] = 0x1234_5678L;
    assertThat(ask("Hg2")).isEqualTo("OK");
    assertThat(ask("p0")).isEqualTo("78563412");
    assertThat(ask("P0=01000000")).isEqualTo("OK");
    assertThat(cpus.get(1).gpr[Cpu.RAX]).isEqualTo(1);
    String all = ask("g");
    assertThat(ask("G" + all)).isEqualTo("OK");
    assertThat(ask("g")).isEqualTo(all);
    writable = false;
    assertThat(ask("P0=02000000")).isEqualTo("E01");
    assertThat(ask("G" + all)).isEqualTo("E01");
    assertThat(ask("M1000,1:ff")).isEqualTo("E01");
    assertThat(List.of(ask("p99"), ask("P0=01"), ask("P0"), ask("pxx")))
        .isEqualTo(List.of("E16", "E01", "E16", "E16"));
    assertThat(cpus.get(1).gpr[Cpu.RAX]).isEqualTo(1);
  }

  @Test
  void memoryIsReadAsFarAsItGoes() {
    memory.copyIn(MEMORY - 2, new byte[] {1, 2});
    assertThat(ask("m%x,4".formatted(MEMORY - 2))).isEqualTo("0102");
    assertThat(ask("m%x,4".formatted(MEMORY))).isEqualTo("E0e");
    assertThat(ask("M1000,2:a1b2")).isEqualTo("OK");
    assertThat(ask("m1000,2")).isEqualTo("a1b2");
    assertThat(ask("X1000,2:\u0000}\u0003")).isEqualTo("OK");
    assertThat(ask("m1000,2")).isEqualTo("0023");
    assertThat(ask("M%x,2:0102".formatted(MEMORY - 1))).isEqualTo("E0e");
    assertThat(List.of(ask("m"), ask("m1"), ask("m1,"), ask("m1,fffffffff"), ask("M1,2:01")))
        .containsOnly("E16");
  }

  @Test
  void vcpusAreThreads() {
    assertThat(ask("qfThreadInfo")).isEqualTo("m1,2");
    assertThat(ask("qsThreadInfo")).isEqualTo("l");
    assertThat(List.of(ask("T1"), ask("T2"))).containsOnly("OK");
    assertThat(List.of(ask("T3"), ask("Tffffffffffffffff"), ask("Tp1.1"))).containsOnly("E13");
    ask("vCont;s:2;c");
    assertThat(moves).containsExactly(new Step(1, false));
    sent.setLength(0);
    session.stopped(new Stop(1, Reason.TRAP, null));
    assertThat(answer()).isEqualTo("T05thread:2;");
    ask("vCont;c");
    ask("bs");
    assertThat(moves).hasSize(2); // it moves
    session.received(new byte[] {3});
    assertThat(interrupts).isEqualTo(1);
    sent.setLength(0);
    session.stopped(new Stop(NO_VCPU, Reason.INTERRUPTED, null));
    assertThat(answer()).isEqualTo("T02thread:2;");
    ask("bs");
    assertThat(moves.getLast()).isEqualTo(new Step(1, true));
    sent.setLength(0);
    session.stopped(new Stop(NO_VCPU, Reason.BEGIN, null));
    assertThat(answer()).isEqualTo("T05thread:2;");
    assertThat(ask("vCont;x")).isEqualTo("E16");
  }

  /** GDB 13 hangs if the step that gets it past a breakpoint ends with the recording. */
  @Test
  void theFirstStepIntoAnEndOfTheRecordingIsAnsweredAsAStep() {
    for (String step : List.of("vCont;s:1", "s")) {
      assertThat(stopped(step, Reason.END)).isEqualTo("T05thread:1;");
      assertThat(stopped(step, Reason.END)).isEqualTo("T05replaylog:end;thread:1;");
    }
    assertThat(stopped("vCont;s:1", Reason.END)).isEqualTo("T05thread:1;");
    assertThat(stopped("vCont;c", Reason.END)).isEqualTo("T05replaylog:end;thread:1;");
    assertThat(stopped("bc", Reason.BEGIN)).isEqualTo("T05replaylog:begin;thread:1;");
    assertThat(stopped("bs", Reason.BEGIN)).isEqualTo("T05thread:1;");
    assertThat(stopped("bs", Reason.BEGIN)).isEqualTo("T05replaylog:begin;thread:1;");
  }

  private String stopped(String move, Reason reason) {
    ask(move);
    sent.setLength(0);
    session.stopped(new Stop(NO_VCPU, reason, null));
    return answer();
  }

  @Test
  void stopsAreInsertedOnceAndSaidByKind() {
    assertThat(ask("qSupported:swbreak+;hwbreak+")).contains("ReverseContinue+");
    assertThat(List.of(ask("Z0,1000,1"), ask("Z0,1000,1"), ask("Z2,2000,8"))).containsOnly("OK");
    assertThat(addresses).containsExactly(0x1000L);
    assertThat(ranges).containsExactly(new Stops.Watchpoint(Stops.Access.WRITE, 0x2000, 8));
    ask("vCont;c");
    sent.setLength(0);
    session.stopped(new Stop(0, Reason.HIT, new Stops.Hit(null, 0x1000, 0)));
    assertThat(answer()).isEqualTo("T05swbreak:;thread:1;");
    ask("vCont;c");
    sent.setLength(0);
    session.stopped(new Stop(0, Reason.HIT, new Stops.Hit(ranges.getFirst(), 0x1FFE, 1)));
    assertThat(answer()).isEqualTo("T05watch:2000;thread:1;");
    assertThat(List.of(ask("z0,1000,1"), ask("z2,2000,8"))).containsOnly("OK");
    assertThat(addresses).isEmpty();
    assertThat(ranges).isEmpty();
    assertThat(List.of(ask("Z2,0,0"), ask("Z0"), ask("Z2,1,ffffffff"))).containsOnly("E16");
    assertThat(ask("Z5,0,1")).isEmpty();
    for (int i = 0; i < 2000; i++) {
      ask("Z0,%x,1".formatted(i));
    }
    assertThat(addresses).hasSize(1024);
  }

  @Test
  void aPacketWithoutEndEndsTheConnection() {
    session.received("$".getBytes(StandardCharsets.US_ASCII));
    byte[] more = new byte[1024];
    for (int i = 0; i < 1000 && !session.isOver(); i++) {
      session.received(more);
    }
    assertThat(session.isOver()).isTrue();
    assertThat(rejected).hasSize(1);
  }

  @Test
  void killEndsTheMachineAndWhatFollowsIsNotHeard() {
    ask("k");
    assertThat(killed).isTrue();
    assertThat(session.isOver()).isTrue();
    assertThat(ask("?")).isEmpty();
  }

  @Test
  void randomPacketsAreAnsweredOrRefused() {
    Random random = new Random(7);
    String alphabet = "?gGpPmMXHTZzcCsSbvqQ0123456789abcdef,:;=+-$#}*\u0003nofr.\u00ff";
    int asked = 0;
    for (int done = 0; done < FUZZ_BYTES; ) {
      StringBuilder content = new StringBuilder();
      int length = random.nextInt(24);
      for (int i = 0; i < length; i++) {
        content.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      byte[] bytes =
          random.nextBoolean()
              ? packet(content.toString().replace("$", "").replace("#", "").replace("}", ""))
              : content.toString().getBytes(StandardCharsets.ISO_8859_1);
      session.received(bytes);
      done += bytes.length + 1;
      if (session.isMoving()) {
        session.stopped(new Stop(random.nextInt(VCPUS), Reason.TRAP, null));
      }
      if (session.isOver()) {
        session = begin();
      }
      asked++;
    }
    assertThat(asked).isGreaterThan(1000);
    String rest = sent.toString().replaceAll("\\$[^#$]*#[0-9a-f]{2}", "");
    assertThat(rest).matches("[+-]++");
  }
}
