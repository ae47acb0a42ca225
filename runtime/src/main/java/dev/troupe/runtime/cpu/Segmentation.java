package dev.troupe.runtime.cpu;

/**
 * Segment registers, descriptors and the checks that go with them (Intel SDM vol. 3A, chapters 3
 * and 5, 20.1 for virtual-8086 mode).
 */
public final class Segmentation {
  /** What an error code keeps of a selector: index and table. */
  static final int ERROR_SELECTOR = 0xFFFC;

  private static final long MASK_32 = 0xFFFF_FFFFL;

  /** Attributes of a segment as real and virtual-8086 mode load it: data, writable, present. */
  static final int REAL_ATTRIBUTES = 0x93;

  private final Cpu cpu;

  /**
   * EXT, bit 0 of the error codes of faults raised while an external event or an exception is being
   * delivered (section 6.13); 0 otherwise.
   */
  int external;

  Segmentation(Cpu cpu) {
    this.cpu = cpu;
  }

  // Accesses -------------------------------------------------------------------------------------

  /**
   * Checks an access and forms its linear address.
   *
   * @param segment {@link Cpu#ES} to {@link Cpu#GS}
   * @param offset truncated to the address size
   * @param size bytes, at least 1
   * @return the linear address; in 64-bit mode only addresses in SS are known to be canonical
   */
  public long check(int segment, long offset, int size, boolean write) {
    if ((cpu.mode & Mode.CODE_64) != 0) {
      if (segment >= Cpu.FS) {
        return cpu.segmentBase[segment] + offset;
      }
      return segment == Cpu.SS ? checkStack(offset) : offset;
    }
    long limit = cpu.segmentLimit[segment];
    int attributes = cpu.segmentAttributes[segment];
    long last = offset + size - 1;
    if (isProtected()) {
      if ((attributes & Descriptor.PRESENT) == 0 || !permitted(attributes, write)) {
        throw outside(segment);
      }
      if ((attributes & (Descriptor.CODE | Descriptor.DOWN_CONFORMING))
          == Descriptor.DOWN_CONFORMING) {
        long top = (attributes & Descriptor.BIG) != 0 ? MASK_32 : 0xFFFF;
        if (offset <= limit || last > top) {
          throw outside(segment);
        }
        return (cpu.segmentBase[segment] + offset) & MASK_32;
      }
    }
    // An access that wraps at the end of a 4 GiB segment is left to wrap (5.3: model-specific).
    if (last > limit && limit != MASK_32) {
      throw outside(segment);
    }
    return (cpu.segmentBase[segment] + offset) & MASK_32;
  }

  /** Whether selectors name descriptors: protected mode, but not virtual-8086 mode. */
  public boolean isProtected() {
    return (cpu.mode & (Mode.PROTECTED | Mode.V86)) == Mode.PROTECTED;
  }

  private static boolean permitted(int attributes, boolean write) {
    int kind = attributes & (Descriptor.CODE | Descriptor.READ_WRITE);
    return write ? kind == Descriptor.READ_WRITE : kind != Descriptor.CODE;
  }

  private Fault outside(int segment) {
    return cpu.fault(segment == Cpu.SS ? Fault.SS : Fault.GP, external);
  }

  /** In 64-bit mode: #SS(0) if a stack address is not canonical, else the address. */
  public long checkStack(long linear) {
    if (!canonical(linear)) {
      throw cpu.fault(Fault.SS, external);
    }
    return linear;
  }

  /** Whether bits 63 to 47 are all the same. */
  public static boolean canonical(long linear) {
    return linear << 16 >> 16 == linear;
  }

  /**
   * Checks the target of a near branch: #GP(0) if it lies outside the code segment or, in 64-bit
   * mode, is not canonical.
   *
   * @return {@code offset}
   */
  public long checkTarget(long offset) {
    if ((cpu.mode & Mode.CODE_64) != 0 ? !canonical(offset) : offset > cpu.segmentLimit[Cpu.CS]) {
      throw cpu.fault(Fault.GP, 0);
    }
    return offset;
  }

  // Descriptors ----------------------------------------------------------------------------------

  /** Whether a selector is NULL: entry 0 of the GDT, any RPL. */
  static boolean isNull(int selector) {
    return (selector & ERROR_SELECTOR) == 0;
  }

  /**
   * Linear address of a descriptor.
   *
   * @param bytes 8, or 16 for a system descriptor of IA-32e mode
   * @return -1 if it is not within its table
   */
  long descriptorAddress(int selector, int bytes) {
    int offset = selector & 0xFFF8;
    if ((selector & 4) == 0) {
      return offset + bytes - 1 <= cpu.gdtLimit ? linear(cpu.gdtBase + offset) : -1;
    }
    boolean usable = (cpu.segmentAttributes[Cpu.LDTR] & Descriptor.PRESENT) != 0;
    return usable && offset + bytes - 1 <= cpu.segmentLimit[Cpu.LDTR]
        ? linear(cpu.segmentBase[Cpu.LDTR] + offset)
        : -1;
  }

  private long linear(long address) {
    return (cpu.efer & Msrs.EFER_LMA) != 0 ? address : address & MASK_32;
  }

  /** The descriptor of a selector that is not NULL; {@code vector}(selector) if there is none. */
  long descriptor(int selector, int vector) {
    long address = descriptorAddress(selector, 8);
    if (address == -1) {
      throw fault(vector, selector);
    }
    return cpu.mmu.loadSystem64(address);
  }

  /** The high half of a 16-byte system descriptor; {@code vector}(selector) if it is malformed. */
  long descriptorHigh(int selector, int vector) {
    long address = descriptorAddress(selector, 16);
    if (address == -1) {
      throw fault(vector, selector);
    }
    long high = cpu.mmu.loadSystem64(address + 8);
    // Its type field has to be 0, so that it is no descriptor by itself (section 3.5.2).
    if ((high >>> 40 & 0x1F) != 0) {
      throw fault(vector, selector);
    }
    return high;
  }

  /** An exception that names a selector. */
  Fault fault(int vector, int selector) {
    return cpu.fault(vector, (selector & ERROR_SELECTOR) | external);
  }

  /** Sets the accessed bit of a code or data descriptor in its table, if it is not set. */
  long accessed(int selector, long descriptor) {
    if ((Descriptor.type(descriptor) & Descriptor.ACCESSED) == 0) {
      cpu.mmu.orSystem8(descriptorAddress(selector, 8) + 5, Descriptor.ACCESSED);
      return descriptor | (long) Descriptor.ACCESSED << 40;
    }
    return descriptor;
  }

  // Loads ----------------------------------------------------------------------------------------

  /**
   * Loads ES, SS, DS, FS or GS, as MOV, POP and LDS to LGS do in the current mode. Leaves the mode
   * word right; does not start the interrupt shadow of SS.
   */
  public void load(int segment, int selector) {
    if (!isProtected()) {
      setReal(segment, selector);
    } else if (segment == Cpu.SS) {
      loadStack(selector, cpu.cpl, Fault.GP);
    } else {
      loadData(segment, selector, Fault.GP);
    }
    cpu.updateMode();
  }

  /**
   * Real and virtual-8086 mode: only selector and base change, limit and rights too in V86 mode.
   */
  void setReal(int segment, int selector) {
    cpu.selector[segment] = selector;
    cpu.segmentBase[segment] = (long) selector << 4;
    if ((cpu.mode & Mode.V86) != 0) {
      cpu.segmentLimit[segment] = 0xFFFF;
      cpu.segmentAttributes[segment] = REAL_ATTRIBUTES | 3 << 5;
    }
  }

  /** ES, DS, FS or GS in protected mode; {@code vector} is #GP, or #TS in a task switch. */
  void loadData(int segment, int selector, int vector) {
    if (isNull(selector)) {
      setNull(segment, selector);
      return;
    }
    long d = descriptor(selector, vector);
    int rpl = selector & 3;
    boolean conformingCode = Descriptor.isCode(d) && Descriptor.isConforming(d);
    if (!Descriptor.isReadable(d)
        || (!conformingCode && Descriptor.dpl(d) < Math.max(rpl, cpu.cpl))) {
      throw fault(vector, selector);
    }
    if (!Descriptor.present(d)) {
      throw fault(Fault.NP, selector);
    }
    set(segment, selector, accessed(selector, d));
  }

  /**
   * SS for a privilege level; {@code vector} is #GP, or #TS in a stack or task switch. SS.RPL and
   * DPL have to be {@code level}.
   */
  void loadStack(int selector, int level, int vector) {
    if (isNull(selector)) {
      // 64-bit mode needs no stack segment below CPL 3 (section 5.4.1.1).
      if (vector == Fault.GP
          && (cpu.mode & Mode.CODE_64) != 0
          && level != 3
          && (selector & 3) == level) {
        setNull(Cpu.SS, selector);
        return;
      }
      throw cpu.fault(vector, external);
    }
    long d = stackDescriptor(selector, level, vector);
    set(Cpu.SS, selector, accessed(selector, d));
  }

  /** The checked descriptor of a stack segment for a privilege level; nothing is loaded. */
  long stackDescriptor(int selector, int level, int vector) {
    if (isNull(selector)) {
      throw cpu.fault(vector, external);
    }
    long d = descriptor(selector, vector);
    if ((selector & 3) != level || !Descriptor.isWritableData(d) || Descriptor.dpl(d) != level) {
      throw fault(vector, selector);
    }
    if (!Descriptor.present(d)) {
      throw fault(Fault.SS, selector);
    }
    return d;
  }

  /** Loads a NULL selector: the segment is unusable. */
  void setNull(int segment, int selector) {
    cpu.selector[segment] = selector;
    cpu.segmentBase[segment] = 0;
    cpu.segmentLimit[segment] = 0;
    // Its DPL is what CPL is taken from where SS is NULL (64-bit mode).
    cpu.segmentAttributes[segment] = (selector & 3) << 5;
  }

  /** Loads a segment register from a checked descriptor. */
  void set(int segment, int selector, long descriptor) {
    cpu.selector[segment] = selector;
    cpu.segmentBase[segment] = Descriptor.base(descriptor);
    cpu.segmentLimit[segment] = Descriptor.limit(descriptor);
    cpu.segmentAttributes[segment] = Descriptor.attributes(descriptor);
  }

  /** Loads CS from a checked descriptor; its RPL and CPL become {@code level}. */
  void setCode(int selector, long descriptor, int level) {
    set(Cpu.CS, (selector & ~3) | level, accessed(selector, descriptor));
    cpu.cpl = level;
  }

  /**
   * A return to an outer level makes data segments unusable that the new level may not access
   * (section 5.8.6).
   */
  void dropInnerSegments() {
    for (int segment = Cpu.ES; segment <= Cpu.GS; segment++) {
      if (segment == Cpu.CS || segment == Cpu.SS) {
        continue;
      }
      int attributes = cpu.segmentAttributes[segment];
      boolean conformingCode =
          (attributes & (Descriptor.CODE | Descriptor.DOWN_CONFORMING))
              == (Descriptor.CODE | Descriptor.DOWN_CONFORMING);
      if ((attributes & Descriptor.PRESENT) != 0
          && !conformingCode
          && (attributes >> 5 & 3) < cpu.cpl) {
        setNull(segment, 0);
      }
    }
  }

  // LLDT and LTR ---------------------------------------------------------------------------------

  /** LLDT at CPL 0 in protected mode. */
  public void loadLocalTable(int selector) {
    loadLocalTable(selector, Fault.GP);
  }

  void loadLocalTable(int selector, int vector) {
    if (isNull(selector)) {
      setNull(Cpu.LDTR, selector);
      return;
    }
    if ((selector & 4) != 0) {
      throw fault(vector, selector);
    }
    long d = descriptor(selector, vector);
    if (Descriptor.type(d) != Descriptor.LDT) {
      throw fault(vector, selector);
    }
    if (!Descriptor.present(d)) {
      throw fault(vector == Fault.TS ? Fault.TS : Fault.NP, selector);
    }
    setSystem(Cpu.LDTR, selector, d, vector);
  }

  /** LTR at CPL 0 in protected mode: the TSS becomes busy. */
  public void loadTask(int selector) {
    if (isNull(selector)) {
      throw cpu.fault(Fault.GP, 0);
    }
    if ((selector & 4) != 0) {
      throw fault(Fault.GP, selector);
    }
    long d = descriptor(selector, Fault.GP);
    int type = Descriptor.type(d);
    boolean longMode = (cpu.efer & Msrs.EFER_LMA) != 0;
    if (type != Descriptor.TSS_32 && (longMode || type != Descriptor.TSS_16)) {
      throw fault(Fault.GP, selector);
    }
    if (!Descriptor.present(d)) {
      throw fault(Fault.NP, selector);
    }
    long high = longMode ? descriptorHigh(selector, Fault.GP) : 0;
    if (longMode && !canonical(Descriptor.base(d) | high << 32)) {
      throw fault(Fault.GP, selector);
    }
    cpu.mmu.orSystem8(descriptorAddress(selector, 8) + 5, Descriptor.BUSY);
    setSystem(Cpu.TR, selector, d | (long) Descriptor.BUSY << 40, Fault.GP);
  }

  private void setSystem(int register, int selector, long descriptor, int vector) {
    long base = Descriptor.base(descriptor);
    if ((cpu.efer & Msrs.EFER_LMA) != 0) {
      base |= descriptorHigh(selector, vector) << 32;
      if (!canonical(base)) {
        throw fault(vector, selector);
      }
    }
    set(register, selector, descriptor);
    cpu.segmentBase[register] = base;
  }

  // LAR, LSL, VERR, VERW -------------------------------------------------------------------------

  /** Types that LAR accepts; LSL those that have a limit (SDM vol. 2A, tables 3-53 and 3-55). */
  private static final int LAR_TYPES =
      1 << Descriptor.TSS_16
          | 1 << Descriptor.LDT
          | 1 << Descriptor.TSS_16_BUSY
          | 1 << Descriptor.CALL_GATE_16
          | 1 << Descriptor.TASK_GATE
          | 1 << Descriptor.TSS_32
          | 1 << Descriptor.TSS_32_BUSY
          | 1 << Descriptor.CALL_GATE_32;

  private static final int LSL_TYPES =
      1 << Descriptor.TSS_16
          | 1 << Descriptor.LDT
          | 1 << Descriptor.TSS_16_BUSY
          | 1 << Descriptor.TSS_32
          | 1 << Descriptor.TSS_32_BUSY;

  private static final int LONG_TYPES =
      1 << Descriptor.LDT
          | 1 << Descriptor.TSS_32
          | 1 << Descriptor.TSS_32_BUSY
          | 1 << Descriptor.CALL_GATE_32;

  /**
   * What LAR shows of a descriptor's high half. Bits 19 to 16, the limit's, are undefined by the
   * manual; processors show them.
   */
  private static final long LAR_MASK = 0x00FF_FF00L;

  /** Not a result: the selector may not be looked at, ZF is to be cleared. */
  public static final long INVISIBLE = -1;

  /** What LAR loads, 32 bits, or {@link #INVISIBLE}. */
  public long accessRights(int selector) {
    long d = visible(selector, LAR_TYPES);
    return d == 0 ? INVISIBLE : d >>> 32 & LAR_MASK;
  }

  /** What LSL loads, or {@link #INVISIBLE}. */
  public long limit(int selector) {
    long d = visible(selector, LSL_TYPES);
    return d == 0 ? INVISIBLE : Descriptor.limit(d);
  }

  /** The descriptor if LAR or LSL may show it, else 0: a visible one has a type and so is not 0. */
  private long visible(int selector, int systemTypes) {
    if (isNull(selector)) {
      return 0;
    }
    long address = descriptorAddress(selector, 8);
    if (address == -1) {
      return 0;
    }
    long d = cpu.mmu.loadSystem64(address);
    int type = Descriptor.type(d);
    if ((type & Descriptor.SEGMENT) == 0) {
      int allowed = (cpu.efer & Msrs.EFER_LMA) != 0 ? systemTypes & LONG_TYPES : systemTypes;
      if ((allowed >>> type & 1) == 0) {
        return 0;
      }
    } else if (Descriptor.isCode(d) && Descriptor.isConforming(d)) {
      return d;
    }
    return Descriptor.dpl(d) < Math.max(cpu.cpl, selector & 3) ? 0 : d;
  }

  /** VERR and VERW: whether the segment is accessible and readable, or writable, from here. */
  public boolean verify(int selector, boolean write) {
    long d = visible(selector, 0);
    return d != 0 && (write ? Descriptor.isWritableData(d) : Descriptor.isReadable(d));
  }
}
