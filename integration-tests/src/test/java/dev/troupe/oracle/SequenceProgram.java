package dev.troupe.oracle;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A random program of user code: a loop around short stretches of integer instructions, in half of
 * the programs floating-point ones, too, with branches over some of them, an inner loop, pushes and
 * pops, a call and memory operands. RBX points to data, RSI goes to and fro in two pages of it, RBP
 * counts the outer loop, R12 or EDI the inner one; it ends with INT3 or a fault. In 32-bit code
 * only displacements that wrap at 4 GiB lead from ESI to the data, FS and GS have bases, and upper
 * halves of registers are not 0.
 */
final class SequenceProgram {
  private static final int RBX = 3;
  private static final int RSP = 4;
  private static final int RBP = 5;
  private static final int RSI = 6;
  private static final int RDI = 7;
  private static final int R12 = 12;

  /** In 32-bit code: where ESI is from the data, modulo 4 GiB. */
  private static final long ESI_OFFSET = 0xD000_0000L;

  private static final int FS_PREFIX = 0x64;

  /** ADD OR ADC SBB AND SUB XOR CMP, by their number. */
  private static final int OPERATIONS = 8;

  private final SplittableRandom random;
  private final ByteArrayOutputStream code = new ByteArrayOutputStream();
  private final CpuImage image = new CpuImage();
  private final int size;

  /** The floating-point instructions that it may have; null for none. */
  private final FloatingPart floating;

  /** Counts the inner loop. */
  private final int counter;

  private final long data;

  /**
   * A program.
   *
   * @param size of its code, 64 or 32
   */
  SequenceProgram(long seed, int size) {
    random = new SplittableRandom(seed);
    this.size = size;
    counter = size == 64 ? R12 : RDI;
    data = ChildProgram.DATA + 0xF00 + 8L * random.nextInt(32);
    for (int r = 0; r < 16; r++) {
      image.gpr[r] = random.nextInt(3) == 0 ? random.nextLong(-4, 4) : random.nextLong();
    }
    image.gpr[RBX] = data;
    image.gpr[RSI] = data;
    image.gpr[RBP] = random.nextLong(1, 61);
    image.gpr[RSP] = ChildProgram.STACK + 0x1000 + 8L * random.nextInt(16);
    image.rip = address();
    if (size == 32) {
      narrow();
    }
    floating = random.nextBoolean() ? new FloatingPart(random, image.fx) : null;
    image.windows.add(window(data & -64));
    image.windows.add(window((image.gpr[RSP] & 0xFFFF_FFFFL) - 128 & -64));
    program();
    byte[] bytes = Arrays.copyOf(code.toByteArray(), CpuImage.WINDOW);
    Arrays.fill(bytes, code.size(), bytes.length, (byte) 0xCC);
    image.windows.add(new CpuImage.Window(address(), bytes));
  }

  private void narrow() {
    image.cs = ChildProgram.CS32;
    image.ss = image.ds = image.es = ChildProgram.DS32;
    image.gpr[RSI] = data + ESI_OFFSET;
    for (int r : new int[] {RBX, RSP, RSI}) {
      image.gpr[r] |= random.nextInt(3) == 0 ? random.nextLong() << 32 : 0;
    }
    image.fsBase = random.nextInt(16) * 4L;
    image.gsBase = 0x1_0000_0000L - random.nextInt(16) * 4L;
    image.fsLimit = random.nextInt(6) == 0 ? data + random.nextInt(80) : 0xFFFF_FFFFL;
    image.gsLimit = 0xFFFF_FFFFL;
  }

  /** Bits of its code. */
  int size() {
    return size;
  }

  /** Where it begins. */
  long address() {
    return ChildProgram.CODE + 0x40;
  }

  byte[] code() {
    return code.toByteArray();
  }

  CpuImage image() {
    return image;
  }

  private CpuImage.Window window(long address) {
    byte[] bytes = new byte[CpuImage.WINDOW];
    random.nextBytes(bytes);
    return new CpuImage.Window(address, bytes);
  }

  private void program() {
    int top = code.size();
    stretch(1 + random.nextInt(8));
    if (random.nextBoolean()) {
      inner();
    }
    if (random.nextBoolean()) {
      call();
    }
    stretch(random.nextInt(6));
    if (random.nextBoolean()) {
      emit(0xFF, 0xC8 | RBP); // dec ebp
      emit(0x0F, 0x85); // jne
    } else {
      emit(0x83, 0xE8 | RBP, 1); // sub ebp,1
      emit(0x0F, 0x85);
    }
    emit32(top - (code.size() + 4));
    stretch(random.nextInt(4));
    emit(0xCC);
  }

  private void inner() {
    prefixes(32, 0, counter);
    emit(0xB8 | (counter & 7)); // mov r12d,
    emit32(1 + random.nextInt(30));
    int top = code.size();
    stretch(random.nextInt(6));
    walk();
    prefixes(32, 0, counter);
    emit(0x83, 0xE8 | (counter & 7), 1); // sub r12d,1
    emit(0x75, top - (code.size() + 2)); // jne
  }

  /** Most accesses of a loop are in the page of the last one, or most are not. */
  private void walk() {
    byte[] other = apart(() -> onRsi(0x81, 0xF6, 0, 0x10, 0, 0)); // xor rsi,0x1000
    switch (random.nextInt(4)) {
      case 0 -> code.writeBytes(other);
      case 1 -> {
        prefixes(32, 0, counter);
        emit(0xF7, 0xC0 | (counter & 7), 7, 0, 0, 0); // test r12d,7
        emit(0x75, other.length); // jne
        code.writeBytes(other);
      }
      case 2 -> onRsi(0x83, 0xC6, 8 * (random.nextInt(9) - 4)); // add rsi,
      default -> {}
    }
  }

  private void onRsi(int... operation) {
    prefixes(size, 0, RSI);
    emit(operation);
  }

  /** A function in line, jumped over. */
  private void call() {
    byte[] body = apart(() -> stretch(random.nextInt(4)));
    emit(0xEB, body.length + 1);
    int function = code.size();
    code.writeBytes(body);
    emit(0xC3);
    if (size == 32 && random.nextBoolean()) {
      emit(0xBF); // mov edi,
      emit32((int) address() + function);
      emit(0xFF, 0xD7); // call edi
      return;
    }
    emit(0xE8);
    emit32(function - (code.size() + 4));
  }

  /** PUSH EBP, MOV EBP,ESP, a stretch, LEAVE. */
  private void frame() {
    emit(0x55, 0x89, 0xE5);
    stretch(random.nextInt(3));
    emit(0xC9);
  }

  private byte[] apart(Runnable part) {
    byte[] before = code.toByteArray();
    part.run();
    byte[] after = code.toByteArray();
    code.reset();
    code.writeBytes(before);
    return Arrays.copyOfRange(after, before.length, after.length);
  }

  private void stretch(int length) {
    for (int n = 0; n < length && code.size() < 180; n++) {
      if (random.nextInt(6) == 0) {
        byte[] body = apart(() -> stretch(1 + random.nextInt(2)));
        emit(0x70 | random.nextInt(16), body.length); // jcc over it
        code.writeBytes(body);
      } else {
        instruction();
      }
    }
  }

  private void instruction() {
    if (floating != null && random.nextInt(3) != 0) {
      floating();
      return;
    }
    switch (random.nextInt(size == 64 ? 18 : 20)) {
      case 17 -> strings();
      case 16 -> {
        if (size == 64) {
          emit(0x0F, 0x05); // syscall
        } else {
          frame();
        }
      }
      case 19 -> { // mov al or eax from the data, or to it
        segment();
        emit(0xA0 | random.nextInt(4));
        emit32((int) data + 4 * (random.nextInt(24) - 4));
      }
      case 18 -> emit(0xFF, 0x70 | RBX, 4 * random.nextInt(8), 0x58 | random.nextInt(3)); // push []
      case 0, 1, 2 -> arithmetic();
      case 3, 4 -> constant();
      case 5 -> shift();
      case 6 -> move();
      case 7 -> { // push, pop
        emit(0x50 | random.nextInt(4));
        instruction();
        int to = random.nextInt(3);
        emit(0x58 | to);
      }
      case 15 -> emit(0x9C, 0x58 | random.nextInt(3)); // pushf, pop
      case 14 -> { // a run of pushes, one of pops
        int length = 2 + random.nextInt(4);
        for (int n = 0; n < length; n++) {
          if (random.nextInt(4) == 0) {
            emit(0x6A, n);
          } else {
            prefixes(32, 0, size == 64 ? 8 : 0);
            emit(0x50 | n);
          }
        }
        for (int n = 0; n < length; n++) {
          prefixes(32, 0, size == 64 ? 8 : 0);
          emit(0x58 | random.nextInt(size == 64 ? 4 : 3));
        }
      }
      case 8 -> multiply();
      case 9 -> increment();
      case 10 -> { // setcc
        int to = random.nextInt(3);
        emit(0x0F, 0x90 | random.nextInt(16), 0xC0 | to);
      }
      case 11 -> operation(new int[] {0x0F, 0x40 | random.nextInt(16)}, register(), false); // cmov
      case 12 -> operation(new int[] {0x8D}, register(), true); // lea
      default -> operation(new int[] {0x85}, register(), random.nextBoolean()); // test
    }
  }

  private void multiply() {
    operation(new int[] {0x0F, 0xAF}, register(), false);
  }

  private void floating() {
    switch (random.nextInt(8)) {
      case 0, 1, 2 -> {
        int base = pointer();
        segment();
        int[] operation = floating.onMemory();
        emit(operation[0]);
        place(operation[1], base);
      }
      case 3 -> { // a control word, which masks all exceptions but one time in eight
        emit(0x66, 0xC7);
        place(0, RBX);
        int at = code.size() - 1;
        emit(floating.control());
        emit(0xD9, 0x68 | RBX, code.toByteArray()[at]); // fldcw
      }
      default -> emit(floating.onRegisters());
    }
  }

  /** One that may be changed: not what points and counts. */
  private int register() {
    while (true) {
      int r = random.nextInt(size / 4);
      if (r != RBX && r != RSP && r != RBP && r != RSI && r != counter) {
        return r;
      }
    }
  }

  private int width() {
    return random.nextInt(4) == 0 ? 16 : random.nextBoolean() ? 32 : size;
  }

  /** Now and then another segment, in 32-bit code. */
  private void segment() {
    if (size == 32 && random.nextInt(3) == 0) {
      emit(FS_PREFIX | random.nextInt(2));
    }
  }

  /** Opcode with ModRM: register and register, or a place near RBX or RSI. */
  private void operation(int[] opcode, int reg, boolean memory) {
    int width = width();
    boolean place = memory || random.nextInt(3) == 0;
    int rm = place ? pointer() : register();
    if (place) {
      segment();
    }
    prefixes(width, reg, rm);
    emit(opcode);
    if (place) {
      place(reg, rm);
    } else {
      emit(0xC0 | (reg & 7) << 3 | (rm & 7));
    }
  }

  private void prefixes(int width, int reg, int rm) {
    if (width == 16) {
      emit(0x66);
    }
    int rex = (width == 64 ? 8 : 0) | reg >> 3 << 2 | rm >> 3;
    if (rex != 0) {
      emit(0x40 | rex);
    }
  }

  private int pointer() {
    return random.nextBoolean() ? RBX : RSI;
  }

  private void place(int reg, int base) {
    place(reg, base, offset());
  }

  private int offset() {
    return 4 * (random.nextInt(24) - 4);
  }

  private void place(int reg, int base, int offset) {
    if (base == RSI && size == 32) {
      emit(0x80 | (reg & 7) << 3 | base); // [esi+disp32]
      emit32((int) -ESI_OFFSET + offset);
      return;
    }
    emit(0x40 | (reg & 7) << 3 | base, offset); // [base+disp8]
  }

  private void arithmetic() {
    int operation = random.nextInt(OPERATIONS) << 3;
    switch (random.nextInt(4)) {
      case 0 -> { // 8 bits, AH to BH among them
        emit(operation, 0xC0 | random.nextInt(3) << 3 | random.nextInt(3) | random.nextInt(2) << 5);
      }
      case 1 -> { // to memory
        int reg = register();
        int width = width();
        int base = pointer();
        segment();
        prefixes(width, reg, base);
        emit(operation | 1);
        place(reg, base);
      }
      default -> operation(new int[] {operation | 3}, register(), false);
    }
  }

  private void constant() {
    int width = width();
    boolean memory = random.nextInt(3) == 0;
    int rm = memory ? pointer() : register();
    int digit = random.nextInt(OPERATIONS);
    if (memory) {
      segment();
    }
    prefixes(width, 0, rm);
    emit(0x83);
    if (memory) {
      place(digit, rm);
    } else {
      emit(0xC0 | digit << 3 | (rm & 7));
    }
    emit(random.nextInt(256));
  }

  private void shift() {
    int rm = register();
    int width = width();
    int digit = new int[] {0, 1, 4, 5, 7}[random.nextInt(5)];
    prefixes(width, 0, rm);
    switch (random.nextInt(5)) {
      case 0 -> emit(0xD1, 0xC0 | digit << 3 | (rm & 7)); // by 1
      case 1 -> emit(0xC1, 0xC0 | digit << 3 | (rm & 7), random.nextInt(34));
      case 2 -> emit(0xD3, 0xC0 | digit << 3 | (rm & 7)); // by CL
      default -> emit(0xF7, 0xD8 | (rm & 7)); // neg
    }
  }

  /** MOVS or STOS among the data, mostly repeated and upwards. */
  private void strings() {
    emit(0x50 | RSI, 0x50 | RDI); // push
    prefixes(size, 0, 0);
    emit(0x8D, 0x40 | RSI << 3 | RBX, random.nextInt(256)); // lea rsi,[rbx+]
    prefixes(size, 0, 0);
    emit(0x8D, 0x40 | RDI << 3 | RBX, random.nextInt(256)); // lea rdi,[rbx+]
    emit(0xB9); // mov ecx,
    emit32(random.nextInt(random.nextInt(8) == 0 ? 600 : 24));
    boolean downwards = random.nextInt(6) == 0;
    if (downwards) {
      emit(0xFD); // std
    }
    if (random.nextInt(4) != 0) {
      emit(0xF3); // rep
    }
    int operation = random.nextBoolean() ? 0xA4 : 0xAA;
    if (random.nextInt(3) == 0) {
      emit(operation);
    } else {
      prefixes(width(), 0, 0);
      emit(operation | 1);
    }
    if (downwards) {
      emit(0xFC); // cld
    }
    emit(0x58 | RDI, 0x58 | RSI); // pop
  }

  private void increment() {
    int rm = register();
    if (size == 32 && random.nextBoolean()) {
      prefixes(width(), 0, rm);
      emit(0x40 | random.nextInt(2) << 3 | rm);
      return;
    }
    prefixes(random.nextBoolean() ? size : 32, 0, rm);
    emit(0xFF, 0xC0 | random.nextInt(2) << 3 | (rm & 7));
  }

  /** A load, and a store to the same place or one next to it. */
  private void again() {
    int width = width();
    int base = pointer();
    int offset = offset();
    int prefix = size == 32 && random.nextInt(3) == 0 ? FS_PREFIX | random.nextInt(2) : 0;
    for (int opcode : new int[] {0x8B, 0x89}) {
      int reg = register();
      if (prefix != 0) {
        emit(prefix);
      }
      prefixes(width, reg, base);
      emit(opcode);
      place(reg, base, offset);
      offset += random.nextInt(4) == 0 ? 4 : 0;
    }
  }

  private void move() {
    if (random.nextInt(3) == 0) {
      again();
      return;
    }
    boolean store = random.nextBoolean();
    operation(new int[] {store ? 0x89 : 0x8B}, register(), true);
  }

  private void emit(int... values) {
    for (int value : values) {
      code.write(value);
    }
  }

  private void emit32(int value) {
    for (int n = 0; n < 32; n += 8) {
      code.write(value >> n);
    }
  }
}
