package dev.troupe.runtime.memory;

/** Told before bytes of a page that holds decoded or translated code change. */
@FunctionalInterface
public interface CodeListener {
  /**
   * Called synchronously by whoever is about to write (a vCPU or a device), with the old bytes
   * still in place. The write is within one page.
   *
   * @param physical guest-physical address of the first byte to be written
   * @param length 1 to 4096
   * @return true if this listener has no code left in that page, so that its writes may become fast
   *     again
   */
  boolean beforeCodeWrite(long physical, int length);
}
