package dev.troupe.runtime.engine.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.cpu.Cpu;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Code that one vCPU changes while another decodes and runs it. */
class CrossModifyingCodeTest {
  private static final int PAGES = 2_000;

  /** More than are passed before the processors stop. */
  private static final int PREPARED = 3_800;

  private static final int FIRST_PAGE = 0x10_0000;
  private static final long FAILED_AT = 0x3010;

  /**
   * For page 1, 2 and so on: writes beside the code, so that its later writes need not ask; changes
   * the code's immediate; says so in memory; waits until the other has seen it.
   *
   * <pre>
   *     mov ecx,1 ; mov ebx,0x101000
   *  n: mov byte [rbx+64],1 ; mov dword [rbx+1],7 ; mov [0x3000],ecx
   *  w: cmp [0x3008],ecx ; jne w ; add ebx,4096 ; inc ecx ; jmp n
   * </pre>
   */
  private static final String WRITER =
      "b901000000 bb00101000 c6434001 c7430107000000 890c2500300000 390c2508300000 75f7"
          + " 81c300100000 ffc1 ebdb";

  /**
   * Calls the code of each page, which other than this gives 0 or 7, until it has been told of the
   * change before a call; that call must give 7. Between the two it serializes, as processors want
   * it (SDM vol. 3A, 8.1.3).
   *
   * <pre>
   *     mov ecx,1 ; mov ebx,0x101000
   *  n: mov esi,[0x3000] ; serialize ; call rbx ; cmp esi,ecx ; jb n ; cmp eax,7 ; jne f
   *     mov [0x3008],ecx ; add ebx,4096 ; inc ecx ; jmp n
   *  f: mov [0x3010],ecx ; jmp $
   * </pre>
   */
  private static final String READER =
      "b901000000 bb00101000 8b342500300000 0f01e8 ffd3 39ce 72f0 83f807 7511 890c2508300000"
          + " 81c300100000 ffc1 ebda 890c2510300000 ebfe";

  @Test
  void aVcpuThatWasToldOfAChangeRunsTheNewCode() throws InterruptedException {
    try (FlatCpu writer = new FlatCpu().code(WRITER)) {
      // mov eax,0 ; ret
      byte[] callee = HexFormat.of().parseHex("b800000000c3");
      for (int page = 1; page <= PREPARED; page++) {
        writer.memory.copyIn(FIRST_PAGE + page * 4096L, callee);
      }
      FlatCpu reader = writer.another();
      reader.memory.copyIn(0x2000, HexFormat.of().parseHex(READER.replace(" ", "")));
      reader.cpu.rip = 0x2000;
      reader.cpu.gpr[Cpu.RSP] = 0x7_0000;

      Thread thread = new Thread(() -> run(writer));
      thread.start();
      run(reader);
      thread.join();

      assertThat(read(writer, FAILED_AT)).as("page whose old code ran").isZero();
      assertThat(reader.cpu.gpr[Cpu.RCX]).isGreaterThan(PAGES);
    }
  }

  private static void run(FlatCpu processor) {
    while (processor.cpu.gpr[Cpu.RCX] <= PAGES && read(processor, FAILED_AT) == 0) {
      processor.run(10_000);
    }
  }

  private static int read(FlatCpu processor, long address) {
    byte[] bytes = new byte[4];
    processor.memory.copyOut(address, bytes);
    return (bytes[0] & 0xFF) | (bytes[1] & 0xFF) << 8;
  }
}
