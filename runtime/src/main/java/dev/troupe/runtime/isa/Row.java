package dev.troupe.runtime.isa;

/** One row of the instruction table; see the table's own head for the columns. Filled out by the table work. */
public record Row(int number, String opcode, String mnemonic, String syntax, String meaning) {}
