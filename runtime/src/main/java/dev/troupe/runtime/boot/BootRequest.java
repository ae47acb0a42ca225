package dev.troupe.runtime.boot;

import java.util.List;

/**
 * What a kernel is started with.
 *
 * @param modules the initial RAM disk, or multiboot's modules, in order
 * @param commandLine the kernel's arguments, without the kernel's name
 * @param memorySize bytes of guest RAM, a multiple of 4096
 * @param board what the ACPI tables describe
 * @param longMode whether the CPUs have long mode
 */
public record BootRequest(
    List<Module> modules,
    String commandLine,
    long memorySize,
    BoardDescription board,
    boolean longMode) {
  /** More modules than any guest known; the bound keeps their table in one page. */
  public static final int MAX_MODULES = 64;

  /**
   * A file handed to the kernel.
   *
   * @param image its bytes
   * @param arguments what multiboot calls its string: name and arguments
   */
  public record Module(Image image, String arguments) {}

  /**
   * For kernels that are entered in 32-bit mode and go on in long mode, too: where the CPU has none
   * they halt without a word.
   *
   * @throws BadImageException if the CPUs have none
   */
  void needLongMode(Image kernel) {
    if (!longMode) {
      throw kernel.bad("a 64-bit kernel, and the CPU model has no long mode");
    }
  }

  public BootRequest {
    modules = List.copyOf(modules);
    if (modules.size() > MAX_MODULES) {
      throw new BadImageException(
          "%d modules; at most %d are possible".formatted(modules.size(), MAX_MODULES));
    }
    if (commandLine.indexOf('\0') >= 0) {
      throw new BadImageException(
          "command line has a zero byte at offset " + commandLine.indexOf('\0'));
    }
  }
}
