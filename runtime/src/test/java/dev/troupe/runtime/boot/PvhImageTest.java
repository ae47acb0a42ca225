package dev.troupe.runtime.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
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
    byte[] whole = TestImages.pvh().array();
    for (int size = 0; size < whole.length; size++) {
      Image cut = Image.of("vmlinux", Arrays.copyOf(whole, size));
      assertThatThrownBy(() -> KernelImage.parse(cut))
          .as("cut at %d", size)
          .isInstanceOf(BadImageException.class)
          .hasMessageStartingWith("vmlinux: ")
          .hasMessageNotContaining("\n");
    }
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
