package dev.troupe.runtime.debug.gdb;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Msrs;
import dev.troupe.runtime.cpu.Rflags;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The registers of a vCPU in GDB's order, and the target description that says so (GDB manual, G.5
 * Standard Target Features, x86): core, x87, SSE and segment bases by the names GDB knows, control
 * registers in a feature of our own, named as QEMU names them. One set for 64-bit guests, one for
 * others: GDB takes one architecture for a session.
 */
final class RegisterSet {
  /** What a target description calls a feature, and its registers. */
  private record Feature(String name, String types, List<Register> registers) {}

  /** By the numbers that GDB gives them in 64-bit code. */
  private static final String[] NAMES_64 = {
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
  };

  private static final int[] NUMBERS_64 = {
    Cpu.RAX, Cpu.RBX, Cpu.RCX, Cpu.RDX, Cpu.RSI, Cpu.RDI, Cpu.RBP, Cpu.RSP, 8, 9, 10, 11, 12, 13,
    14, 15
  };

  private static final String[] NAMES_32 = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};

  /** Virtual-8086 mode is entered by more than its flag. */
  private static final long WRITABLE_FLAGS = Rflags.ALL & ~(Rflags.VM | Rflags.RF);

  private static final String VECTORS =
      """
      <vector id="v4f" type="ieee_single" count="4"/>
      <vector id="v2d" type="ieee_double" count="2"/>
      <vector id="v16i8" type="int8" count="16"/>
      <vector id="v8i16" type="int16" count="8"/>
      <vector id="v4i32" type="int32" count="4"/>
      <vector id="v2i64" type="int64" count="2"/>
      <union id="vec128">
      <field name="v4_float" type="v4f"/>
      <field name="v2_double" type="v2d"/>
      <field name="v16_int8" type="v16i8"/>
      <field name="v8_int16" type="v8i16"/>
      <field name="v4_int32" type="v4i32"/>
      <field name="v2_int64" type="v2i64"/>
      <field name="uint128" type="uint128"/>
      </union>
      """;

  /** For 64-bit guests. */
  static final RegisterSet LONG = new RegisterSet(true);

  /** For guests of 32 and 16 bits. */
  static final RegisterSet SHORT = new RegisterSet(false);

  private final List<Register> registers;
  private final String description;

  private RegisterSet(boolean wide) {
    List<Feature> features = new ArrayList<>();
    features.add(new Feature("org.gnu.gdb.i386.core", "", core(wide)));
    features.add(new Feature("org.gnu.gdb.i386.sse", VECTORS, vectors(wide ? 16 : 8)));
    if (wide) {
      features.add(
          new Feature(
              "org.gnu.gdb.i386.segments",
              "",
              List.of(
                  Register.fixed("fs_base", "int", 8, c -> c.segmentBase[Cpu.FS]),
                  Register.fixed("gs_base", "int", 8, c -> c.segmentBase[Cpu.GS]))));
    }
    features.add(new Feature("dev.troupe.i386.system", "", system(wide ? 8 : 4)));
    registers = features.stream().flatMap(f -> f.registers.stream()).toList();
    description = describe(wide ? "i386:x86-64" : "i386", features);
  }

  /** Which set serves a machine with this vCPU. */
  static RegisterSet of(Cpu cpu) {
    return (cpu.efer & Msrs.EFER_LMA) != 0 ? LONG : SHORT;
  }

  private static List<Register> core(boolean wide) {
    int word = wide ? 8 : 4;
    String data = wide ? "int64" : "int32";
    List<Register> all = new ArrayList<>();
    String[] names = wide ? NAMES_64 : NAMES_32;
    for (int i = 0; i < names.length; i++) {
      int n = wide ? NUMBERS_64[i] : i;
      boolean pointer = n == Cpu.RSP || n == Cpu.RBP;
      all.add(
          Register.number(
              names[i],
              pointer ? "data_ptr" : data,
              word,
              c -> c.gpr[n],
              (c, value) -> c.gpr[n] = value));
    }
    all.add(
        Register.number(
            wide ? "rip" : "eip", "code_ptr", word, c -> c.rip, (c, value) -> c.rip = value));
    all.add(
        Register.number(
            "eflags", "int32", 4, Rflags::get, (c, value) -> Rflags.set(c, value, WRITABLE_FLAGS)));
    int[] segments = {Cpu.CS, Cpu.SS, Cpu.DS, Cpu.ES, Cpu.FS, Cpu.GS};
    String[] segmentNames = {"cs", "ss", "ds", "es", "fs", "gs"};
    for (int i = 0; i < segments.length; i++) {
      int segment = segments[i];
      all.add(Register.fixed(segmentNames[i], "int32", 4, c -> c.selector[segment]));
    }
    for (int i = 0; i < 8; i++) {
      int n = i;
      all.add(
          new Register(
              "st" + i,
              "i387_ext",
              10,
              (c, to) -> putX87(c, n, to),
              (c, from) -> takeX87(c, n, from)));
    }
    all.add(Register.fixed("fctrl", "int", 4, c -> c.x87.control));
    all.add(Register.fixed("fstat", "int", 4, c -> c.x87.statusWord()));
    all.add(Register.fixed("ftag", "int", 4, c -> c.x87.tagWord()));
    all.add(Register.fixed("fiseg", "int", 4, c -> 0));
    all.add(Register.fixed("fioff", "int", 4, c -> c.x87.instructionPointer));
    all.add(Register.fixed("foseg", "int", 4, c -> 0));
    all.add(Register.fixed("fooff", "int", 4, c -> c.x87.dataPointer));
    all.add(Register.fixed("fop", "int", 4, c -> c.x87.opcode));
    return all;
  }

  private static void putX87(Cpu c, int n, ByteBuffer to) {
    int physical = c.x87.physical(n);
    to.putLong(c.x87.significand[physical]).putShort((short) c.x87.exponent[physical]);
  }

  private static boolean takeX87(Cpu c, int n, ByteBuffer from) {
    int physical = c.x87.physical(n);
    c.x87.significand[physical] = from.getLong();
    c.x87.exponent[physical] = Short.toUnsignedInt(from.getShort());
    return true;
  }

  private static List<Register> vectors(int count) {
    List<Register> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int n = 2 * i;
      all.add(
          new Register(
              "xmm" + i,
              "vec128",
              16,
              (c, to) -> to.putLong(c.xmm[n]).putLong(c.xmm[n + 1]),
              (c, from) -> {
                c.xmm[n] = from.getLong();
                c.xmm[n + 1] = from.getLong();
                return true;
              }));
    }
    all.add(Register.fixed("mxcsr", "int", 4, c -> c.mxcsr));
    return all;
  }

  private static List<Register> system(int word) {
    List<Register> all = new ArrayList<>();
    if (word == 8) {
      all.add(Register.fixed("k_gs_base", "int", word, c -> c.msrs.kernelGsBase));
    }
    all.add(Register.fixed("cr0", "int", word, c -> c.cr0));
    all.add(Register.fixed("cr2", "int", word, c -> c.cr2));
    all.add(Register.fixed("cr3", "int", word, c -> c.cr3));
    all.add(Register.fixed("cr4", "int", word, c -> c.cr4));
    all.add(Register.fixed("efer", "int", word, c -> c.efer));
    return all;
  }

  private static String describe(String architecture, List<Feature> features) {
    StringBuilder xml = new StringBuilder("<?xml version=\"1.0\"?>\n");
    xml.append("<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n");
    xml.append("<architecture>").append(architecture).append("</architecture>\n");
    for (Feature feature : features) {
      xml.append("<feature name=\"").append(feature.name).append("\">\n").append(feature.types);
      for (Register register : feature.registers) {
        xml.append(
            "<reg name=\"%s\" bitsize=\"%d\" type=\"%s\"/>\n"
                .formatted(register.name(), 8 * register.bytes(), register.type()));
      }
      xml.append("</feature>\n");
    }
    return xml.append("</target>\n").toString();
  }

  /** The target description, in XML. */
  String description() {
    return description;
  }

  int count() {
    return registers.size();
  }

  /** One register's value, as bytes. */
  byte[] read(Cpu cpu, int number) {
    Register register = registers.get(number);
    byte[] bytes = new byte[register.bytes()];
    register.reader().put(cpu, wrap(bytes));
    return bytes;
  }

  /** All registers' values, one after another. */
  byte[] readAll(Cpu cpu) {
    byte[] bytes = new byte[registers.stream().mapToInt(Register::bytes).sum()];
    ByteBuffer to = wrap(bytes);
    registers.forEach(register -> register.reader().put(cpu, to));
    return bytes;
  }

  /** Sets a register; false if that cannot be, or these are not its bytes. */
  boolean write(Cpu cpu, int number, byte[] value) {
    Register register = registers.get(number);
    return value.length == register.bytes() && register.writer().take(cpu, wrap(value));
  }

  /** Sets all of them; false if one cannot be. */
  boolean writeAll(Cpu cpu, byte[] values) {
    if (values.length != readAll(cpu).length) {
      return false;
    }
    ByteBuffer from = wrap(values);
    boolean all = true;
    for (Register register : registers) {
      all &= register.writer().take(cpu, from);
    }
    return all;
  }

  private static ByteBuffer wrap(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
