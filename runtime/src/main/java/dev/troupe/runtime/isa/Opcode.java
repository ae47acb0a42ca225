package dev.troupe.runtime.isa;

/**
 * The opcode column of a row.
 *
 * @param text as in the table, such as {@code F3 0F B8 /r}
 * @param vex true for a VEX encoding (L must be 0), else legacy
 * @param map 0 one byte, 1 after 0F, 2 after 0F 38, 3 after 0F 3A
 * @param code the last opcode byte; with {@code registerInOpcode} its low three bits are 0
 * @param prefix one of the {@code PREFIX_} numbers
 * @param w REX.W or VEX.W must be this; -1 for either
 * @param withoutRexB true if REX.B must be 0
 * @param registerInOpcode true if the low three bits of the opcode name a register
 * @param modRm true if a ModRM byte follows
 * @param digit what ModRM.reg must be, or -1
 * @param form one of the {@code FORM_} numbers
 * @param rm what ModRM.rm must be in a register form, or -1
 */
public record Opcode(
    String text,
    boolean vex,
    int map,
    int code,
    int prefix,
    int w,
    boolean withoutRexB,
    boolean registerInOpcode,
    boolean modRm,
    int digit,
    int form,
    int rm) {
  /** Prefix classes, numbered as VEX.pp: none, 66, F3, F2 is part of the opcode. */
  public static final int PREFIX_NONE = 0;

  public static final int PREFIX_66 = 1;
  public static final int PREFIX_F3 = 2;
  public static final int PREFIX_F2 = 3;

  /** No prefix is part of the opcode: 66 selects the operand size, F2 and F3 are free. */
  public static final int PREFIX_ANY = 4;

  /** 66 selects the operand size, F2 and F3 select other rows. */
  public static final int PREFIX_NO_F = 5;

  /** Register or memory. */
  public static final int FORM_ANY = 0;

  public static final int FORM_MEMORY = 1;
  public static final int FORM_REGISTER = 2;

  /** The row's column parsed. */
  static Opcode parse(String text) {
    int prefix = PREFIX_ANY;
    boolean vex = text.startsWith("VEX.L0.");
    int at = vex ? 7 : 0;
    int word = wordEnd(text, at);
    int named = prefix(text.substring(at, word));
    if (named >= 0) {
      prefix = named;
      at = word + 1;
    }
    int w = -1;
    if (text.charAt(at) == 'W') {
      w = text.charAt(at + 1) - '0';
      at += 3;
    }
    int map = 0;
    if (text.startsWith("0F ", at)) {
      map = 1;
      at += 3;
      if (isEscape(text, at)) {
        map = text.charAt(at + 1) == '8' ? 2 : 3;
        at += 3;
      }
    }
    int code = hex(text.charAt(at)) << 4 | hex(text.charAt(at + 1));
    boolean registerInOpcode = text.startsWith("+r", at + 2);
    boolean withoutRexB = false;
    boolean modRm = false;
    int digit = -1;
    int form = FORM_ANY;
    int rm = -1;
    for (at = wordEnd(text, at) + 1; at < text.length(); at = wordEnd(text, at) + 1) {
      switch (text.charAt(at)) {
        case 'B' -> withoutRexB = true;
        case 'm' -> form = FORM_MEMORY;
        case '/' -> {
          modRm = true;
          digit = text.charAt(at + 1) == 'r' ? -1 : text.charAt(at + 1) - '0';
        }
        case 'r' -> {
          form = FORM_REGISTER;
          rm = text.startsWith("rm=", at) ? text.charAt(at + 3) - '0' : rm;
        }
        default -> throw new IllegalArgumentException("opcode: text=" + text + " at=" + at);
      }
    }
    return new Opcode(
        text, vex, map, code, prefix, w, withoutRexB, registerInOpcode, modRm, digit, form, rm);
  }

  private static int wordEnd(String text, int from) {
    int blank = text.indexOf(' ', from);
    return blank < 0 ? text.length() : blank;
  }

  /** True if 38 or 3A stands there and another opcode byte follows. */
  private static boolean isEscape(String text, int at) {
    return (text.startsWith("38 ", at) || text.startsWith("3A ", at))
        && hex(text.charAt(at + 3)) >= 0;
  }

  private static int hex(char c) {
    return c <= '9' ? c >= '0' ? c - '0' : -1 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  }

  private static int prefix(String text) {
    return switch (text) {
      case "NP" -> PREFIX_NONE;
      case "66" -> PREFIX_66;
      case "F3" -> PREFIX_F3;
      case "F2" -> PREFIX_F2;
      case "NFx" -> PREFIX_NO_F;
      default -> -1;
    };
  }

  /**
   * True if the row matches where prefix class {@code inForce} (NONE, 66, F3 or F2) is in force.
   */
  boolean matchesPrefix(int inForce) {
    return prefix == inForce
        || prefix == PREFIX_ANY
        || (prefix == PREFIX_NO_F && inForce <= PREFIX_66);
  }

  @Override
  public String toString() {
    return text;
  }
}
