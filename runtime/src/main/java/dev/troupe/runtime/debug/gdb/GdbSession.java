package dev.troupe.runtime.debug.gdb;

import dev.troupe.runtime.debug.DebugTarget;
import dev.troupe.runtime.debug.DebugTarget.Move;
import dev.troupe.runtime.debug.DebugTarget.Reason;
import dev.troupe.runtime.debug.DebugTarget.Stop;
import dev.troupe.runtime.debug.gdb.PacketReader.Event;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One connection of GDB's to a machine (GDB manual, appendix E). vCPUs are its threads, numbered
 * from 1. Not for more than one thread at a time; the machine stands when it begins.
 */
public final class GdbSession {
  /** Who carries out what the session wants. */
  public interface Outside {
    /** Bytes for GDB. */
    void send(byte[] bytes);

    /** Begins to move the machine; {@link GdbSession#stopped} follows. */
    void move(Move how);

    /** Makes a machine that moves stand soon. */
    void interrupt();

    /** GDB has no more to say, and lets the machine go. */
    void detach();

    /** GDB wants the machine to end. */
    void kill();

    /** What comes is not GDB's protocol. */
    void reject(String reason);
  }

  // Numbers of the packets' own.
  private static final int SIGINT = 2;
  private static final int SIGTRAP = 5;

  private final DebugTarget target;
  private final Outside outside;
  private final PacketReader reader = new PacketReader();
  private final StopTable stops = new StopTable();
  private final DataPackets data;
  private Stop last;

  /** The vCPU that registers and memory are those of. */
  private int general;

  /** The one that is to be stepped; {@link DebugTarget#NO_VCPU} for none in particular. */
  private int stepped = DebugTarget.NO_VCPU;

  private boolean moving;

  /** The move that has begun, or that ended last, is a step. */
  private boolean stepping;

  /** That step met an end of the recording and was answered as one that went. */
  private boolean quietEnd;

  private boolean over;
  private boolean acknowledges = true;

  /** Acknowledgements end with the answer to the packet in hand. */
  private boolean silence;

  /** GDB tells breakpoints from other traps by what a stop says. */
  private boolean tellsBreakpoints;

  private byte[] sent = {};

  /**
   * A connection that has just been made.
   *
   * @param reason why the machine stands
   */
  public GdbSession(DebugTarget target, Outside outside, Stop reason) {
    this.target = target;
    this.outside = outside;
    data = new DataPackets(target, () -> general);
    last = reason;
    general = Math.max(0, reason.vcpu());
  }

  /** Whether it has ended. */
  public boolean isOver() {
    return over;
  }

  /** Whether the machine moves. */
  public boolean isMoving() {
    return moving;
  }

  /** Bytes from GDB. */
  public void received(byte[] bytes) {
    for (Event event : reader.take(bytes)) {
      if (over) {
        return;
      }
      switch (event) {
        case PacketReader.Packet(String content) -> {
          acknowledge('+');
          packet(content);
        }
        case PacketReader.Garbled _ -> acknowledge('-');
        case PacketReader.Acknowledged(boolean understood) -> {
          if (!understood && acknowledges && sent.length > 0) {
            outside.send(sent);
          }
        }
        case PacketReader.Interrupt _ -> {
          if (moving) {
            outside.interrupt();
          }
        }
        case PacketReader.Overlong _ -> {
          over = true;
          outside.reject("a packet of more than " + PacketReader.MAX_CONTENT + " bytes");
        }
      }
    }
  }

  /** The machine stands again. */
  public void stopped(Stop stop) {
    moving = false;
    last = stop;
    boolean end = stop.reason() == Reason.BEGIN || stop.reason() == Reason.END;
    quietEnd = end && stepping && !quietEnd;
    if (stop.vcpu() != DebugTarget.NO_VCPU) {
      general = stop.vcpu();
    }
    send(stopReply());
    if (stop.reason() == Reason.GONE) {
      over = true;
    }
  }

  private void acknowledge(char sign) {
    if (acknowledges) {
      outside.send(new byte[] {(byte) sign});
    }
  }

  private void send(String content) {
    byte[] bytes = content.getBytes(StandardCharsets.ISO_8859_1);
    int sum = 0;
    for (byte b : bytes) {
      sum += b;
    }
    String packet = "$" + content + "#" + "%02x".formatted(sum & 0xFF);
    sent = packet.getBytes(StandardCharsets.ISO_8859_1);
    outside.send(sent);
  }

  // Packets -------------------------------------------------------------------------------------

  private void packet(String content) {
    if (moving) {
      send(Answers.BUSY);
      return;
    }
    Optional<String> answer = answer(content);
    answer.ifPresent(this::send);
    if (silence) {
      acknowledges = false;
    }
  }

  /** Empty where the answer is a stop, or there is none. */
  private Optional<String> answer(String content) {
    if (content.isEmpty()) {
      return Optional.of(Answers.UNKNOWN);
    }
    String rest = content.substring(1);
    return switch (content.charAt(0)) {
      case '?' -> Optional.of(stopReply());
      case 'g' -> Optional.of(data.readAll());
      case 'G' -> Optional.of(data.writeAll(rest));
      case 'p' -> Optional.of(data.read(rest));
      case 'P' -> Optional.of(data.write(rest));
      case 'm' -> Optional.of(data.readMemory(rest));
      case 'M' -> Optional.of(data.writeMemory(rest, true));
      case 'X' -> Optional.of(data.writeMemory(rest, false));
      case 'H' -> Optional.of(choose(rest));
      case 'T' -> Optional.of(thread(rest).isPresent() ? Answers.OK : Answers.NO_DEVICE);
      case 'Z' -> Optional.of(stop(rest, true));
      case 'z' -> Optional.of(stop(rest, false));
      case 'c', 'C' -> move(new DebugTarget.Run(false));
      case 's', 'S' -> move(step(stepped, false));
      case 'b' -> back(rest);
      case 'v' -> multi(content);
      case 'q', 'Q' -> Optional.of(query(content));
      case 'D' -> {
        send(Answers.OK);
        over = true;
        outside.detach();
        yield Optional.empty();
      }
      case 'k' -> {
        over = true;
        outside.kill();
        yield Optional.empty();
      }
      default -> Optional.of(Answers.UNKNOWN);
    };
  }

  private String stopReply() {
    StringBuilder reply = new StringBuilder("T");
    reply.append("%02x".formatted(last.reason() == Reason.INTERRUPTED ? SIGINT : SIGTRAP));
    switch (last.reason()) {
      // A step that is to get GDB past a breakpoint must not end so: GDB 13 waits from then on for
      // that step's end and sends nothing more. What it asks for next meets the same end, and says
      // so.
      case BEGIN -> reply.append(quietEnd ? "" : "replaylog:begin;");
      case END -> reply.append(quietEnd ? "" : "replaylog:end;");
      case HIT -> reply.append(stops.reason(last.hit(), tellsBreakpoints));
      case GONE -> {
        return "W00"; // its exit code is vmctl's, not a process's
      }
      case TRAP, INTERRUPTED -> {}
    }
    return reply.append("thread:%x;".formatted(general + 1)).toString();
  }

  // Threads -------------------------------------------------------------------------------------

  /** The vCPU of a thread id; {@link DebugTarget#NO_VCPU} for all and for any; empty if none. */
  private Optional<Integer> thread(String id) {
    if (id.equals("-1") || id.equals("0")) {
      return Optional.of(DebugTarget.NO_VCPU);
    }
    OptionalLong number = Hex.number(id);
    return number.isPresent() && Long.compareUnsigned(number.getAsLong() - 1, target.vcpus()) < 0
        ? Optional.of((int) number.getAsLong() - 1)
        : Optional.empty();
  }

  private String choose(String rest) {
    Optional<Integer> vcpu = rest.isEmpty() ? Optional.empty() : thread(rest.substring(1));
    if (vcpu.isEmpty()) {
      return Answers.INVALID;
    }
    switch (rest.charAt(0)) {
      case 'g' -> general = vcpu.get() == DebugTarget.NO_VCPU ? general : vcpu.get();
      case 'c' -> stepped = vcpu.get();
      default -> {
        return Answers.INVALID;
      }
    }
    return Answers.OK;
  }

  // Motion --------------------------------------------------------------------------------------

  private Optional<String> move(Move how) {
    if (last.reason() == Reason.GONE) {
      return Optional.of(stopReply());
    }
    moving = true;
    stepping = how instanceof DebugTarget.Step;
    outside.move(how);
    return Optional.empty();
  }

  private DebugTarget.Step step(int vcpu, boolean back) {
    return new DebugTarget.Step(vcpu == DebugTarget.NO_VCPU ? general : vcpu, back);
  }

  private Optional<String> back(String which) {
    if (!target.reversible()) {
      return Optional.of(Answers.UNKNOWN);
    }
    return switch (which) {
      case "s" -> move(step(stepped, true));
      case "c" -> move(new DebugTarget.Run(true));
      default -> Optional.of(Answers.UNKNOWN);
    };
  }

  private Optional<String> multi(String content) {
    if (content.equals("vCont?")) {
      return Optional.of("vCont;c;C;s;S");
    }
    if (content.startsWith("vKill")) {
      send(Answers.OK);
      over = true;
      outside.kill();
      return Optional.empty();
    }
    if (!content.startsWith("vCont;")) {
      return Optional.of(Answers.UNKNOWN);
    }
    // The others go on, whatever is said of them: when a vCPU's turn comes is the schedule's.
    Move how = null;
    for (String action : content.substring("vCont;".length()).split(";", -1)) {
      int colon = action.indexOf(':');
      String what = colon < 0 ? action : action.substring(0, colon);
      Optional<Integer> vcpu =
          colon < 0 ? Optional.of(DebugTarget.NO_VCPU) : thread(action.substring(colon + 1));
      if (vcpu.isEmpty() || !what.matches("[cs]|[CS][0-9a-fA-F]{2}")) {
        return Optional.of(Answers.INVALID);
      }
      boolean steps = Character.toLowerCase(what.charAt(0)) == 's';
      if (how == null || (steps && how instanceof DebugTarget.Run)) {
        how = steps ? step(vcpu.get(), false) : new DebugTarget.Run(false);
      }
    }
    return move(how);
  }

  private String stop(String rest, boolean insert) {
    StopTable.Answer answer = stops.change(rest, insert);
    if (answer == StopTable.Answer.CHANGED) {
      target.stopAt(stops.addresses(), stops.watchpoints());
    }
    return switch (answer) {
      case CHANGED -> Answers.OK;
      case UNKNOWN -> Answers.UNKNOWN;
      case INVALID -> Answers.INVALID;
    };
  }

  // Queries -------------------------------------------------------------------------------------

  private String query(String content) {
    if (content.equals("QStartNoAckMode")) {
      silence = true;
      return Answers.OK;
    }
    if (content.startsWith("qSupported")) {
      tellsBreakpoints = content.contains("swbreak+") && content.contains("hwbreak+");
      return supported();
    }
    if (content.startsWith("qXfer:features:read:")) {
      return transfer(content.substring("qXfer:features:read:".length()));
    }
    if (content.startsWith("qThreadExtraInfo,")) {
      return about(content.substring("qThreadExtraInfo,".length()));
    }
    if (content.startsWith("qRcmd,")) {
      return monitor(content.substring("qRcmd,".length()));
    }
    return switch (content) {
      case "qC" -> "QC%x".formatted(general + 1);
      case "qfThreadInfo" -> {
        StringBuilder ids = new StringBuilder();
        for (int i = 1; i <= target.vcpus(); i++) {
          ids.append(ids.isEmpty() ? 'm' : ',').append(Integer.toHexString(i));
        }
        yield ids.toString();
      }
      case "qsThreadInfo" -> "l";
      case "qAttached" -> "1";
      default -> Answers.UNKNOWN;
    };
  }

  private String supported() {
    return "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+%s"
        .formatted(
            PacketReader.MAX_CONTENT, target.reversible() ? ";ReverseStep+;ReverseContinue+" : "");
  }

  private String transfer(String rest) {
    int colon = rest.indexOf(':');
    long[] range = colon < 0 ? null : DataPackets.range(rest.substring(colon + 1));
    if (range == null) {
      return Answers.INVALID;
    }
    if (!rest.substring(0, colon).equals("target.xml")) {
      return "E00";
    }
    String xml = data.registers().description();
    if (Long.compareUnsigned(range[0], xml.length()) >= 0) {
      return "l";
    }
    int from = (int) range[0];
    int to = (int) Math.min(xml.length(), from + Math.min(range[1], PacketReader.MAX_CONTENT - 1));
    return (to < xml.length() ? "m" : "l") + xml.substring(from, to);
  }

  private String about(String id) {
    Optional<Integer> vcpu = thread(id).filter(i -> i != DebugTarget.NO_VCPU);
    if (vcpu.isEmpty()) {
      return Answers.INVALID;
    }
    String text =
        target
            .look(
                vcpu.get(),
                cpu ->
                    "vcpu%d %s cpl%d"
                        .formatted(
                            vcpu.get(), cpu.activity.name().toLowerCase(Locale.ROOT), cpu.cpl))
            .orElse("gone");
    return DataPackets.hex(text.getBytes(StandardCharsets.US_ASCII));
  }

  private String monitor(String rest) {
    String command = Hex.bytes(rest).map(b -> new String(b, StandardCharsets.UTF_8)).orElse("");
    String text =
        command.strip().equals("position")
            ? target.position() + "\n"
            : "monitor commands: position\n";
    return DataPackets.hex(text.getBytes(StandardCharsets.UTF_8));
  }
}
