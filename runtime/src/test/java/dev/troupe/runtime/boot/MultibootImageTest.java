package dev.troupe.runtime.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MultibootImageTest {
  private static final long MEMORY = 16L << 20;

  private static KernelImage parse(GuestBuffer bytes) {
    return KernelImage.parse(Image.of("kernel.elf", bytes.array()));
  }

  @Test
  void elfIsLoadedAtPhysicalAddressesAndEnteredThere() {
    BootPlan plan = parse(TestImages.multibootElf()).plan(TestImages.request(MEMORY, "a=1 b"));
    EntryState.ProtectedMode entry = (EntryState.ProtectedMode) plan.entry();
    assertThat(entry.eip()).isEqualTo(0x100010);
    assertThat(entry.eax()).isEqualTo(0x2BADB002L);
    try (GuestView guest = new GuestView(MEMORY, plan)) {
      assertThat(guest.bytes(0x100000, 0x100)).isEqualTo(TestImages.pattern(0x100));
      assertThat(guest.u8(0x101FFF)).isZero();
      long info = entry.ebx();
      assertThat(guest.u32(info)).isEqualTo(1 | 4 | 64 | 512);
      assertThat(guest.u32(info + 4)).isEqualTo(639);
      assertThat(guest.u32(info + 8)).isEqualTo((MEMORY >> 10) - 1024);
      assertThat(guest.text(guest.u32(info + 16))).isEqualTo("kernel.elf a=1 b");
      long map = guest.u32(info + 48);
      long end = map + guest.u32(info + 44);
      long ram = 0;
      for (long at = map; at < end; at += guest.u32(at) + 4) {
        ram += guest.u32(at + 20) == 1 ? guest.u64(at + 12) : 0;
      }
      assertThat(ram).isEqualTo(MemoryMap.EBDA + MEMORY - 0x100000);
    }
  }

  @Test
  void modulesAreBehindTheKernelInOrderWithTheirStrings() {
    Image one = Image.of("one", TestImages.pattern(10));
    Image two = Image.of("two", TestImages.pattern(4097));
    BootPlan plan = parse(TestImages.multibootElf()).plan(TestImages.request(MEMORY, "", one, two));
    long info = ((EntryState.ProtectedMode) plan.entry()).ebx();
    try (GuestView guest = new GuestView(MEMORY, plan)) {
      assertThat(guest.u32(info) & 8).isEqualTo(8);
      assertThat(guest.u32(info + 20)).isEqualTo(2);
      long list = guest.u32(info + 24);
      assertThat(guest.u32(list)).isEqualTo(0x102000);
      assertThat(guest.u32(list + 4)).isEqualTo(0x10200A);
      assertThat(guest.text(guest.u32(list + 8))).isEqualTo("one arg");
      assertThat(guest.u32(list + 16)).isEqualTo(0x103000);
      assertThat(guest.bytes(0x103000, 4097)).isEqualTo(TestImages.pattern(4097));
      assertThat(guest.text(guest.u32(list + 24))).isEqualTo("two arg");
    }
  }

  @Test
  void flatKernelIsLoadedByItsHeadersAddresses() {
    KernelImage kernel = parse(TestImages.multibootFlat());
    assertThat(kernel.format()).isEqualTo("multiboot, flat");
    BootPlan plan = kernel.plan(TestImages.request(MEMORY, ""));
    assertThat(((EntryState.ProtectedMode) plan.entry()).eip()).isEqualTo(0x100080);
    BootPlan.Piece piece = plan.pieces().getFirst();
    assertThat(piece.address()).isEqualTo(0x100000);
    assertThat(piece.bytes().byteSize()).isEqualTo(0x400);
    assertThat(piece.zeros()).isEqualTo(0xC00);
  }

  @Test
  void aKernelWhereTheInformationWouldGoPushesItAside() {
    GuestBuffer low = TestImages.multibootElf().u32(64, 0x8000).u32(60, 0x8000).u32(0x18, 0x8000);
    BootPlan plan = parse(low).plan(TestImages.request(MEMORY, ""));
    assertThat(((EntryState.ProtectedMode) plan.entry()).ebx()).isEqualTo(0xA000);
  }

  @Test
  void truncationAtAnyByteIsOneClearLine() {
    for (GuestBuffer image :
        new GuestBuffer[] {TestImages.multibootElf(), TestImages.multibootFlat()}) {
      byte[] whole = image.array();
      for (int size = 0; size < whole.length; size++) {
        Image cut = Image.of("kernel.elf", Arrays.copyOf(whole, size));
        assertThatThrownBy(() -> KernelImage.parse(cut))
            .as("cut at %d", size)
            .isInstanceOf(BadImageException.class)
            .hasMessageStartingWith("kernel.elf: ")
            .hasMessageNotContaining("\n");
      }
    }
  }

  @Test
  void contradictionsAreNamed() {
    GuestBuffer unknown = TestImages.multibootElf();
    TestImages.multibootHeader(unknown, 0x100, 0x8003);
    assertThatThrownBy(() -> parse(unknown)).hasMessageContaining("0x8000 are unknown");
    assertThatThrownBy(() -> parse(TestImages.multibootFlat().u32(0x30, 0x100030)))
        .hasMessageContaining("load_addr 0x100030");
    assertThatThrownBy(() -> parse(TestImages.multibootFlat().u32(0x38, 0x100100)))
        .hasMessageContaining("bss_end_addr 0x100100");
    assertThatThrownBy(
            () ->
                parse(TestImages.multibootElf().u32(64, 0xA0000))
                    .plan(TestImages.request(MEMORY, "")))
        .hasMessageContaining("needs 8192 bytes of RAM at 0xa0000");
    assertThatThrownBy(
            () ->
                parse(TestImages.multibootElf().u32(72, 0xFFFF_FFFFL))
                    .plan(TestImages.request(MEMORY, "")))
        .hasMessageContaining("4294967295");
    Image large = Image.of("mod", new byte[16 << 20]);
    assertThatThrownBy(
            () -> parse(TestImages.multibootElf()).plan(TestImages.request(MEMORY, "", large)))
        .hasMessageContaining("mod: initrd of 16777216 bytes");
  }

  @Test
  void seededDamageNeverGivesAnythingButBadImage() {
    SplittableRandom random = new SplittableRandom(21);
    for (GuestBuffer image :
        new GuestBuffer[] {
          TestImages.multibootElf(), TestImages.multibootFlat(), TestImages.pvh()
        }) {
      byte[] good = image.array();
      for (int round = 0; round < 20_000; round++) {
        byte[] bytes = good.clone();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
          bytes[random.nextInt(0x240)] = (byte) random.nextInt();
        }
        try {
          KernelImage.parse(Image.of("k", bytes)).plan(TestImages.request(MEMORY, "a"));
        } catch (BadImageException expected) {
          assertThat(expected.getMessage()).as("seed 21, round %d", round).doesNotContain("\n");
        }
      }
    }
  }
}
