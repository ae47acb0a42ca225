package dev.troupe.actors.cluster;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A file that was found by its name, and stays the same one whatever becomes of the name. It is not
 * open: a device or a pipe notices nothing.
 */
final class PinnedFile implements AutoCloseable {
  // open(2) on Linux, x86-64 and AArch64 (asm-generic/fcntl.h).
  private static final int O_PATH = 010000000;
  private static final int O_CLOEXEC = 02000000;

  private static final int ENOENT = 2;
  private static final int EACCES = 13;
  private static final int ENOTDIR = 20;

  private static final MethodHandle OPEN =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("open"),
              FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
              Linker.Option.captureCallState("errno"),
              Linker.Option.firstVariadicArg(2));

  private static final MethodHandle CLOSE =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("close"),
              FunctionDescriptor.of(JAVA_INT, JAVA_INT));

  private final int descriptor;

  private PinnedFile(int descriptor) {
    this.descriptor = descriptor;
  }

  /**
   * Finds a file; links are followed.
   *
   * @throws NoSuchFileException if it is not there
   * @throws IOException if it cannot be found for another reason
   */
  static PinnedFile of(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
      int descriptor =
          (int) OPEN.invokeExact(state, arena.allocateFrom(file.toString()), O_PATH | O_CLOEXEC, 0);
      if (descriptor >= 0) {
        return new PinnedFile(descriptor);
      }
      int errno = state.get(JAVA_INT, 0);
      throw switch (errno) {
        case ENOENT, ENOTDIR -> new NoSuchFileException(file.toString());
        case EACCES -> new AccessDeniedException(file.toString());
        default -> new FileSystemException(file.toString(), null, "errno " + errno);
      };
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new LinkageError("open", e);
    }
  }

  /** A name for it that is good as long as it is pinned. */
  Path path() {
    return Path.of("/proc/self/fd/" + descriptor);
  }

  /** Where it is, without links. */
  Path realPath() throws IOException {
    return Files.readSymbolicLink(path());
  }

  @Override
  public void close() {
    try {
      int result = (int) CLOSE.invokeExact(descriptor);
      assert result == 0;
    } catch (Throwable e) {
      throw new LinkageError("close", e);
    }
  }
}
