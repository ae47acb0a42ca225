package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.engine.host.SignalAction;
import dev.troupe.runtime.memory.ExecutableMemory;
import dev.troupe.runtime.memory.Raw;
import java.util.HexFormat;

/**
 * Signal handlers, machine code themselves, in front of HotSpot's: a fault while emitted code runs
 * makes that code leave with {@link ExitWord#FAULT}, everything else is HotSpot's as if nothing
 * stood before it (docs/decisions/0013-faults-in-emitted-code.md).
 *
 * <p>Emitted code runs where rsp points to a {@link State}, and nowhere else does it: so the
 * handler looks for the state's mark at the interrupted rsp. It needs no list of code, no lock, and
 * also sees a jump to nowhere.
 */
final class FaultHandler {
  /** The signals of faults: the host's exceptions 0, 1, 3 to 6, 10 to 14, 16 to 19. */
  private static final int[] SIGNALS = {
    SignalAction.SIGSEGV,
    SignalAction.SIGBUS,
    SignalAction.SIGILL,
    SignalAction.SIGFPE,
    SignalAction.SIGTRAP,
  };

  /** Xored with the state's address it is the state's mark; no stack has that by chance. */
  private static final long MARK = 0x5A1C_93E6_74D2_8B0FL;

  // ucontext_t: registers in the order of HostFault, then those that are changed.
  private static final int REGISTERS = 0x28;
  private static final int RSP = 0xA0;
  private static final int RIP = 0xA8;
  private static final int EFLAGS = 0xB0;

  // siginfo_t.
  private static final int CODE = 8;
  private static final int ADDRESS = 16;

  /** Without TF, DF, NT, AC, which Java's code must not find set. */
  private static final int FLAGS_KEPT = ~(1 << 8 | 1 << 10 | 1 << 14 | 1 << 18);

  // Arguments of a handler, and what it may use besides.
  private static final int RAX = 0;
  private static final int RCX = 1;
  private static final int RDX = 2;
  private static final int RSI = 6;
  private static final int RDI = 7;
  private static final int R8 = 8;
  private static final int R9 = 9;

  /** The signal's default action on return from the handler, until when it is blocked. */
  private static final String DEFAULT_ACTION =
      "4189f8" // mov r8d,edi
          + "31c0" // xor eax,eax
          + "50505050" // push rax, four times: the kernel's struct sigaction
          + "4889e6" // mov rsi,rsp
          + "31d2" // xor edx,edx
          + "41ba08000000" // mov r10d,8
          + "b80d000000" // mov eax,13: rt_sigaction
          + "0f05" // syscall
          + "b827000000" // mov eax,39: getpid
          + "0f05" // syscall
          + "89c7" // mov edi,eax
          + "b8ba000000" // mov eax,186: gettid
          + "0f05" // syscall
          + "89c6" // mov esi,eax
          + "4489c2" // mov edx,r8d
          + "b8ea000000" // mov eax,234: tgkill
          + "0f05" // syscall
          + "4883c420" // add rsp,32
          + "c3"; // ret

  // Condition codes of Jcc.
  private static final int EQUAL = 4;
  private static final int LESS_OR_EQUAL = 14;

  private static final int AREA_SIZE = 4096;

  private static boolean installed;

  private FaultHandler() {}

  /**
   * From now on a fault of code that runs with rsp at {@code state} goes on at {@code exit}, with
   * the same rsp and {@link ExitWord#FAULT} in the state. Installs the handlers if they are not.
   */
  static void watch(long state, long exit) {
    install();
    Raw.put64(state + State.FAULT_EXIT, exit);
    Raw.put64(state + State.MARK, state ^ MARK);
  }

  private static synchronized void install() {
    if (installed) {
      return;
    }
    ExecutableMemory memory = ExecutableMemory.allocate(AREA_SIZE); // for good
    // SIGTRAP has no handler of HotSpot's, whose mask and flags it could have.
    SignalAction usual = SignalAction.of(SignalAction.SIGSEGV);
    SignalAction[] actions = new SignalAction[SIGNALS.length];
    Assembler a = new Assembler();
    for (int n = 0; n < SIGNALS.length; n++) {
      SignalAction old = SignalAction.of(SIGNALS[n]);
      // An ignored signal stays so; of a fault the kernel makes the process's end all the same.
      if (old.handler() != SignalAction.IGNORE) {
        SignalAction like = old.handler() == SignalAction.DEFAULT ? usual : old;
        actions[n] = like.withHandler(memory.address() + a.position());
        emit(a, old.handler());
      }
    }
    memory.write(0, a.bytes());
    for (int n = 0; n < SIGNALS.length; n++) {
      if (actions[n] != null) {
        actions[n].install(SIGNALS[n]);
      }
    }
    installed = true;
  }

  /** {@code void handler(int signal, siginfo_t* rsi, ucontext_t* rdx)}. */
  private static void emit(Assembler a, long old) {
    memory(a, false, 0x83, 7, RSI, CODE); // cmp dword [rsi+CODE],0: sent, not raised
    a.emit(0);
    int sent = a.jump(LESS_OR_EQUAL);
    memory(a, true, 0x8B, R8, RDX, RSP);
    a.constant(R9, MARK);
    a.move(RAX, R9);
    a.registers(true, 0x33, RAX, R8); // xor
    memory(a, true, 0x3B, RAX, R8, State.MARK); // cmp
    int found = a.jump(EQUAL);
    a.add(R8, R8, 8); // where a stub has pushed its word
    a.move(RAX, R9);
    a.registers(true, 0x33, RAX, R8);
    memory(a, true, 0x3B, RAX, R8, State.MARK);
    int foreign = a.jump(Assembler.NOT_EQUAL);

    a.patch(found, a.position());
    memory(a, false, 0x89, RDI, R8, State.FAULT + HostFault.SIGNAL);
    memory(a, false, 0x8B, RAX, RSI, CODE);
    memory(a, false, 0x89, RAX, R8, State.FAULT + HostFault.CODE);
    memory(a, true, 0x8B, RAX, RSI, ADDRESS);
    memory(a, true, 0x89, RAX, R8, State.FAULT + HostFault.ADDRESS);
    a.add(RSI, RDX, REGISTERS);
    a.add(RDI, R8, State.FAULT + HostFault.REGISTERS);
    a.constant(RCX, HostFault.REGISTER_COUNT);
    a.emit(0xF3, 0x48, 0xA5); // rep movsq
    memory(a, true, 0x89, R8, RDX, RSP);
    memory(a, true, 0x8B, RAX, R8, State.FAULT_EXIT);
    memory(a, true, 0x89, RAX, RDX, RIP);
    memory(a, false, 0x81, 4, RDX, EFLAGS); // and dword []
    a.emit32(FLAGS_KEPT);
    memory(a, true, 0xC7, 0, R8, State.EXIT); // mov qword []
    a.emit32(ExitWord.FAULT);
    a.emit(0xC3);

    a.patch(sent, a.position());
    a.patch(foreign, a.position());
    if (old == SignalAction.DEFAULT) {
      a.emit(HexFormat.of().parseHex(DEFAULT_ACTION));
    } else {
      a.constant(RAX, old);
      a.emit(0xFF, 0xE0); // jmp rax: arguments and stack are as they came
    }
  }

  /** An instruction with the operands {@code [base + disp]} and {@code reg}, or a digit for it. */
  private static void memory(Assembler a, boolean wide, int opcode, int reg, int base, int disp) {
    a.emit(0x40 | (wide ? 8 : 0) | reg >> 3 << 2 | base >> 3, opcode);
    a.emit(0x80 | (reg & 7) << 3 | (base & 7)); // no base here needs a SIB byte
    a.emit32(disp);
  }
}
