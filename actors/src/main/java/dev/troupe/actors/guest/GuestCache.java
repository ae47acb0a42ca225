package dev.troupe.actors.guest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A folder of named entries, each a folder of files that appears whole or not at all. One process
 * at a time makes an entry; what a killed one left behind is removed by the next.
 */
final class GuestCache {
  /** Followed by the entry's name and a dot, which no name has: one name may begin like another. */
  private static final String UNFINISHED = ".unfinished.";

  private static final long RETRY_MILLIS = 100;

  private final Path root;

  GuestCache(Path root) {
    this.root = root;
  }

  /**
   * The cache of this user: {@code $XDG_CACHE_HOME/troupe/guests}, by default below {@code
   * ~/.cache}.
   */
  static GuestCache ofUser(Map<String, String> environment, String home) {
    String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
    // The XDG base directory specification: a relative path is invalid and has to be ignored.
    Path base = xdg.startsWith("/") ? Path.of(xdg) : Path.of(home, ".cache");
    return new GuestCache(base.resolve("troupe").resolve("guests"));
  }

  /** Where an entry is, or would be. */
  Path entry(String name) {
    return root.resolve(name);
  }

  /** Makes the files of an entry, in an empty folder that becomes the entry. */
  interface Maker {
    void make(Path folder) throws IOException;
  }

  /**
   * The entry of that name, made if it is not there.
   *
   * @param name without a dot
   * @param waiting run once if somebody else is at it
   * @throws GuestException if the folder cannot be written
   */
  Path get(String name, List<String> files, Runnable waiting, Maker maker) {
    Path entry = entry(name);
    if (complete(entry, files)) {
      return entry;
    }
    try {
      Files.createDirectories(root);
      try (FileChannel channel =
              FileChannel.open(
                  root.resolve("." + name + ".lock"),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          FileLock lock = lock(channel, waiting)) {
        removeUnfinished(name);
        if (!lock.isValid() || !complete(entry, files)) {
          make(name, entry, maker);
        }
      }
      return entry;
    } catch (IOException e) {
      throw new GuestException("the cache folder " + root + " cannot be used: " + e, e);
    }
  }

  private void make(String name, Path entry, Maker maker) throws IOException {
    Path folder = Files.createTempDirectory(root, UNFINISHED + name + ".");
    Thread cleaner = new Thread(() -> removeQuietly(folder), "cache-cleaner");
    Runtime.getRuntime().addShutdownHook(cleaner);
    try {
      maker.make(folder);
      if (Files.exists(entry)) {
        remove(entry); // incomplete, from elsewhere
      }
      Files.move(folder, entry, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      removeQuietly(folder);
      try {
        Runtime.getRuntime().removeShutdownHook(cleaner);
      } catch (IllegalStateException alreadyShuttingDown) {
        // The hook does its work.
      }
    }
  }

  private static boolean complete(Path entry, List<String> files) {
    return files.stream().allMatch(f -> Files.isReadable(entry.resolve(f)));
  }

  private static FileLock lock(FileChannel channel, Runnable waiting) throws IOException {
    boolean told = false;
    while (true) {
      try {
        FileLock lock = channel.tryLock();
        if (lock != null) {
          return lock;
        }
      } catch (OverlappingFileLockException sameProcess) {
        // Another thread of ours has it: the same as another process.
      }
      if (!told) {
        waiting.run();
        told = true;
      }
      try {
        Thread.sleep(RETRY_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new GuestException("interrupted while another process fetches the guest", e);
      }
    }
  }

  /** Only with the lock held: nobody else can be at work on them. */
  private void removeUnfinished(String name) throws IOException {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(root, UNFINISHED + name + ".*")) {
      for (Path folder : left) {
        remove(folder);
      }
    }
  }

  private static void removeQuietly(Path folder) {
    try {
      remove(folder);
    } catch (IOException | UncheckedIOException e) {
      // The next process that makes this entry tries again.
    }
  }

  static void remove(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
