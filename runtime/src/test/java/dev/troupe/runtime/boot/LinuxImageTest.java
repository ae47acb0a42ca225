package dev.troupe.runtime.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.runtime.cpu.ControlRegisters;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.memory.GuestMemory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LinuxImageTest {
  private static final long MEMORY = 64L << 20;

  private static KernelImage parse(GuestBuffer bytes) {
    return KernelImage.parse(Image.of("vmlinuz", bytes.array()));
  }

  @Test
  void zeroPageTellsWhereEverythingIs() {
    Image initrd = Image.of("initrd.gz", TestImages.pattern(5000));
    BootPlan plan =
        parse(TestImages.bzImage()).plan(TestImages.request(MEMORY, "console=ttyS0", initrd));
    EntryState.LongMode entry = (EntryState.LongMode) plan.entry();
    assertThat(entry.rip()).isEqualTo(TestImages.BZ_PREFERRED + 0x200);
    try (GuestView guest = new GuestView(MEMORY, plan)) {
      long zero = entry.rsi();
      assertThat(guest.text(zero + 0x202, 4)).isEqualTo("HdrS");
      assertThat(guest.text(guest.u32(zero + 0x228))).isEqualTo("console=ttyS0");
      assertThat(guest.u8(zero + 0x210)).as("type_of_loader").isEqualTo(0xFF);
      long ramdisk = guest.u32(zero + 0x218);
      assertThat(guest.u32(zero + 0x21C)).isEqualTo(5000);
      assertThat(ramdisk % 4096).isZero();
      assertThat(guest.bytes(ramdisk, 5000)).isEqualTo(TestImages.pattern(5000));
      assertThat(guest.u8(TestImages.BZ_PREFERRED + TestImages.BZ_KERNEL_BYTES - 1))
          .isEqualTo(0x5A);
      assertThat(guest.u64(zero + 0x70)).as("acpi_rsdp_addr").isEqualTo(AcpiTables.RSDP);
      int entries = guest.u8(zero + 0x1E8);
      assertThat(entries).isEqualTo(4);
      assertThat(guest.u64(zero + 0x2D0 + 3 * 20)).isEqualTo(0x100000);
      assertThat(guest.u64(zero + 0x2D0 + 3 * 20 + 8)).isEqualTo(MEMORY - 0x100000);
      assertThat(guest.u32(zero + 0x2D0 + 3 * 20 + 16)).isEqualTo(MemoryMap.RAM);
    }
  }

  @Test
  void identityTablesMapFourGibibytesToThemselves() {
    BootPlan plan = parse(TestImages.bzImage()).plan(TestImages.request(MEMORY, ""));
    EntryState.LongMode entry = (EntryState.LongMode) plan.entry();
    try (GuestView guest = new GuestView(MEMORY, plan)) {
      for (long address = 0; address < 1L << 32; address += 0x1234_5678L) {
        long l4 = guest.u64(entry.cr3() + 8 * (address >>> 39 & 511));
        long l3 = guest.u64((l4 & -4096L) + 8 * (address >>> 30 & 511));
        long l2 = guest.u64((l3 & -4096L) + 8 * (address >>> 21 & 511));
        assertThat(l2 & 0x83).as("present, writable, large at 0x%x", address).isEqualTo(0x83);
        assertThat((l2 & -(2L << 20)) + (address & (2 << 20) - 1)).isEqualTo(address);
      }
      assertThat(guest.u64(entry.gdt() + EntryState.CODE_SELECTOR)).isEqualTo(0x00AF9B000000FFFFL);
      assertThat(guest.u64(entry.gdt() + EntryState.DATA_SELECTOR)).isEqualTo(0x00CF93000000FFFFL);
    }
  }

  @Test
  void memoryBehindTheHoleIsInE820() {
    MemoryMap map = MemoryMap.of(6L << 30);
    assertThat(map.ranges())
        .contains(
            new MemoryMap.Range(0x100000, GuestMemory.HOLE_START - 0x100000, MemoryMap.RAM),
            new MemoryMap.Range(1L << 32, (6L << 30) - GuestMemory.HOLE_START, MemoryMap.RAM));
    long usable =
        map.ranges().stream()
            .filter(r -> r.type() == MemoryMap.RAM)
            .mapToLong(MemoryMap.Range::size)
            .sum();
    assertThat((6L << 30) - usable)
        .as("lost to the adapter area")
        .isEqualTo(0x100000 - MemoryMap.EBDA);
  }

  @Test
  void aKernelWithout64BitEntryIsEnteredIn32BitModeWithItsDescriptorsLoaded() {
    KernelImage kernel = parse(TestImages.bzImage().u16(0x236, 0));
    assertThat(kernel.format()).contains("32-bit entry");
    BootPlan plan = kernel.plan(TestImages.request(MEMORY, "quiet"));
    EntryState.Linux32 entry = (EntryState.Linux32) plan.entry();
    try (GuestView guest = new GuestView(MEMORY, plan);
        GuestMemory memory = GuestMemory.allocate(1 << 20)) {
      assertThat(guest.text(guest.u32(entry.esi() + 0x228))).isEqualTo("quiet");
      CpuModel model = CpuModel.byName("pentium3").orElseThrow();
      Cpu cpu = new Cpu(model, memory, () -> 0, () -> 0);
      entry.apply(cpu);
      assertThat(cpu.rip).isEqualTo(TestImages.BZ_PREFERRED);
      assertThat(cpu.mode & (Mode.PROTECTED | Mode.CODE_64)).isEqualTo(Mode.PROTECTED);
      assertThat(cpu.cr0 & ControlRegisters.PG).isZero();
      assertThat(cpu.systemFlags & Rflags.IF).isZero();
      assertThat(cpu.gpr[Cpu.RSI]).isEqualTo(entry.esi());
      for (int register : new int[] {Cpu.RBX, Cpu.RBP, Cpu.RDI}) {
        assertThat(cpu.gpr[register]).isZero();
      }
      // What the protocol wants loaded is also what a reload of the segments finds.
      assertThat(cpu.gdtLimit).isGreaterThanOrEqualTo(EntryState.DATA_SELECTOR + 7);
      assertThat(guest.u64(cpu.gdtBase + EntryState.CODE_SELECTOR)).isEqualTo(0x00CF9B000000FFFFL);
      assertThat(guest.u64(cpu.gdtBase + EntryState.DATA_SELECTOR)).isEqualTo(0x00CF93000000FFFFL);
      assertThat(cpu.selector[Cpu.CS]).isEqualTo(EntryState.CODE_SELECTOR);
      for (int segment : new int[] {Cpu.DS, Cpu.ES, Cpu.SS}) {
        assertThat(cpu.selector[segment]).isEqualTo(EntryState.DATA_SELECTOR);
      }
    }
  }

  @Test
  void a64BitKernelIsRefusedByACpuWithoutLongMode() {
    BootRequest old = new BootRequest(List.of(), "", MEMORY, TestImages.board(1), false);
    for (GuestBuffer kernel : List.of(TestImages.bzImage(), TestImages.pvh())) {
      assertThatThrownBy(() -> parse(kernel).plan(old))
          .isInstanceOf(BadImageException.class)
          .hasMessage("vmlinuz: a 64-bit kernel, and the CPU model has no long mode");
    }
    assertThat(parse(TestImages.bzImage().u16(0x236, 0)).plan(old).entry())
        .isInstanceOf(EntryState.Linux32.class);
    assertThat(parse(TestImages.multibootElf()).plan(old).entry())
        .isInstanceOf(EntryState.ProtectedMode.class);
  }

  @Test
  void truncationAtAnyByteIsOneClearLine() {
    byte[] whole = TestImages.bzImage().array();
    for (int size = 0; size < whole.length; size++) {
      Image cut = Image.of("vmlinuz", Arrays.copyOf(whole, size));
      assertThatThrownBy(() -> KernelImage.parse(cut).plan(TestImages.request(MEMORY, "")))
          .as("cut at %d", size)
          .isInstanceOf(BadImageException.class)
          .hasMessageStartingWith("vmlinuz: ")
          .hasMessageNotContaining("\n");
    }
  }

  @Test
  void aSignedKernelCutInItsSignatureIsTruncated() {
    GuestBuffer pe = TestImages.bzImage().bytes(0, (byte) 'M', (byte) 'Z').u32(0x3C, 0x40);
    pe.bytes(0x40, "PE\0\0".getBytes(StandardCharsets.US_ASCII)).u16(0x58, 0x20B);
    int end = 1024 + TestImages.BZ_KERNEL_BYTES;
    pe.u32(0x58 + 112 + 32, end - 16).u32(0x58 + 112 + 36, 16);
    assertThat(parse(pe).format()).contains("64-bit");
    pe.u32(0x58 + 112 + 36, 17);
    assertThatThrownBy(() -> parse(pe)).hasMessageContaining("truncated: PE signature");
  }

  @Test
  void wrongFieldsAreNamedWithTheirValue() {
    assertThatThrownBy(() -> parse(TestImages.bzImage().u16(0x206, 0x204)))
        .hasMessageContaining("2.04");
    assertThatThrownBy(() -> parse(TestImages.bzImage().u16(0x1FE, 0x1234)))
        .hasMessageContaining("0x1234");
    assertThatThrownBy(() -> parse(TestImages.bzImage().u8(0x211, 0)))
        .hasMessageContaining("LOADED_HIGH");
    assertThatThrownBy(() -> parse(TestImages.bzImage().u64(0x258, -4096)))
        .hasMessageContaining("pref_address");
    assertThatThrownBy(() -> parse(TestImages.bzImage().u32(0x260, 1)))
        .hasMessageContaining("init_size");
    assertThatThrownBy(() -> parse(TestImages.bzImage().u8(0x201, 0xFF)))
        .hasMessageContaining("0x201");
  }

  @Test
  void whatDoesNotFitIsRefusedWithTheSizes() {
    KernelImage kernel = parse(TestImages.bzImage());
    assertThatThrownBy(() -> kernel.plan(TestImages.request(16L << 20, "")))
        .hasMessageContaining("vmlinuz: kernel");
    assertThatThrownBy(() -> kernel.plan(TestImages.request(1L << 20, "")))
        .hasMessageContaining("1048576");
    assertThatThrownBy(() -> kernel.plan(TestImages.request(0, "")))
        .hasMessageContaining("too small");
    Image large = Image.of("initrd", new byte[64 << 20]);
    assertThatThrownBy(() -> kernel.plan(TestImages.request(MEMORY, "", large)))
        .isInstanceOf(BadImageException.class)
        .hasMessageContaining("initrd of 67108864 bytes");
    assertThatThrownBy(() -> kernel.plan(TestImages.request(MEMORY, "x".repeat(2048))))
        .hasMessageContaining("2048 bytes; this kernel takes at most 2047");
    assertThat(kernel.plan(TestImages.request(MEMORY, "x".repeat(2047))).pieces()).isNotEmpty();
  }

  @Test
  void seededDamageOfTheHeaderNeverGivesAnythingButBadImage() {
    SplittableRandom random = new SplittableRandom(20);
    byte[] good = TestImages.bzImage().array();
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = good.clone();
      for (int i = random.nextInt(1, 4); i > 0; i--) {
        bytes[0x1F1 + random.nextInt(0x80)] = (byte) random.nextInt();
      }
      try {
        KernelImage.parse(Image.of("vmlinuz", bytes)).plan(TestImages.request(MEMORY, "a"));
      } catch (BadImageException expected) {
        assertThat(expected.getMessage()).as("seed 20, round %d", round).doesNotContain("\n");
      }
    }
  }
}
