package dev.troupe.actors.vmd.door;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * Users by number. The JDK tells a socket's peer by name only, and as its number in decimal where
 * the host knows no name.
 */
final class Users {
  /** Bytes of one entry's strings; the longest of glibc's own databases is 1024. */
  private static final int ENTRY_BYTES = 16 << 10;

  /** struct passwd on 64-bit Linux, of glibc and musl: two pointers, then pw_uid and pw_gid. */
  private static final int PASSWD_BYTES = 64;

  private static final int PW_UID = 16;

  private static final MethodHandle GETPWNAM_R =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("getpwnam_r"),
              FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));

  private Users() {}

  /**
   * The user who runs this process.
   *
   * @throws IOException without /proc
   */
  static int self() throws IOException {
    return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
  }

  /** The number of a user who is called so, or of one without a name whose number this is. */
  static OptionalInt uid(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment entry = arena.allocate(PASSWD_BYTES, 8);
      MemorySegment found = arena.allocate(ADDRESS);
      int error =
          (int)
              GETPWNAM_R.invokeExact(
                  arena.allocateFrom(name),
                  entry,
                  arena.allocate(ENTRY_BYTES),
                  (long) ENTRY_BYTES,
                  found);
      if (error == 0 && found.get(ADDRESS, 0).address() != 0) {
        return OptionalInt.of(entry.get(JAVA_INT, PW_UID));
      }
    } catch (Throwable e) {
      throw new LinkageError("getpwnam_r", e);
    }
    try {
      return OptionalInt.of(Integer.parseUnsignedInt(name));
    } catch (NumberFormatException e) {
      return OptionalInt.empty();
    }
  }
}
