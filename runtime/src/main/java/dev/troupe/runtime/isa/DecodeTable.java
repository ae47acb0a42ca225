package dev.troupe.runtime.isa;

import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Flat lookup arrays from opcode to row, for one set of features. Immutable; one serves every vCPU
 * of that model. Rows whose feature is missing are not in it, so what lies beneath shows (BSF under
 * TZCNT, NOP under PAUSE).
 */
public final class DecodeTable {
  /** No row. */
  static final int NONE = -1;

  private static final int MAPS = 8;
  private static final int CLASSES = 4;
  private static final int MODRM_VALUES = 256;
  private static final int MOST_SPECIFIC = 16 + 8 + 2 + 2 + 1;

  /**
   * By opcode key and prefix class: a node, or {@link #NONE}, or -2 - offset into {@link #byModRm}.
   */
  private final int[] byOpcode = new int[MAPS * 256 * CLASSES];

  /** Blocks of 256 nodes by ModRM byte. */
  private int[] byModRm = new int[MODRM_VALUES * 128];

  private int blocks;

  /** Candidates: row and what to try if the row's condition (mode, REX.W, REX.B) does not hold. */
  private Row[] nodeRow = new Row[1600];

  private int[] nodeNext = new int[1600];
  private int nodes;

  private record Known(Set<Feature> features, DecodeTable table) {}

  private static volatile Known last;

  /**
   * Builds a table.
   *
   * @param features the CPU model's; {@link Feature#BASE} is always meant
   */
  public DecodeTable(Set<Feature> features) {
    Arrays.fill(byOpcode, NONE);
    List<Row> rows = InstructionTable.rows();
    byte[] order = new byte[rows.size()];
    for (int n = 0; n < order.length; n++) {
      Row row = rows.get(n);
      boolean there = row.feature() == Feature.BASE || features.contains(row.feature());
      order[n] = (byte) (there ? specificity(row) : -1);
    }
    // The more a row demands, the later it is put in, over what demands less.
    for (int specificity = 0; specificity <= MOST_SPECIFIC; specificity++) {
      for (int n = 0; n < order.length; n++) {
        if (order[n] == specificity) {
          add(rows.get(n));
        }
      }
    }
  }

  /**
   * The table for a CPU model's features; that of the last caller is kept, as a machine's vCPUs are
   * alike.
   */
  public static DecodeTable of(Set<Feature> features) {
    Known known = last;
    if (known == null || !known.features.equals(features)) {
      known = new Known(Set.copyOf(features), new DecodeTable(features));
      last = known;
    }
    return known.table;
  }

  private void add(Row row) {
    Opcode opcode = row.encoding();
    int count = opcode.registerInOpcode() ? 8 : 1;
    for (int r = 0; r < count; r++) {
      for (int prefix = 0; prefix < CLASSES; prefix++) {
        if (opcode.matchesPrefix(prefix)) {
          add(row, key(opcode.vex(), opcode.map(), opcode.code() + r, prefix));
        }
      }
    }
  }

  private static int specificity(Row row) {
    Opcode opcode = row.encoding();
    return (opcode.prefix() <= Opcode.PREFIX_F2 ? 16 : 0)
        + (opcode.rm() >= 0 ? 8 : 0)
        + (opcode.form() != Opcode.FORM_ANY ? 2 : 0)
        + (opcode.digit() >= 0 ? 2 : 0)
        + (conditional(row) ? 1 : 0);
  }

  private static boolean conditional(Row row) {
    return row.has(Row.I64 | Row.O64) || row.encoding().w() >= 0 || row.encoding().withoutRexB();
  }

  static int key(boolean vex, int map, int code, int prefix) {
    return (((vex ? 4 : 0) + map) * 256 + code) * CLASSES + prefix;
  }

  private void add(Row row, int key) {
    Opcode opcode = row.encoding();
    int old = byOpcode[key];
    boolean whole = opcode.digit() < 0 && opcode.form() == Opcode.FORM_ANY;
    if (whole && old >= NONE) {
      byOpcode[key] = node(row, old);
      return;
    }
    int block = old < NONE ? -2 - old : newBlock(old);
    byOpcode[key] = -2 - block;
    int from = NONE;
    int to = NONE;
    int firstMod = opcode.form() == Opcode.FORM_REGISTER ? 3 : 0;
    int lastMod = opcode.form() == Opcode.FORM_MEMORY ? 2 : 3;
    int firstReg = Math.max(opcode.digit(), 0);
    int lastReg = opcode.digit() < 0 ? 7 : firstReg;
    int firstRm = Math.max(opcode.rm(), 0);
    int lastRm = opcode.rm() < 0 ? 7 : firstRm;
    for (int mod = firstMod; mod <= lastMod; mod++) {
      for (int reg = firstReg; reg <= lastReg; reg++) {
        for (int rm = firstRm; rm <= lastRm; rm++) {
          int at = block + (mod << 6 | reg << 3 | rm);
          if (byModRm[at] != from || to == NONE) {
            from = byModRm[at];
            to = node(row, from);
          }
          byModRm[at] = to;
        }
      }
    }
  }

  private int newBlock(int fill) {
    int block = blocks;
    blocks += MODRM_VALUES;
    if (blocks > byModRm.length) {
      byModRm = Arrays.copyOf(byModRm, 2 * byModRm.length);
    }
    Arrays.fill(byModRm, block, blocks, fill);
    return block;
  }

  private int node(Row row, int next) {
    if (nodes == nodeRow.length) {
      nodeRow = Arrays.copyOf(nodeRow, 2 * nodes);
      nodeNext = Arrays.copyOf(nodeNext, 2 * nodes);
    }
    nodeRow[nodes] = row;
    nodeNext[nodes] = conditional(row) ? next : NONE;
    return nodes++;
  }

  /**
   * The entry at a key: a node, {@link #NONE}, or less than that if the ModRM byte decides ({@link
   * #byModRm}).
   */
  int entry(int key) {
    return byOpcode[key];
  }

  /** The node for a ModRM byte, where {@link #entry} said that it decides. */
  int byModRm(int entry, int modRm) {
    return byModRm[-2 - entry + modRm];
  }

  /** True if any candidate from this node on has a ModRM byte (all have, or none). */
  boolean hasModRm(int node) {
    return nodeRow[node].encoding().modRm();
  }

  /** The first candidate whose condition holds, or null. */
  Row select(int node, int mode, int rexW, int rexB) {
    for (int n = node; n >= 0; n = nodeNext[n]) {
      Row row = nodeRow[n];
      Opcode opcode = row.encoding();
      if (row.inMode(mode)
          && (opcode.w() < 0 || opcode.w() == rexW)
          && !(opcode.withoutRexB() && rexB != 0)) {
        return row;
      }
    }
    return null;
  }
}
