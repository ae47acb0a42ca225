package dev.troupe.runtime.engine.host;

import java.lang.foreign.Linker;

/** Functions of the host's C library that emitted code calls. */
public final class HostFunctions {
  private HostFunctions() {}

  /** Host address of {@code int clock_gettime(clockid_t, struct timespec *)}. */
  public static long clockGettime() {
    return Linker.nativeLinker().defaultLookup().findOrThrow("clock_gettime").address();
  }
}
