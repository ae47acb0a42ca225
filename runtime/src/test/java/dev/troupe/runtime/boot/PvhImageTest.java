package dev.troupe.runtime.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PvhImageTest {
  private static final long MEMORY = 16L << 20;

  private static KernelImage parse(GuestBuffer bytes) {
    return KernelImage.parse(Image.of("vmlinux", bytes.array()));
  }

  @Test
  void startInformationListsModulesMemoryAndTables() {
    Image initrd = Image.of("initrd", TestImages.pattern(300));
    KernelImage kernel = parse(TestImages.pvh());
    assertThat(kernel.format()).isEqualTo("PVH ELF");
    BootPlan plan = kernel.plan(TestImages.request(MEMORY, "quiet", initrd));
    EntryState.ProtectedMode entry = (EntryState.ProtectedMode) plan.entry();
    assertThat(entry.eip()).isEqualTo(0x100040);
    try (GuestView guest = new GuestView(MEMORY, plan)) {
      long info = entry.ebx();
      assertThat(guest.u32(info)).isEqualTo(0x336EC578L);
      assertThat(guest.u32(info + 4)).isEqualTo(1);
      assertThat(guest.u32(info + 12)).isEqualTo(1);
      long module = guest.u64(info + 16);
      assertThat(guest.bytes(guest.u64(module), 300)).isEqualTo(TestImages.pattern(300));
      assertThat(guest.u64(module + 8)).isEqualTo(300);
      assertThat(guest.text(guest.u64(info + 24))).isEqualTo("quiet");
      assertThat(guest.text(guest.u64(info + 32), 8)).isEqualTo("RSD PTR ");
      long map = guest.u64(info + 40);
      assertThat(guest.u32(info + 48)).isEqualTo(4);
      assertThat(guest.u64(map)).isZero();
      assertThat(guest.u64(map + 8)).isEqualTo(MemoryMap.EBDA);
      assertThat(guest.bytes(0x100000, 0x100)).isEqualTo(TestImages.pattern(0x100));
    }
  }

  @Test
  void truncationAtAnyByteIsOneClearLine() {
    for (GuestBuffer kernel :
        List.of(TestImages.pvh(), withSections(false), withSections(true), pvh32())) {
      byte[] whole = kernel.array();
      assertThat(KernelImage.parse(Image.of("vmlinux", whole)).format()).isEqualTo("PVH ELF");
      for (int size = 0; size < whole.length; size++) {
        Image cut = Image.of("vmlinux", Arrays.copyOf(whole, size));
        assertThatThrownBy(() -> KernelImage.parse(cut))
            .as("cut at %d", size)
            .isInstanceOf(BadImageException.class)
            .hasMessageStartingWith("vmlinux: ")
            .hasMessageNotContaining("\n");
      }
    }
  }

  /** With two sections behind what is loaded, of which the first has no bytes in the file. */
  private static GuestBuffer withSections(boolean headersLast) {
    int headers = headersLast ? 0x1140 : 0x1100;
    int bytes = headersLast ? 0x1100 : 0x1180;
    GuestBuffer b = new GuestBuffer(0x11C0);
    b.bytes(0, TestImages.pvh().array());
    b.u64(0x28, headers).u16(0x3A, 64).u16(0x3C, 2);
    b.u32(headers + 4, 8).u64(headers + 24, bytes).u64(headers + 32, 1 << 20);
    return b.u32(headers + 64 + 4, 3).u64(headers + 64 + 24, bytes).u64(headers + 64 + 32, 0x40);
  }

  /** An ELF32 with the note before its one segment, and no sections. */
  private static GuestBuffer pvh32() {
    GuestBuffer b = new GuestBuffer(0x1000 + 0x100);
    b.bytes(0, new byte[] {0x7F, 'E', 'L', 'F', 1, 1, 1}).u16(0x10, 2).u16(0x12, 3);
    b.u32(0x18, 0x100000).u32(0x1C, 52).u16(0x2A, 32).u16(0x2C, 2);
    b.u32(52, 4).u32(56, 0x200).u32(68, 20).u32(72, 20);
    b.u32(84, 1).u32(88, 0x1000).u32(92, 0xC010_0000L).u32(96, 0x100000);
    b.u32(100, 0x100).u32(104, 0x3000);
    b.u32(0x200, 4)
        .u32(0x204, 4)
        .u32(0x208, 18)
        .bytes(0x20C, "Xen\0".getBytes(StandardCharsets.US_ASCII));
    return b.u32(0x210, 0x100040);
  }

  @Test
  void sectionHeadersOfAnotherSizeAreRefused() {
    assertThatThrownBy(() -> parse(withSections(true).u16(0x3A, 40)))
        .hasMessageContaining("section headers of 40 bytes");
  }

  @Test
  void anEntryOutsideTheSegmentsIsRefused() {
    assertThatThrownBy(() -> parse(TestImages.pvh().u32(0x210, 0x103000)))
        .hasMessageContaining("0x103000");
  }

  @Test
  void anElfWithoutEntryNoteIsNoKernel() {
    assertThatThrownBy(() -> parse(TestImages.pvh().u32(0x208, 17)))
        .hasMessageContaining("an ELF, but neither");
  }
}
