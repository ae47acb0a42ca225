package dev.troupe.actors.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.vmctl.TraceOptions.Item;
import dev.troupe.runtime.engine.CodeTrace;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TraceWriterTest {
  private static final int VCPUS = 4;
  private static final int RECORDS = 2_000;

  private final List<String> complaints = new ArrayList<>();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private record Block(int vcpu, int number) implements CodeTrace.Code {
    @Override
    public List<CodeTrace.Instruction> guest() {
      return List.of(
          instruction(0x10_0020, "push   eax", 0x50),
          instruction(0x10_0021, "jmp    0x100020", 0xEB, 0xFD));
    }

    @Override
    public List<CodeTrace.Instruction> hot() {
      return List.of(instruction(0x7F00_0000_1000L, "nop", 0x90));
    }

    @Override
    public List<CodeTrace.Instruction> stubs() {
      return List.of(instruction(0x7F00_0000_2000L, "ret", 0xC3));
    }

    private static CodeTrace.Instruction instruction(long address, String text, int... bytes) {
      byte[] all = new byte[bytes.length];
      IntStream.range(0, bytes.length).forEach(n -> all[n] = (byte) bytes[n]);
      return new CodeTrace.Instruction(address, all, text);
    }
  }

  private TraceWriter writer(Set<Item> items, OutputStream to) {
    return new TraceWriter(items, to, "\n", complaints::add);
  }

  private String text() {
    return out.toString(StandardCharsets.US_ASCII);
  }

  @Test
  void allItemsAreWrittenAsTheyCome() {
    try (TraceWriter writer = writer(EnumSet.allOf(Item.class), out)) {
      writer.translated(new Block(1, 7));
      writer.entered(1, 7, 0x10_0020, 0x7F00_0000_1000L, 20_000);
      writer.left(1, 8, 19_998);
    }
    assertThat(text())
        .isEqualTo(
            """
            in_asm: vcpu1 block 7
              100020:  50                            push   eax
              100021:  eb fd                         jmp    0x100020
            out_asm: vcpu1 block 7
              7f0000001000:  90                            nop
            out_asm stubs: vcpu1 block 7
              7f0000002000:  c3                            ret
            exec: vcpu1 block 7, 100020 at 7f0000001000, budget 20000
            left: vcpu1 block 8, budget 19998
            """);
    assertThat(complaints).isEmpty();
  }

  @Test
  void whatIsNotAskedForIsNotWritten() {
    try (TraceWriter writer = writer(EnumSet.of(Item.IN_ASM), out)) {
      writer.translated(new Block(0, 0));
      writer.entered(0, 0, 0x10_0020, 0x7F00_0000_1000L, 20_000);
      writer.left(0, 0, 19_998);
    }
    assertThat(text()).startsWith("in_asm: vcpu0 block 0\n").hasLineCount(3);
  }

  @Test
  void anInterpretersEntryHasNoAddressOfTheHosts() {
    try (TraceWriter writer = writer(EnumSet.of(Item.EXEC), out)) {
      writer.entered(0, 3, 0xFFFF_FFFF_8100_0000L, 0, 5);
    }
    assertThat(text()).isEqualTo("exec: vcpu0 block 3, ffffffff81000000, budget 5\n");
  }

  @Test
  void recordsOfVcpusThatRunAtOnceAreWholeAndComplete() throws InterruptedException {
    try (TraceWriter writer = writer(EnumSet.allOf(Item.class), out)) {
      List<Thread> threads = new ArrayList<>();
      for (int vcpu = 0; vcpu < VCPUS; vcpu++) {
        int which = vcpu;
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      for (int n = 0; n < RECORDS; n++) {
                        writer.translated(new Block(which, n));
                      }
                    }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
    List<String> lines = text().lines().toList();
    int[] next = new int[VCPUS];
    for (int at = 0; at < lines.size(); at += 7) {
      int vcpu = lines.get(at).charAt("in_asm: vcpu".length()) - '0';
      String block = "vcpu%d block %d".formatted(vcpu, next[vcpu]++);
      assertThat(lines.get(at)).isEqualTo("in_asm: " + block);
      assertThat(lines.get(at + 3)).isEqualTo("out_asm: " + block);
      assertThat(lines.get(at + 5)).isEqualTo("out_asm stubs: " + block);
    }
    assertThat(next).containsOnly(RECORDS);
  }

  @Test
  void aTraceThatCannotBeWrittenEndsWithOneLine() {
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int value) throws IOException {
            throw new IOException("No space left on device");
          }
        };
    try (TraceWriter writer = writer(EnumSet.allOf(Item.class), full)) {
      writer.translated(new Block(0, 0));
      writer.left(0, 0, 1);
    }
    assertThat(complaints)
        .containsExactly("trace ended: No space left on device; the guest goes on");
  }

  @Test
  void nothingIsWrittenBehindTheEnd() {
    TraceWriter writer = writer(EnumSet.allOf(Item.class), out);
    writer.close();
    writer.left(0, 0, 1);
    assertThat(out.size()).isZero();
  }
}
