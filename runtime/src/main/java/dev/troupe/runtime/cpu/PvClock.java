package dev.troupe.runtime.cpu;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * KVM's paravirtual clock (Linux Documentation/virt/kvm/x86/msr.rst): a 32-byte record in guest
 * memory from which the guest computes nanoseconds since boot out of its TSC.
 *
 * <p>The TSC runs at 1 GHz and the machine's clock is nanoseconds, so the record's rate is exactly
 * one: it is written when the guest asks for it and when the guest moves its TSC, and never again.
 * Time therefore cannot step back.
 */
public final class PvClock implements Stateful {
  /** Bytes of the time record; it must not cross a page. */
  static final int TIME_SIZE = 32;

  /** The record is good; the address is in the other bits. */
  private static final long ENABLE = 1;

  private static final int PAGE = 4096;

  /** Flags: the TSC record holds for all vCPUs alike. */
  private static final byte STABLE = 1;

  /** With a shift of 1, multiplier 2^31 / 2^32 gives one nanosecond a tick. */
  private static final int MULTIPLIER = 0x8000_0000;

  private static final byte SHIFT = 1;

  private static final long NANOS = 1_000_000_000L;

  private final Cpu cpu;
  private long timeRegister;
  private long wallRegister;
  private int recordVersion;
  private int wallVersion;
  private long wallAtZero;

  PvClock(Cpu cpu) {
    this.cpu = cpu;
  }

  void reset() {
    timeRegister = 0;
    wallRegister = 0;
  }

  /**
   * Sets what the wall clock read at virtual time 0, which the guest's wall clock record says.
   *
   * @param unixNanos nanoseconds since 1970, UTC
   */
  public void setWallClock(long unixNanos) {
    wallAtZero = unixNanos;
  }

  long timeRegister() {
    return timeRegister;
  }

  long wallRegister() {
    return wallRegister;
  }

  /**
   * WRMSR of the time record's address; false for #GP: it crosses a page, or is not 4-byte aligned.
   */
  boolean setTime(long value) {
    if (!holdsRecord(value)) {
      return false;
    }
    timeRegister = value;
    update();
    return true;
  }

  private static boolean holdsRecord(long value) {
    long address = value & ~ENABLE;
    return (address & 3) == 0 && (address & (PAGE - 1)) <= PAGE - TIME_SIZE;
  }

  /** Writes the time record; after the guest moved its TSC, too. */
  void update() {
    if ((timeRegister & ENABLE) == 0) {
      return;
    }
    long address = timeRegister & ~ENABLE;
    long now = cpu.time.nanos();
    long tsc =
        cpu.msrs.tscAt(now); // of the same moment, or this vCPU's clock would be behind others'
    // Odd while the record changes, even and new after: readers on other vCPUs try again.
    recordVersion = (recordVersion | 1) & ~0x8000_0000;
    writeInt(address, recordVersion);
    ByteBuffer body = ByteBuffer.allocate(TIME_SIZE - 8).order(ByteOrder.LITTLE_ENDIAN);
    body.putLong(tsc).putLong(now).putInt(MULTIPLIER).put(SHIFT).put(STABLE);
    cpu.memory.copyIn(address + 8, body.array());
    recordVersion++;
    writeInt(address, recordVersion);
  }

  /** WRMSR of the wall clock record's address, which writes the record; false for #GP. */
  boolean setWall(long value) {
    if ((value & 3) != 0) {
      return false;
    }
    wallRegister = value;
    wallVersion = (wallVersion | 1) & ~0x8000_0000;
    writeInt(value, wallVersion);
    ByteBuffer body = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    body.putInt((int) Math.floorDiv(wallAtZero, NANOS));
    body.putInt((int) Math.floorMod(wallAtZero, NANOS));
    cpu.memory.copyIn(value + 4, body.array());
    wallVersion++;
    writeInt(value, wallVersion);
    return true;
  }

  /** Outside RAM nothing is written, as KVM does. */
  private void writeInt(long address, int value) {
    byte[] bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
    cpu.memory.copyIn(address, bytes);
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    timeRegister = v.int64("timeRegister", timeRegister);
    v.require(holdsRecord(timeRegister), "timeRegister", timeRegister, "a record within a page");
    wallRegister = v.int64("wallRegister", wallRegister);
    v.require((wallRegister & 3) == 0, "wallRegister", wallRegister, "a multiple of 4");
    recordVersion = v.int32("recordVersion", recordVersion);
    wallVersion = v.int32("wallVersion", wallVersion);
    wallAtZero = v.int64("wallAtZero", wallAtZero);
  }
}
