package dev.troupe.direct;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.boot.EntryState;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.memory.GuestMemory;
import java.lang.management.ManagementFactory;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * Hot loops on the interpreter alone, in millions of guest instructions a second of CPU time: the
 * best of some rounds, warm. {@code InterpreterBenchmark [MILLIONS]}, how many instructions a round
 * has (default 100). For a whole boot, cold code and the JIT compiler's warm-up included, see
 * {@link DirectBoot}.
 */
public final class InterpreterBenchmark {
  private static final long CODE = 0x1000;
  private static final long STACK = 0x8000;
  private static final int ROUNDS = 6;
  private static final int SLICE = 20_000;

  /** 32-bit code; each loops for ever. */
  private static final Map<String, String> LOOPS =
      new TreeMap<>(
          Map.of(
              // l: add eax,ecx; lea edx,[eax+ecx*2]; xor edx,ecx; shr edx,3; dec ecx; jnz l; jmp l
              "arithmetic", "01c8 8d1448 31ca c1ea03 49 75f3 ebf1",
              // l: mov eax,[esi]; add eax,edi; mov [esi+0x100],eax; add esi,4; and esi,0x3ffff; or
              // esi,0x100000; jmp l
              "memory", "8b06 01f8 898600010000 83c604 81e6ffff0300 81ce00001000 ebe5",
              // f: call g; jmp f; g: push ebx; call h; pop ebx; ret; h: inc eax; ret
              "calls", "e802000000 ebf9 53 e802000000 5b c3 40 c3",
              // l: mov ecx,1024; mov esi,0x100000; mov edi,0x200000; rep movsd; jmp l
              "rep movs", "b900040000 be00001000 bf00002000 f3a5 ebed"));

  private InterpreterBenchmark() {}

  public static void main(String[] args) {
    long units = (args.length > 0 ? Long.parseLong(args[0]) : 100) * 1_000_000;
    LOOPS.forEach((name, code) -> System.out.printf("%-12s %8.1f MIPS%n", name, best(code, units)));
  }

  private static double best(String code, long units) {
    double best = 0;
    try (GuestMemory memory = GuestMemory.allocate(16 << 20)) {
      Cpu cpu = new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0);
      Vcpu vcpu = new Vcpu(cpu);
      Interpreter engine = new Interpreter(vcpu);
      memory.copyIn(CODE, HexFormat.of().parseHex(code.replace(" ", "")));
      new EntryState.ProtectedMode(CODE, 0, 0).apply(cpu);
      cpu.gpr[Cpu.RSI] = 0x100000;
      cpu.gpr[Cpu.RSP] = STACK;
      for (int round = 0; round < ROUNDS; round++) {
        long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        long from = engine.retired();
        while (engine.retired() - from < units) {
          if (!(engine.run(vcpu, SLICE) instanceof Exit.TurnEnd)) {
            throw new IllegalStateException("the loop ended: rip=" + cpu.rip);
          }
        }
        long nanos = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start;
        best = Math.max(best, units * 1e3 / nanos);
      }
    }
    return best;
  }
}
