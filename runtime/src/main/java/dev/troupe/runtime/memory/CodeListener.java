package dev.troupe.runtime.memory;

/** Holds code decoded or translated from guest memory; told when bytes of such a page changed. */
@FunctionalInterface
public interface CodeListener {
  /**
   * Called by whoever has written (a vCPU or a device), with the new bytes in place and before it
   * does anything else. The write is within one page.
   *
   * @param host host address of the first byte that was written
   * @param length 1 to 4096
   * @return true if this listener has no code left in that page; {@link GuestMemory#codeGone} is
   *     then called for it
   */
  boolean codeWritten(long host, int length);
}
