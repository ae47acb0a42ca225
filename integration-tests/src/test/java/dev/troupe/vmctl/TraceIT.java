package dev.troupe.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code vmctl run --trace}: what it says of a guest that is hot, held against objdump. */
@Timeout(300)
class TraceIT {
  /** Exit code of {@link TinyKernel#COUNTING}. */
  private static final int COUNTED = 33;

  private static final Pattern INSTRUCTION =
      Pattern.compile("  ([0-9a-f]+):  ((?:[0-9a-f]{2} )+) *(\\S.*)");
  private static final Pattern HEAD = Pattern.compile("(in_asm|out_asm.*): vcpu0 block (\\d+)");
  private static final Pattern EXEC =
      Pattern.compile("exec: vcpu0 block (\\d+), ([0-9a-f]+)(?: at [0-9a-f]+)?, budget (\\d+)");
  private static final Pattern LEFT = Pattern.compile("left: vcpu0 block (\\d+), budget (-?\\d+)");

  @TempDir private Path folder;

  private record Line(long address, byte[] bytes, String text) {}

  /** A trace, read back. */
  private static final class Trace {
    /** Instructions of the guest, by block. */
    final Map<Integer, List<Line>> guest = new HashMap<>();

    /** Runs of instructions of the host, each without gaps. */
    final List<List<Line>> host = new ArrayList<>();

    /** Units of turns that passed in code. */
    long units;

    int entries;

    Trace(List<String> lines) {
      List<Line> block = List.of();
      long before = -1;
      for (String line : lines) {
        Matcher head = HEAD.matcher(line);
        Matcher instruction = INSTRUCTION.matcher(line);
        Matcher exec = EXEC.matcher(line);
        Matcher left = LEFT.matcher(line);
        if (head.matches()) {
          block = new ArrayList<>();
          if (head.group(1).equals("in_asm")) {
            assertThat(guest.put(Integer.valueOf(head.group(2)), block)).as(line).isNull();
          } else {
            host.add(block);
          }
        } else if (instruction.matches()) {
          block.add(
              new Line(
                  Long.parseLong(instruction.group(1), 16),
                  HexFormat.of().parseHex(instruction.group(2).replace(" ", "")),
                  instruction.group(3)));
        } else if (exec.matches()) {
          assertThat(before).as("entered twice: %s", line).isNegative();
          before = Long.parseLong(exec.group(3));
          assertThat(guest.get(Integer.valueOf(exec.group(1))))
              .as(line)
              .extracting(Line::address)
              .contains(Long.valueOf(exec.group(2), 16));
          entries++;
        } else {
          assertThat(left.matches()).as(line).isTrue();
          assertThat(guest).as(line).containsKey(Integer.valueOf(left.group(1)));
          units += before - Long.parseLong(left.group(2));
          before = -1;
        }
      }
    }
  }

  private Trace trace(String engine, String items) throws Exception {
    Path kernel = TinyKernel.write(folder, TinyKernel.COUNTING);
    Path file = folder.resolve("trace");
    VmctlProcess.Result result =
        VmctlProcess.run(
            new byte[0],
            "run",
            "--kernel",
            kernel.toString(),
            "--engine",
            engine,
            "--trace",
            items,
            "--trace-file",
            file.toString());
    assertThat(result.exitCode()).as(result.err()).isEqualTo(COUNTED);
    assertThat(result.out() + result.err()).isEmpty();
    return new Trace(Files.readAllLines(file));
  }

  @Test
  void eachInstructionOfTheGuestAndOfTheHostIsObjdumps() throws Exception {
    Trace trace = trace("translator", "in_asm,out_asm,exec");

    for (List<Line> block : trace.guest.values()) {
      agreeAlong("i386", block);
    }
    for (List<Line> block : trace.host) {
      agree("i386:x86-64", block);
    }
    assertThat(trace.host).hasSize(2 * trace.guest.size());
    assertThat(trace.host.stream().mapToInt(List::size).sum()).isGreaterThan(20);
    assertThat(trace.units).isBetween(390_000L, 400_004L);
    assertThat(trace.entries).isLessThan(1_000);
  }

  @Test
  void theInterpretersBlocksAreThoseThatItRuns() throws Exception {
    Trace trace = trace("interpreter", "in_asm,exec");

    for (List<Line> block : trace.guest.values()) {
      agreeAlong("i386", block);
    }
    Map<Long, String> code = new TreeMap<>();
    trace.guest.values().stream().flatMap(List::stream).forEach(i -> code.put(i.address, i.text));
    assertThat(List.copyOf(code.values()))
        .startsWith(
            "mov    ecx,0x186a0",
            "add    eax,ecx",
            "mov    DWORD PTR ds:0x110000,ecx",
            "dec    ecx",
            "jne    0x100025",
            "mov    al,0x10",
            "out    0xf4,al");
    assertThat(trace.host).isEmpty();
    assertThat(trace.units).isEqualTo(400_003);
  }

  /** The same for a path, which may jump. */
  private void agreeAlong(String machine, List<Line> path) throws Exception {
    int from = 0;
    for (int at = 1; at <= path.size(); at++) {
      Line last = path.get(at - 1);
      if (at == path.size() || path.get(at).address != last.address + last.bytes.length) {
        agree(machine, path.subList(from, at));
        from = at;
      }
    }
  }

  /** Without a gap, each as objdump has it there, and as long. */
  private void agree(String machine, List<Line> block) throws Exception {
    assertThat(block).isNotEmpty();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    block.forEach(line -> bytes.writeBytes(line.bytes));
    Path file = Files.write(folder.resolve("code"), bytes.toByteArray());
    long address = block.getFirst().address;
    Process process =
        new ProcessBuilder(
                "objdump",
                "-D",
                "-w",
                "-z",
                "-b",
                "binary",
                "-m",
                machine,
                "-M",
                "intel",
                "--no-show-raw-insn",
                "--adjust-vma=0x%x".formatted(address),
                file.toString())
            .redirectErrorStream(true)
            .start();
    Map<Long, String> expected = new TreeMap<>();
    try (BufferedReader reader = process.inputReader()) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        int colon = line.indexOf(":\t");
        if (colon > 0) {
          expected.put(
              Long.parseLong(line.substring(0, colon).strip(), 16),
              line.substring(colon + 2).stripTrailing());
        }
      }
    }
    assertThat(process.waitFor()).as("objdump's exit code").isZero();
    Map<Long, String> ours = new TreeMap<>();
    block.forEach(line -> ours.put(line.address, line.text));
    assertThat(ours).isEqualTo(expected);
  }

  @Test
  void itComesOnStandardErrorUnlessThereIsAFile() throws Exception {
    String kernel = TinyKernel.write(folder, TinyKernel.COUNTING).toString();
    VmctlProcess.Result result =
        VmctlProcess.run(new byte[0], "run", "--kernel", kernel, "--trace", "in_asm,exec");

    assertThat(result.exitCode()).isEqualTo(COUNTED);
    assertThat(result.out()).isEmpty();
    assertThat(new Trace(result.err().lines().toList()).units).isPositive();
  }

  @Test
  void aTraceThatCannotBeWrittenIsOneLineAndTheGuestGoesOn() throws Exception {
    String kernel = TinyKernel.write(folder, TinyKernel.COUNTING).toString();
    VmctlProcess.Result full =
        VmctlProcess.run(
            new byte[0],
            "run",
            "--kernel",
            kernel,
            "--trace",
            "in_asm,exec",
            "--trace-file",
            "/dev/full");
    VmctlProcess.Result none =
        VmctlProcess.run(
            new byte[0],
            "run",
            "--kernel",
            kernel,
            "--trace",
            "exec",
            "--trace-file",
            folder.resolve("none/trace").toString());

    assertThat(full.exitCode()).isEqualTo(COUNTED);
    assertThat(full.err())
        .isEqualTo("vmctl: trace ended: No space left on device; the guest goes on\n");
    assertThat(none.exitCode()).isEqualTo(4);
    assertThat(none.err())
        .isEqualTo("vmctl: trace %s: no such folder\n".formatted(folder.resolve("none/trace")));
  }

  @Test
  void aRunThatIsTracedIsTheSameRun() throws Exception {
    String kernel = TinyKernel.write(folder, TinyKernel.COUNTING).toString();
    List<String> hashes = new ArrayList<>();
    for (String engine : List.of("interpreter", "translator")) {
      for (boolean traced : List.of(false, true)) {
        List<String> arguments =
            new ArrayList<>(
                List.of(
                    "run", "--kernel", kernel, "--deterministic", "--stats", "--engine", engine));
        if (traced) {
          arguments.addAll(List.of("--trace", "exec", "--trace-file", "/dev/null"));
        }
        VmctlProcess.Result result =
            VmctlProcess.run(new byte[0], arguments.toArray(String[]::new));
        assertThat(result.exitCode()).isEqualTo(COUNTED);
        hashes.addAll(result.err().lines().filter(l -> l.contains("state hash")).toList());
      }
    }
    assertThat(hashes).hasSize(4).containsOnly(hashes.getFirst());
  }
}
