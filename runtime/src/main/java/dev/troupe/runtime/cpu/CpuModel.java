package dev.troupe.runtime.cpu;

import dev.troupe.runtime.isa.Feature;
import dev.troupe.runtime.snapshot.StateHasher;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A named CPU: what CPUID says, and therefore which instructions, registers and control bits exist.
 *
 * @param name as given to {@code --cpu}
 * @param description one line for the list of models
 * @param vendor decides where vendors differ: CPUID beyond its leaves, SYSCALL and SYSENTER
 * @param brand the name string of leaves 0x80000002 to 4, at most 47 characters
 * @param family display family, as CPUID leaf 1 composes it
 * @param model display model
 * @param stepping 0 to 15
 * @param physicalBits width of physical addresses, 32 to 52
 * @param highestBasic highest basic leaf
 * @param highestExtended highest extended leaf (unsigned, from 0x80000000), or 0 for none
 * @param features features that bring instructions
 * @param system features that bring none
 */
public record CpuModel(
    String name,
    String description,
    Vendor vendor,
    String brand,
    int family,
    int model,
    int stepping,
    int physicalBits,
    int highestBasic,
    int highestExtended,
    Set<Feature> features,
    Set<SystemFeature> system) {
  /** Whose rules are followed where the vendors differ. */
  public enum Vendor {
    INTEL("GenuineIntel"),
    AMD("AuthenticAMD");

    private final String signature;

    Vendor(String signature) {
      this.signature = signature;
    }

    /** The 12 characters of leaf 0. */
    public String signature() {
      return signature;
    }
  }

  /** All that the interpreter implements. */
  private static final CpuModel TROUPE_V1 =
      new CpuModel(
          "troupe-v1",
          "the default: x86-64 to SSE4.2, BMI, ADX, XSAVE; needs no mitigations",
          Vendor.AMD,
          "Troupe v1 virtual CPU",
          0x19,
          0x01,
          1,
          46,
          0x1F,
          0x8000_0021,
          features(Feature.PCLMUL, Feature.AES, Feature.PKU, Feature.MOVDIRI),
          EnumSet.complementOf(EnumSet.of(SystemFeature.MMXEXT)));

  /** What runs if nothing else is asked for. */
  public static final CpuModel DEFAULT = TROUPE_V1;

  private static final List<CpuModel> ALL =
      List.of(
          TROUPE_V1,
          without(
              TROUPE_V1,
              "troupe-v1-noxsave",
              "troupe-v1 without XSAVE, for guests that must do with FXSAVE",
              EnumSet.of(Feature.XSAVE, Feature.XSAVEOPT, Feature.XSAVEC, Feature.XSAVES)),
          new CpuModel(
              "x86-64",
              "the x86-64 baseline: SSE2, SSE3, CX16, NX",
              Vendor.AMD,
              "Troupe x86-64 virtual CPU",
              0xF,
              0x6B,
              1,
              40,
              0xD,
              0x8000_0008,
              EnumSet.of(
                  Feature.BASE,
                  Feature.FPU,
                  Feature.TSC,
                  Feature.MSR,
                  Feature.CX8,
                  Feature.SEP,
                  Feature.CMOV,
                  Feature.CLFSH,
                  Feature.MMX,
                  Feature.FXSR,
                  Feature.SSE,
                  Feature.SSE2,
                  Feature.SSE3,
                  Feature.CX16,
                  Feature.SYSCALL,
                  Feature.LAHF64),
              EnumSet.of(
                  SystemFeature.VME,
                  SystemFeature.DE,
                  SystemFeature.PSE,
                  SystemFeature.PAE,
                  SystemFeature.MCE,
                  SystemFeature.APIC,
                  SystemFeature.MTRR,
                  SystemFeature.PGE,
                  SystemFeature.MCA,
                  SystemFeature.PAT,
                  SystemFeature.PSE36,
                  SystemFeature.HYPERVISOR,
                  SystemFeature.X2APIC,
                  SystemFeature.INVARIANT_TSC,
                  SystemFeature.NX,
                  SystemFeature.LM)),
          new CpuModel(
              "pentium3",
              "a 32-bit CPU of 1999: SSE, no long mode, no NX",
              Vendor.INTEL,
              "",
              6,
              8,
              3,
              36,
              2,
              0,
              EnumSet.of(
                  Feature.BASE,
                  Feature.FPU,
                  Feature.TSC,
                  Feature.MSR,
                  Feature.CX8,
                  Feature.SEP,
                  Feature.CMOV,
                  Feature.MMX,
                  Feature.FXSR,
                  Feature.SSE),
              EnumSet.of(
                  SystemFeature.VME,
                  SystemFeature.DE,
                  SystemFeature.PSE,
                  SystemFeature.PAE,
                  SystemFeature.MCE,
                  SystemFeature.APIC,
                  SystemFeature.MTRR,
                  SystemFeature.PGE,
                  SystemFeature.MCA,
                  SystemFeature.PAT,
                  SystemFeature.PSE36,
                  SystemFeature.HYPERVISOR)));

  /** Copies the sets, in the order of their enums. */
  public CpuModel {
    features = Collections.unmodifiableSet(EnumSet.copyOf(features));
    system = Collections.unmodifiableSet(EnumSet.copyOf(system));
  }

  private static Set<Feature> features(Feature... absent) {
    EnumSet<Feature> all = EnumSet.allOf(Feature.class);
    all.removeAll(List.of(absent));
    return all;
  }

  private static CpuModel without(
      CpuModel m, String name, String description, Set<Feature> absent) {
    EnumSet<Feature> features = EnumSet.copyOf(m.features);
    features.removeAll(absent);
    return new CpuModel(
        name,
        description,
        m.vendor,
        m.brand,
        m.family,
        m.model,
        m.stepping,
        m.physicalBits,
        m.highestBasic,
        m.highestExtended,
        features,
        m.system);
  }

  /** All models, the default first. */
  public static List<CpuModel> all() {
    return ALL;
  }

  /** The model of that name. */
  public static Optional<CpuModel> byName(String name) {
    return ALL.stream().filter(m -> m.name.equals(name)).findFirst();
  }

  /** True if the model has the feature. */
  public boolean has(Feature feature) {
    return features.contains(feature);
  }

  /** True if the model has the feature. */
  public boolean has(SystemFeature feature) {
    return system.contains(feature);
  }

  /**
   * A hash of all that a guest can see of the model: a state that it was saved on can be restored
   * on one of the same hash only.
   */
  public long fingerprint() {
    String seen =
        "%s|%s|%d|%d|%d|%d|%d|%d|%s|%s"
            .formatted(
                vendor,
                brand,
                family,
                model,
                stepping,
                physicalBits,
                highestBasic,
                highestExtended,
                features,
                system);
    byte[] bytes = seen.getBytes(StandardCharsets.UTF_8);
    StateHasher hasher = new StateHasher();
    hasher.bytes("model", bytes, bytes.length);
    return hasher.value();
  }

  /** CPUID.1:EAX, and EDX after reset. */
  public int signature() {
    int base = Math.min(family, 0xF);
    return (family - base) << 20 | (model >> 4) << 16 | base << 8 | (model & 0xF) << 4 | stepping;
  }
}
