package dev.troupe.runtime.boot;

import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Optional;

/**
 * A kernel, parsed once: all its header's fields are checked, so that a plan can fail for lack of
 * memory only.
 */
public sealed interface KernelImage permits LinuxImage, PvhImage, MultibootImage {
  /**
   * Finds out what {@code image} is: a Linux bzImage, an ELF with Xen's PVH entry, or a multiboot
   * kernel.
   *
   * @throws BadImageException if it is none of them, truncated, or contradicts itself
   */
  static KernelImage parse(Image image) {
    if (LinuxImage.recognises(image)) {
      return LinuxImage.parse(image);
    }
    Optional<Elf> elf = Elf.recognises(image) ? Optional.of(Elf.parse(image)) : Optional.empty();
    Optional<PvhImage> pvh = elf.flatMap(e -> PvhImage.find(image, e));
    Optional<MultibootHeader> multiboot = MultibootHeader.find(image);
    // An ELF64 cannot be entered the multiboot way unless its header gives addresses, so there PVH
    // goes first.
    if (multiboot.isPresent() && (pvh.isEmpty() || !elf.get().is64())) {
      return MultibootImage.parse(image, multiboot.get(), elf);
    }
    return pvh.orElseThrow(() -> image.bad(unknown(image, elf)));
  }

  /** The format's name for messages. */
  String format();

  /** Whether several modules may be given. */
  boolean takesModules();

  /**
   * Places the kernel and all that it gets into the memory of a machine.
   *
   * @throws BadImageException if something does not fit
   */
  BootPlan plan(BootRequest request);

  private static String unknown(Image image, Optional<Elf> elf) {
    if (elf.isPresent()) {
      return "an ELF, but neither with Xen's PVH entry note nor with a multiboot header in its"
          + " first 8192 bytes";
    }
    if (image.size() == 0) {
      return "not a kernel: the file is empty";
    }
    byte[] start =
        image.slice(0, Math.min(8, image.size()), "start").toArray(ValueLayout.JAVA_BYTE);
    return "not a kernel: no Linux bzImage ('HdrS' at 0x202), ELF or multiboot header; it begins"
        + " with "
        + HexFormat.ofDelimiter(" ").formatHex(start);
  }
}
