package dev.troupe.oracle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * The program of the oracle's child process, and the ELF file around it. It runs each case with all
 * registers loaded at once by rt_sigreturn(2) and takes them back from the signal frame of the trap
 * that follows: a breakpoint behind the instruction, a single step, or the fault of the instruction
 * itself. So the kernel's own context switch is the harness, every register is exact, and 16- and
 * 32-bit code needs no more than a code segment of modify_ldt(2).
 *
 * <p>The shared file: a header page (one byte of hand-shake, at +8 the number of cases), then a
 * page a case as {@link HostCpu} lays it out.
 */
final class ChildProgram {
  /** Where the ELF is loaded; its code begins behind the two headers. */
  private static final long IMAGE = 0x400000;

  private static final int HEADERS = 0x78;

  /** The shared file's mapping. */
  static final long SHARED = 0x6000_0000L;

  static final int SHARED_SIZE = 0x100_1000;

  /**
   * The stack of its signal handler, 128 KiB. A case that leaves RSP at the lower end of it ends
   * the child, so it is where cases' arithmetic does not lead: 32-bit products of other addresses
   * did.
   */
  private static final long SIGNAL_STACK = 0x1B3D_5A94_0000L;

  /** Code of flat cases: readable, writable, executable; two pages, nothing behind them. */
  static final long CODE = 0x1000_0000L;

  /**
   * Data of flat cases: two pages, then one that is read-only, then nothing. Code, data and stack
   * are in different entries of our TLB, which holds 16 MiB: so it can have all of them.
   */
  static final long DATA = 0x2001_0000L;

  static final long READ_ONLY = DATA + 0x2000;

  static final long UNMAPPED = DATA + 0x3000;

  /** Stack of flat cases: two pages. */
  static final long STACK = 0x3002_0000L;

  /** Base of the 64 KiB segments of 16-bit cases. */
  static final long REAL = 0x4000_0000L;

  /** Selectors: Linux's own for 64-bit code, then those of the local descriptor table below. */
  static final int CS64 = 0x33;

  static final int SS64 = 0x2B;
  static final int CS32 = 0x07;
  static final int DS32 = 0x0F;
  static final int CS16 = 0x17;
  static final int DS16 = 0x1F;

  // Machine code, one instruction a line, with its assembly in Intel's syntax.
  private static final String[] CODE_BYTES = {
    // _start:
    "488b7c2410", // mov rdi,[rsp+16] ; argv[1]
    "be02000000", // mov esi,2 ; O_RDWR
    "b802000000", // mov eax,2 ; open
    "0f05", // syscall
    "4989c0", // mov r8,rax ; fd
    "bf00000060", // mov edi,SHARED
    "be00100001", // mov esi,SIZE
    "ba03000000", // mov edx,3
    "41ba11000000", // mov r10d,0x11 ; MAP_SHARED|MAP_FIXED
    "4531c9", // xor r9d,r9d
    "b809000000", // mov eax,9
    "0f05", // syscall
    "488d1dae020000", // lea rbx,[rel maps]
    // .map:
    "488b3b", // mov rdi,[rbx]
    "8b7308", // mov esi,[rbx+8]
    "8b530c", // mov edx,[rbx+12]
    "4885ff", // test rdi,rdi
    "741d", // jz .mapped
    "41ba32000000", // mov r10d,0x32 ; MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED
    "49c7c0ffffffff", // mov r8,-1
    "4531c9", // xor r9d,r9d
    "b809000000", // mov eax,9
    "0f05", // syscall
    "4883c310", // add rbx,16
    "ebd5", // jmp .map
    // .mapped:
    "b0cc", // mov al,0xcc ; breakpoints wherever a stray branch may lead
    "bf00000010", // mov edi,0x10000000
    "b900200000", // mov ecx,0x2000
    "f3aa", // rep stosb
    "bf00000040", // mov edi,0x40000000
    "b900000100", // mov ecx,0x10000
    "f3aa", // rep stosb
    "488d3d2a020000", // lea rdi,[rel altstack]
    "31f6", // xor esi,esi
    "b883000000", // mov eax,131
    "0f05", // syscall
    "488d1dc2020000", // lea rbx,[rel signals]
    // .sig:
    "0fb63b", // movzx edi,byte [rbx]
    "4885ff", // test rdi,rdi
    "741b", // jz .sigdone
    "488d3523020000", // lea rsi,[rel action]
    "31d2", // xor edx,edx
    "41ba08000000", // mov r10d,8
    "b80d000000", // mov eax,13
    "0f05", // syscall
    "48ffc3", // inc rbx
    "ebdd", // jmp .sig
    // .sigdone:
    "488d1da0020000", // lea rbx,[rel ldt]
    // .ldt:
    "bf11000000", // mov edi,0x11
    "4889de", // mov rsi,rbx
    "ba10000000", // mov edx,16
    "b89a000000", // mov eax,154 ; modify_ldt
    "0f05", // syscall
    "4883c310", // add rbx,16
    "488d05c1020000", // lea rax,[rel ldtend]
    "4839c3", // cmp rbx,rax
    "72dc", // jb .ldt
    // batch:
    "8b042500200120", // mov eax,[0x20012000] ; so that the read-only page is present
    "ba01000000", // mov edx,1
    "be00000060", // mov esi,SHARED
    "31ff", // xor edi,edi
    "31c0", // xor eax,eax
    "0f05", // syscall ; read(0, SHARED, 1): go
    "83f801", // cmp eax,1
    "0f858f010000", // jne quit
    "8b042508000060", // mov eax,[SHARED+8] ; number of cases
    "c1e00c", // shl eax,12
    "0500100060", // add eax,SHARED+0x1000
    "4889058e010000", // mov [rel last],rax
    "b800100060", // mov eax,SHARED+0x1000
    "4889057a010000", // mov [rel current],rax
    // next:
    "6a02", // push 2 ; rt_sigreturn leaves NT, ID and IOPL as they are now
    "9d", // popfq
    "488b1d70010000", // mov rbx,[rel current]
    "483b1d71010000", // cmp rbx,[rel last]
    "0f833b010000", // jae finished
    "488db380030000", // lea rsi,[rbx+0x380] ; windows in
    "ba04000000", // mov edx,4
    // .win:
    "488b3e", // mov rdi,[rsi]
    "4883c608", // add rsi,8
    "b900010000", // mov ecx,256
    "4885ff", // test rdi,rdi
    "7404", // jz .skip
    "f3a4", // rep movsb
    "eb07", // jmp .more
    // .skip:
    "4881c600010000", // add rsi,256
    // .more:
    "ffca", // dec edx
    "75e0", // jnz .win
    "8b03", // mov eax,[rbx] ; DS, ES
    "8ed8", // mov ds,eax
    "8b4304", // mov eax,[rbx+4]
    "8ec0", // mov es,eax
    "31c0", // xor eax,eax ; null selectors: bases 0
    "8ee0", // mov fs,eax
    "8ee8", // mov gs,eax
    "488b4310", // mov rax,[rbx+16] ; bases of FS and GS
    "f3480faed0", // wrfsbase rax
    "488b4318", // mov rax,[rbx+24]
    "f3480faed8", // wrgsbase rax
    "488db380000000", // lea rsi,[rbx+0x80]
    "488d3d30020000", // lea rdi,[rel mcontext]
    "b920000000", // mov ecx,32
    "f348a5", // rep movsq
    "488d25f9010000", // lea rsp,[rel uc]
    "b80f000000", // mov eax,15
    "0f05", // syscall ; rt_sigreturn: all registers at once
    // handler:
    "418cd8", // mov r8,ds
    "418cc1", // mov r9,es
    "418ce2", // mov r10,fs
    "418ceb", // mov r11,gs
    "31c0", // xor eax,eax
    "8ed8", // mov ds,eax
    "8ec0", // mov es,eax
    "fc", // cld
    "488b1dd8000000", // mov rbx,[rel current]
    "89bb800f0000", // mov [rbx+0xf80],edi
    "4c8983880f0000", // mov [rbx+0xf88],r8
    "4c898b900f0000", // mov [rbx+0xf90],r9
    "4c8993980f0000", // mov [rbx+0xf98],r10
    "4c899ba00f0000", // mov [rbx+0xfa0],r11
    "f3480faec0", // rdfsbase rax
    "488983a80f0000", // mov [rbx+0xfa8],rax
    "f3480faec8", // rdgsbase rax
    "488983b00f0000", // mov [rbx+0xfb0],rax
    "488d7228", // lea rsi,[rdx+40]
    "488dbb00080000", // lea rdi,[rbx+0x800]
    "b920000000", // mov ecx,32
    "f348a5", // rep movsq
    "488bb2e0000000", // mov rsi,[rdx+40+184]
    "488dbb00090000", // lea rdi,[rbx+0x900]
    "b940000000", // mov ecx,64
    "f348a5", // rep movsq
    "4c8d8380030000", // lea r8,[rbx+0x380]
    "488dbb000b0000", // lea rdi,[rbx+0xb00]
    "ba04000000", // mov edx,4
    // .win:
    "498b30", // mov rsi,[r8]
    "488937", // mov [rdi],rsi
    "4883c708", // add rdi,8
    "b900010000", // mov ecx,256
    "4885f6", // test rsi,rsi
    "7404", // jz .skip
    "f3a4", // rep movsb
    "eb07", // jmp .more
    // .skip:
    "4881c700010000", // add rdi,256
    // .more:
    "4981c008010000", // add r8,264
    "ffca", // dec edx
    "75d6", // jnz .win
    "4881052d00000000100000", // add qword [rel current],0x1000
    "e9aefeffff", // jmp next
    // finished:
    "ba01000000", // mov edx,1
    "be00000060", // mov esi,SHARED
    "bf01000000", // mov edi,1
    "b801000000", // mov eax,1
    "0f05", // syscall
    "e951feffff", // jmp batch
    // quit:
    "31ff", // xor edi,edi
    "b83c000000", // mov eax,60
    "0f05", // syscall
    "00000000", // (alignment)
    "0000000000000000", // current: dq 0
    "0000000000000000", // last: dq 0
    // altstack: dq SIGNAL_STACK, 0, 0x20000
    "0000945a3d1b000000000000000000000000020000000000",
    // action: dq handler, 0x4c000004, quit, 0 ; SA_NODEFER|SA_ONSTACK|SA_RESTORER|SA_SIGINFO
    "26024000000000000400004c000000000b034000000000000000000000000000",
    // maps: dq address, dd size, protection (read 1, write 2, execute 4); a zero address ends
    "0000001000000000002000000700000000000120000000000020000003000000",
    "0020012000000000001000000100000000000230000000000020000003000000",
    "000000400000000000000100070000000000945a3d1b00000000020003000000",
    "00000000000000000000000000000000",
    "040507080b00", // signals: db 4,5,7,8,11,0
    "0000", // (alignment)
    // ldt:
    "0000000000000000ffff0f0055000000", // dd 0,0,0xfffff,0x55 ; 32-bit code, 4 GiB
    "0100000000000000ffff0f0051000000", // dd 1,0,0xfffff,0x51 ; 32-bit data
    "0200000000000040ffff000044000000", // dd 2,0x40000000,0xffff,0x44 ; 16-bit code
    "0300000000000040ffff000040000000", // dd 3,0x40000000,0xffff,0x40 ; 16-bit data
    // ldtend:
    // uc: dq 6, 0, SIGNAL_STACK, 0, 0x20000
    "060000000000000000000000000000000000945a3d1b00000000000000000000",
    "0000020000000000",
    // mcontext: times 32 dq 0
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000", // sigmask: dq 0
  };

  private ChildProgram() {}

  /**
   * Whether the child keeps something of its own there: a case may neither write nor push there.
   */
  static boolean isOwn(long address) {
    return address >>> 16 == IMAGE >>> 16
        || address >>> 18 == SIGNAL_STACK >>> 18
        || address >>> 25 == SHARED >>> 25;
  }

  /** A static ELF executable: one segment, readable, writable and executable. */
  static byte[] elf() {
    byte[] code = HexFormat.of().parseHex(String.join("", CODE_BYTES));
    var out = ByteBuffer.allocate(HEADERS + code.length).order(ByteOrder.LITTLE_ENDIAN);
    out.put(new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1}).position(16);
    out.putShort((short) 2).putShort((short) 62).putInt(1); // ET_EXEC, EM_X86_64, EV_CURRENT
    out.putLong(IMAGE + HEADERS).putLong(64).putLong(0).putInt(0); // entry, phoff, shoff, flags
    out.putShort((short) 64).putShort((short) 56).putShort((short) 1); // ehsize, phentsize, phnum
    out.position(64);
    out.putInt(1).putInt(7).putLong(0).putLong(IMAGE).putLong(IMAGE); // PT_LOAD, RWX
    out.putLong(HEADERS + code.length).putLong(HEADERS + code.length).putLong(0x1000);
    return out.put(code).array();
  }
}
