package dev.troupe.runtime.debug.gdb;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.debug.DebugTarget;
import dev.troupe.runtime.debug.LinearMemory;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.IntSupplier;

/** A session's packets about registers and memory; each gives the answer. */
final class DataPackets {
  private final DebugTarget target;
  private final IntSupplier vcpu;
  private RegisterSet registers;

  /**
   * Those of a session.
   *
   * @param vcpu whose registers and memory they are about
   */
  DataPackets(DebugTarget target, IntSupplier vcpu) {
    this.target = target;
    this.vcpu = vcpu;
  }

  private <T> Optional<T> look(Function<Cpu, T> what) {
    return target.look(vcpu.getAsInt(), what);
  }

  /** Chosen when first asked for: GDB takes one description for a connection. */
  RegisterSet registers() {
    if (registers == null) {
      boolean wide = false;
      for (int i = 0; i < target.vcpus(); i++) {
        wide |= target.look(i, RegisterSet::of).orElse(RegisterSet.LONG) == RegisterSet.LONG;
      }
      registers = wide ? RegisterSet.LONG : RegisterSet.SHORT;
    }
    return registers;
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  String readAll() {
    return look(cpu -> hex(registers().readAll(cpu))).orElse(Answers.NO_DEVICE);
  }

  String writeAll(String rest) {
    Optional<byte[]> values = Hex.bytes(rest);
    if (values.isEmpty()) {
      return Answers.INVALID;
    }
    if (!target.writable()) {
      return Answers.NOT_PERMITTED;
    }
    return written(look(cpu -> registers().writeAll(cpu, values.get())));
  }

  private String written(Optional<Boolean> done) {
    return done.orElse(false) ? Answers.OK : Answers.NOT_PERMITTED;
  }

  private OptionalLong register(String text) {
    OptionalLong number = Hex.number(text);
    return number.isPresent() && Long.compareUnsigned(number.getAsLong(), registers().count()) < 0
        ? number
        : OptionalLong.empty();
  }

  String read(String rest) {
    OptionalLong number = register(rest);
    return number.isEmpty()
        ? Answers.INVALID
        : look(cpu -> hex(registers().read(cpu, (int) number.getAsLong())))
            .orElse(Answers.NO_DEVICE);
  }

  String write(String rest) {
    int equals = rest.indexOf('=');
    if (equals < 0) {
      return Answers.INVALID;
    }
    OptionalLong number = register(rest.substring(0, equals));
    Optional<byte[]> value = Hex.bytes(rest.substring(equals + 1));
    if (number.isEmpty() || value.isEmpty()) {
      return Answers.INVALID;
    }
    if (!target.writable()) {
      return Answers.NOT_PERMITTED;
    }
    return written(look(cpu -> registers().write(cpu, (int) number.getAsLong(), value.get())));
  }

  /** An address and a length, in hexadecimal with a comma between; null if they are not. */
  static long[] range(String text) {
    int comma = text.indexOf(',');
    if (comma < 0) {
      return null;
    }
    OptionalLong address = Hex.number(text.substring(0, comma));
    OptionalLong length = Hex.number(text.substring(comma + 1));
    if (address.isEmpty()
        || length.isEmpty()
        || Long.compareUnsigned(length.getAsLong(), PacketReader.MAX_CONTENT) > 0) {
      return null;
    }
    return new long[] {address.getAsLong(), length.getAsLong()};
  }

  String readMemory(String rest) {
    long[] range = range(rest);
    if (range == null) {
      return Answers.INVALID;
    }
    int length = (int) Math.min(range[1], PacketReader.MAX_CONTENT / 2);
    byte[] bytes = look(cpu -> LinearMemory.read(cpu, range[0], length)).orElse(new byte[0]);
    return bytes.length == 0 && length > 0 ? Answers.BAD_ADDRESS : hex(bytes);
  }

  String writeMemory(String rest, boolean inHex) {
    int colon = rest.indexOf(':');
    long[] range = colon < 0 ? null : range(rest.substring(0, colon));
    if (range == null) {
      return Answers.INVALID;
    }
    String data = rest.substring(colon + 1);
    Optional<byte[]> bytes =
        inHex ? Hex.bytes(data) : Optional.of(data.getBytes(StandardCharsets.ISO_8859_1));
    if (bytes.isEmpty() || bytes.get().length != range[1]) {
      return Answers.INVALID;
    }
    if (range[1] == 0) {
      return Answers.OK; // GDB asks so whether there is this packet
    }
    if (!target.writable()) {
      return Answers.NOT_PERMITTED;
    }
    boolean done = look(cpu -> LinearMemory.write(cpu, range[0], bytes.get())).orElse(false);
    return done ? Answers.OK : Answers.BAD_ADDRESS;
  }
}
