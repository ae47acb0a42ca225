package dev.troupe.runtime.boot;

import dev.troupe.runtime.boot.BootRequest.Module;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.SystemFeature;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A machine's kernel and modules, opened and parsed. Stays open as long as the machine may be
 * reset; any thread may use and close it.
 */
public final class BootImages implements AutoCloseable {
  private final Arena arena;
  private final KernelImage kernel;
  private final Image kernelFile;
  private final List<Module> modules;
  private final String commandLine;

  private BootImages(
      Arena arena, KernelImage kernel, Image kernelFile, List<Module> modules, String commandLine) {
    this.arena = arena;
    this.kernelFile = kernelFile;
    this.kernel = kernel;
    this.modules = modules;
    this.commandLine = commandLine;
  }

  /**
   * Opens what a machine starts with.
   *
   * @param kernel the kernel's file
   * @param initrd empty, or the initial RAM disk; for a multiboot kernel a list of modules, {@code
   *     FILE [ARGUMENTS]}, separated by commas (two commas stand for one)
   * @param commandLine the kernel's arguments
   * @throws BadImageException if a file is missing or bad
   */
  public static BootImages open(Path kernel, String initrd, String commandLine) {
    return open(kernel, initrd, commandLine, ImageFiles.OF_THIS_PROCESS);
  }

  /**
   * The same.
   *
   * @param files opens them
   */
  @SuppressWarnings("MustBeClosedChecker") // closed with the BootImages that own it
  public static BootImages open(Path kernel, String initrd, String commandLine, ImageFiles files) {
    Arena arena = Arena.ofShared();
    try {
      Image file = Image.map("kernel", kernel, files, arena);
      KernelImage image = KernelImage.parse(file);
      List<Module> modules = new ArrayList<>();
      for (String module : image.takesModules() ? split(initrd) : List.of(initrd)) {
        if (module.isBlank()) {
          continue;
        }
        modules.add(new Module(Image.map("initrd", file(image, module), files, arena), module));
      }
      return new BootImages(arena, image, file, List.copyOf(modules), commandLine);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /** The files: the kernel's, then the modules'. Open as long as this is. */
  public List<Image> files() {
    List<Image> files = new ArrayList<>();
    files.add(kernelFile);
    modules.forEach(module -> files.add(module.image()));
    return files;
  }

  /** What the kernel's file is, for people. */
  public String format() {
    return kernel.format();
  }

  /**
   * Places everything in a machine's memory; nothing is written yet.
   *
   * @param memorySize bytes of RAM, a multiple of 4096
   * @param model the CPUs'
   * @throws BadImageException if it does not fit, or the kernel is none for these CPUs
   */
  public BootPlan plan(long memorySize, BoardDescription board, CpuModel model) {
    boolean longMode = model.has(SystemFeature.LM);
    return kernel.plan(new BootRequest(modules, commandLine, memorySize, board, longMode));
  }

  @Override
  public void close() {
    arena.close();
  }

  /**
   * A module's arguments follow the first space, unless that is part of an existing file's name.
   */
  private static Path file(KernelImage kernel, String module) {
    boolean whole = !kernel.takesModules() || Files.exists(Path.of(module));
    return Path.of(whole ? module : module.split(" ", 2)[0]);
  }

  private static List<String> split(String list) {
    List<String> parts = new ArrayList<>();
    StringBuilder part = new StringBuilder();
    for (int i = 0; i < list.length(); i++) {
      if (list.charAt(i) != ',') {
        part.append(list.charAt(i));
      } else if (i + 1 < list.length() && list.charAt(i + 1) == ',') {
        part.append(',');
        i++;
      } else {
        parts.add(part.toString());
        part.setLength(0);
      }
    }
    parts.add(part.toString());
    return parts;
  }
}
