package dev.troupe.actors.cluster;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * A user as this host knows them.
 *
 * @param uid their number
 * @param name for people
 * @param groups numbers of all their groups; none of a user whom this host does not know
 */
record HostUser(int uid, String name, Set<Integer> groups) {
  /** Bytes of one entry's strings; the longest of glibc's own databases is 1024. */
  private static final int ENTRY_BYTES = 16 << 10;

  /** struct passwd on 64-bit Linux, of glibc and musl: two pointers, then pw_uid and pw_gid. */
  private static final int PASSWD_BYTES = 64;

  private static final int PW_GID = 20;

  /** NGROUPS_MAX of Linux: a user has no more. */
  private static final int MOST_GROUPS = 65536;

  private static final MethodHandle GETPWUID_R =
      find(
          "getpwuid_r",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));

  private static final MethodHandle GETGROUPLIST =
      find("getgrouplist", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, ADDRESS));

  HostUser {
    groups = Set.copyOf(groups);
  }

  private static MethodHandle find(String name, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
  }

  /** The number of the user who runs this process. */
  static int self() {
    try {
      return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    } catch (IOException e) {
      throw new UncheckedIOException("the user of this process", e);
    }
  }

  /**
   * The user of that number, with the groups that this host's user database gives them.
   *
   * @param name for people, if there is one
   */
  static HostUser of(int uid, String name) {
    String shown = name.isEmpty() ? "uid " + Integer.toUnsignedString(uid) : name;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment entry = arena.allocate(PASSWD_BYTES, 8);
      MemorySegment strings = arena.allocate(ENTRY_BYTES);
      MemorySegment found = arena.allocate(ADDRESS);
      int error = (int) GETPWUID_R.invokeExact(uid, entry, strings, (long) ENTRY_BYTES, found);
      if (error != 0 || found.get(ADDRESS, 0).address() == 0) {
        return new HostUser(uid, shown, Set.of());
      }
      MemorySegment count = arena.allocate(JAVA_INT);
      count.set(JAVA_INT, 0, MOST_GROUPS);
      MemorySegment list = arena.allocate(JAVA_INT, MOST_GROUPS);
      int groups =
          (int)
              GETGROUPLIST.invokeExact(
                  entry.get(ADDRESS, 0), entry.get(JAVA_INT, PW_GID), list, count);
      Set<Integer> all = new HashSet<>();
      for (int i = 0; i < groups; i++) {
        all.add(list.getAtIndex(JAVA_INT, i));
      }
      return new HostUser(uid, shown, all);
    } catch (Throwable e) {
      throw new LinkageError("getpwuid_r", e);
    }
  }
}
