package dev.troupe.actors.guest;

import dev.troupe.actors.guest.Apt.Deb;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Gets the guests that have names: from the cache, or the first time from Debian's archive by apt.
 */
public final class GuestImages {
  private static final String KERNEL = "vmlinuz";
  private static final String USER_SPACE = "busybox";
  private static final String INITRD = "initrd.gz";
  private static final String VERSIONS = "packages.txt";

  private final GuestCache cache;
  private final Progress progress;

  GuestImages(GuestCache cache, Progress progress) {
    this.cache = cache;
    this.progress = progress;
  }

  /** With the cache of the user who runs this process. */
  public static GuestImages ofUser(Progress progress) {
    return new GuestImages(
        GuestCache.ofUser(System.getenv(), System.getProperty("user.home")), progress);
  }

  /**
   * The files of a guest. The network is needed only the first time.
   *
   * @throws GuestException if it cannot be had
   */
  public GuestFiles get(GuestImage image) {
    Path entry =
        cache.get(
            image.name(),
            List.of(KERNEL, USER_SPACE, VERSIONS),
            () -> progress.say("waiting for another vmctl that is fetching " + image.name()),
            folder -> fetch(image, folder));
    Path userSpace = entry.resolve(USER_SPACE);
    // The initrd follows from busybox and this version's start script: it is made anew after each
    // change of that.
    String script = Integer.toHexString(init().hashCode());
    Path initrds =
        cache.get(
            image.name() + "-initrd-" + script,
            List.of(INITRD),
            () -> progress.say("waiting for another vmctl that is building the initrd"),
            folder -> Files.write(folder.resolve(INITRD), initrd(Files.readAllBytes(userSpace))));
    return new GuestFiles(
        entry.resolve(KERNEL), initrds.resolve(INITRD), userSpace, image.commandLine());
  }

  private void fetch(GuestImage image, Path folder) throws IOException {
    Path work = Files.createDirectory(folder.resolve("apt"));
    Apt apt = new Apt(work, image.architecture(), progress);
    List<Fetched> packages;
    try {
      packages = download(image, apt);
    } catch (GuestException e) {
      // Lists that are missing or too old look like that. With lists of our own it is final.
      apt.update();
      if (apt.find(image.metapackage()).isEmpty()) {
        throw e;
      }
      packages = download(image, apt);
    }
    Fetched kernel = packages.get(0);
    Fetched user = packages.get(1);
    progress.say("unpacking " + kernel.file.getFileName());
    Files.write(
        folder.resolve(KERNEL),
        DebArchive.extract(
            kernel.file, "kernel (./boot/vmlinuz-*)", n -> n.matches("\\.?/?boot/vmlinuz-.+")));
    Files.write(
        folder.resolve(USER_SPACE),
        DebArchive.extract(user.file, "bin/busybox", n -> n.matches("\\.?/?(usr/)?bin/busybox")));
    StringBuilder versions = new StringBuilder();
    for (Fetched f : packages) {
      Deb p = f.description;
      versions.append(
          "%s %s %d sha256:%s%n".formatted(p.name(), p.version(), p.size(), p.sha256()));
    }
    Files.writeString(folder.resolve(VERSIONS), versions);
    GuestCache.remove(work);
  }

  private record Fetched(Deb description, Path file) {}

  /** The kernel's package, then busybox's. */
  private static List<Fetched> download(GuestImage image, Apt apt) {
    Deb kernel =
        find(
            apt,
            image,
            find(apt, image, image.metapackage())
                .dependency(image.kernelPrefix())
                .orElseThrow(() -> missing(image, image.kernelPrefix() + "*")));
    Deb user = find(apt, image, GuestImage.BUSYBOX);
    try {
      return List.of(
              new Fetched(user, apt.download(user)), new Fetched(kernel, apt.download(kernel)))
          .reversed();
    } catch (GuestException e) {
      throw new GuestException(
          "image %s: %s; %s".formatted(image.name(), e.getMessage(), WITHOUT), e);
    }
  }

  private static final String WITHOUT = "with --kernel FILE --initrd FILE no network is needed";

  private static Deb find(Apt apt, GuestImage image, String name) {
    return apt.find(name).orElseThrow(() -> missing(image, name));
  }

  private static GuestException missing(GuestImage image, String name) {
    return new GuestException(
        ("image %s: package %s is not in apt's lists, and newer lists cannot be fetched"
                + " (no network, or no Debian archive in apt's sources); %s")
            .formatted(image.name(), name, WITHOUT));
  }

  /**
   * An initial RAM disk with busybox that starts a shell on the serial line.
   *
   * @param busybox the static binary
   */
  public static byte[] initrd(byte[] busybox) {
    return new Initrd()
        .file("bin/busybox", 0755, busybox)
        .file("init", 0755, init().getBytes(StandardCharsets.UTF_8))
        .directory("dev")
        .directory("proc")
        .directory("sys")
        .directory("tmp")
        .directory("root")
        .pack();
  }

  private static String init() {
    try (InputStream in = GuestImages.class.getResourceAsStream("init")) {
      return new String(
          Optional.ofNullable(in).orElseThrow().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
