package dev.troupe.runtime.engine.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.engine.interpreter.TsoModel.Kind;
import dev.troupe.runtime.engine.interpreter.TsoModel.Op;
import dev.troupe.runtime.engine.interpreter.TsoModel.Outcome;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Two interpreters over one memory run generated programs side by side, by several kinds of loads
 * and stores; what comes out is what the x86-TSO machine may do, and nothing else.
 */
@Timeout(120)
class MemoryOrderTest {
  private static final long SEED = 1;
  private static final int PROGRAMS = 60;
  private static final int INSTANCES = 2_000;
  private static final int MOST_OPS = 3;

  private static final int PLACES_AT = 0x10_0000;
  private static final int PLACES_SIZE = 128;
  private static final int RESULTS_AT = 0x20_0000;
  private static final int RESULTS_SIZE = 8 * MOST_OPS;

  /** How far each is, counting down; a line apart. */
  private static final int PROGRESS_AT = 0x9_0000;

  private static final int CODE_SIZE = 0x800;

  /** Loads a result register, r12 to r14: hexadecimal with its number and a place's offset. */
  private static final List<Load> LOADS =
      List.of(
          (r, at) -> "4d8b%02x%02x".formatted(0x60 + 8 * r, at), // mov r,[r8+at]
          (r, at) -> "498d70%02x48ad4989%02x".formatted(at, 0xC4 + r), // lea rsi; lodsq; mov r,rax
          (r, at) -> "498d60%02x41%02x".formatted(at, 0x5C + r), // lea rsp; pop r
          (r, at) -> "31c0490340%02x4989%02x".formatted(at, 0xC4 + r), // add rax,[r8+at]; mov r,rax
          (r, at) -> // movq xmm1,[r8+at]; movq r,xmm1
          "f3410f7e48%02x66490f7e%02x".formatted(at, 0xCC + r));

  /** Stores a small number: hexadecimal with a place's offset and the number. */
  private static final List<Store> STORES =
      List.of(
          (at, v) -> "49c740%02x%02x000000".formatted(at, v), // mov qword [r8+at],v
          (at, v) -> "b8%02x000000498940%02x".formatted(v, at), // mov eax,v; mov [r8+at],rax
          (at, v) -> "498d78%02xb8%02x00000048ab".formatted(at, v), // lea rdi; mov eax,v; stosq
          (at, v) -> "498d60%02x6a%02x".formatted(at + 8, v), // lea rsp; push v
          (at, v) -> // mov eax,v; movq xmm0,rax; movq [r8+at],xmm0
          "b8%02x00000066480f6ec066410fd640%02x".formatted(v, at),
          (at, v) -> "b8%02x000000490fc340%02x".formatted(v, at)); // mov eax,v; movnti [r8+at],rax

  @FunctionalInterface
  private interface Load {
    String code(int register, int offset);
  }

  @FunctionalInterface
  private interface Store {
    String code(int offset, int value);
  }

  private final Random random = new Random(SEED);

  @Test
  void theModelLetsLoadsPassStoresAndNothingElse() {
    Op x = new Op(Kind.STORE, 0, 1);
    Op y = new Op(Kind.STORE, 1, 1);
    Op readX = new Op(Kind.LOAD, 0, 0);
    Op readY = new Op(Kind.LOAD, 1, 0);
    Op fence = new Op(Kind.FENCE, 0, 0);
    Outcome both = TsoModel.outcome(0, 0, 1, 1);
    assertThat(TsoModel.outcomes(List.of(List.of(x, readY), List.of(y, readX)))).contains(both);
    assertThat(TsoModel.outcomes(List.of(List.of(x, fence, readY), List.of(y, fence, readX))))
        .doesNotContain(both);
    assertThat(TsoModel.outcomes(List.of(List.of(x, y), List.of(readY, readX))))
        .doesNotContain(TsoModel.outcome(1, 0, 1, 1));
  }

  @Test
  void twoVcpusDoWhatTheTsoMachineMayDo() throws InterruptedException {
    for (int n = 0; n < PROGRAMS; n++) {
      List<List<Op>> programs = List.of(program(0), program(1));
      Set<Outcome> allowed = TsoModel.outcomes(programs);
      // In one line, and in two.
      int distance = random.nextBoolean() ? 16 : 64;
      List<String> code =
          List.of(code(programs.get(0), 0, distance), code(programs.get(1), 1, distance));
      List<Outcome> outcomes = run(programs, code, distance);
      for (int i = 0; i < INSTANCES; i++) {
        assertThat(allowed)
            .as("seed %d, program %d %s, %s, instance %d", SEED, n, programs, code, i)
            .contains(outcomes.get(i));
      }
    }
  }

  private List<Op> program(int processor) {
    List<Op> ops = new ArrayList<>();
    int length = 2 + random.nextInt(MOST_OPS - 1);
    while (ops.size() < length) {
      Kind kind =
          switch (random.nextInt(10)) {
            case 0 -> Kind.FENCE;
            case 1 -> Kind.EXCHANGE;
            case 2, 3, 4, 5 -> Kind.LOAD;
            default -> Kind.STORE;
          };
      ops.add(new Op(kind, random.nextInt(2), 4 * processor + ops.size() + 1));
    }
    return ops;
  }

  /** The loop over all instances; r8 is at the places, r9 at the results, ecx counts down. */
  private String code(List<Op> ops, int processor, int distance) {
    int own = PROGRESS_AT + 64 * processor;
    int other = PROGRESS_AT + 64 * (1 - processor);
    StringBuilder body = new StringBuilder();
    // mov [own],ecx; mov edx,100; l: cmp [other],ecx; jbe r; dec edx; jnz l; r:
    body.append("890c25").append(hex32(own)).append("ba64000000");
    body.append("390c25").append(hex32(other)).append("7604ffca75f3");
    int reads = 0;
    for (Op op : ops) {
      int at = distance * op.place();
      switch (op.kind()) {
        case STORE -> body.append(pick(STORES).code(at, op.value()));
        case LOAD -> body.append(pick(LOADS).code(reads++, at));
        case EXCHANGE -> // mov r,v; xchg [r8+at],r
            body.append(
                "41%02x%s4d87%02x%02x"
                    .formatted(0xBC + reads, hex32(op.value()), 0x60 + 8 * reads++, at));
        case FENCE -> body.append("0faef0");
      }
    }
    for (int r = 0; r < reads; r++) { // mov [r9+8r],r12+r
      body.append("4d89%02x%02x".formatted(0x61 + 8 * r, 8 * r));
    }
    // add r8,PLACES_SIZE; add r9,RESULTS_SIZE; dec ecx; jnz; hlt
    body.append("4981c0").append(hex32(PLACES_SIZE)).append("4983c1%02x".formatted(RESULTS_SIZE));
    body.append("ffc90f85").append(hex32(-(body.length() / 2 + 8))).append("f4");
    return body.toString();
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private static String hex32(int value) {
    return "%08x".formatted(Integer.reverseBytes(value));
  }

  private static List<Outcome> run(List<List<Op>> programs, List<String> code, int distance)
      throws InterruptedException {
    try (FlatCpu one = new FlatCpu()) {
      FlatCpu other = one.another();
      one.memory.copyIn(PROGRESS_AT, HexFormat.of().parseHex("ffffff7f"));
      one.memory.copyIn(PROGRESS_AT + 64, HexFormat.of().parseHex("ffffff7f"));
      prepare(one, 0, code.get(0));
      prepare(other, 1, code.get(1));
      Thread thread = new Thread(() -> runToHalt(other));
      thread.start();
      runToHalt(one);
      thread.join();
      IntFunction<ByteBuffer> results = p -> bytes(one, results(p), INSTANCES * RESULTS_SIZE);
      return outcomes(
          programs,
          List.of(results.apply(0), results.apply(1)),
          bytes(one, PLACES_AT, INSTANCES * PLACES_SIZE),
          distance);
    }
  }

  private static int results(int processor) {
    return RESULTS_AT + processor * INSTANCES * RESULTS_SIZE;
  }

  private static void prepare(FlatCpu processor, int number, String code) {
    int at = (int) FlatCpu.CODE + number * CODE_SIZE;
    processor.memory.copyIn(at, HexFormat.of().parseHex(code));
    processor.cpu.rip = at;
    processor.cpu.gpr[Cpu.RCX] = INSTANCES;
    processor.cpu.gpr[8] = PLACES_AT;
    processor.cpu.gpr[9] = results(number);
  }

  private static void runToHalt(FlatCpu processor) {
    while (!(processor.run(1_000_000) instanceof Exit.Halt)) {
      Thread.onSpinWait();
    }
  }

  private static ByteBuffer bytes(FlatCpu processor, int at, int length) {
    byte[] bytes = new byte[length];
    processor.memory.copyOut(at, bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static List<Outcome> outcomes(
      List<List<Op>> programs, List<ByteBuffer> results, ByteBuffer places, int distance) {
    List<Outcome> outcomes = new ArrayList<>();
    for (int i = 0; i < INSTANCES; i++) {
      List<Integer> values = new ArrayList<>();
      for (int p = 0; p < 2; p++) {
        long reads = programs.get(p).stream().filter(Op::reads).count();
        for (int r = 0; r < reads; r++) {
          values.add((int) results.get(p).getLong(i * RESULTS_SIZE + 8 * r));
        }
      }
      values.add((int) places.getLong(i * PLACES_SIZE));
      values.add((int) places.getLong(i * PLACES_SIZE + distance));
      outcomes.add(new Outcome(values));
    }
    return outcomes;
  }
}
