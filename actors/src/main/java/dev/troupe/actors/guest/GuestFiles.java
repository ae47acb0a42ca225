package dev.troupe.actors.guest;

import java.nio.file.Path;

/**
 * A guest that is ready to start.
 *
 * @param kernel its bzImage
 * @param initrd its initial RAM disk
 * @param busybox the static binary in it, for initial RAM disks of one's own
 * @param commandLine the kernel's arguments that it needs; the user's own go behind them
 */
public record GuestFiles(Path kernel, Path initrd, Path busybox, String commandLine) {}
