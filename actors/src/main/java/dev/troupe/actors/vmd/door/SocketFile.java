package dev.troupe.actors.vmd.door;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.Optional;

/**
 * The socket's place in the file system. A lock file beside it, held as long as the daemon lives,
 * tells a live daemon's socket from that of a dead one. The socket is bound in a folder of its own
 * that nobody else may enter and moved to its place when its mode is right: nobody can connect
 * before, and what lay there is replaced in one step.
 */
final class SocketFile implements AutoCloseable {
  /** sun_path of Linux has 108 bytes, the last one 0. */
  private static final int LONGEST = 107;

  /** Of the folder in which the socket is bound, in the socket's folder. */
  private static final String BINDING = ".vmd-bind";

  /** Others may write, and no sticky bit keeps them from others' files. */
  private static final int OTHERS_WRITE = 0022;

  private static final int STICKY = 01000;

  private final Path socket;
  private final FileChannel lockFile;
  private final FileLock lock;
  private Object published;

  private SocketFile(Path socket, FileChannel lockFile, FileLock lock) {
    this.socket = socket;
    this.lockFile = lockFile;
    this.lock = lock;
  }

  /**
   * Makes the folder, if there is none, and takes the place.
   *
   * @throws DoorException if it is taken by a process that lives, or unfit
   */
  static SocketFile claim(Path place) throws DoorException {
    Path socket = place.toAbsolutePath().normalize();
    checkLength(socket);
    try {
      folder(socket);
      return claimIn(socket);
    } catch (DoorException e) {
      throw e;
    } catch (FileSystemException e) {
      String reason = e.getReason() == null ? reason(e) : e.getReason();
      throw new DoorException(
          "socket %s: cannot be made: %s: %s".formatted(socket, e.getFile(), reason), e);
    } catch (IOException e) {
      throw new DoorException("socket %s: cannot be made: %s".formatted(socket, e.getMessage()), e);
    }
  }

  private static String reason(FileSystemException e) {
    return e.getClass().getSimpleName().replaceAll("Exception$", "");
  }

  private static void checkLength(Path socket) throws DoorException {
    int extra = BINDING.length() + 1;
    int length = socket.toString().getBytes(StandardCharsets.UTF_8).length + extra;
    if (length > LONGEST) {
      throw new DoorException(
          "socket %s: its path is too long: %d bytes, a Unix socket's has at most %d"
              .formatted(socket, length - extra, LONGEST - extra));
    }
  }

  private static void folder(Path socket) throws IOException {
    Path folder = socket.getParent();
    if (folder == null || socket.getFileName() == null) {
      throw new DoorException("socket " + socket + ": not a file's path");
    }
    if (!Files.isDirectory(folder)) {
      // A user's own daemon is for himself; the host's is reached by whoever the socket lets in.
      String mode = Users.self() == 0 ? "rwxr-xr-x" : "rwx------";
      Files.createDirectories(folder);
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString(mode));
    }
    int mode = (int) Files.getAttribute(folder, "unix:mode");
    if ((mode & OTHERS_WRITE) != 0 && (mode & STICKY) == 0) {
      throw new DoorException(
          "socket %s: others may write to its folder (mode %o): they could replace it"
              .formatted(socket, mode & 07777));
    }
  }

  @SuppressWarnings("resource") // kept open as long as the daemon lives
  private static SocketFile claimIn(Path socket) throws IOException {
    Path lockPath = socket.resolveSibling(socket.getFileName() + ".lock");
    FileChannel file =
        FileChannel.open(
            lockPath,
            java.util.Set.of(
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                LinkOption.NOFOLLOW_LINKS),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      FileLock lock = lock(file);
      if (lock == null) {
        throw new DoorException("socket %s: %s has it".formatted(socket, holder(file)));
      }
      checkNotAlive(socket);
      file.truncate(0);
      file.write(
          ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.UTF_8)),
          0);
      return new SocketFile(socket, file, lock);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static FileLock lock(FileChannel file) throws IOException {
    try {
      return file.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // another door of this process
    }
  }

  private static String holder(FileChannel file) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(32);
    file.read(text, 0);
    String pid = new String(text.array(), 0, text.position(), StandardCharsets.UTF_8).strip();
    return pid.isEmpty() ? "another daemon" : "the daemon with process id " + pid;
  }

  /** Something that is no socket is not ours to remove; something that answers is not dead. */
  private static void checkNotAlive(Path socket) throws IOException {
    if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    int type = (int) Files.getAttribute(socket, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 0170000;
    if (type != 0140000) {
      throw new DoorException("socket " + socket + ": there is something that is no socket");
    }
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.connect(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      return; // nobody listens
    }
    throw new DoorException("socket " + socket + ": some other program answers there");
  }

  /** Where to bind. */
  Path prepare() throws IOException {
    Path folder = socket.resolveSibling(BINDING);
    Path place = folder.resolve(socket.getFileName());
    if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      Files.deleteIfExists(place); // of a daemon that died while it started
      Files.delete(folder);
    }
    Files.createDirectory(
        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    return place;
  }

  /**
   * Puts what was bound into its place.
   *
   * @param group whose members may connect, too; else only the daemon's user and root
   */
  void publish(Path bound, Optional<String> group) throws IOException {
    if (group.isPresent()) {
      try {
        Files.getFileAttributeView(bound, PosixFileAttributeView.class)
            .setGroup(
                bound
                    .getFileSystem()
                    .getUserPrincipalLookupService()
                    .lookupPrincipalByGroupName(group.get()));
      } catch (UserPrincipalNotFoundException e) {
        throw new DoorException(
            "socket %s: no group is called '%s'".formatted(socket, group.get()), e);
      }
    }
    Files.setPosixFilePermissions(
        bound, PosixFilePermissions.fromString(group.isPresent() ? "rw-rw----" : "rw-------"));
    published = key(bound);
    Files.move(bound, socket, StandardCopyOption.ATOMIC_MOVE);
    Files.delete(bound.getParent());
  }

  private static Object key(Path file) throws IOException {
    return Files.readAttributes(
            file, java.nio.file.attribute.BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .fileKey();
  }

  /** Takes the socket away, if it is still this one, and gives the place back. */
  @Override
  public void close() throws IOException {
    try (lockFile) {
      if (published != null
          && Files.exists(socket, LinkOption.NOFOLLOW_LINKS)
          && published.equals(key(socket))) {
        Files.delete(socket);
      }
      lock.release();
    }
  }
}
