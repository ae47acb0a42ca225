package dev.troupe.runtime.debug.gdb;

import dev.troupe.runtime.cpu.Cpu;
import java.nio.ByteBuffer;
import java.util.function.BiConsumer;
import java.util.function.ToLongFunction;

/**
 * One register as GDB sees it.
 *
 * @param type as a target description names it
 * @param bytes in a packet
 */
record Register(String name, String type, int bytes, Reader reader, Writer writer) {
  /** Puts the value into a packet. */
  @FunctionalInterface
  interface Reader {
    /** Little-endian. */
    void put(Cpu cpu, ByteBuffer to);
  }

  /** Takes a value over from a packet. */
  @FunctionalInterface
  interface Writer {
    /** False if it cannot be. */
    boolean take(Cpu cpu, ByteBuffer from);
  }

  /** Of 4 or 8 bytes, that can be looked at only. */
  static Register fixed(String name, String type, int bytes, ToLongFunction<Cpu> get) {
    return new Register(
        name,
        type,
        bytes,
        (cpu, to) -> put(to, bytes, get.applyAsLong(cpu)),
        (cpu, from) -> get(from, bytes) == cut(get.applyAsLong(cpu), bytes));
  }

  /** Of 4 or 8 bytes. */
  static Register number(
      String name, String type, int bytes, ToLongFunction<Cpu> get, BiConsumer<Cpu, Long> set) {
    return new Register(
        name,
        type,
        bytes,
        (cpu, to) -> put(to, bytes, get.applyAsLong(cpu)),
        (cpu, from) -> {
          set.accept(cpu, get(from, bytes));
          return true;
        });
  }

  private static void put(ByteBuffer to, int bytes, long value) {
    if (bytes == Long.BYTES) {
      to.putLong(value);
    } else {
      to.putInt((int) value);
    }
  }

  private static long get(ByteBuffer from, int bytes) {
    return bytes == Long.BYTES ? from.getLong() : Integer.toUnsignedLong(from.getInt());
  }

  private static long cut(long value, int bytes) {
    return bytes == Long.BYTES ? value : value & 0xFFFF_FFFFL;
  }
}
