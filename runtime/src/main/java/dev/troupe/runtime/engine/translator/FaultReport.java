package dev.troupe.runtime.engine.translator;

import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

/** Says of a fault in emitted code what is needed to find its reason. */
final class FaultReport {
  /** Guest instructions shown before and after the one that faulted. */
  private static final int AROUND = 8;

  /** Host bytes shown before the instruction that faulted, and from it on. */
  private static final int BYTES_BEFORE = 32;

  private static final int BYTES_AFTER = 32;

  private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

  private final HostFault fault;
  private final CodeArea area;

  /** The code that it was in; else what the vCPU's thread had entered, which may be far away. */
  private final Translation code;

  private final boolean known;

  /** The instruction that it was in; -1 before the first one, or if that is not known. */
  private final int index;

  /**
   * Looks for the place.
   *
   * @param translations of the area; null for those that are gone
   * @param entered what the thread had begun with
   */
  FaultReport(HostFault fault, CodeArea area, List<Translation> translations, Translation entered) {
    this.fault = fault;
    this.area = area;
    Translation found = area.isBlock(fault.rip()) ? find(translations, fault.rip()) : null;
    known = found != null;
    code = known ? found : entered;
    index = known ? index() : -1;
  }

  private static Translation find(List<Translation> translations, long rip) {
    return translations.stream()
        .filter(Objects::nonNull)
        .filter(translation -> translation.start() <= rip)
        .max((a, b) -> Long.compare(a.start(), b.start()))
        .orElse(null);
  }

  /** INT3 is a trap: what it leaves is the address behind it. */
  private int index() {
    long at = fault.isTrap() ? fault.rip() - 1 : fault.rip();
    int last = -1;
    for (int k = 0; k < code.resume.length; k++) {
      last = code.resume[k] != Translation.NOWHERE && code.resume[k] <= at ? k : last;
    }
    return last;
  }

  /** The guest's instruction pointer, or what is closest to it. */
  long guestRip() {
    return code.trace.insn(Math.max(0, index)).rip;
  }

  /** A line that says what and where, then guest code, host code and registers. */
  String text() {
    StringBuilder text = new StringBuilder("emitted code: ").append(fault.what());
    if (known && index >= 0) {
      text.append(" in `%s` at %#x, ".formatted(code.guestText(index), code.linear(index)));
    } else {
      text.append(known ? " before the first instruction of " : " after entry of ");
    }
    text.append(
        "block at %#x, its code at %#x, rip %#x"
            .formatted(code.linear(0), code.start(), fault.rip()));
    text.append("\nguest code, and where its host code begins:");
    int from = Math.max(0, index - AROUND);
    int to = Math.min(code.resume.length, Math.max(0, index) + AROUND + 1);
    for (int k = from; k < to; k++) {
      text.append(
          "\n%s %x: %s  %s @%x"
              .formatted(
                  k == index ? '>' : ' ',
                  code.linear(k),
                  bytes(k),
                  code.guestText(k),
                  code.resume[k]));
    }
    hostCode(text);
    return text.append("\nhost registers:\n").append(fault.registerText()).toString();
  }

  private void hostCode(StringBuilder text) {
    long rip = fault.rip();
    if (!area.contains(rip)) {
      text.append("\nhost code: none of this vCPU's at rip");
      return;
    }
    long from = Math.max(area.address(), rip - BYTES_BEFORE);
    long to = Math.min(area.end(), rip + BYTES_AFTER);
    text.append("\nhost code before rip, and from there on:");
    text.append("\n  %x: %s".formatted(from, hex(from, rip)));
    text.append("\n> %x: %s".formatted(rip, hex(rip, to)));
  }

  private static String hex(long from, long to) {
    return HEX.formatHex(Translation.bytes(from, Math.toIntExact(to - from)));
  }

  private String bytes(int k) {
    byte[] bytes = code.guestBytes(k);
    return bytes.length == 0 ? "??" : HEX.formatHex(bytes);
  }
}
