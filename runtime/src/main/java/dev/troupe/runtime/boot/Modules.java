package dev.troupe.runtime.boot;

/**
 * Places what is handed to kernels that take it from anywhere below 4 GiB: behind the kernel, where
 * small ones map it too.
 */
final class Modules {
  private Modules() {}

  static long place(Image module, Elf kernel, Placer placer, long memorySize) {
    long end =
        kernel.segments().stream().mapToLong(s -> s.physical() + s.memorySize()).max().orElse(0);
    long address = placer.lowest(module.size(), Math.max(end, MemoryMap.HIGH), "module");
    if (address < 0) {
      throw module.bad(
          "initrd of %d bytes does not fit: memory of %d bytes has at most %d free for it beside the kernel"
              .formatted(
                  module.size(), memorySize, Math.max(0, placer.largestGap(MemoryMap.HIGH))));
    }
    return address;
  }
}
