package dev.troupe.runtime.device.pic;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;

/**
 * One 8259A (Intel datasheet 231468). Pins are numbered IR0 to IR7; bit n of every register belongs
 * to IRn. Priorities rotate: 0 is the highest and belongs to the pin after the lowest one.
 */
final class Chip implements Stateful {
  private static final int ICW1 = 1 << 4;
  private static final int ICW1_NEEDS_ICW4 = 1 << 0;
  private static final int ICW1_SINGLE = 1 << 1;
  private static final int ICW4_AUTO_EOI = 1 << 1;
  private static final int ICW4_SPECIAL_FULLY_NESTED = 1 << 4;
  private static final int OCW3 = 1 << 3;
  private static final int OCW3_READ_ISR = 1 << 0;
  private static final int OCW3_READ = 1 << 1;
  private static final int OCW3_POLL = 1 << 2;
  private static final int OCW3_SPECIAL_MASK = 1 << 5;
  private static final int OCW3_SET_SPECIAL_MASK = 1 << 6;
  private static final int OCW2_EOI = 1 << 5;
  private static final int OCW2_SPECIFIC = 1 << 6;
  private static final int OCW2_ROTATE = 1 << 7;
  private static final int POLL_INTERRUPT = 1 << 7;

  /** The master's pin that the slave's INT output drives. */
  static final int CASCADE = 2;

  /** IR7 is what an acknowledge cycle without a request gets: a spurious interrupt. */
  static final int SPURIOUS = 7;

  /** What the next write to the odd port is. */
  private static final int EXPECT_OCW1 = 0;

  private static final int EXPECT_ICW2 = 2;
  private static final int EXPECT_ICW3 = 3;
  private static final int EXPECT_ICW4 = 4;

  private final boolean master;

  /** Bits of the edge/level register that can be set. */
  private final int elcrMask;

  /** What firmware leaves in the edge/level register. */
  private final int initialElcr;

  /** Levels of the input pins. */
  private int pins;

  /** Edges latched and neither acknowledged nor withdrawn. */
  private int edges;

  private int isr;
  private int imr = 0xFF;
  private int elcr;

  /** Vector of IR0, a multiple of 8. */
  private int base;

  /** The pin of lowest priority. */
  private int lowest = 7;

  private int expect = EXPECT_OCW1;
  private boolean single;
  private boolean needsIcw4;
  private boolean readIsr;
  private boolean poll;
  private boolean specialMask;
  private boolean autoEoi;
  private boolean rotateOnAutoEoi;
  private boolean specialFullyNested;

  Chip(boolean master, int elcrMask, int initialElcr) {
    this.master = master;
    this.elcrMask = elcrMask;
    this.initialElcr = initialElcr & elcrMask;
    this.elcr = this.initialElcr;
  }

  /**
   * Power-on: everything but the levels of the pins. Masked, as firmware leaves what it does not
   * use; the datasheet leaves it open.
   */
  void reset() {
    initialise();
    imr = 0xFF;
    elcr = initialElcr;
    base = 0;
    single = false;
    needsIcw4 = false;
    expect = EXPECT_OCW1;
  }

  void pin(int number, boolean high) {
    int bit = 1 << number;
    if (high) {
      edges |= bit & ~pins;
      pins |= bit;
    } else {
      // A request that is withdrawn before its acknowledge cycle is forgotten; the cycle then gets
      // IR7 (page 18).
      edges &= ~bit;
      pins &= ~bit;
    }
  }

  /**
   * The interrupt request register: latched edges, and the levels of the pins that are
   * level-triggered.
   */
  int irr() {
    return (edges & ~elcr) | (pins & elcr);
  }

  /**
   * The pin that asks to be served, or -1: highest priority, not masked, not locked out by what is
   * in service.
   */
  int request() {
    int requests = irr() & ~imr;
    if (requests == 0) {
      return -1;
    }
    int pin = highest(requests);
    int service = specialMask ? isr & ~imr : isr;
    if (service == 0) {
      return pin;
    }
    int limit = priority(highest(service));
    if (priority(pin) < limit) {
      return pin;
    }
    // Special fully nested mode: a slave in service may ask again, for an input of higher priority
    // (page 18).
    boolean nested = specialFullyNested && master && pin == CASCADE && priority(pin) == limit;
    return nested ? pin : -1;
  }

  /** The first INTA pulse: takes the request of {@code pin} into service. */
  void acknowledge(int pin) {
    int bit = 1 << pin;
    edges &= ~bit;
    if (autoEoi) {
      if (rotateOnAutoEoi) {
        lowest = pin;
      }
    } else {
      isr |= bit;
    }
  }

  int vector(int pin) {
    return base + pin;
  }

  int readEven() {
    if (poll) {
      return pollByte();
    }
    return readIsr ? isr : irr();
  }

  int readOdd() {
    return poll ? pollByte() : imr;
  }

  /** The read after a poll command is the acknowledge cycle (page 15). */
  private int pollByte() {
    poll = false;
    int pin = request();
    if (pin < 0) {
      return 0;
    }
    acknowledge(pin);
    return POLL_INTERRUPT | pin;
  }

  void writeEven(int value) {
    if ((value & ICW1) != 0) {
      initialise();
      single = (value & ICW1_SINGLE) != 0;
      needsIcw4 = (value & ICW1_NEEDS_ICW4) != 0;
      // LTIM (bit 3) does nothing here: the edge/level register took its place (PIIX datasheet,
      // ICW1).
      expect = EXPECT_ICW2;
    } else if ((value & OCW3) != 0) {
      operation3(value);
    } else {
      operation2(value);
    }
  }

  void writeOdd(int value) {
    switch (expect) {
      case EXPECT_ICW2 -> {
        base = value & 0xF8;
        expect = single ? afterIcw3() : EXPECT_ICW3;
      }
      case EXPECT_ICW3 -> expect = afterIcw3(); // which pin cascades is fixed by the board's wires
      case EXPECT_ICW4 -> {
        autoEoi = (value & ICW4_AUTO_EOI) != 0;
        specialFullyNested = (value & ICW4_SPECIAL_FULLY_NESTED) != 0;
        expect = EXPECT_OCW1;
      }
      default -> imr = value;
    }
  }

  private int afterIcw3() {
    return needsIcw4 ? EXPECT_ICW4 : EXPECT_OCW1;
  }

  /**
   * ICW1 (page 10): edge detection starts anew, so that a pin has to go low before it can ask
   * again.
   */
  private void initialise() {
    edges = 0;
    isr = 0;
    imr = 0;
    lowest = 7;
    readIsr = false;
    poll = false;
    specialMask = false;
    autoEoi = false;
    rotateOnAutoEoi = false;
    specialFullyNested = false;
  }

  private void operation2(int value) {
    int pin = value & 7;
    boolean rotate = (value & OCW2_ROTATE) != 0;
    boolean specific = (value & OCW2_SPECIFIC) != 0;
    if ((value & OCW2_EOI) != 0) {
      if (!specific) {
        // In special mask mode a masked level is not ended by a non-specific EOI (page 15).
        int service = specialMask ? isr & ~imr : isr;
        if (service == 0) {
          return;
        }
        pin = highest(service);
      }
      isr &= ~(1 << pin);
      if (rotate) {
        lowest = pin;
      }
    } else if (!specific) {
      rotateOnAutoEoi = rotate;
    } else if (rotate) {
      lowest = pin;
    }
  }

  private void operation3(int value) {
    if ((value & OCW3_SET_SPECIAL_MASK) != 0) {
      specialMask = (value & OCW3_SPECIAL_MASK) != 0;
    }
    if ((value & OCW3_POLL) != 0) {
      poll = true; // overrides the register read command in the same byte
    } else if ((value & OCW3_READ) != 0) {
      readIsr = (value & OCW3_READ_ISR) != 0;
    }
  }

  int elcr() {
    return elcr;
  }

  void writeElcr(int value) {
    elcr = value & elcrMask;
    edges &= ~elcr;
  }

  private int priority(int pin) {
    return (pin - lowest - 1) & 7;
  }

  private int highest(int pinBits) {
    int turned = ((pinBits | pinBits << 8) >> ((lowest + 1) & 7)) & 0xFF;
    return (Integer.numberOfTrailingZeros(turned) + lowest + 1) & 7;
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    pins = v.int8("pins", pins);
    edges = v.int8("edges", edges);
    isr = v.int8("isr", isr);
    imr = v.int8("imr", imr);
    elcr = v.bits("elcr", elcr, elcrMask);
    base = v.bits("base", base, 0xF8);
    lowest = v.within("lowest", lowest, 0, 7);
    expect = v.within("expect", expect, EXPECT_OCW1, EXPECT_ICW4);
    single = v.bool("single", single);
    needsIcw4 = v.bool("needsIcw4", needsIcw4);
    readIsr = v.bool("readIsr", readIsr);
    poll = v.bool("poll", poll);
    specialMask = v.bool("specialMask", specialMask);
    autoEoi = v.bool("autoEoi", autoEoi);
    rotateOnAutoEoi = v.bool("rotateOnAutoEoi", rotateOnAutoEoi);
    specialFullyNested = v.bool("specialFullyNested", specialFullyNested);
  }
}
