package dev.troupe.runtime.cpu;

import dev.troupe.runtime.snapshot.StateVisitor;
import java.util.Arrays;

/** A set of interrupt vectors, 0 to 255: the local APIC's IRR, ISR and TMR. */
final class VectorSet {
  private final long[] words = new long[4];

  void set(int vector, boolean present) {
    if (present) {
      words[vector >> 6] |= 1L << vector;
    } else {
      words[vector >> 6] &= ~(1L << vector);
    }
  }

  boolean has(int vector) {
    return (words[vector >> 6] >>> vector & 1) != 0;
  }

  /** Adds the vectors of {@code bits}, which are 64 times {@code word} and up. */
  void addAll(int word, long bits) {
    words[word] |= bits;
  }

  void removeAll(int word, long bits) {
    words[word] &= ~bits;
  }

  boolean isEmpty() {
    return (words[0] | words[1] | words[2] | words[3]) == 0;
  }

  /** The highest vector in the set, or -1. */
  int highest() {
    for (int i = 3; i >= 0; i--) {
      if (words[i] != 0) {
        return (i << 6) + 63 - Long.numberOfLeadingZeros(words[i]);
      }
    }
    return -1;
  }

  /** Register {@code index}, 0 to 7, of the eight 32-bit registers that show the set. */
  int register(int index) {
    return (int) (words[index >> 1] >>> ((index & 1) << 5));
  }

  void clear() {
    Arrays.fill(words, 0);
  }

  /** The set as a field of the APIC. */
  void state(StateVisitor v, String name) {
    v.longs(name, words);
  }
}
