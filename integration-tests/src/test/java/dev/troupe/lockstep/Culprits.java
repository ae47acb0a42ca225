package dev.troupe.lockstep;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Fault;
import dev.troupe.runtime.cpu.Mode;
import dev.troupe.runtime.isa.DecodeTable;
import dev.troupe.runtime.isa.Decoder;
import dev.troupe.runtime.isa.Disassembler;
import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import dev.troupe.runtime.snapshot.StateListing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Finds which instruction of the reference wrote what differs. */
final class Culprits {
  /** Instructions that are shown. */
  private static final int MOST_LINES = 160;

  private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

  /** What differs. */
  record Wanted(List<StateListing.Difference> registers, List<Pair.Bytes> bytes) {
    /** It as text, the reference's value first. */
    List<String> texts(Pair pair) {
      List<String> all = new ArrayList<>();
      registers.forEach(one -> all.add(one.toString()));
      for (Pair.Bytes one : bytes) {
        GuestMemory memory = pair.reference.guest.memory;
        all.add(
            "memory at %#x: %s / %s"
                .formatted(
                    memory.physicalAddress(memory.pageAddress(one.page())) + one.offset(),
                    HEX.formatHex(read(pair.reference, one)),
                    HEX.formatHex(read(pair.subject, one))));
      }
      return all;
    }
  }

  private Culprits() {}

  private static byte[] read(Side side, Pair.Bytes at) {
    byte[] bytes = new byte[at.count()];
    long host = side.guest.memory.pageAddress(at.page()) + at.offset();
    for (int n = 0; n < bytes.length; n++) {
      bytes[n] = Raw.get8(host + n);
    }
    return bytes;
  }

  /**
   * Runs a machine's next turn one instruction at a time.
   *
   * @param first unit of the turn that is told
   * @param units of the turn
   * @return the instructions from there on, the last {@link #MOST_LINES} of them
   */
  static List<Difference.Line> walk(Side side, long first, long units, Wanted wanted) {
    long from = Math.max(first, units - MOST_LINES);
    List<Difference.Line> lines = new ArrayList<>();
    TreeMap<String, Integer> writers = new TreeMap<>();
    StateListing before = null;
    List<byte[]> memory = List.of();
    int vcpu = -1;
    for (long unit = 0; unit < units; unit++) {
      if (unit >= from) {
        before = Pair.listing(side);
        memory = wanted.bytes.stream().map(at -> read(side, at)).toList();
      }
      Difference.Line line = vcpu < 0 ? null : line(side.guest.vcpus.get(vcpu).cpu);
      if (vcpu < 0) {
        side.cut(1);
        vcpu = side.step().vcpu();
      } else {
        side.single(vcpu);
      }
      if (unit < from) {
        continue;
      }
      lines.add(line == null ? new Difference.Line(0, new byte[0], "(first)", false) : line);
      note(writers, lines.size() - 1, before, Pair.listing(side), wanted);
      for (int n = 0; n < memory.size(); n++) {
        if (!Arrays.equals(memory.get(n), read(side, wanted.bytes.get(n)))) {
          writers.put("memory " + n, lines.size() - 1);
        }
      }
    }
    for (int n : writers.values()) {
      Difference.Line line = lines.get(n);
      lines.set(n, new Difference.Line(line.linear(), line.bytes(), line.text(), true));
    }
    return lines;
  }

  private static void note(
      Map<String, Integer> writers,
      int line,
      StateListing before,
      StateListing after,
      Wanted wanted) {
    List<String> changed =
        StateListing.diff(before, after).stream().map(StateListing.Difference::path).toList();
    for (StateListing.Difference one : wanted.registers) {
      boolean place = one.path().endsWith(".rip"); // every instruction writes that
      if (changed.contains(one.path()) && (!place || wanted.registers.size() == 1)) {
        writers.put(one.path(), line);
      }
    }
  }

  /** The instruction that is next. */
  private static Difference.Line line(Cpu cpu) {
    long linear = cpu.rip + ((cpu.mode & Mode.CODE_64) != 0 ? 0 : cpu.segmentBase[Cpu.CS]);
    int mode = (cpu.mode & Mode.CODE_64) != 0 ? 64 : (cpu.mode & Mode.CODE_32) != 0 ? 32 : 16;
    Insn insn = new Insn();
    try {
      Decoder decoder = new Decoder(DecodeTable.of(cpu.model.features()));
      Decoder.Result result =
          decoder.decode(mode, offset -> (int) cpu.mmu.load8(linear + offset) & 0xFF, insn);
      byte[] bytes = new byte[insn.length];
      for (int n = 0; n < bytes.length; n++) {
        bytes[n] = (byte) cpu.mmu.load8(linear + n);
      }
      boolean good = result == Decoder.Result.DECODED;
      return new Difference.Line(
          linear, bytes, good ? Disassembler.text(insn, linear) : "(bad)", false);
    } catch (Fault notReadable) {
      return new Difference.Line(linear, new byte[0], "(not readable)", false);
    }
  }
}
