package dev.troupe.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.memory.GuestMemory;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Random page tables, walked by the MMU and by a plain, slow walk that shares nothing with it. */
class PageWalkRandomTest {
  private static final int TABLES = 12;
  private static final int ROUNDS = 60;
  private static final int ACCESSES = 400;
  private static final long RAM = 64 << 20;
  private static final int PHYSICAL_BITS = 40;

  private GuestMemory memory;
  private Cpu cpu;
  private SplittableRandom random;

  @BeforeEach
  void setUp() {
    memory = GuestMemory.allocate(RAM);
    cpu = new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0);
    cpu.mmu.setCapabilities(PHYSICAL_BITS, true);
  }

  @AfterEach
  void tearDown() {
    memory.close();
  }

  private enum Paging {
    TWO_LEVEL,
    PAE,
    FOUR_LEVEL
  }

  @Test
  void translationsFaultsAndAccessedBitsAreThoseOfThePlainWalk() {
    int faults = 0;
    int reserved = 0;
    int hits = 0;
    for (int round = 0; round < ROUNDS; round++) {
      long seed = 0x7A6EL + round;
      random = new SplittableRandom(seed);
      Paging paging = Paging.values()[round % 3];
      fillTables(paging);
      configure(paging);
      for (int i = 0; i < ACCESSES; i++) {
        if (random.nextInt(8) == 0) {
          changePrivilege();
        }
        long linear = linear(paging);
        int access = random.nextInt(3); // read, write, fetch
        String what =
            "seed %#x, %s, access %d, %d of %#x, cpl %d, cr0 %#x cr4 %#x efer %#x flags %#x"
                .formatted(
                    seed,
                    paging,
                    i,
                    access,
                    linear,
                    cpu.cpl,
                    cpu.cr0,
                    cpu.cr4,
                    cpu.efer,
                    cpu.systemFlags);
        // Without a flush the TLB may answer for tables that have not changed since; A and D bits
        // of the plain walk are set by earlier accesses then, too.
        if (random.nextInt(3) == 0) {
          cpu.mmu.flushAll();
        }
        long expected = plainWalk(paging, linear, access);
        byte[] tables = new byte[TABLES * 4096];
        long actual = access(linear, access);
        assertThat(actual).as(what).isEqualTo(expected);
        memory.copyOut(0, tables);
        assertThat(tables).as("tables: " + what).isEqualTo(image);
        if (expected < 0) {
          faults++;
          reserved += (expected & 8) != 0 ? 1 : 0;
        } else {
          hits++;
        }
      }
    }
    assertThat(faults).isGreaterThan(1000);
    assertThat(reserved).isGreaterThan(100);
    assertThat(hits).isGreaterThan(1000);
  }

  /** What memory should hold in the tables' pages. */
  private byte[] image;

  private void fillTables(Paging paging) {
    image = new byte[TABLES * 4096];
    int size = paging == Paging.TWO_LEVEL ? 4 : 8;
    for (int i = 0; i < image.length; i += size) {
      put(i, size, entry(size));
    }
    if (paging == Paging.PAE) {
      for (int i = 0; i < 4; i++) {
        put(8L * i, 8, (long) random.nextInt(1, TABLES) << 12 | 1);
      }
    }
    memory.copyIn(0, image);
  }

  private long entry(int size) {
    long flags = random.nextInt(4096);
    flags &= random.nextInt(4096) & ~1; // two draws: most bits clear
    flags |= random.nextInt(12) == 0 ? 0 : 1;
    flags |= random.nextInt(4) == 0 ? 0 : 2;
    flags |= random.nextInt(4) == 0 ? 0 : 4;
    boolean large = (flags & 0x80) != 0;
    long frame =
        large ? (long) random.nextInt(2, 64) << 20 : (long) random.nextInt(0, TABLES) << 12;
    if (random.nextInt(10) == 0) {
      frame = random.nextLong(1L << PHYSICAL_BITS) & -4096L; // anywhere
    }
    if (large && random.nextInt(4) != 0) {
      frame &= size == 4 ? -1L << 22 : -1L << 21;
      frame |= random.nextInt(8) == 0 ? 1 << 12 : 0; // PAT
    }
    if (size == 8) {
      if (random.nextInt(6) == 0) {
        flags |= 1L << 63;
      }
      if (random.nextInt(20) == 0) {
        flags |= 1L << random.nextInt(PHYSICAL_BITS, 63);
      }
    }
    return frame | flags;
  }

  private void configure(Paging paging) {
    cpu.cr0 = 0x8000_0011L | (random.nextBoolean() ? ControlRegisters.WP : 0);
    cpu.cr4 = random.nextBoolean() ? ControlRegisters.SMEP : 0;
    cpu.cr4 |= random.nextBoolean() ? ControlRegisters.SMAP : 0;
    cpu.cr4 |= random.nextBoolean() ? ControlRegisters.PGE : 0;
    cpu.efer = random.nextBoolean() ? Msrs.EFER_NXE : 0;
    cpu.cr3 = 0;
    if (paging == Paging.TWO_LEVEL) {
      cpu.cr4 |= random.nextInt(3) != 0 ? ControlRegisters.PSE : 0;
    } else {
      cpu.cr4 |= ControlRegisters.PAE;
    }
    if (paging == Paging.FOUR_LEVEL) {
      cpu.efer |= Msrs.EFER_LMA | Msrs.EFER_LME;
      cpu.segmentAttributes[Cpu.CS] = 0xA09B;
    } else {
      cpu.segmentAttributes[Cpu.CS] = 0xC09B;
    }
    changePrivilege();
    cpu.mmu.flushAll();
    if (paging == Paging.PAE) {
      assertThat(cpu.mmu.loadPdptes(0)).isTrue();
    }
  }

  private void changePrivilege() {
    cpu.cpl = random.nextBoolean() ? 3 : 0;
    cpu.systemFlags = random.nextBoolean() ? Rflags.AC : 0;
    cpu.updateMode();
  }

  private long linear(Paging paging) {
    // Few different indices, so that entries are met again, with and without their TLB entries.
    long address = 0;
    for (int shift = 12; shift < 48; shift += 9) {
      address |= (long) (random.nextInt(4) * 0x55 & 0x1FF) << shift;
    }
    address |= random.nextInt(1024) * 4L;
    return paging == Paging.FOUR_LEVEL ? address << 16 >> 16 : address & 0xFFFF_FFFFL;
  }

  private long access(long linear, int access) {
    try {
      switch (access) {
        case 0 -> cpu.mmu.load8(linear);
        case 1 -> {
          // Not a store: what it wrote could be a table. The rights and bits are the same.
          cpu.mmu.loadRmw8(linear);
        }
        default -> {
          long host = cpu.mmu.fetchHost(linear);
          return host == GuestMemory.NO_RAM ? 0 : memory.physicalAddress(host);
        }
      }
    } catch (Fault fault) {
      assertThat(fault.vector).isEqualTo(Fault.PF);
      assertThat(fault.address).isEqualTo(linear);
      return fault.error | Long.MIN_VALUE;
    } catch (Leave leave) {
      return leave.exit instanceof Exit.MemoryRead ? 0 : -2;
    }
    long host = access == 0 ? cpu.mmu.readableHost(linear) : cpu.mmu.writableHost(linear);
    return host == GuestMemory.NO_RAM ? -3 : memory.physicalAddress(host);
  }

  // The plain walk
  // ---------------------------------------------------------------------------------

  private long get(long address, int size) {
    long value = 0;
    for (int i = 0; i < size; i++) {
      value |= (image[(int) address + i] & 0xFFL) << (8 * i);
    }
    return value;
  }

  private void put(long address, int size, long value) {
    for (int i = 0; i < size; i++) {
      image[(int) address + i] = (byte) (value >> (8 * i));
    }
  }

  /** Physical address (0 outside RAM), or the error code with the sign bit set. */
  private long plainWalk(Paging paging, long linear, int access) {
    boolean user = cpu.cpl == 3;
    boolean nxe = (cpu.efer & Msrs.EFER_NXE) != 0;
    boolean smep = (cpu.cr4 & ControlRegisters.SMEP) != 0;
    long code = (access == 1 ? 2 : 0) | (user ? 4 : 0);
    if (access == 2 && (smep || (nxe && paging != Paging.TWO_LEVEL))) {
      code |= 16;
    }
    long absent = Long.MIN_VALUE | code;
    long bad = absent | 1;
    int[] shifts =
        switch (paging) {
          case TWO_LEVEL -> new int[] {22, 12};
          case PAE -> new int[] {21, 12};
          case FOUR_LEVEL -> new int[] {39, 30, 21, 12};
        };
    int size = paging == Paging.TWO_LEVEL ? 4 : 8;
    long table = paging == Paging.PAE ? get(8 * (linear >>> 30 & 3), 8) & 0xFF_FFFF_F000L : 0;
    boolean w = true;
    boolean u = true;
    boolean x = true;
    long[] used = new long[4];
    for (int n = 0; ; n++) {
      int shift = shifts[n];
      long index = linear >>> shift & (size == 4 ? 0x3FF : 0x1FF);
      long at = table + index * size;
      if (at >= image.length && at >= RAM) {
        return absent;
      }
      long e = at < image.length ? get(at, size) : 0; // the rest of RAM is zero
      if ((e & 1) == 0) {
        return absent;
      }
      used[n] = at;
      boolean large =
          (e & 0x80) != 0 && shift != 12 && (size == 8 || (cpu.cr4 & ControlRegisters.PSE) != 0);
      if (size == 8) {
        boolean reservedBit = false;
        for (int bit = PHYSICAL_BITS; bit < 52; bit++) {
          reservedBit |= (e >>> bit & 1) != 0;
        }
        for (int bit = 52; bit < 63 && paging == Paging.PAE; bit++) {
          reservedBit |= (e >>> bit & 1) != 0;
        }
        reservedBit |= !nxe && e < 0;
        reservedBit |= large && shift == 39;
        for (int bit = 13; large && bit < shift; bit++) {
          reservedBit |= shift < 39 && (e >>> bit & 1) != 0;
        }
        if (reservedBit) {
          return bad | 8;
        }
      } else if (large && (e >>> 21 & 1) != 0) {
        return bad | 8;
      }
      w &= (e & 2) != 0;
      u &= (e & 4) != 0;
      x &= e >= 0 || size == 4;
      boolean last = large || shift == 12;
      if (!last) {
        table = e & (size == 4 ? 0xFFFF_F000L : 0xFF_FFFF_F000L);
        continue;
      }
      if (!allowed(access, user, w, u, x)) {
        return bad;
      }
      for (int i = 0; i <= n; i++) {
        put(used[i], size, get(used[i], size) | 0x20 | (i == n && access == 1 ? 0x40 : 0));
      }
      long offsetMask = (1L << shift) - 1;
      long frame = e & (size == 4 ? 0xFFFF_F000L : 0xFF_FFFF_F000L) & ~offsetMask;
      if (size == 4 && large) {
        frame |= (e >>> 13 & 0xFF) << 32;
      }
      long physical = frame | (linear & offsetMask);
      return physical < RAM ? physical : 0;
    }
  }

  private boolean allowed(int access, boolean user, boolean w, boolean u, boolean x) {
    boolean smap = (cpu.cr4 & ControlRegisters.SMAP) != 0 && (cpu.systemFlags & Rflags.AC) == 0;
    boolean wp = (cpu.cr0 & ControlRegisters.WP) != 0;
    if (access == 2) {
      return x && (user ? u : !u || (cpu.cr4 & ControlRegisters.SMEP) == 0);
    }
    if (user) {
      return u && (w || access == 0);
    }
    return !(u && smap) && (access == 0 || w || !wp);
  }
}
