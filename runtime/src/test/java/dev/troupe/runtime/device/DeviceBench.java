package dev.troupe.runtime.device;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.runtime.snapshot.States;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;

/**
 * One device on a bench: a clock that the test moves, timers that fire in order, and a record of
 * all effects.
 */
public final class DeviceBench implements Effects {
  /** A change of an output line, at its virtual time. */
  public record Line(int output, boolean high, long time) {}

  public final Device device;
  public final List<Line> lines = new ArrayList<>();
  public final TreeMap<Integer, Boolean> levels = new TreeMap<>();
  public final List<InterruptMessage> interrupts = new ArrayList<>();
  public final List<PowerEvent> power = new ArrayList<>();
  public final ByteArrayOutputStream output = new ByteArrayOutputStream();
  public final TreeMap<Integer, Long> timers = new TreeMap<>();

  /** Input that the device has room for. */
  public int room;

  /** Timers that have fired. */
  public int fired;

  public long now;

  /** Switches the device on. */
  public DeviceBench(Device device) {
    this.device = device;
    send(new BoardMessage.Reset());
  }

  /** Takes over all that the other bench has seen, and its device's state. */
  void follow(DeviceBench other) {
    States.copy(other.device, device);
    lines.clear();
    lines.addAll(other.lines);
    levels.clear();
    levels.putAll(other.levels);
    interrupts.clear();
    interrupts.addAll(other.interrupts);
    power.clear();
    power.addAll(other.power);
    output.reset();
    output.writeBytes(other.output.toByteArray());
    timers.clear();
    timers.putAll(other.timers);
    room = other.room;
    fired = other.fired;
    now = other.now;
  }

  /** Everything that has left the device and what is set now, as text. */
  String seen() {
    return "lines=%s interrupts=%s power=%s output=%s timers=%s room=%d fired=%d"
        .formatted(
            lines,
            interrupts,
            power,
            HexFormat.of().formatHex(output.toByteArray()),
            timers,
            room,
            fired);
  }

  public long send(BoardMessage message) {
    return device.handle(message, now, this);
  }

  public int in(int port) {
    return (int) in(port, 1);
  }

  public long in(int port, int size) {
    return send(new BoardMessage.IoRead(AddressSpace.PORT, port, size));
  }

  public void out(int port, int value) {
    out(port, 1, value);
  }

  public void out(int port, int size, long value) {
    send(new BoardMessage.IoWrite(AddressSpace.PORT, port, size, value));
  }

  public void line(int pin, int level) {
    send(new BoardMessage.LineLevel(pin, level != 0));
  }

  /** The level of an output, from its changes. */
  public boolean level(int output) {
    return levels.getOrDefault(output, false);
  }

  /** Times of the rising edges of an output. */
  public List<Long> rises(int output) {
    return lines.stream().filter(l -> l.output == output && l.high).map(Line::time).toList();
  }

  /** Moves time to {@code time}, firing timers at their deadlines. */
  public void until(long time) {
    while (true) {
      var first =
          timers.entrySet().stream().min((a, b) -> Long.compare(a.getValue(), b.getValue()));
      if (first.isEmpty() || first.get().getValue() > time) {
        break;
      }
      int timer = first.get().getKey();
      long deadline = first.get().getValue();
      timers.remove(timer);
      now = Math.max(now, deadline);
      fired++;
      send(new BoardMessage.TimerFired(timer, deadline));
    }
    now = time;
  }

  public void advance(long nanos) {
    until(now + nanos);
  }

  @Override
  public void line(int output, boolean high) {
    if (level(output) == high) {
      throw new AssertionError("line %d reported %s twice".formatted(output, high));
    }
    levels.put(output, high);
    lines.add(new Line(output, high, now));
  }

  @Override
  public void timer(int timer, long deadline) {
    if (deadline == Long.MAX_VALUE) {
      timers.remove(timer);
    } else {
      timers.put(timer, deadline);
    }
  }

  @Override
  public void interrupt(InterruptMessage message) {
    interrupts.add(message);
  }

  @Override
  public void output(byte[] bytes) {
    output.writeBytes(bytes);
  }

  @Override
  public void room(int bytes) {
    room += bytes;
  }

  @Override
  public void power(PowerEvent event) {
    power.add(event);
  }
}
