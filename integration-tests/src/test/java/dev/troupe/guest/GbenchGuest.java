package dev.troupe.guest;

import dev.troupe.actors.guest.GuestException;
import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.Initrd;
import dev.troupe.actors.guest.TerminalProgress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The guest that measures and checks: gbench (src/guest/gbench) as the user space of a kernel of
 * Debian's. What it does is told by words of the kernel's command line: {@code g.mode}, {@code
 * g.args}, {@code g.off}; see its init.
 */
public final class GbenchGuest {
  private static final Path HERE = Path.of("").toAbsolutePath();

  /** The module's folder, from itself (Maven) or from the repository's top. */
  private static final Path MODULE =
      Files.isDirectory(HERE.resolve("integration-tests"))
          ? HERE.resolve("integration-tests")
          : HERE;

  private static final Path SOURCE = MODULE.resolve("src/guest/gbench");
  private static final Path OUT = MODULE.resolve("target/guest");

  private GbenchGuest() {}

  /** The binary, compiled if its source is newer: static, so that it runs on this host as well. */
  public static Path binary() throws IOException, InterruptedException {
    // Its Makefile knows where: make cannot take a path with spaces.
    Process make =
        new ProcessBuilder(List.of("make", "-s", "-C", SOURCE.toString()))
            .redirectErrorStream(true)
            .start();
    String output = new String(make.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (make.waitFor() != 0) {
      throw new IOException("gbench does not compile: " + output.strip());
    }
    return OUT.resolve("gbench");
  }

  /**
   * The initial RAM disk with gbench in it.
   *
   * @param busybox the static binary that its init needs
   */
  public static Path initrd(Path busybox) throws IOException, InterruptedException {
    byte[] packed =
        new Initrd()
            .file("bin/busybox", 0755, Files.readAllBytes(busybox))
            .link("bin/sh", "busybox")
            .file("bin/gbench", 0755, Files.readAllBytes(binary()))
            .file("init", 0755, Files.readAllBytes(SOURCE.resolve("init")))
            .directory("dev")
            .directory("mnt")
            .directory("proc")
            .directory("sys")
            .directory("tmp")
            .pack();
    return Files.write(OUT.resolve("initrd-gbench.gz"), packed);
  }

  /**
   * What {@code vmctl run} is told to boot Debian's cloud kernel with gbench.
   *
   * @param words of init, such as {@code g.mode=ready}
   * @param options more of vmctl's
   */
  public static List<String> arguments(GuestFiles debian, String words, String... options)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>();
    all.addAll(List.of("--kernel", debian.kernel().toString()));
    all.addAll(List.of("--initrd", initrd(debian.busybox()).toString()));
    all.addAll(List.of("--append", "console=ttyS0 quiet " + words, "--no-reboot"));
    all.addAll(List.of(options));
    return all;
  }

  /**
   * Prints the paths of the kernel and of the initial RAM disk, one a line, for bin/gbench; the
   * argument names Debian's image.
   */
  public static void main(String[] arguments) throws InterruptedException {
    try {
      GuestImage image =
          GuestImage.named(arguments[0])
              .orElseThrow(() -> new GuestException("no image is called " + arguments[0]));
      GuestFiles files = GuestImages.ofUser(new TerminalProgress(System.err, false)).get(image);
      System.out.println(files.kernel());
      System.out.println(initrd(files.busybox()));
    } catch (GuestException | IOException e) {
      System.err.println("gbench: " + e.getMessage());
      System.exit(4);
    }
  }
}
