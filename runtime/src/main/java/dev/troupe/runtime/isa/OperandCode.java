package dev.troupe.runtime.isa;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An operand in the vendor manual's code (Intel SDM volume 2, appendix A.2; AMD APM volume 3,
 * appendix A.1): a kind, which says where the operand is, and a size. {@link #toString} gives the
 * manual's text.
 */
public enum OperandCode {
  E_B("Eb", Kind.RM, Size.B),
  E_W("Ew", Kind.RM, Size.W),
  E_D("Ed", Kind.RM, Size.D),
  E_V("Ev", Kind.RM, Size.V),
  E_Y("Ey", Kind.RM, Size.Y),
  R_D("Rd", Kind.RM_REGISTER, Size.D),
  R_V("Rv", Kind.RM_REGISTER, Size.V),
  R_Y("Ry", Kind.RM_REGISTER, Size.Y),
  G_B("Gb", Kind.REG, Size.B),
  G_W("Gw", Kind.REG, Size.W),
  G_D("Gd", Kind.REG, Size.D),
  G_V("Gv", Kind.REG, Size.V),
  G_Y("Gy", Kind.REG, Size.Y),
  B_Y("By", Kind.VVVV, Size.Y),
  Z_B("Zb", Kind.OPCODE, Size.B),
  Z_V("Zv", Kind.OPCODE, Size.V),
  /** Memory whose address alone matters, or whose size the meaning knows. */
  M("M", Kind.MEMORY, Size.NONE),
  M_B("Mb", Kind.MEMORY, Size.B),
  M_W("Mw", Kind.MEMORY, Size.W),
  M_D("Md", Kind.MEMORY, Size.D),
  M_Q("Mq", Kind.MEMORY, Size.Q),
  M_DQ("Mdq", Kind.MEMORY, Size.DQ),
  M_T("Mt", Kind.MEMORY, Size.T),
  M_V("Mv", Kind.MEMORY, Size.V),
  M_Y("My", Kind.MEMORY, Size.Y),
  /** BOUND's pair of limits. */
  M_A("Ma", Kind.MEMORY, Size.A),
  /** Far pointer: offset, then selector. */
  M_P("Mp", Kind.MEMORY, Size.P),
  /** Descriptor-table register image: 16-bit limit, then base. */
  M_S("Ms", Kind.MEMORY, Size.S),
  /** x87 environment, 14 or 28 bytes. */
  M_EN("Men", Kind.MEMORY, Size.NONE),
  /** x87 state, 94 or 108 bytes. */
  M_ST("Mst", Kind.MEMORY, Size.NONE),
  /** FXSAVE's 512 bytes. */
  M_FX("Mfx", Kind.MEMORY, Size.NONE),
  /** XSAVE area. */
  M_XS("Mxs", Kind.MEMORY, Size.NONE),
  I_B("Ib", Kind.IMMEDIATE, Size.B),
  /** Sign-extended to the operand size. */
  I_BS("Ibs", Kind.IMMEDIATE, Size.B),
  I_W("Iw", Kind.IMMEDIATE, Size.W),
  I_Z("Iz", Kind.IMMEDIATE, Size.Z),
  I_V("Iv", Kind.IMMEDIATE, Size.V),
  J_B("Jb", Kind.RELATIVE, Size.B),
  J_Z("Jz", Kind.RELATIVE, Size.Z),
  A_P("Ap", Kind.FAR_POINTER, Size.P),
  O_B("Ob", Kind.OFFSET, Size.B),
  O_V("Ov", Kind.OFFSET, Size.V),
  S_W("Sw", Kind.SEGMENT, Size.W),
  C_Y("Cy", Kind.CONTROL, Size.Y),
  D_Y("Dy", Kind.DEBUG, Size.Y),
  X_B("Xb", Kind.SOURCE_STRING, Size.B),
  X_V("Xv", Kind.SOURCE_STRING, Size.V),
  X_Z("Xz", Kind.SOURCE_STRING, Size.Z),
  Y_B("Yb", Kind.TARGET_STRING, Size.B),
  Y_V("Yv", Kind.TARGET_STRING, Size.V),
  Y_Z("Yz", Kind.TARGET_STRING, Size.Z),
  BX_B("BXb", Kind.XLAT, Size.B),
  ONE("1", Kind.ONE, Size.B),
  AL("AL", Kind.FIXED_REGISTER, Size.B, 0),
  CL("CL", Kind.FIXED_REGISTER, Size.B, 1),
  AX("AX", Kind.FIXED_REGISTER, Size.W, 0),
  DX("DX", Kind.FIXED_REGISTER, Size.W, 2),
  R_AX("rAX", Kind.FIXED_REGISTER, Size.V, 0),
  Z_AX("zAX", Kind.FIXED_REGISTER, Size.Z, 0),
  ES("ES", Kind.FIXED_SEGMENT, Size.W, 0),
  CS("CS", Kind.FIXED_SEGMENT, Size.W, 1),
  SS("SS", Kind.FIXED_SEGMENT, Size.W, 2),
  DS("DS", Kind.FIXED_SEGMENT, Size.W, 3),
  FS("FS", Kind.FIXED_SEGMENT, Size.W, 4),
  GS("GS", Kind.FIXED_SEGMENT, Size.W, 5),
  P_Q("Pq", Kind.MMX_REG, Size.Q),
  Q_Q("Qq", Kind.MMX_RM, Size.Q),
  Q_D("Qd", Kind.MMX_RM, Size.D),
  N_Q("Nq", Kind.MMX_RM_REGISTER, Size.Q),
  V_DQ("Vdq", Kind.XMM_REG, Size.DQ),
  V_PS("Vps", Kind.XMM_REG, Size.PS),
  V_PD("Vpd", Kind.XMM_REG, Size.PD),
  V_SS("Vss", Kind.XMM_REG, Size.SS),
  V_SD("Vsd", Kind.XMM_REG, Size.SD),
  W_DQ("Wdq", Kind.XMM_RM, Size.DQ),
  W_PS("Wps", Kind.XMM_RM, Size.PS),
  W_PD("Wpd", Kind.XMM_RM, Size.PD),
  W_SS("Wss", Kind.XMM_RM, Size.SS),
  W_SD("Wsd", Kind.XMM_RM, Size.SD),
  W_Q("Wq", Kind.XMM_RM, Size.Q),
  W_D("Wd", Kind.XMM_RM, Size.D),
  W_W("Ww", Kind.XMM_RM, Size.W),
  U_DQ("Udq", Kind.XMM_RM_REGISTER, Size.DQ),
  U_PS("Ups", Kind.XMM_RM_REGISTER, Size.PS),
  U_PD("Upd", Kind.XMM_RM_REGISTER, Size.PD),
  U_SS("Uss", Kind.XMM_RM_REGISTER, Size.SS),
  U_SD("Usd", Kind.XMM_RM_REGISTER, Size.SD),
  XMM0("XMM0", Kind.FIXED_XMM, Size.DQ, 0),
  ST("ST", Kind.X87_TOP, Size.T, 0),
  ST_I("STi", Kind.X87_RM, Size.T);

  /** Where an operand is. */
  public enum Kind {
    /** General register or memory, by ModRM.rm. */
    RM,
    /** General register by ModRM.rm, never memory. */
    RM_REGISTER,
    /** General register by ModRM.reg. */
    REG,
    /** General register by VEX.vvvv. */
    VVVV,
    /** General register in the opcode's low three bits. */
    OPCODE,
    /** Memory by ModRM.rm. */
    MEMORY,
    IMMEDIATE,
    /** Branch distance from the next instruction. */
    RELATIVE,
    /** Offset and selector in the instruction. */
    FAR_POINTER,
    /** Memory at an offset in the instruction, as long as the address size. */
    OFFSET,
    /** Segment register by ModRM.reg. */
    SEGMENT,
    /** Control register by ModRM.reg. */
    CONTROL,
    /** Debug register by ModRM.reg. */
    DEBUG,
    /** Memory at DS:rSI; the segment can be overridden. */
    SOURCE_STRING,
    /** Memory at ES:rDI. */
    TARGET_STRING,
    /** Memory at DS:rBX + AL. */
    XLAT,
    /** The constant 1. */
    ONE,
    FIXED_REGISTER,
    FIXED_SEGMENT,
    FIXED_XMM,
    MMX_REG,
    MMX_RM,
    MMX_RM_REGISTER,
    XMM_REG,
    XMM_RM,
    XMM_RM_REGISTER,
    X87_TOP,
    /** x87 register by ModRM.rm. */
    X87_RM;

    /** True if an operand of this kind can be, or is, memory by ModRM. */
    public boolean mayBeMemory() {
      return this == RM || this == MEMORY || this == MMX_RM || this == XMM_RM;
    }
  }

  /** How wide an operand is. */
  public enum Size {
    NONE(0),
    B(8),
    W(16),
    D(32),
    Q(64),
    DQ(128),
    /** 80-bit extended real or packed decimal. */
    T(80),
    /** Scalar and packed floating point. */
    SS(32),
    SD(64),
    PS(128),
    PD(128),
    /** The operand size. */
    V(-1),
    /** 64 if the operand size is, else 32. */
    Y(-1),
    /** 16 if the operand size is, else 32. */
    Z(-1),
    /** Operand size and 16 more. */
    P(-1),
    /** Twice the operand size. */
    A(-1),
    /** 80 in 64-bit mode, else 48. */
    S(-1);

    private final int bits;

    Size(int bits) {
      this.bits = bits;
    }

    /** Width in bits at an operand size of 16, 32 or 64; 0 if the meaning alone knows. */
    public int bits(int operandSize) {
      return switch (this) {
        case V -> operandSize;
        case Y -> Math.max(operandSize, 32);
        case Z -> Math.min(operandSize, 32);
        case P -> operandSize + 16;
        case A -> 2 * operandSize;
        case S -> operandSize == 64 ? 80 : 48;
        default -> bits;
      };
    }
  }

  private static final Map<String, OperandCode> BY_TEXT = new LinkedHashMap<>();

  static {
    for (OperandCode code : values()) {
      BY_TEXT.put(code.text, code);
    }
  }

  private final String text;
  private final Kind kind;
  private final Size size;
  private final int fixed;

  OperandCode(String text, Kind kind, Size size) {
    this(text, kind, size, -1);
  }

  OperandCode(String text, Kind kind, Size size, int fixed) {
    this.text = text;
    this.kind = kind;
    this.size = size;
    this.fixed = fixed;
  }

  /** The code with the manual's text, such as {@code Ev}. */
  public static OperandCode of(String text) {
    OperandCode code = BY_TEXT.get(text);
    if (code == null) {
      throw new IllegalArgumentException("no operand code: text=" + text);
    }
    return code;
  }

  public Kind kind() {
    return kind;
  }

  public Size size() {
    return size;
  }

  /** Width in bits at an operand size of 16, 32 or 64; 0 if the meaning alone knows. */
  public int bits(int operandSize) {
    return size.bits(operandSize);
  }

  /** The register number of a fixed operand, else -1. */
  public int fixed() {
    return fixed;
  }

  @Override
  public String toString() {
    return text;
  }
}
