package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the guest can see of the TLB, in 64-bit mode, with tables made by hand. */
class TlbTest {
  private static final long PML4 = 0x1000;
  private static final long PDPT = 0x2000;
  private static final long PD = 0x3000;
  private static final long PT = 0x4000;

  /** Linear page mapped by PT[0]; PT[1] maps the next one. */
  private static final long PAGE = 0x20_0000;

  private static final long FRAME = 0x10_0000;
  private static final long OTHER_FRAME = 0x11_0000;
  private static final int P = 1;
  private static final int W = 2;
  private static final int U = 4;
  private static final int A = 0x20;
  private static final int D = 0x40;
  private static final int PS = 0x80;
  private static final int G = 0x100;

  private GuestMemory memory;
  private Cpu cpu;

  @BeforeEach
  void setUp() {
    memory = GuestMemory.allocate(16 << 20);
    cpu = new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0);
    poke(PML4, PDPT | P | W | U);
    poke(PDPT, PD | P | W | U);
    poke(PD + 8, PT | P | W | U); // 2 MiB to 4 MiB
    poke(PT, FRAME | P | W | U);
    poke(PT + 8, OTHER_FRAME | P | W | U);
    cpu.cr3 = PML4;
    cpu.cr0 = 0x8001_0011L;
    cpu.cr4 = ControlRegisters.PAE | ControlRegisters.PGE;
    cpu.efer = Msrs.EFER_LMA | Msrs.EFER_LME | Msrs.EFER_NXE;
    cpu.segmentAttributes[Cpu.CS] = 0xA09B;
    cpu.updateMode();
    cpu.mmu.flushAll();
    poke(FRAME, 0x1111);
    poke(OTHER_FRAME, 0x2222);
  }

  @AfterEach
  void tearDown() {
    memory.close();
  }

  private void poke(long physical, long value) {
    byte[] bytes = new byte[8];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
    assertThat(memory.copyIn(physical, bytes)).isTrue();
  }

  private long peek(long physical) {
    byte[] bytes = new byte[8];
    assertThat(memory.copyOut(physical, bytes)).isTrue();
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  private Fault fault(Runnable access) {
    try {
      access.run();
    } catch (Fault fault) {
      return fault;
    }
    throw new AssertionError("no fault");
  }

  @Test
  void aTranslationLastsUntilItsPageIsInvalidated() {
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x1111);
    poke(PT, OTHER_FRAME | P | W | U);
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x1111);
    cpu.mmu.invalidatePage(PAGE + 0x1000);
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x1111);
    cpu.mmu.invalidatePage(PAGE + 0x123);
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x2222);
  }

  /** The same tables again, 16 MiB higher: each page has the entry of the one below it. */
  private static final long HIGHER = 16 << 20;

  private void mapHigher() {
    poke(PD + 8 + (HIGHER >> 21 << 3), PT | P | W | U);
  }

  private boolean readable(long linear) {
    return cpu.mmu.readableHost(linear) != GuestMemory.NO_RAM;
  }

  private boolean writable(long linear) {
    return cpu.mmu.writableHost(linear) != GuestMemory.NO_RAM;
  }

  private boolean hasEntry(long linear) {
    long entry = Tlb.entry(cpu.mmu.bank(), linear);
    return Raw.get64(entry) == linear;
  }

  @Test
  void twoPagesOfOneEntryDoNotDriveEachOtherOut() {
    mapHigher();
    for (int round = 0; round < 3; round++) {
      assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x1111);
      assertThat(cpu.mmu.load64(PAGE + HIGHER)).isEqualTo(0x1111);
      poke(PT, OTHER_FRAME | P | W | U);
    }
    assertThat(cpu.mmu.readableHost(PAGE)).isEqualTo(memory.hostAddress(FRAME));
    assertThat(cpu.mmu.readableHost(PAGE + HIGHER)).isEqualTo(memory.hostAddress(FRAME));
    cpu.mmu.invalidatePage(PAGE);
    assertThat(cpu.mmu.load64(PAGE + HIGHER)).isEqualTo(0x1111);
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x2222);
    cpu.mmu.invalidatePage(PAGE + HIGHER);
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x2222);
    assertThat(cpu.mmu.load64(PAGE + HIGHER)).isEqualTo(0x2222);
  }

  @Test
  void aPageKeepsItsEntryAgainstOneThatIsUsedOnce() {
    mapHigher();
    cpu.mmu.load64(PAGE);
    cpu.mmu.load64(PAGE + HIGHER);
    assertThat(readable(PAGE)).isFalse(); // on trial
    cpu.mmu.load64(PAGE);
    assertThat(hasEntry(PAGE)).isTrue();
    assertThat(readable(PAGE + HIGHER)).isTrue();
  }

  @Test
  void pagesMayGoAsideAnyNumberOfTimes() {
    mapHigher();
    for (int round = 0; round < 20_000; round++) {
      cpu.mmu.load64(PAGE);
      cpu.mmu.load64(PAGE + HIGHER);
      cpu.mmu.load64(PAGE);
      cpu.mmu.invalidatePage(PAGE + (round & 1) * HIGHER);
    }
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x1111);
  }

  @Test
  void aWriteOfCr3PutsWhatIsAsideOnTrial() {
    poke(PT, FRAME | P | W | U | G);
    mapHigher();
    cpu.mmu.load64(PAGE);
    cpu.mmu.load64(PAGE + HIGHER);
    cpu.mmu.load64(PAGE);
    cpu.mmu.flushNonGlobal();
    assertThat(readable(PAGE)).isTrue();
    assertThat(readable(PAGE + HIGHER)).isFalse();
    poke(PT, OTHER_FRAME | P | W | U | G);
    assertThat(cpu.mmu.load64(PAGE + HIGHER)).isEqualTo(0x1111);
    assertThat(hasEntry(PAGE + HIGHER)).isTrue();
    assertThat(readable(PAGE)).isTrue();
  }

  @Test
  void aPageThatIsPutAsideKeepsItsRightsAndGetsNoMore() {
    mapHigher();
    cpu.mmu.load64(PAGE); // its page table entry is not dirty
    cpu.mmu.load64(PAGE + HIGHER);
    poke(PT, FRAME | P | U);
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x1111);
    assertThat(writable(PAGE)).isFalse();
    assertThat(fault(() -> cpu.mmu.store64(PAGE + HIGHER, 1)).error).isEqualTo(3);
    poke(PT, FRAME | P | W | U | A | D);
    cpu.mmu.store64(PAGE + HIGHER, 0x3333);
    assertThat(writable(PAGE + HIGHER)).isTrue();
    assertThat(writable(PAGE)).isFalse();
    cpu.mmu.store64(PAGE, 0x4444);
    assertThat(writable(PAGE)).isTrue();
    assertThat(writable(PAGE + HIGHER)).isTrue();
  }

  @Test
  void grantsOfPagesThatAreAsideAreTakenBackToo() {
    mapHigher();
    cpu.mmu.store64(PAGE, 0x3333);
    cpu.mmu.store64(PAGE + HIGHER, 0x4444);
    cpu.mmu.store64(PAGE, 0x3333);
    assertThat(writable(PAGE)).isTrue();
    assertThat(writable(PAGE + HIGHER)).isTrue();
    List<Long> told = new ArrayList<>();
    int holder =
        memory.addCodeListener(
            (host, length) -> {
              told.add(memory.physicalAddress(host));
              return false;
            });
    memory.markCode(memory.hostAddress(FRAME), holder);
    assertThat(writable(PAGE)).isFalse();
    assertThat(writable(PAGE + HIGHER)).isFalse();
    cpu.mmu.store64(PAGE, 5);
    cpu.mmu.store64(PAGE + HIGHER + 8, 6);
    assertThat(told).containsExactly(FRAME, FRAME + 8);
  }

  @Test
  void fragmentsOfLargePagesThatAreAsideGoWithTheOthers() {
    mapHigher();
    poke(PD + 8, 0x60_0000 | P | W | U | PS);
    poke(0x60_5000, 2);
    assertThat(cpu.mmu.load64(PAGE + 0x5000)).isEqualTo(2);
    poke(PT + 8 * 5, FRAME | P | W | U);
    assertThat(cpu.mmu.load64(PAGE + HIGHER + 0x5000)).isEqualTo(0x1111);
    poke(PD + 8, 0x80_0000 | P | W | U | PS);
    assertThat(cpu.mmu.load64(PAGE + 0x5000)).isEqualTo(2);
    cpu.mmu.invalidatePage(PAGE + 0x7000);
    assertThat(cpu.mmu.load64(PAGE + 0x5000)).isZero();
  }

  @Test
  void trackingNeverEvicts() {
    cpu.mmu.store64(PAGE, 0x3333);
    poke(PT, OTHER_FRAME | P | W | U);
    memory.markCode(memory.hostAddress(FRAME), memory.addCodeListener((host, length) -> false));
    memory.clearDirty();
    cpu.mmu.store64(PAGE + 8, 0x4444);
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x3333);
    assertThat(peek(FRAME + 8)).isEqualTo(0x4444);
    assertThat(memory.isDirty(FRAME)).isTrue();
  }

  @Test
  void holdersOfCodeAreToldAfterEachWriteToTheirPage() {
    List<String> told = new ArrayList<>();
    int holder =
        memory.addCodeListener(
            (host, length) -> {
              long physical = memory.physicalAddress(host);
              told.add("%x+%d %x".formatted(physical, length, peek(FRAME)));
              return told.size() == 2;
            });
    cpu.mmu.store64(PAGE, 1);
    assertThat(told).isEmpty();
    memory.markCode(memory.hostAddress(FRAME + 5), holder);
    cpu.mmu.store64(PAGE, 2);
    cpu.mmu.store8(PAGE + 4, 3);
    cpu.mmu.store64(PAGE, 4);
    assertThat(told).containsExactly("100000+8 2", "100004+1 300000002");
  }

  @Test
  void writeTagsAreGrantedOnlyWhenTheDirtyBitIsSet() {
    cpu.mmu.load64(PAGE);
    assertThat(peek(PT)).isEqualTo(FRAME | P | W | U | A);
    cpu.mmu.store64(PAGE, 5);
    assertThat(peek(PT)).isEqualTo(FRAME | P | W | U | A | D);
    // Cleared by the guest and invalidated, it is set again by the next write.
    poke(PT, FRAME | P | W | U | A);
    cpu.mmu.invalidatePage(PAGE);
    cpu.mmu.load64(PAGE);
    cpu.mmu.store64(PAGE, 6);
    assertThat(peek(PT)).isEqualTo(FRAME | P | W | U | A | D);
  }

  @Test
  void everyFragmentOfALargePageGoesWithOneOfThem() {
    poke(PD + 8, 0x60_0000 | P | W | U | PS);
    poke(0x60_0000, 1);
    poke(0x60_5000, 2);
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(1);
    assertThat(cpu.mmu.load64(PAGE + 0x5000)).isEqualTo(2);
    poke(PD + 8, 0x80_0000 | P | W | U | PS);
    cpu.mmu.invalidatePage(PAGE + 0x7000);
    assertThat(cpu.mmu.load64(PAGE)).isZero();
    assertThat(cpu.mmu.load64(PAGE + 0x5000)).isZero();
  }

  @Test
  void everyFragmentOfAGigabytePageGoesWithOneOfThem() {
    poke(PDPT, P | W | U | PS);
    assertThat(cpu.mmu.load64(FRAME)).isEqualTo(0x1111);
    poke(PDPT, PD | P | W | U);
    cpu.mmu.invalidatePage(0x3FFF_F000L);
    assertThat(fault(() -> cpu.mmu.load64(FRAME)).vector).isEqualTo(Fault.PF);
  }

  @Test
  void globalPagesOutliveCr3WritesOnly() {
    poke(PT, FRAME | P | W | U | G);
    cpu.mmu.load64(PAGE);
    cpu.mmu.load64(PAGE + 0x1000);
    poke(PT, OTHER_FRAME | P | W | U | G);
    poke(PT + 8, FRAME | P | W | U);
    cpu.mmu.flushNonGlobal();
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x1111);
    assertThat(cpu.mmu.load64(PAGE + 0x1000)).isEqualTo(0x1111);
    cpu.mmu.invalidateNonGlobalPage(PAGE);
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x1111);
    cpu.mmu.flushAll();
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x2222);
  }

  @Test
  void banksKeepPrivilegesApart() {
    poke(PT, FRAME | P | W);
    cpu.mmu.load64(PAGE);
    cpu.cpl = 3;
    cpu.updateMode();
    Fault fault = fault(() -> cpu.mmu.load64(PAGE));
    assertThat(fault.error).isEqualTo(5);
    assertThat(cpu.mmu.loadSystem64(PAGE)).isEqualTo(0x1111);
  }

  @Test
  void smapOpensWithAcForExplicitAccessesOnly() {
    cpu.cr4 |= ControlRegisters.SMAP;
    cpu.updateMode();
    assertThat(fault(() -> cpu.mmu.load64(PAGE)).error).isEqualTo(1);
    cpu.systemFlags |= Rflags.AC;
    cpu.updateMode();
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x1111);
    assertThat(fault(() -> cpu.mmu.loadSystem64(PAGE)).error).isEqualTo(1);
    cpu.systemFlags &= ~Rflags.AC;
    cpu.updateMode();
    assertThat(fault(() -> cpu.mmu.load64(PAGE)).error).isEqualTo(1);
  }

  @Test
  void aStoreAcrossPagesIsDoneWholeOrNotAtAll() {
    poke(PT + 8, OTHER_FRAME | P | U);
    long before = peek(FRAME + 0xFF8);
    Fault fault = fault(() -> cpu.mmu.store64(PAGE + 0xFFC, -1));
    assertThat(fault.address).isEqualTo(PAGE + 0x1000);
    assertThat(fault.error).isEqualTo(3);
    assertThat(peek(FRAME + 0xFF8)).isEqualTo(before);
    poke(PT + 8, OTHER_FRAME | P | W | U);
    cpu.mmu.store64(PAGE + 0xFFC, 0x0807_0605_0403_0201L);
    assertThat(cpu.mmu.load64(PAGE + 0xFFC)).isEqualTo(0x0807_0605_0403_0201L);
    assertThat(peek(FRAME + 0xFF8) >>> 32).isEqualTo(0x0403_0201L);
    assertThat(peek(OTHER_FRAME) & 0xFFFF_FFFFL).isEqualTo(0x0807_0605L);
  }

  @Test
  void addressesThatAreNotCanonicalAreGeneralProtection() {
    assertThat(fault(() -> cpu.mmu.load8(0x8000_0000_0000L)).vector).isEqualTo(Fault.GP);
    // Also where the tags of an empty entry are zero or all ones.
    assertThat(fault(() -> cpu.mmu.load8(Long.MIN_VALUE)).vector).isEqualTo(Fault.GP);
    assertThat(fault(() -> cpu.mmu.load64(0x7FFF_FFFF_FFFCL)).vector).isEqualTo(Fault.PF);
    assertThat(fault(() -> cpu.mmu.load8(-1)).vector).isEqualTo(Fault.PF);
    assertThat(fault(() -> cpu.mmu.load8(0)).vector).isEqualTo(Fault.PF);
  }

  @Test
  void alignmentIsCheckedInUserModeOnly() {
    cpu.cr0 |= ControlRegisters.AM;
    cpu.systemFlags |= Rflags.AC;
    cpu.updateMode();
    cpu.mmu.load32(PAGE + 2);
    cpu.cpl = 3;
    cpu.updateMode();
    assertThat(cpu.mmu.load32(PAGE + 4)).isZero();
    assertThat(fault(() -> cpu.mmu.load32(PAGE + 2)).vector).isEqualTo(Fault.AC);
    assertThat(fault(() -> cpu.mmu.store16(PAGE + 1, 0)).vector).isEqualTo(Fault.AC);
    assertThat(cpu.mmu.load8(PAGE + 1)).isEqualTo(0x11);
  }

  @Test
  void devicesAreReadByExitsAndReplayAndWrittenByQueuedExits() {
    poke(PT, 0xD000_0000L | P | W | U);
    assertThatThrownBy(() -> cpu.mmu.load32(PAGE + 4))
        .isInstanceOfSatisfying(
            Leave.class,
            leave -> assertThat(leave.exit).isEqualTo(new Exit.MemoryRead(0xD000_0004L, 4)));
    cpu.replay.append(0xABCD);
    cpu.replay.rewind();
    assertThat(cpu.mmu.load32(PAGE + 4)).isEqualTo(0xABCD);
    cpu.replay.clear();
    cpu.mmu.store16(PAGE + 8, -1);
    assertThat(cpu.nextExit()).isEqualTo(new Exit.MemoryWrite(0xD000_0008L, 2, 0xFFFF));
  }

  @Test
  void theLocalDevicePageHidesRam() {
    List<Long> written = new ArrayList<>();
    cpu.mmu.mapLocal(
        FRAME,
        new Mmu.LocalDevice() {
          @Override
          public long read(int offset, int size) {
            return (long) offset + size;
          }

          @Override
          public void write(int offset, int size, long value) {
            written.add(value + offset);
          }
        });
    assertThat(cpu.mmu.load32(PAGE + 0x20)).isEqualTo(0x24);
    cpu.mmu.store32(PAGE + 0x30, 7);
    assertThat(written).containsExactly(0x37L);
    cpu.mmu.mapLocal(-1, null);
    assertThat(cpu.mmu.load64(PAGE)).isEqualTo(0x1111);
  }

  @Test
  void watchedPagesAreSlowAndOthersFastAgainAfterwards() {
    List<String> seen = new ArrayList<>();
    cpu.mmu.store64(PAGE, 1);
    cpu.mmu.setWatch(
        new Mmu.Watch() {
          @Override
          public boolean covers(long linearPage) {
            return linearPage == PAGE;
          }

          @Override
          public void accessed(long linear, int size, boolean write) {
            seen.add("%x %d %b".formatted(linear - PAGE, size, write));
          }
        });
    cpu.mmu.store16(PAGE + 2, 1);
    cpu.mmu.load32(PAGE + 4);
    assertThat(seen).containsExactly("2 2 true", "4 4 false");
    assertThat(cpu.mmu.readableHost(PAGE)).isEqualTo(GuestMemory.NO_RAM);
    cpu.mmu.setWatch(null);
    cpu.mmu.load8(PAGE);
    assertThat(cpu.mmu.readableHost(PAGE)).isNotEqualTo(GuestMemory.NO_RAM);
  }

  @Test
  void compareAndSetWorksAtEveryAlignmentAndWidth() {
    for (int size = 1; size <= 8; size *= 2) {
      for (int offset = 0xFF0; offset <= 0x1008; offset++) {
        for (int i = -8; i < 16; i++) {
          cpu.mmu.store8(PAGE + offset + i, 0x10 + i);
        }
        long old = 0;
        long now = 0;
        for (int i = 0; i < size; i++) {
          old |= (0x10L + i) << (8 * i);
          now |= (0x90L + i) << (8 * i);
        }
        assertThat(cpu.mmu.compareAndSet(PAGE + offset, size, old + 1, now)).isFalse();
        assertThat(cpu.mmu.load8(PAGE + offset)).isEqualTo(0x10);
        assertThat(cpu.mmu.compareAndSet(PAGE + offset, size, old, now)).isTrue();
        for (int i = -8; i < 16; i++) {
          long expected = i >= 0 && i < size ? 0x90 + i : 0x10 + i;
          assertThat(cpu.mmu.load8(PAGE + offset + i)).isEqualTo(expected);
        }
      }
    }
  }
}
