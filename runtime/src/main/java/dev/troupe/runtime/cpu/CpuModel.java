package dev.troupe.runtime.cpu;

/**
 * A named CPU: what CPUID says and what the machine therefore offers.
 *
 * @param name as given to {@code --cpu}
 * @param family display family, model and stepping as CPUID leaf 1 composes them
 * @param physicalBits width of physical addresses
 */
public record CpuModel(String name, int family, int model, int stepping, int physicalBits) {
  /** What runs if nothing else is asked for. */
  public static final CpuModel DEFAULT = new CpuModel("troupe-v1", 0x17, 0x31, 0, 46);

  /** CPUID.1:EAX, and EDX after reset. */
  public int signature() {
    int base = Math.min(family, 0xF);
    return (family - base) << 20 | (model >> 4) << 16 | base << 8 | (model & 0xF) << 4 | stepping;
  }
}
