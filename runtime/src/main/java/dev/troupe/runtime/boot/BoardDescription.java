package dev.troupe.runtime.boot;

/**
 * What the ACPI tables tell the guest about its board. The machine fills it from the addresses at
 * which it puts its devices; the tables hold no address of their own.
 *
 * @param cpus vCPUs, 1 to 64; their local APIC ids are 0 to cpus - 1
 * @param localApicBase physical address of the local APICs
 * @param ioApicBase physical address of the I/O APIC, whose inputs are global interrupts 0 and up
 * @param ioApicId its id
 * @param pmBase first of the power-management ports: event block (4), control block (2) and timer
 *     (4, at +8)
 * @param sci the interrupt of power-management events: level-triggered, active high
 * @param sleepTypeOff SLP_TYP value of soft-off
 * @param resetPort port of the reset register, {@code 0xCF9}
 * @param resetValue what resets when written there
 * @param com1Port first port of the serial line
 * @param com1Irq its interrupt
 * @param rtcPort index port of the real-time clock
 * @param rtcIrq its interrupt
 * @param pciMemoryStart where PCI memory BARs may be, first address
 * @param pciMemoryEnd and the last
 */
public record BoardDescription(
    int cpus,
    long localApicBase,
    long ioApicBase,
    int ioApicId,
    int pmBase,
    int sci,
    int sleepTypeOff,
    int resetPort,
    int resetValue,
    int com1Port,
    int com1Irq,
    int rtcPort,
    int rtcIrq,
    long pciMemoryStart,
    long pciMemoryEnd) {
  /** One bit a CPU fits a word, and xAPIC ids end at 254. */
  public static final int MAX_CPUS = 64;

  public BoardDescription {
    if (cpus < 1 || cpus > MAX_CPUS) {
      throw new BadImageException("cpus=%d; must be 1 to %d".formatted(cpus, MAX_CPUS));
    }
  }
}
