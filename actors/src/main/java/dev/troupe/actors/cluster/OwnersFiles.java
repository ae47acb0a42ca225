package dev.troupe.actors.cluster;

import dev.troupe.proto.cluster.Registration;
import dev.troupe.runtime.boot.BadImageException;
import dev.troupe.runtime.boot.ImageFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * Files that a machine's owner may read, by their mode bits and those of all folders on the way; of
 * the file that is opened, however it was named. The node's process may read more, and a guest
 * would hand it on (docs/decisions/0026-images-are-its-owners.md).
 */
final class OwnersFiles implements ImageFiles {
  private static final int READ = 4;
  private static final int SEARCH = 1;
  private static final String ATTRIBUTES = "unix:mode,uid,gid";

  private final HostUser owner;

  OwnersFiles(HostUser owner) {
    this.owner = owner;
  }

  /**
   * All files for root's machines, for this process's own user's, and for whom nobody has named.
   */
  static ImageFiles of(Registration whose) {
    int uid = whose.getOwnerUid();
    return uid == 0 || uid == HostUser.self()
        ? ImageFiles.OF_THIS_PROCESS
        : new OwnersFiles(HostUser.of(uid, whose.getOwner()));
  }

  @Override
  public FileChannel open(String what, Path file) throws IOException {
    // From here on it is this file, whatever is put into its place.
    try (PinnedFile pinned = PinnedFile.of(file)) {
      if (!reaches(pinned.realPath().getParent()) || !may(pinned.path(), READ)) {
        throw denied(what, file);
      }
      if (!Files.isRegularFile(pinned.path())) {
        throw new BadImageException(what + " " + file + ": not a regular file");
      }
      return FileChannel.open(pinned.path(), StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      // Whether it is there is not for one to hear who may not look.
      if (!reaches(existing(file))) {
        throw denied(what, file);
      }
      throw new BadImageException(what + " " + file + ": no such file", e);
    }
  }

  private BadImageException denied(String what, Path file) {
    return new BadImageException(
        "%s %s: permission denied: the machine is %s's, who may not read it"
            .formatted(what, file, owner.name()));
  }

  /** The deepest folder on the way that is there. */
  private static Path existing(Path file) throws IOException {
    Path folder = file.toAbsolutePath().normalize();
    while (folder.getParent() != null) {
      folder = folder.getParent();
      try {
        return folder.toRealPath();
      } catch (IOException e) {
        // Further up, then.
      }
    }
    return folder;
  }

  /** Whether the owner gets into a folder, which is named without links. */
  private boolean reaches(Path folder) throws IOException {
    for (Path on = folder; on != null; on = on.getParent()) {
      if (!may(on, SEARCH)) {
        return false;
      }
    }
    return true;
  }

  /** The first class of users that the owner is in counts, as for the kernel. */
  private boolean may(Path file, int what) throws IOException {
    Map<String, Object> attributes = Files.readAttributes(file, ATTRIBUTES);
    int mode = (int) attributes.get("mode");
    if ((int) attributes.get("uid") == owner.uid()) {
      return (mode >> 6 & what) != 0;
    }
    return ((owner.groups().contains((int) attributes.get("gid")) ? mode >> 3 : mode) & what) != 0;
  }
}
