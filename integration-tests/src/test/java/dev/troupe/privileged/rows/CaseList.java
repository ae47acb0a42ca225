package dev.troupe.privileged.rows;

import java.util.ArrayList;
import java.util.List;

/** Cases being written down. */
abstract class CaseList {
  static final int RAX = 0;
  static final int RCX = 1;
  static final int RDX = 2;
  static final int RBX = 3;
  static final int UD = 6;
  static final int GP = 13;
  static final int END = PrivilegedGuest.END;

  final List<PrivilegedCase> cases = new ArrayList<>();

  /** A case of this code, in hexadecimal, at ring 0 or 3. */
  PrivilegedCase add(String name, int ring, String code) {
    PrivilegedCase c = new PrivilegedCase(name, ring, code);
    cases.add(c);
    return c;
  }
}
