package dev.troupe.runtime.engine.interpreter;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Binds a method to a meaning that rows of the instruction table name. The dispatch generator reads
 * it; nothing does at run time.
 *
 * <p>The signature tells the kind; {@code size} is the operation's size in bits (8, 16, 32, 64), a
 * constant in each generated case; integer operands come zero-extended and results are truncated by
 * the generated case:
 *
 * <ul>
 *   <li>{@code long f(Cpu, long first, long second, int size)}: the result goes to the first
 *       operand
 *   <li>{@code long f(Cpu, long operand, int size)}: read, modified and written; or, where the row
 *       only writes its first operand, the value of the second operand on its way to the first
 *   <li>{@code long f(Cpu, long source, int size, int sourceSize)}: as the latter, told the width
 *       of the source
 *   <li>{@code void f(Cpu, long first, long second, int size)} and {@code void f(Cpu, long operand,
 *       int size)}: only flags
 *   <li>{@code void f(Cpu, int to, int from)} and {@code void f(Cpu, int to, int from, int
 *       immediate)}: vector slot numbers
 *   <li>{@code void f(Cpu, Insn)}: free-form, does everything itself
 * </ul>
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Meaning {
  /** Names in the table's last column. */
  String[] value();

  /** What the method does to the flow of control. */
  Flow flow() default Flow.DEFAULT;

  /** How an instruction and the block that it stands in go on. */
  enum Flow {
    /**
     * {@link #NEXT}, but for the free-form methods of classes whose rows are system instructions:
     * {@link #END}.
     */
    DEFAULT,
    /** Goes on with the next instruction of the block; may fault, changes no mode. */
    NEXT,
    /**
     * Ends the block: {@code cpu.rip} is the instruction's own during the method and advanced after
     * it unless {@code jump} was called.
     */
    END,
    /**
     * Ends the block; {@code cpu.rip} is the next instruction's during the method, which overwrites
     * it to jump. No mode changes.
     */
    BRANCH
  }
}
