package dev.troupe.runtime.boot;

import java.util.Optional;

/**
 * The multiboot header of a kernel (Multiboot Specification 0.6.96, section 3.1).
 *
 * @param offset where it is in the file
 * @param flags its flags word
 */
record MultibootHeader(long offset, long flags) {
  static final int PAGE_ALIGN = 1;
  static final int MEMORY_INFORMATION = 1 << 1;
  static final int VIDEO_MODE = 1 << 2;
  static final int ADDRESSES = 1 << 16;

  private static final long MAGIC = 0x1BAD_B002L;

  /** The header lies wholly within the first so many bytes. */
  private static final long SEARCH = 8192;

  static Optional<MultibootHeader> find(Image image) {
    for (long at = 0; at + 12 <= Math.min(SEARCH, image.size()); at += 4) {
      if (image.u32(at, "multiboot magic") == MAGIC) {
        long flags = image.u32(at + 4, "multiboot flags");
        if ((MAGIC + flags + image.u32(at + 8, "multiboot checksum") & 0xFFFF_FFFFL) == 0) {
          return Optional.of(new MultibootHeader(at, flags));
        }
      }
    }
    return Optional.empty();
  }
}
