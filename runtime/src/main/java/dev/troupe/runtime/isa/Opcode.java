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
    String[] parts = text.split(" ");
    boolean vex = false;
    int prefix = PREFIX_ANY;
    int w = -1;
    int at = 0;
    if (parts[0].startsWith("VEX.L0.")) {
      vex = true;
      prefix = prefix(parts[0].substring(7));
      at++;
    } else if (prefix(parts[0]) >= 0) {
      prefix = prefix(parts[0]);
      at++;
    }
    if (parts[at].startsWith("W")) {
      w = parts[at++].charAt(1) - '0';
    }
    int map = 0;
    if (parts[at].equals("0F")) {
      at++;
      map = 1;
      if (parts[at].equals("38") && isByte(parts, at + 1)) {
        map = 2;
        at++;
      } else if (parts[at].equals("3A") && isByte(parts, at + 1)) {
        map = 3;
        at++;
      }
    }
    int code = Integer.parseInt(parts[at], 0, 2, 16);
    boolean registerInOpcode = parts[at].endsWith("+r");
    at++;
    boolean withoutRexB = false;
    boolean modRm = false;
    int digit = -1;
    int form = FORM_ANY;
    int rm = -1;
    for (; at < parts.length; at++) {
      String part = parts[at];
      switch (part) {
        case "B0" -> withoutRexB = true;
        case "/r" -> modRm = true;
        case "m" -> form = FORM_MEMORY;
        case "r" -> form = FORM_REGISTER;
        default -> {
          if (part.startsWith("/")) {
            modRm = true;
            digit = part.charAt(1) - '0';
          } else if (part.startsWith("rm=")) {
            rm = part.charAt(3) - '0';
            form = FORM_REGISTER;
          } else {
            throw new IllegalArgumentException("opcode: text=" + text + " part=" + part);
          }
        }
      }
    }
    return new Opcode(
        text, vex, map, code, prefix, w, withoutRexB, registerInOpcode, modRm, digit, form, rm);
  }

  private static boolean isByte(String[] parts, int at) {
    return at < parts.length
        && parts[at].length() >= 2
        && Character.digit(parts[at].charAt(0), 16) >= 0;
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
        || prefix == PREFIX_NO_F && inForce <= PREFIX_66;
  }

  @Override
  public String toString() {
    return text;
  }
}
