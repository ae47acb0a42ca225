package dev.troupe.privileged;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.peer.EngineUnderTest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Segment loads, far transfers, gates, tasks and looks at descriptors at every privilege level, on
 * random descriptors of every type, in protected and in 64-bit mode, against QEMU 7.2. Where QEMU
 * differs from the manual, {@link #isQemuWrong} and {@link #compared} say how. The last operation
 * is LES in protected mode and a 32-bit RETF in 64-bit mode.
 */
final class ProtectionAgainstQemuIT {
  private static final int FIELDS = 24;
  private static final int CASE_BYTES = 32;
  private static final int CASES = 12_000;
  private static final int LANDING_32 = 0x100500;
  private static final int LANDING_64 = 0x100400;

  /** Stands for virtual-8086 mode. */
  private static final int V86 = 4;

  private static final int SLOT = 0x80;
  private static final int[] TASKS = {0x10E000, 0x10E100, 0x10E200};

  /** Selectors of the guest's own table, with their levels, and some that are out of place. */
  private static final int[] SELECTORS = {
    0, 1, 0x08, 0x10, 0x19, 0x21, 0x2A, 0x32, 0x3B, 0x43, 0x48, 0x50, 0x58, 0x60, 0x68, 0x70, 0x78,
    0x0B, 0x13, 0x18, 0x3A, 0x200, 0x1008, 0x84
  };

  private static final String[] OPERATIONS = {
    "mov ds", "mov ss", "mov gs", "lar", "lsl", "verr", "verw", "jmp", "call", "retf", "iretd",
    "int", "lldt", "ltr", "retf 8", "last"
  };

  /** The operations of virtual-8086 mode. */
  private static final String[] OPERATIONS_V86 = {
    "mov ds", "pushf", "popf", "cli", "sti", "int3", "int", "iret", "jmp", "call", "lar", "hlt",
    "popfd", "into", "iretd", "retf"
  };

  private static final String[] NAMES = {
    "vector",
    "error",
    "eip",
    "cs",
    "eflags",
    "ds",
    "es",
    "gs",
    "eax",
    "ecx",
    "descriptor",
    "tss types",
    "tr",
    "ldtr",
    "ss",
    "esp",
    "links",
    "[0]",
    "[1]",
    "[2]",
    "[3]",
    "[4]",
    "[5]",
    "[6]"
  };

  private record Case(
      int operation, int level, int selector, long descriptor, int offset, int stack, int flags) {
    boolean usesIst() {
      return (descriptor >>> 32 & 7) != 0;
    }

    /** Call of conforming code through a call gate. */
    boolean callsConforming() {
      int type = (int) (descriptor >>> 40) & 0x1F;
      int code = (int) (descriptor >>> 16) & 0xFFF8;
      return (type == 4 || type == 12) && (code == 0x58 || code == 0x60);
    }

    boolean transfers() {
      return switch (OPERATIONS[operation]) {
        case "jmp", "call", "retf", "retf 8", "iretd", "int", "last" -> true;
        default -> false;
      };
    }

    @Override
    public String toString() {
      return "%s, CPL %d, selector %#x, descriptor %#018x, offset %#x, ss %#x, flags %#x"
          .formatted(
              (level == V86 ? OPERATIONS_V86 : OPERATIONS)[operation],
              level,
              selector,
              descriptor,
              offset,
              stack,
              flags);
    }
  }

  @TempDir Path folder;

  private SplittableRandom random;

  /** Whether the cases are for 64-bit mode. */
  private boolean wide;

  /** Whether the cases are for virtual-8086 mode. */
  private boolean virtual;

  @Test
  void protectedModeIsAsInQemu() throws Exception {
    compare("protection32", 0x5E6);
  }

  @Test
  void virtual8086ModeIsAsInQemu() throws Exception {
    virtual = true;
    compare("protection32", 0x86);
  }

  @Test
  void longModeIsAsInQemu() throws Exception {
    wide = true;
    compare("protection64", 0x64B);
  }

  private void compare(String name, long seed) throws Exception {
    random = new SplittableRandom(seed);
    List<Case> cases = new ArrayList<>();
    for (int i = 0; i < CASES; i++) {
      cases.add(randomCase(i % OPERATIONS.length));
    }
    ProtectionGuest guest = new ProtectionGuest(name, script(cases), folder);
    ByteBuffer theirs = guest.inQemu();
    assertThat(theirs.remaining()).isEqualTo(CASES * FIELDS * 4);
    for (EngineUnderTest engine : EngineUnderTest.values()) {
      compare(cases, guest.here(engine), theirs, engine + ", seed " + seed);
    }
  }

  private void compare(List<Case> cases, ByteBuffer ours, ByteBuffer theirs, String what) {
    assertThat(ours.remaining()).isEqualTo(CASES * FIELDS * 4);
    int[] vectors = new int[256];
    List<String> differences = new ArrayList<>();
    for (int i = 0; i < CASES; i++) {
      vectors[ours.getInt(i * FIELDS * 4) & 0xFF]++;
      String difference = difference(cases.get(i), ours, theirs, i * FIELDS * 4);
      if (!difference.isEmpty()) {
        differences.add("%ncase %d: %s:%s".formatted(i, cases.get(i), difference));
      }
    }
    assertThat(
            differences.size() + " differences, " + what + differences.stream().limit(12).toList())
        .isEqualTo("0 differences, " + what + "[]");
    // The cases are worth something: all kinds of ends are among them.
    assertThat(vectors[0x80]).isGreaterThan(CASES / 8);
    assertThat(vectors[13]).isGreaterThan(CASES / 8);
    if (virtual) {
      return;
    }
    for (int vector : wide ? new int[] {11, 12} : new int[] {10, 11, 12}) {
      assertThat(vectors[vector]).as("vector " + vector).isGreaterThan(CASES / 1000);
    }
  }

  private String difference(Case which, ByteBuffer ours, ByteBuffer theirs, int at) {
    StringBuilder text = new StringBuilder();
    for (int field = 0; field < FIELDS; field++) {
      int mine = ours.getInt(at + 4 * field);
      int other = theirs.getInt(at + 4 * field);
      if (((mine ^ other) & compared(which, field)) != 0) {
        text.append(" %s %#x, QEMU %#x;".formatted(NAMES[field], mine, other));
      }
    }
    return text.toString();
  }

  /** Whether QEMU 7.2 is wrong about the whole case. */
  private boolean isQemuWrong(Case which) {
    if (virtual) {
      // It enters handlers of levels 1 and 2 from there (SDM vol. 2A, INT n: #GP unless DPL is 0).
      int code = (int) (which.descriptor >>> 16) & 0xFFF8;
      return OPERATIONS_V86[which.operation].equals("int") && (code == 0x18 || code == 0x28);
    }
    int type = (int) (which.descriptor >>> 40) & 0x1F;
    // It takes code with both L and D set.
    if (wide && (type & 0x18) == 0x18 && (which.descriptor >>> 53 & 3) == 3 && which.transfers()) {
      return true;
    }
    return switch (OPERATIONS[which.operation]) {
      // It takes the DPL of conforming code for the new CPL.
      case "call" -> which.callsConforming();
      // It raises #GP for a gate to code that is not present.
      case "jmp" -> (type == 4 || type == 12) && (which.descriptor >>> 16 & 0xFFF8) == 0x78;
      // It takes a NULL stack segment of any RPL, and for compatibility mode.
      case "retf", "retf 8", "last", "iretd" -> wide && (which.stack & 0xFFFC) == 0;
      // It takes a NULL selector, and in IA-32e mode a 16-bit TSS, which is a reserved type there.
      // It looks at four bits of the upper half's type field, which has five.
      case "ltr" ->
          (which.selector & 0xFFFC) == 0
              || (wide && (type == 1 || (which.flags & 0x1F00) == 0x1000));
      // It takes CPL from SS, which is 0 if that is NULL, and any RPL for a NULL selector.
      case "mov ss" -> wide && (which.selector & 0xFFFC) == 0;
      // It does not look at the type field in the upper half (SDM vol. 3A, 3.5.2).
      case "lldt" -> wide && (which.flags & 0x1F00) != 0;
      // It shows types that are reserved in IA-32e mode.
      case "lar", "lsl" -> wide && (type == 1 || (type >= 3 && type <= 5));
      default -> false;
    };
  }

  /** The bits of a field in which QEMU 7.2 is right. */
  private int compared(Case which, int field) {
    if (isQemuWrong(which)) {
      return 0;
    }
    if (virtual) {
      return NAMES[field].equals("eflags") ? ~(1 << 16) : -1;
    }
    return switch (NAMES[field]) {
      // QEMU never saves RF set; SDM vol. 3B, 17.3.1.1 has every fault do so.
      case "eflags" -> ~(1 << 16);
      // Bits 19 to 16 are undefined; the host's CPU shows the limit's, and so do we.
      case "ecx" -> OPERATIONS[which.operation].equals("lar") ? ~0xF0000 : -1;
      // What is wrong with a new task is its own fault (SDM vol. 3A, 7.3); QEMU goes back to the
      // address of the JMP or CALL.
      case "eip" -> which.stack >>> 16 != 0 && which.operation <= 8 ? 0 : -1;
      // QEMU loads SS with NULL for a stack of the IST without a change of level, too.
      case "ss" -> wide && OPERATIONS[which.operation].equals("int") && which.usesIst() ? 0 : -1;
      // So what the handler finds is another stack.
      case "links" -> wide && OPERATIONS[which.operation].matches("int|call") ? 0 : -1;
      // QEMU multiplies the vector by 16 there.
      case "error" -> wide && OPERATIONS[which.operation].equals("int") ? ~0xC18 : -1;
      // QEMU leaves the accessed bit of a code segment alone that a transfer loads.
      case "descriptor" -> (which.descriptor >>> 43 & 3) == 3 && which.transfers() ? ~0x100 : -1;
      default -> -1;
    };
  }

  private ByteBuffer script(List<Case> cases) {
    ByteBuffer script =
        ByteBuffer.allocate(4 + cases.size() * CASE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    script.putInt(cases.size());
    for (Case c : cases) {
      script.putInt(c.operation).putInt(c.level).putInt(c.selector).putLong(c.descriptor);
      script.putInt(c.offset).putInt(c.stack).putInt(c.flags);
    }
    return script.flip();
  }

  private int pick(int... values) {
    return values[random.nextInt(values.length)];
  }

  private Case virtualCase(int operation) {
    int iopl = random.nextBoolean() ? 3 << 12 : random.nextInt(4) << 12;
    // Any flags but TF, NT and RF.
    int flags = 2 | iopl | (random.nextInt() & 0x3E_8ED5);
    long descriptor = descriptor(11, random.nextInt(4));
    return new Case(operation, V86, random.nextInt(0x10000), descriptor, 0, 0, flags);
  }

  private Case randomCase(int operation) {
    if (virtual) {
      return virtualCase(operation);
    }
    int level = operation == 12 || operation == 13 ? pick(0, 0, 0, 3) : random.nextInt(4);
    if (operation == 1) {
      level = random.nextInt(1, 4); // at level 0 the handler would run on it
    }
    int selector = random.nextInt(5) == 0 ? pick(SELECTORS) : SLOT | random.nextInt(4);
    int offset = random.nextInt(8) == 0 ? 0x7000 : wide ? LANDING_64 : LANDING_32;
    int stack = random.nextInt(3) == 0 ? pick(SELECTORS) : 0x10 * random.nextInt(1, 5);
    stack |= random.nextInt(3) == 0 ? random.nextInt(4) : selector & 3;
    if (random.nextBoolean()) {
      stack |= pick(SELECTORS) << 16;
    }
    if (wide && operation != 10) {
      // The upper half of what is 16 bytes long.
      int upper = random.nextInt(4) == 0 ? pick(0x100, 0x1000, 0x1F00, 0x8000, 0x7FFF) : 0;
      return new Case(
          operation, level, selector, descriptor64(operation, level), offset, stack, upper);
    }
    int flags = 2 | (random.nextInt() & 0x3CD5);
    return new Case(operation, level, selector, descriptor(operation, level), offset, stack, flags);
  }

  private long descriptor(int operation, int cpl) {
    int any = random.nextInt(32);
    int type =
        switch (operation) {
          case 13 -> random.nextInt(3) == 0 ? any : pick(1, 3, 9, 11);
          case 12 -> random.nextInt(2) == 0 ? any : 2;
          case 11 -> random.nextInt(4) == 0 ? any : pick(5, 6, 7, 14, 15);
          case 8 -> random.nextInt(2) == 0 ? any : pick(4, 12, 12);
          default -> any;
        };
    int level = Math.min(random.nextInt(operation == 8 || operation == 11 ? 7 : 4), 3);
    if (operation == 1 && random.nextBoolean()) {
      type = pick(0x12, 0x13);
      level = cpl;
    }
    int access = type | level << 5 | (random.nextInt(6) == 0 ? 0 : 0x80);
    if (type >= 16) {
      // Flat, 16 or 32 bits.
      long high = 0x8F0000L | (random.nextInt(4) == 0 ? 0 : 0x400000);
      return (high | (long) access << 8) << 32 | 0xFFFF;
    }
    return switch (type) {
      case 1, 3, 9, 11, 2 -> {
        long base = type == 2 ? 0x108000 : TASKS[type < 8 ? 2 : 1];
        long limit = random.nextInt(5) == 0 ? pick(0x2A, 0x2B, 0x66, 0x67) : 0xFF;
        yield ((long) access << 8 | (base >>> 16 & 0xFF)) << 32 | (base & 0xFFFF) << 16 | limit;
      }
      default -> {
        int target = type == 5 ? pick(0x50, 0x50, 0x48, 0x08) : pick(SELECTORS);
        if (type != 5 && random.nextInt(2) == 0) {
          target = pick(0x08, 0x19, 0x2A, 0x3B, 0x58, 0x60);
        }
        long offset = type < 8 && type != 5 ? 0x7000 : LANDING_32;
        long count = operation == 11 ? 0 : random.nextInt(4);
        yield (offset >>> 16 << 16 | (long) access << 8 | count) << 32
            | (long) target << 16
            | (offset & 0xFFFF);
      }
    };
  }

  private long descriptor64(int operation, int cpl) {
    int type =
        switch (random.nextInt(3) == 0 ? 0 : operation) {
          case 7, 8 -> pick(0x1B, 0x1F, 12, 12);
          case 9, 14, 15 -> pick(0x1B, 0x1F, 0x1A);
          case 11 -> pick(14, 15);
          case 12 -> 2;
          case 13 -> pick(9, 11);
          default -> random.nextInt(32);
        };
    int level = Math.min(random.nextInt(operation == 8 || operation == 11 ? 7 : 4), 3);
    if (operation == 1 && random.nextBoolean()) {
      type = pick(0x12, 0x13);
      level = cpl;
    }
    int access = type | level << 5 | (random.nextInt(6) == 0 ? 0 : 0x80);
    if (type >= 16) {
      long size = (type & 8) == 0 ? 0x40 : pick(0x20, 0x20, 0x20, 0x40, 0x60, 0);
      return ((0x8F | size) << 16 | (long) access << 8) << 32 | 0xFFFF;
    }
    if (type == 2 || type == 9 || type == 11) {
      long base = type == 2 ? 0x108000 : 0x10D000;
      return ((long) access << 8 | (base >>> 16 & 0xFF)) << 32 | (base & 0xFFFF) << 16 | 0xFF;
    }
    int target =
        random.nextInt(4) == 0 ? pick(SELECTORS) : pick(0x08, 0x19, 0x2A, 0x3B, 0x58, 0x60);
    long count = operation == 11 ? random.nextInt(4) : 0;
    return (LANDING_64 >>> 16 << 16 | (long) access << 8 | count) << 32
        | (long) target << 16
        | (LANDING_64 & 0xFFFF);
  }
}
