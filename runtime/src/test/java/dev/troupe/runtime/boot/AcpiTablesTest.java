package dev.troupe.runtime.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AcpiTablesTest {
  private static final long MEMORY = 64L << 20;

  /** Follows the pointers as a guest does; signature to address. */
  private static Map<String, Long> walk(GuestView guest) {
    Map<String, Long> found = new LinkedHashMap<>();
    assertThat(guest.text(AcpiTables.RSDP, 8)).isEqualTo("RSD PTR ");
    assertThat(sum(guest, AcpiTables.RSDP, 20)).isZero();
    assertThat(sum(guest, AcpiTables.RSDP, 36)).isZero();
    long rsdt = guest.u32(AcpiTables.RSDP + 16);
    long xsdt = guest.u64(AcpiTables.RSDP + 24);
    found.put("RSDT", rsdt);
    found.put("XSDT", xsdt);
    for (int i = 0; i < (guest.u32(xsdt + 4) - 36) / 8; i++) {
      long table = guest.u64(xsdt + 36 + 8L * i);
      assertThat(guest.u32(rsdt + 36 + 4L * i)).isEqualTo(table);
      found.put(guest.text(table, 4), table);
    }
    found.put("DSDT", guest.u64(found.get("FACP") + 140));
    found.put("FACS", guest.u32(found.get("FACP") + 36));
    return found;
  }

  private static int sum(GuestView guest, long address, int size) {
    int sum = 0;
    for (byte b : guest.bytes(address, size)) {
      sum += b;
    }
    return sum & 0xFF;
  }

  private static GuestView guest(int cpus) {
    BootRequest request = new BootRequest(List.of(), "", MEMORY, TestImages.board(cpus), true);
    Image kernel = Image.of("vmlinuz", TestImages.bzImage().array());
    return new GuestView(MEMORY, KernelImage.parse(kernel).plan(request));
  }

  @Test
  void everyTableSumsToZeroAndLiesInTheFirmwareArea() {
    try (GuestView guest = guest(BoardDescription.MAX_CPUS)) {
      Map<String, Long> tables = walk(guest);
      assertThat(tables).containsKeys("FACP", "APIC", "DSDT", "FACS");
      tables.forEach(
          (name, at) -> {
            int size = (int) guest.u32(at + 4);
            assertThat(guest.text(at, 4)).isEqualTo(name);
            assertThat(at).isGreaterThanOrEqualTo(MemoryMap.FIRMWARE);
            assertThat(at + size).isLessThanOrEqualTo(MemoryMap.HIGH);
            if (!name.equals("FACS")) {
              assertThat(sum(guest, at, size)).as(name).isZero();
            }
          });
      assertThat(tables.get("FACS") % 64).isZero();
    }
  }

  @Test
  void madtHasOneEnabledLocalApicForEachCpu() {
    try (GuestView guest = guest(5)) {
      long madt = walk(guest).get("APIC");
      int cpus = 0;
      for (long at = madt + 44; at < madt + guest.u32(madt + 4); at += guest.u8(at + 1)) {
        if (guest.u8(at) == 0) {
          assertThat(guest.u8(at + 3)).as("APIC id").isEqualTo(cpus++);
          assertThat(guest.u32(at + 4)).as("enabled").isEqualTo(1);
        }
      }
      assertThat(cpus).isEqualTo(5);
    }
  }

  @Test
  void amlLengthsTakeTheShortestOfTheirThreeForms() {
    assertThat(Aml.scope("_SB", List.of(new byte[57]))[1]).isEqualTo((byte) 63);
    assertThat(Aml.scope("_SB", List.of(new byte[58]))).startsWith(0x10, 0x40 | (65 & 15), 65 >> 4);
    assertThat(Aml.scope("_SB", List.of(new byte[4096])))
        .startsWith(0x10, 0x80 | (4104 & 15), 4104 >> 4, 4104 >> 12);
  }

  @Test
  void eisaIdsArePackedAsTheSpecificationSays() {
    assertThat(Aml.eisaId("PNP0A03")).containsExactly(0x0C, 0x41, 0xD0, 0x0A, 0x03);
  }
}
