package dev.troupe.actors.vmctl;

import dev.troupe.runtime.engine.CodeTrace;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Writes what engines do as text, each record at once and whole, whichever vCPUs they come from:
 * nothing is kept back that a process killed could not write, and a vCPU waits for a slow reader. A
 * trace that cannot be written any more ends there, and the guest goes on.
 */
final class TraceWriter implements CodeTrace, AutoCloseable {
  private static final HexFormat BYTES = HexFormat.ofDelimiter(" ");

  private final Set<TraceOptions.Item> items;
  private final OutputStream out;
  private final String lineEnd;
  private final Consumer<String> complaints;

  /** Nothing is written any more. */
  private boolean over;

  /**
   * Writes these items.
   *
   * @param out not buffered; closed with this
   * @param complaints gets one line if nothing can be written any more
   */
  TraceWriter(
      Set<TraceOptions.Item> items, OutputStream out, String lineEnd, Consumer<String> complaints) {
    this.items = items;
    this.out = out;
    this.lineEnd = lineEnd;
    this.complaints = complaints;
  }

  @Override
  public void translated(Code code) {
    StringBuilder text = new StringBuilder();
    if (items.contains(TraceOptions.Item.IN_ASM)) {
      add(text, "in_asm", code, code.guest());
    }
    if (items.contains(TraceOptions.Item.OUT_ASM)) {
      add(text, "out_asm", code, code.hot());
      add(text, "out_asm stubs", code, code.stubs());
    }
    write(text.toString());
  }

  private void add(StringBuilder text, String item, Code code, List<Instruction> instructions) {
    text.append(item).append(": ").append(block(code.vcpu(), code.number())).append(lineEnd);
    for (Instruction instruction : instructions) {
      String line =
          "  %x:  %-29s %s"
              .formatted(
                  instruction.address(), BYTES.formatHex(instruction.bytes()), instruction.text());
      text.append(line.stripTrailing()).append(lineEnd);
    }
  }

  @Override
  public void entered(int vcpu, int number, long guest, long host, long left) {
    if (items.contains(TraceOptions.Item.EXEC)) {
      String at = host == 0 ? "" : " at " + Long.toHexString(host);
      write("exec: %s, %x%s, budget %d%s".formatted(block(vcpu, number), guest, at, left, lineEnd));
    }
  }

  @Override
  public void left(int vcpu, int number, long left) {
    if (items.contains(TraceOptions.Item.EXEC)) {
      write("left: %s, budget %d%s".formatted(block(vcpu, number), left, lineEnd));
    }
  }

  private static String block(int vcpu, int number) {
    return "vcpu%d block %d".formatted(vcpu, number);
  }

  private synchronized void write(String text) {
    if (over || text.isEmpty()) {
      return;
    }
    try {
      out.write(text.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      over = true;
      complaints.accept("trace ended: " + e.getMessage() + "; the guest goes on");
    }
  }

  @Override
  public synchronized void close() {
    over = true;
    try {
      out.close();
    } catch (IOException e) {
      complaints.accept("trace: " + e.getMessage());
    }
  }
}
