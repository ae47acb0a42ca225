package dev.troupe.oracle;

import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.engine.host.HostCpuid;
import dev.troupe.runtime.isa.Feature.Register;

/** What the oracle has to know of the host beside the features that bring instructions. */
final class HostFeatures {
  private HostFeatures() {}

  /** Whose CPU it is, by the signature of leaf 0; Intel's rules for any other than AMD. */
  static CpuModel.Vendor vendor() {
    boolean amd = HostCpuid.register(0, 0, Register.EBX) == 0x6874_7541; // "Auth" of "AuthenticAMD"
    return amd ? CpuModel.Vendor.AMD : CpuModel.Vendor.INTEL;
  }

  /** Whether the host's kernel has set CR4.PKE: leaf 7's OSPKE (SDM vol. 2A, CPUID). */
  static boolean protectionKeys() {
    return (HostCpuid.register(7, 0, Register.ECX) >>> 4 & 1) != 0;
  }
}
