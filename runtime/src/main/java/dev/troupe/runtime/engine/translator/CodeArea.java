package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Tlb;
import dev.troupe.runtime.engine.host.EmittedCode;
import dev.troupe.runtime.memory.ExecutableMemory;
import dev.troupe.runtime.memory.Raw;

/**
 * The emitted code of one vCPU: what enters and leaves it, then blocks from below and their stubs
 * from above, so that code that runs lies together. Full, it is emptied as a whole.
 */
final class CodeArea implements AutoCloseable {
  /** A Linux boot fills a third. */
  private static final long BYTES = 64L << 20;

  /** Tags of a TLB's entry. */
  private static final int TAGS = 3;

  private static final int[] SAVED = {3, 5, 12, 13, 14, 15};

  private final ExecutableMemory memory = ExecutableMemory.allocate(BYTES);
  private final EmittedCode enter = new EmittedCode(memory.address());
  private final long leaveByHost;
  private final long leaveByMemory;
  private final long leaveIndirect;
  private final long leaveByFault;
  private final long loadX87;
  private final long readClock;

  /** By bank and tag. */
  private final long[] lookBeside = new long[(Tlb.SUPERVISOR_AC + 1) * TAGS];

  private final long first;
  private long low;
  private long high;

  CodeArea() {
    Assembler a = new Assembler();
    enter(a);
    leaveByHost = memory.address() + a.position();
    popWord(a);
    saveFlags(a);
    int byHost = a.jump();
    leaveIndirect = memory.address() + a.position();
    popWord(a);
    a.store(Assembler.R11, State.TARGET);
    int indirect = a.jump();
    leaveByMemory = memory.address() + a.position();
    popWord(a);
    a.patch(byHost, a.position());
    a.patch(indirect, a.position());
    leaveByFault = memory.address() + a.position();
    leave(a);
    loadX87 = memory.address() + a.position();
    loadX87(a);
    readClock = memory.address() + a.position();
    HostClock.emit(a);
    for (int n = 0; n < lookBeside.length; n++) {
      lookBeside[n] = memory.address() + a.position();
      lookBeside(a, n / TAGS, n % TAGS * Long.BYTES);
    }
    memory.write(0, a.bytes());
    first = memory.address() + 4096;
    clear();
  }

  private static void enter(Assembler a) {
    for (int register : SAVED) {
      a.emit(register > 7 ? new int[] {0x41, 0x50 | (register & 7)} : new int[] {0x50 | register});
    }
    a.emit(0x48, 0x89, 0x67, State.HOST_RSP); // mov [rdi+HOST_RSP],rsp
    a.emit(0x48, 0x89, 0xFC); // mov rsp,rdi
    a.state(false, 0x0FAE, 3, State.HOST_MXCSR); // stmxcsr
    int plain = unlessX87(a);
    a.state(false, 0xD9, 7, State.HOST_CONTROL); // fnstcw
    a.state(false, 0x0FAE, 1, State.FX); // fxrstor
    int loaded = a.jump();
    a.patch(plain, a.position());
    a.state(false, 0x0FAE, 2, State.GUEST_MXCSR); // ldmxcsr
    for (int n = 0; n < 16; n++) {
      a.state(false, 0x0F10, n, State.XMM + 16 * n); // movups xmm,[]
    }
    a.patch(loaded, a.position());
    restoreFlags(a);
    for (int n = 0; n < 16; n++) {
      if (Registers.inRegister(n)) {
        a.load(Registers.host(n), State.register(n));
      }
    }
    a.state(false, 0xFF, 4, State.ENTRY); // jmp [rsp+ENTRY]
  }

  /** What a stub has pushed; offsets from rsp are right again after it. */
  private static void popWord(Assembler a) {
    a.state(false, 0x8F, 0, State.EXIT);
  }

  private static void leave(Assembler a) {
    for (int n = 0; n < 16; n++) {
      if (Registers.inRegister(n)) {
        a.store(Registers.host(n), State.register(n));
      }
    }
    int plain = unlessX87(a);
    a.state(false, 0x0FAE, 0, State.FX); // fxsave
    a.emit(0xDB, 0xE3); // fninit: no flag of the guest's, and empty registers
    a.state(false, 0xD9, 5, State.HOST_CONTROL); // fldcw
    int saved = a.jump();
    a.patch(plain, a.position());
    saveVectors(a, 0);
    a.patch(saved, a.position());
    a.state(false, 0x0FAE, 2, State.HOST_MXCSR);
    a.load(Assembler.RSP, State.HOST_RSP);
    for (int n = SAVED.length - 1; n >= 0; n--) {
      int register = SAVED[n];
      a.emit(register > 7 ? new int[] {0x41, 0x58 | (register & 7)} : new int[] {0x58 | register});
    }
    a.emit(0xC3);
  }

  /** A jump that is taken unless the host has the guest's x87 registers, or is to have them. */
  private static int unlessX87(Assembler a) {
    a.state(false, 0x83, 7, State.X87); // cmp dword [],
    a.emit(State.X87_LOADED);
    return a.jump(Assembler.NOT_EQUAL);
  }

  /** Vector registers and MXCSR to the state, which is so far above rsp. */
  static void saveVectors(Assembler a, int distance) {
    for (int n = 0; n < 16; n++) {
      a.state(false, 0x0F11, n, distance + State.XMM + 16 * n); // movups [],xmm
    }
    a.state(false, 0x0FAE, 3, distance + State.GUEST_MXCSR); // stmxcsr
  }

  /** FXRSTOR loads the vector registers, too. */
  private static void loadX87(Assembler a) {
    int distance = 8; // the return address
    saveVectors(a, distance);
    a.state(false, 0xD9, 7, distance + State.HOST_CONTROL); // fnstcw
    a.state(false, 0x0FAE, 1, distance + State.FX); // fxrstor
    a.state(false, 0xC7, 0, distance + State.X87); // mov dword [],
    a.emit32(State.X87_LOADED);
    a.emit(0xC3);
  }

  /** What {@link #lookBeside(int, int)} leads to. */
  private static void lookBeside(Assembler a, int bank, int tag) {
    int table = 8 + State.side(bank); // behind the return address
    a.rotate(Assembler.R10, Assembler.R11, Tlb.INDEX_SHIFT);
    a.rotate(Assembler.R15, Assembler.R11, Tlb.SIDE_SHIFT);
    a.registers(false, 0x33, Assembler.R10, Assembler.R15); // xor
    a.and(false, Assembler.R10, Tlb.SIDE_MASK);
    a.move(Assembler.R15, Assembler.R11);
    a.stateAt(true, 0x33, Assembler.R15, Assembler.R10, table + tag);
    a.stateAt(true, 0x8B, Assembler.R10, Assembler.R10, table + Tlb.ADDEND);
    a.emit(0xC3);
  }

  /** Arithmetic flags from the host's to memory, where they stay as well; r15 is lost. */
  static void saveFlags(Assembler a) {
    a.move(Assembler.R15, Assembler.RAX);
    a.emit(0x9F); // lahf
    a.emit(0x0F, 0x90, 0xC0); // seto al
    a.emit(0x66);
    a.state(false, 0x89, Assembler.RAX, State.FLAGS); // mov [],ax
    a.move(Assembler.RAX, Assembler.R15);
  }

  /** Arithmetic flags from memory to the host's; r15 is lost. */
  static void restoreFlags(Assembler a) {
    a.move(Assembler.R15, Assembler.RAX);
    a.state(false, 0x0FB7, Assembler.RAX, State.FLAGS); // movzx eax,word []
    a.emit(0x04, 0x7F); // add al,0x7f: OF if al is 1
    a.emit(0x9E); // sahf
    a.move(Assembler.RAX, Assembler.R15);
  }

  /** Where a stub goes after it has pushed its word: flags in the host's. */
  long leaveByHost() {
    return leaveByHost;
  }

  /** The same with the flags in memory. */
  long leaveByMemory() {
    return leaveByMemory;
  }

  /** The same with a target in r11. */
  long leaveIndirect() {
    return leaveIndirect;
  }

  /** Where a signal handler goes: nothing has been pushed, and flags do not matter. */
  long leaveByFault() {
    return leaveByFault;
  }

  /** What a stub calls to have the guest's x87 registers, which are ready, in the host's. */
  long loadX87() {
    return loadX87;
  }

  /** What code calls to have the TSC in edx and eax: {@link HostClock}. */
  long readClock() {
    return readClock;
  }

  /**
   * What code calls to look r11 up in a TLB bank's side table: it has the address with the page's
   * bits of the tag taken off in r15, as after a look into the bank, and the addend in r10. Flags
   * are lost.
   *
   * @param bank offset of the bank from the state
   * @param tag {@link Tlb#READ}, {@link Tlb#WRITE} or {@link Tlb#EXECUTE}
   */
  long lookBeside(int bank, int tag) {
    return lookBeside[State.bankAt(bank) * TAGS + tag / Long.BYTES];
  }

  /** Host address of its first byte. */
  long address() {
    return memory.address();
  }

  /** Host address behind its last byte. */
  long end() {
    return memory.address() + BYTES;
  }

  /** Whether a host address is in it. */
  boolean contains(long address) {
    return Long.compareUnsigned(address - memory.address(), BYTES) < 0;
  }

  /** Whether a host address is in the code of a block, not in a stub. */
  boolean isBlock(long address) {
    return address >= first && address < low;
  }

  /** Whether a block of so many bytes, stubs included, has no room. */
  boolean isFull(int bytes) {
    return low + bytes > high;
  }

  /** Where the next block goes. */
  long blockAddress() {
    return low;
  }

  /** Puts a block at {@link #blockAddress}. */
  void addBlock(byte[] code) {
    memory.write(low - memory.address(), code);
    low = low + code.length + 15 & -16;
  }

  /** Where stubs of so many bytes go. */
  long stubAddress(int bytes) {
    return high - bytes;
  }

  /** Puts stubs at {@link #stubAddress}. */
  void addStubs(byte[] code) {
    high -= code.length;
    memory.write(high - memory.address(), code);
  }

  /** Forgets all blocks. */
  void clear() {
    low = first;
    high = memory.address() + BYTES;
  }

  /** Makes a jump in the code lead elsewhere; the vCPU does not run. */
  void patch(long site, long target) {
    Raw.put32(site, Math.toIntExact(target - (site + 4)));
  }

  /** Runs the code at {@link State#ENTRY} until it leaves. */
  void run(long state) {
    enter.call(state);
  }

  @Override
  public void close() {
    memory.close();
  }
}
