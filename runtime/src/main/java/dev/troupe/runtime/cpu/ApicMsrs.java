package dev.troupe.runtime.cpu;

/** The local APIC's registers as MSRs, in x2APIC mode (Intel SDM vol. 3A, 11.12.1). */
final class ApicMsrs {
  private final LocalApic apic;

  /** What {@link #read} read. */
  long value;

  ApicMsrs(LocalApic apic) {
    this.apic = apic;
  }

  /**
   * RDMSR of an x2APIC register.
   *
   * @param msr 0x800 to 0x8FF
   * @return false for #GP: not in x2APIC mode, no such register, or it can only be written; else
   *     {@link #value} has it
   */
  boolean read(int msr) {
    int register = (msr & 0xFF) << 4;
    if (!apic.x2apic()
        || !ApicRegisters.existsAsMsr(register)
        || register == ApicRegisters.EOI
        || register == ApicRegisters.SELF_IPI) {
      return false;
    }
    if (register == ApicRegisters.ICR) {
      value = apic.command.both();
    } else {
      value = Integer.toUnsignedLong(apic.readRegister(register));
    }
    return true;
  }

  /**
   * WRMSR of an x2APIC register; false for #GP: no such register, read-only, or reserved bits set.
   */
  boolean write(int msr, long written) {
    int register = (msr & 0xFF) << 4;
    if (!apic.x2apic()
        || !ApicRegisters.existsAsMsr(register)
        || ApicRegisters.readOnly(register)
        || register == ApicRegisters.ID
        || register == ApicRegisters.LDR
        || (written & ~ApicRegisters.writableAsMsr(register)) != 0) {
      return false;
    }
    if (register == ApicRegisters.SELF_IPI) {
      apic.command.sendSelf((int) written & 0xFF);
      return true;
    }
    if (register == ApicRegisters.ICR) {
      apic.command.setHigh((int) (written >>> 32));
    }
    apic.writeRegister(register, (int) written);
    return true;
  }
}
