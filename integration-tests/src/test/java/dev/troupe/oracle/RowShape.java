package dev.troupe.oracle;

import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.Row;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.Set;

/** What a row does with its operand in memory, and so what must be there for it to do something. */
record RowShape(Row row) {
  /** Memory operands larger than a window. */
  private static final Set<OperandCode> AREAS =
      EnumSet.of(OperandCode.M_FX, OperandCode.M_XS, OperandCode.M_EN, OperandCode.M_ST);

  /** The legacy area and the header. */
  private static final int XSAVE_SIZE = 576;

  /** A near branch to where its operand says. */
  boolean isIndirect() {
    return row.meaning().equals("CALL_E") || row.meaning().equals("JMP_E");
  }

  boolean isOffset() {
    return row.operands().stream().anyMatch(o -> o.kind() == OperandCode.Kind.OFFSET);
  }

  boolean isBitString() {
    return row.meaning().startsWith("BT") && row.operands().get(1).kind() == OperandCode.Kind.REG;
  }

  boolean isFarMemory() {
    return row.operands().contains(OperandCode.M_P);
  }

  boolean isArea() {
    return row.operands().stream().anyMatch(AREAS::contains);
  }

  boolean isExtendedState() {
    return row.operands().contains(OperandCode.M_XS);
  }

  /** Its operand is a selector. */
  boolean isSelectorRow() {
    return switch (row.meaning()) {
      case "LAR", "LSL", "VERR", "VERW", "MOV_S_E", "ARPL" -> true;
      default -> false;
    };
  }

  /** Three windows with an area at {@code offset}: mostly one that FXRSTOR and XRSTOR take. */
  byte[] area(CaseValues values, int offset) {
    byte[] fx = new byte[CpuImage.FX_SIZE];
    values.floatingPoint(fx);
    byte[] all = new byte[3 * CpuImage.WINDOW];
    values.fill(all);
    if (isExtendedState() || row.operands().contains(OperandCode.M_FX)) {
      if (!values.oneIn(6)) {
        System.arraycopy(fx, 0, all, offset, fx.length);
      }
    }
    if (isExtendedState() && offset + XSAVE_SIZE <= all.length) {
      header(ByteBuffer.wrap(all, offset + CpuImage.FX_SIZE, 64).slice(), values);
    }
    return all;
  }

  /** XSTATE_BV, XCOMP_BV and the bytes that must be zero (SDM vol. 1, 13.4.2). */
  private static void header(ByteBuffer header, CaseValues values) {
    header.order(ByteOrder.LITTLE_ENDIAN).put(0, new byte[64]);
    header.putLong(0, values.below(4));
    if (values.oneIn(3)) {
      header.putLong(8, Long.MIN_VALUE | values.below(4));
    }
    if (values.oneIn(8)) {
      header.putLong(8 * values.below(8), 1L << 62);
    }
  }
}
