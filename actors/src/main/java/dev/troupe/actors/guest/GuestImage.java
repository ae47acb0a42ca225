package dev.troupe.actors.guest;

import java.util.List;
import java.util.Optional;

/**
 * A guest with a name: an unmodified kernel of Debian's and busybox as its whole user space.
 *
 * @param name what the user types
 * @param metapackage depends on the newest kernel's package
 * @param kernelPrefix how that package's name begins
 * @param architecture Debian's name of the guest's architecture
 * @param commandLine the kernel's arguments
 */
public record GuestImage(
    String name, String metapackage, String kernelPrefix, String architecture, String commandLine) {
  /** The user space. */
  static final String BUSYBOX = "busybox-static";

  private static final List<GuestImage> ALL =
      List.of(
          new GuestImage(
              "debian", "linux-image-cloud-amd64", "linux-image-", "amd64", "console=ttyS0"),
          new GuestImage(
              "debian-generic", "linux-image-amd64", "linux-image-", "amd64", "console=ttyS0"),
          new GuestImage(
              "debian-i386", "linux-image-686-pae", "linux-image-", "i386", "console=ttyS0"));

  /** All names, the default first. */
  public static List<String> names() {
    return ALL.stream().map(GuestImage::name).toList();
  }

  /** The image of that name. */
  public static Optional<GuestImage> named(String name) {
    return ALL.stream().filter(i -> i.name.equals(name)).findFirst();
  }
}
