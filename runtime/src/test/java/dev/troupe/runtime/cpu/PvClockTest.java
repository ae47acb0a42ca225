package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PvClockTest {
  private static final int TIME = 0x4B56_4D01;
  private static final int WALL = 0x4B56_4D00;
  private final TestCpu t = new TestCpu();

  @AfterEach
  void close() {
    t.close();
  }

  private ByteBuffer record(long at, int length) {
    byte[] bytes = new byte[length];
    assertThat(t.memory.copyOut(at, bytes)).isTrue();
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** What a guest computes: Linux's __pvclock_read_cycles. */
  private long guestNanos(long at) {
    ByteBuffer r = record(at, 32);
    assertThat(r.getInt(0) & 1).isZero();
    long delta = t.readMsr(0x10) - r.getLong(8);
    long shifted = delta << r.get(28);
    long multiplier = Integer.toUnsignedLong(r.getInt(24));
    long scaled =
        Math.unsignedMultiplyHigh(shifted, multiplier) << 32 | (shifted * multiplier) >>> 32;
    return r.getLong(16) + scaled;
  }

  @Test
  void theGuestComputesTheMachinesTime() {
    t.now = 12_345;
    t.writeMsr(TIME, 0x3001);
    for (long later : new long[] {0, 1, 999, 1_000_000_007L, 86_400_000_000_000L}) {
      t.now = 12_345 + later;
      assertThat(guestNanos(0x3000)).isEqualTo(t.now);
    }
    assertThat(record(0x3000, 32).get(29)).as("stable").isEqualTo((byte) 1);
  }

  @Test
  void theRecordIsOfOneMomentWhileTimeGoesOn() {
    long[] time = {0};
    Cpu cpu = new Cpu(CpuModel.DEFAULT, t.memory, () -> time[0] += 1000, () -> 0);
    assertThat(cpu.msrs.write(TIME, 0x3001)).isTrue();
    ByteBuffer r = record(0x3000, 32);
    assertThat(r.getLong(16) - r.getLong(8)).isEqualTo(cpu.time.nanos() - cpu.tsc() + 1000);
  }

  @Test
  void movingTheTscDoesNotMoveTheClock() {
    t.writeMsr(TIME, 0x3001);
    int version = record(0x3000, 4).getInt();
    t.now = 5_000;
    t.writeMsr(0x10, 77);
    assertThat(record(0x3000, 4).getInt()).isEqualTo(version + 2);
    assertThat(guestNanos(0x3000)).isEqualTo(5_000);
    t.writeMsr(0x3B, 1L << 40);
    assertThat(guestNanos(0x3000)).isEqualTo(5_000);
  }

  @Test
  void aRecordMustNotCrossItsPage() {
    t.writeMsr(TIME, 0x3FE1);
    assertThat(t.cpu.msrs.write(TIME, 0x3FE5)).isFalse();
    assertThat(t.cpu.msrs.write(TIME, 0x3003)).isFalse();
    assertThat(t.readMsr(TIME)).isEqualTo(0x3FE1);
    assertThat(t.readMsr(0x12)).as("the old number").isEqualTo(0x3FE1);
  }

  @Test
  void disabledNothingIsWritten() {
    t.writeMsr(TIME, 0x3000);
    assertThat(record(0x3000, 4).getInt()).isZero();
  }

  @Test
  void theWallClockRecordSaysWhenTheMachineStarted() {
    t.cpu.pvclock.setWallClock(1_700_000_000_123_456_789L);
    t.now = 999;
    t.writeMsr(WALL, 0x4000);
    ByteBuffer r = record(0x4000, 12);
    assertThat(r.getInt(0)).isEqualTo(2);
    assertThat(r.getInt(4)).isEqualTo(1_700_000_000);
    assertThat(r.getInt(8)).isEqualTo(123_456_789);
  }

  @Test
  void addressesOutsideMemoryAreHarmless() {
    t.writeMsr(TIME, 0x7_0000_0001L);
    t.writeMsr(WALL, 0x7_0000_0000L);
  }
}
