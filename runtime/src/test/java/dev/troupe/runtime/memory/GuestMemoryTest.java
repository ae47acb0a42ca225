package dev.troupe.runtime.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuestMemoryTest {
  private static final long GIB = 1L << 30;

  @Test
  void sixGibibytesAreAllThereWithTheHoleBelowFour() {
    try (GuestMemory memory = GuestMemory.allocate(6 * GIB)) {
      assertThat(memory.lowSize()).isEqualTo(3 * GIB);
      assertThat(memory.highSize()).isEqualTo(3 * GIB);
      long[] addresses = {0, 3 * GIB - 1, 4 * GIB, 7 * GIB - 1};
      for (long address : addresses) {
        assertThat(memory.copyIn(address, new byte[] {(byte) (address >> 30 | 0x40)})).isTrue();
      }
      byte[] one = new byte[1];
      for (long address : addresses) {
        assertThat(memory.copyOut(address, one)).isTrue();
        assertThat(one[0]).isEqualTo((byte) (address >> 30 | 0x40));
        assertThat(memory.physicalAddress(memory.hostAddress(address))).isEqualTo(address);
      }
      for (long address : new long[] {3 * GIB, 4 * GIB - 1, 7 * GIB, -1, Long.MIN_VALUE}) {
        assertThat(memory.hostAddress(address)).isEqualTo(GuestMemory.NO_RAM);
        assertThat(memory.copyOut(address, one)).isFalse();
      }
    }
  }

  @Test
  void hugePagesAreZeroAgainOnceDiscarded() {
    long size = (64L << 20) + 4096;
    try (HostMapping mapping = HostMapping.mapHuge(size)) {
      assertThat(mapping.address() % (2L << 20)).isZero();
      for (long at : new long[] {0, 2L << 20, size - 8}) {
        assertThat(Raw.get64(mapping.address() + at)).isZero();
        Raw.put64(mapping.address() + at, -1);
        assertThat(Raw.get64(mapping.address() + at)).isEqualTo(-1);
      }
      mapping.discard();
      for (long at : new long[] {0, 2L << 20, size - 8}) {
        assertThat(Raw.get64(mapping.address() + at)).isZero();
      }
      mapping.close();
      assertThatThrownBy(mapping::discard).hasMessageContaining("closed");
    }
    assertThatThrownBy(() -> HostMapping.mapHuge(0)).hasMessageContaining("size=0");
  }

  @Test
  void theHostKeepsThePagesThatWereTouchedAndNoOthersUntilTheyAreDiscarded() {
    GuestMemory memory = GuestMemory.allocate(32L << 20);
    try (memory) {
      assertThat(memory.residentBytes()).isZero();
      for (int page : new int[] {0, 1, 9, 4000, (32 << 20) / 4096 - 1}) {
        memory.copyIn(page * 4096L + 17, new byte[] {1});
      }
      assertThat(memory.residentBytes()).isEqualTo(5 * 4096);
      memory.reset();
      assertThat(memory.residentBytes()).isZero();
    }
    assertThat(memory.residentBytes()).isZero();
  }

  @Test
  void pagesOfALargeMappingAreCountedInAllOfItsParts() {
    long size = (1L << 30) + 12288;
    try (HostMapping mapping = HostMapping.map(size)) {
      for (long at : new long[] {0, (256L << 20) - 1, 256L << 20, 1L << 30, size - 1}) {
        Raw.put8(mapping.address() + at, (byte) 1);
      }
      assertThat(mapping.residentBytes()).isEqualTo(5 * 4096);
    }
  }

  @Test
  void copiesThatReachOutsideRamCopyNothing() {
    try (GuestMemory memory = GuestMemory.allocate(8192)) {
      assertThat(memory.copyIn(8190, new byte[] {1, 2, 3})).isFalse();
      byte[] two = new byte[2];
      assertThat(memory.copyOut(8190, two)).isTrue();
      assertThat(two).containsOnly(0);
      assertThat(memory.contains(0, Long.MAX_VALUE)).isFalse();
      assertThat(memory.contains(8192, 0)).isTrue();
      assertThat(memory.contains(Long.MAX_VALUE, 1)).isFalse();
      assertThat(memory.fill(4000, 4193, (byte) 7)).isFalse();
      assertThat(memory.fill(4000, 4192, (byte) 7)).isTrue();
    }
  }

  @Test
  void copiesMarkPagesDirtyAndTellHoldersOfCodePageByPage() {
    try (GuestMemory memory = GuestMemory.allocate(4 * 4096)) {
      List<Long> told = new ArrayList<>();
      int holder =
          memory.addCodeListener(
              (host, length) -> told.add(memory.physicalAddress(host) << 16 | length));
      memory.markCode(memory.hostAddress(4096), holder);
      memory.markCode(memory.hostAddress(8192), holder);
      memory.copyIn(5000, new byte[4096]);
      assertThat(told).containsExactly(5000L << 16 | 3192, 8192L << 16 | 904);
      assertThat(memory.isDirty(0)).isFalse();
      assertThat(memory.isDirty(4096)).isTrue();
      assertThat(memory.isDirty(8192)).isTrue();
      memory.clearDirty();
      assertThat(memory.isDirty(8192)).isFalse();
      memory.copyIn(8192, new byte[1]);
      assertThat(told).hasSize(2); // the holder had said that no code is left
    }
  }

  @Test
  void aPageIsCodeUntilTheLastHolderLetsGo() {
    try (GuestMemory memory = GuestMemory.allocate(4096)) {
      long host = memory.hostAddress(0);
      int one = memory.addCodeListener((written, length) -> true);
      int other = memory.addCodeListener((written, length) -> false);
      memory.markDirty(host);
      assertThat(memory.grantWrite(host)).isTrue();
      assertThat(memory.markCode(host, one)).as("a grant was taken back").isTrue();
      assertThat(memory.markCode(host, other)).as("which the first still waits for").isTrue();
      memory.codeSettled(host);
      assertThat(memory.markCode(host, other)).isFalse();
      assertThat(memory.grantWrite(host)).isFalse();
      assertThat(memory.markCode(host, one)).as("no grant was given").isFalse();
      memory.written(host, 1);
      assertThat(memory.holdsCode(host)).as("the other still holds some").isTrue();
      memory.codeGone(host, other);
      assertThat(memory.holdsCode(host)).isFalse();
      assertThat(memory.grantWrite(host)).isTrue();
    }
  }

  @Test
  void resetGivesZeroesAndTellsOfCode() {
    try (GuestMemory memory = GuestMemory.allocate(4 * 4096)) {
      List<Long> told = new ArrayList<>();
      int holder = memory.addCodeListener((host, length) -> told.add(memory.physicalAddress(host)));
      memory.copyIn(4096, new byte[] {1});
      memory.markCode(memory.hostAddress(4096), holder);
      memory.reset();
      byte[] one = {9};
      memory.copyOut(4096, one);
      assertThat(one[0]).isZero();
      assertThat(memory.isDirty(4096)).isFalse();
      assertThat(told).containsExactly(4096L);
    }
  }

  @Test
  void sizesThatCannotBeAreRefusedWithTheirNumbers() {
    for (long size : new long[] {0, -4096, 4097, GuestMemory.MAXIMUM_SIZE + 4096}) {
      assertThatThrownBy(() -> GuestMemory.allocate(size))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("size=" + size);
    }
    assertThatThrownBy(() -> HostMapping.map(1L << 60))
        .isInstanceOf(HostMemoryException.class)
        .hasMessageContaining("1152921504606846976");
  }

  @Test
  void closingTwiceUnmapsOnce() {
    GuestMemory memory = GuestMemory.allocate(4096);
    memory.mapBeside(4096);
    memory.close();
    memory.close();
    assertThatThrownBy(memory::reset).isInstanceOf(IllegalStateException.class);
  }
}
