package dev.troupe.actors.guest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;

/**
 * An initial RAM disk: a cpio archive in the "new ASCII" form that Linux unpacks
 * (Documentation/driver-api/early-userspace/buffer-format.rst), compressed with gzip. The same
 * entries give the same bytes: no times, owner 0, sorted, numbered in that order.
 */
public final class Initrd {
  private static final int DIRECTORY = 0040000;
  private static final int FILE = 0100000;
  private static final int SYMLINK = 0120000;
  private static final String TRAILER = "TRAILER!!!";

  private record Entry(int mode, byte[] content) {}

  private final Map<String, Entry> entries = new TreeMap<>();

  /** Adds an empty directory, and those that it is in. */
  public Initrd directory(String path) {
    parents(path);
    entries.putIfAbsent(path, new Entry(DIRECTORY | 0755, new byte[0]));
    return this;
  }

  /**
   * Adds a file.
   *
   * @param path relative to the root, without a leading slash
   * @param permissions such as 0755
   */
  public Initrd file(String path, int permissions, byte[] content) {
    parents(path);
    entries.put(path, new Entry(FILE | permissions, content.clone()));
    return this;
  }

  /** Adds a symbolic link. */
  public Initrd link(String path, String target) {
    parents(path);
    entries.put(path, new Entry(SYMLINK | 0777, target.getBytes(StandardCharsets.UTF_8)));
    return this;
  }

  private void parents(String path) {
    if (path.isEmpty() || path.startsWith("/") || path.endsWith("/")) {
      throw new IllegalArgumentException("path must be relative and name something: " + path);
    }
    int slash = path.lastIndexOf('/');
    if (slash > 0) {
      directory(path.substring(0, slash));
    }
  }

  /** The compressed archive. */
  public byte[] pack() {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(packed, 1 << 16)) {
      out.write(cpio());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  /** The archive, not compressed. */
  byte[] cpio() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int inode = 1;
    for (Map.Entry<String, Entry> e : entries.entrySet()) {
      write(out, e.getKey(), e.getValue().mode, inode++, e.getValue().content);
    }
    write(out, TRAILER, 0, 0, new byte[0]);
    return out.toByteArray();
  }

  private static void write(
      ByteArrayOutputStream out, String name, int mode, int inode, byte[] content) {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    int links = (mode & DIRECTORY) != 0 && (mode & FILE) == 0 ? 2 : 1;
    int[] fields = {inode, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, text.length + 1, 0};
    StringBuilder header = new StringBuilder("070701");
    for (int field : fields) {
      header.append("%08x".formatted(field));
    }
    out.writeBytes(header.toString().getBytes(StandardCharsets.US_ASCII));
    out.writeBytes(text);
    out.write(0);
    pad(out);
    out.writeBytes(content);
    pad(out);
  }

  private static void pad(ByteArrayOutputStream out) {
    while (out.size() % 4 != 0) {
      out.write(0);
    }
  }
}
