package dev.troupe.lockstep;

import java.util.HexFormat;
import java.util.List;

/**
 * Where two engines differ.
 *
 * @param turn its number, from 1
 * @param vcpu who ran; -1 if all were halted
 * @param begun units that all vCPUs had retired when the turn began
 * @param units of the turn after which the difference shows
 * @param values what differs, the reference's value first
 * @param lines what the reference has run, from the last place that was surely good to there
 */
public record Difference(
    long turn, int vcpu, long begun, long units, List<String> values, List<Line> lines) {
  /**
   * An instruction.
   *
   * @param suspect it was the last to write something that differs
   */
  public record Line(long linear, byte[] bytes, String text, boolean suspect) {}

  private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

  /** For people, in lines. */
  @Override
  public String toString() {
    StringBuilder text =
        new StringBuilder(
            "different at i:%d, unit %d of turn %d, vCPU %d"
                .formatted(begun + units, units, turn, vcpu));
    values.forEach(value -> text.append("\n  ").append(value));
    if (!lines.isEmpty()) {
      text.append("\nwhat the reference ran up to there; > wrote what differs:");
      for (Line line : lines) {
        text.append(
            "\n%s %x: %s  %s"
                .formatted(
                    line.suspect ? '>' : ' ', line.linear, HEX.formatHex(line.bytes), line.text));
      }
    }
    return text.toString();
  }
}
