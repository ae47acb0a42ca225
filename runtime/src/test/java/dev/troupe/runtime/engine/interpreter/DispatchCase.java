package dev.troupe.runtime.engine.interpreter;

import dev.troupe.runtime.isa.Insn;
import dev.troupe.runtime.isa.OperandCode;
import dev.troupe.runtime.isa.OperandCode.Kind;
import dev.troupe.runtime.isa.Row;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * The text of one case of the dispatch: a row at an operand size, with a register or with memory,
 * with or without LOCK.
 */
final class DispatchCase {
  private static final Set<String> BIT_STRINGS = Set.of("BT", "BTS", "BTR", "BTC");

  private static final String[] CONDITIONS = {
    "overflow", "below", "zero", null, "sign", "parity", null, null
  };

  private final Row row;
  private final Method method;
  private final int size;
  private final boolean memory;
  private final boolean lock;
  private final StringBuilder text = new StringBuilder();

  DispatchCase(Row row, Method method, int size, boolean memory, boolean lock) {
    this.row = row;
    this.method = method;
    this.size = size;
    this.memory = memory;
    this.lock = lock;
  }

  private String call(List<String> arguments) {
    List<String> all = new ArrayList<>();
    all.add("c");
    if (Arrays.asList(method.getParameterTypes()).contains(boolean.class)) {
      all.add(condition(row.encoding().code() & 15));
    }
    all.addAll(arguments);
    return method.getDeclaringClass().getSimpleName()
        + "."
        + method.getName()
        + "("
        + String.join(", ", all)
        + ")";
  }

  private static String condition(int code) {
    String not = (code & 1) != 0 ? "!" : "";
    return switch (code >> 1) {
      case 3 -> not.isEmpty() ? "Flags.belowOrEqual(c)" : "!Flags.belowOrEqual(c)";
      case 6 -> not + "Flags.less(c)";
      case 7 -> not + "Flags.lessOrEqual(c)";
      default -> not + "Flags." + CONDITIONS[code >> 1] + "(c)";
    };
  }

  String body() {
    List<Class<?>> types = List.of(method.getParameterTypes());
    boolean longs = types.contains(long.class) || method.getReturnType() == long.class;
    if (types.contains(Insn.class)) {
      List<String> arguments = new ArrayList<>(List.of("i"));
      if (types.contains(int.class)) {
        arguments.add(Integer.toString(operationSize()));
      }
      return call(arguments) + ";\n";
    }
    if (longs) {
      integer(types);
    } else {
      vector();
    }
    return text.toString();
  }

  /** The first operand's width; a port number and a relative distance say nothing about it. */
  private int operationSize() {
    for (OperandCode operand : row.operands()) {
      int bits = operand.bits(size);
      boolean number =
          operand.kind() == Kind.RELATIVE
              || (operand.kind() == Kind.IMMEDIATE && row.operands().size() > 1)
              || operand == OperandCode.DX
              || row.meaning().equals("RET")
              || (row.meaning().equals("PUSH") && operand.kind() == Kind.IMMEDIATE)
              || row.meaning().equals("ENTER");
      if (!number && bits != 0) {
        return bits > 64 || row.meaning().equals("BOUND") ? size : bits;
      }
    }
    return size;
  }

  private void integer(List<Class<?>> types) {
    int width = operationSize();
    List<String> arguments = new ArrayList<>();
    OperandCode first = row.operands().isEmpty() ? null : row.operands().getFirst();
    boolean result = method.getReturnType() == long.class;
    boolean firstInMemory = first != null && inMemory(first);
    boolean writes = result && first != null && row.writes(0);
    long want = types.stream().filter(t -> t == long.class).count();
    int sourceSize = width;
    List<String> locals = new ArrayList<>();
    for (int n = 0; n < row.operands().size(); n++) {
      OperandCode operand = row.operands().get(n);
      boolean address = row.access().charAt(n) == 'a';
      if (!row.reads(n) && !address) {
        continue;
      }
      int bits = operand.bits(size);
      if (row.meaning().equals("MOVSXD")) {
        bits = Math.min(bits, size); // r16 takes r/m16
      }
      if (operand.kind() == Kind.IMMEDIATE
          && row.operands().size() > 1
          && !row.meaning().equals("IN")
          && !row.meaning().equals("OUT")) {
        bits = operand == OperandCode.I_B ? 8 : width;
      } else if (operand.kind() == Kind.IMMEDIATE && row.meaning().equals("PUSH")) {
        bits = width;
      }
      String value =
          address
              ? "Operands.offset(c, i)"
              : n == 0 && writes && firstInMemory ? "old" : read(operand, bits);
      if (inMemory(operand) && !value.equals("old") && !address) {
        locals.add("long m = " + value + ";\n");
        value = "m";
      }
      arguments.add(value);
      sourceSize = bits;
    }
    if (arguments.size() != want) {
      throw new IllegalStateException(
          row + " reads " + arguments.size() + " operands, " + method + " takes " + want);
    }
    long ints = types.stream().filter(t -> t == int.class).count();
    arguments.add(Integer.toString(width));
    if (ints == 2) {
      arguments.add(Integer.toString(sourceSize));
    }
    if (!writes || !firstInMemory) {
      locals.forEach(text::append);
      text.append(writes ? write(first, width, call(arguments)) : call(arguments)).append(";\n");
      return;
    }
    String address =
        bitString()
            ? "Operands.bitAddress(c, i, " + arguments.get(1) + ", " + width + ", true)"
            : "Operands.address(c, i, " + width / 8 + ", true)";
    text.append("long a = ").append(address).append(";\n");
    if (!row.reads(0)) {
      text.append("c.mmu.store")
          .append(width)
          .append("(a, ")
          .append(call(arguments))
          .append(");\n");
    } else if (lock) {
      text.append("long carry = c.flagCarry;\nlong old;\nlong r;\ndo {\n");
      text.append("c.flagCarry = carry;\nold = c.mmu.loadRmw").append(width).append("(a);\n");
      text.append("r = ").append(call(arguments)).append(";\n");
      text.append("} while (!Operands.compareAndSet(c, a, ").append(width).append(", old, r));\n");
    } else {
      text.append("long old = c.mmu.loadRmw").append(width).append("(a);\n");
      text.append("c.mmu.store")
          .append(width)
          .append("(a, ")
          .append(call(arguments))
          .append(");\n");
    }
  }

  private boolean bitString() {
    return BIT_STRINGS.contains(row.meaning()) && row.operands().get(1).kind() == Kind.REG;
  }

  private boolean inMemory(OperandCode operand) {
    return switch (operand.kind()) {
      case RM, MEMORY, OFFSET -> memory;
      default -> false;
    };
  }

  private String read(OperandCode operand, int bits) {
    return switch (operand.kind()) {
      case RM, RM_REGISTER, MEMORY, OFFSET ->
          inMemory(operand) ? load(bits) : register("i.rm", bits);
      case REG, OPCODE -> register("i.reg", bits);
      case VVVV -> register("i.vvvv", bits);
      case IMMEDIATE -> mask("i.immediate", bits);
      case ONE -> "1";
      case FIXED_REGISTER -> register(Integer.toString(operand.fixed()), bits);
      default -> throw new IllegalStateException(row + ": " + operand + " is no integer");
    };
  }

  private String load(int bits) {
    String address =
        bitString()
            ? "Operands.bitAddress(c, i, "
                + read(row.operands().get(1), bits)
                + ", "
                + bits
                + ", false)"
            : "Operands.address(c, i, " + bits / 8 + ", false)";
    return "c.mmu.load" + bits + "(" + address + ")";
  }

  private static String register(String number, int bits) {
    return switch (bits) {
      case 8 ->
          number.startsWith("i")
              ? "Operands.register8(c, " + number + ")"
              : "c.gpr[" + number + "] & 0xFF";
      case 64 -> "c.gpr[" + number + "]";
      default -> mask("c.gpr[" + number + "]", bits);
    };
  }

  private static String mask(String value, int bits) {
    return switch (bits) {
      case 8 -> value + " & 0xFF";
      case 16 -> value + " & 0xFFFF";
      case 32 -> value + " & 0xFFFF_FFFFL";
      default -> value;
    };
  }

  private String write(OperandCode operand, int bits, String value) {
    String number =
        switch (operand.kind()) {
          case RM, RM_REGISTER -> "i.rm";
          case REG, OPCODE -> "i.reg";
          case VVVV -> "i.vvvv";
          case FIXED_REGISTER -> Integer.toString(operand.fixed());
          default -> throw new IllegalStateException(row + ": cannot write " + operand);
        };
    return switch (bits) {
      case 8 -> "Operands.setRegister8(c, " + number + ", " + value + ")";
      case 16 -> "Operands.setRegister16(c, " + number + ", " + value + ")";
      case 32 -> "c.gpr[" + number + "] = " + value + " & 0xFFFF_FFFFL";
      default -> "c.gpr[" + number + "] = " + value;
    };
  }

  private void vector() {
    List<String> arguments = new ArrayList<>();
    String store = "";
    boolean mmxRow =
        row.operands().stream().anyMatch(o -> o.kind() == Kind.MMX_REG || o.kind() == Kind.MMX_RM);
    boolean xmmRow =
        row.operands().stream().anyMatch(o -> o.kind() == Kind.XMM_REG || o.kind() == Kind.XMM_RM);
    for (int n = 0; n < row.operands().size(); n++) {
      OperandCode operand = row.operands().get(n);
      switch (operand.kind()) {
        case XMM_REG, MMX_REG, REG -> arguments.add("i.reg");
        case XMM_RM_REGISTER, MMX_RM_REGISTER -> arguments.add("i.rm");
        case IMMEDIATE -> arguments.add("(int) i.immediate");
        case FIXED_XMM -> {}
        case X87_TOP -> {}
        case X87_RM -> arguments.add("i.rm");
        case XMM_RM, MMX_RM, MEMORY -> {
          if (!memory) {
            arguments.add("i.rm");
            continue;
          }
          arguments.add("Vectors.SLOT");
          boolean mmx =
              operand.kind() == Kind.MMX_RM
                  || (mmxRow && !(xmmRow && operand.kind() == Kind.XMM_RM));
          int bits = operand.bits(size);
          String width =
              "(c, i, "
                  + bits
                  + (mmx ? "" : ", " + (bits == 128 && !row.has(Row.UNALIGNED)))
                  + ");\n";
          if (row.writes(n)) {
            store = (mmx ? "Vectors.storeMmx" : "Vectors.store") + width;
          } else {
            text.append(mmx ? "Vectors.loadMmx" : "Vectors.load").append(width);
          }
        }
        default ->
            throw new IllegalStateException(row + ": " + operand + " is no vector, for " + method);
      }
    }
    if (arguments.size() != method.getParameterCount() - 1) {
      throw new IllegalStateException(row + " has " + arguments + ", " + method);
    }
    text.append(call(arguments)).append(";\n").append(store);
  }
}
