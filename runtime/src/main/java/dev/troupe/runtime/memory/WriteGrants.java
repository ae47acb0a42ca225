package dev.troupe.runtime.memory;

/**
 * Holds permissions to write pages without asking (a vCPU's TLB). They are only slowed down, never
 * evicted: what the guest sees of the TLB does not depend on tracking (DESIGN.md, law on the TLB).
 */
public interface WriteGrants {
  /** Makes writes to the page at this host address ask again. May be called from any thread. */
  void slowWrites(long hostPage);

  /** Makes writes to all pages ask again. */
  void slowAllWrites();
}
