package dev.troupe.oracle;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The host's own CPU as the oracle: runs cases natively in a child process ({@link ChildProgram}),
 * which may fault as it likes.
 */
final class HostCpu implements AutoCloseable {
  /** Cases that fit the shared file at once. */
  static final int BATCH = 4096;

  /** Of the child, in all: a case takes two microseconds. */
  private static final int CPU_SECONDS = 60;

  private static final int PAGE = 0x1000;

  // A case's page. In: selectors, signal context (struct sigcontext_64), FXSAVE area, windows; the
  // same again as results.
  private static final int IN_CONTEXT = 0x80;
  private static final int IN_FX = 0x180;
  private static final int IN_WINDOWS = 0x380;
  private static final int OUT_CONTEXT = 0x800;
  private static final int OUT_FX = 0x900;
  private static final int OUT_WINDOWS = 0xB00;

  /** The number of the signal that ended the case. */
  private static final int OUT_SIGNAL = 0xF80;

  // Offsets in struct sigcontext_64, arch/x86/include/uapi/asm/sigcontext.h; registers by our
  // numbers.
  private static final int[] GPR = {
    104, 112, 96, 88, 120, 80, 72, 64, 0, 8, 16, 24, 32, 40, 48, 56
  };
  private static final int RIP = 128;
  private static final int RFLAGS = 136;
  private static final int CS = 144;
  private static final int SS = 150;
  private static final int ERROR = 152;
  private static final int VECTOR = 160;
  private static final int CR2 = 176;
  private static final int FP_POINTER = 184;

  private final Path directory;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment shared;
  private final Process child;

  HostCpu() throws IOException {
    directory = Files.createTempDirectory("troupe-oracle");
    Path program = directory.resolve("child");
    Files.write(program, ChildProgram.elf());
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    Path file = directory.resolve("cases");
    try (var channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      shared = channel.map(FileChannel.MapMode.READ_WRITE, 0, ChildProgram.SHARED_SIZE, arena);
    }
    // A case that never ends is ended by its processor time: SIGXCPU.
    String limited = "ulimit -t " + CPU_SECONDS + "; exec \"$0\" \"$1\"";
    child =
        new ProcessBuilder("/bin/sh", "-c", limited, program.toString(), file.toString()).start();
  }

  /** Whether this machine can serve as the oracle at all. */
  static boolean available() {
    return System.getProperty("os.arch").equals("amd64")
        && System.getProperty("os.name").equals("Linux");
  }

  /**
   * What the host's kernel lets a process run. One that is itself a guest without hardware
   * virtualization may have no local descriptor tables, so that no other code than 64-bit code can
   * be had, and may refuse to go on with a stack pointer that is no canonical address.
   *
   * @param codeSizes of 64, 32 and 16
   * @param anyStackPointer whether RSP may be any value
   */
  record Limits(List<Integer> codeSizes, boolean anyStackPointer) {
    /** No limits. */
    static final Limits NONE = new Limits(List.of(64, 32, 16), true);

    /** The limits of this host. */
    static Limits ofThisHost() throws IOException {
      CpuImage flat = breakpoint(ChildProgram.CODE, ChildProgram.CODE);
      flat.cs = ChildProgram.CS32;
      flat.ss = flat.ds = flat.es = ChildProgram.DS32;
      CpuImage small = breakpoint(ChildProgram.REAL + 0x100, 0x100);
      small.cs = ChildProgram.CS16;
      small.ss = small.ds = small.es = ChildProgram.DS16;
      CpuImage far = breakpoint(ChildProgram.CODE, ChildProgram.CODE);
      far.gpr[4] = 1L << 63;
      var sizes = new ArrayList<>(List.of(64));
      try (var host = new HostCpu()) {
        List<CpuImage> out = host.run(List.of(flat, small, far));
        if (!refusesSegment(out.get(0))) {
          sizes.add(32);
        }
        if (!refusesSegment(out.get(1))) {
          sizes.add(16);
        }
        return new Limits(List.copyOf(sizes), out.get(2).vector != 13);
      }
    }

    private static boolean refusesSegment(CpuImage ran) {
      return ran.vector == 13 && (ran.error & 4) != 0; // TI: the table is the local one
    }

    private static CpuImage breakpoint(long address, long rip) {
      var image = new CpuImage();
      byte[] window = new byte[CpuImage.WINDOW];
      Arrays.fill(window, (byte) 0xCC);
      image.windows.add(new CpuImage.Window(address, window));
      image.rip = rip;
      image.gpr[4] = ChildProgram.STACK + 0x1000;
      return image;
    }

    /** Whether the kernel lives without hardware virtualization. */
    boolean paravirtual() {
      return !codeSizes.equals(NONE.codeSizes);
    }

    /** Whether the host runs this case. */
    boolean allow(CpuImage image) {
      return anyStackPointer || image.cs != ChildProgram.CS64 || canonical(image.gpr[4]);
    }

    private static boolean canonical(long address) {
      return address << 16 >> 16 == address;
    }
  }

  /** Runs each case; results in the same order. */
  List<CpuImage> run(List<CpuImage> cases) throws IOException {
    var results = new ArrayList<CpuImage>(cases.size());
    for (int from = 0; from < cases.size(); from += BATCH) {
      runBatch(cases.subList(from, Math.min(cases.size(), from + BATCH)), results);
    }
    return results;
  }

  private void runBatch(List<CpuImage> cases, List<CpuImage> results) throws IOException {
    for (int i = 0; i < cases.size(); i++) {
      put(shared.asSlice((long) PAGE * (i + 1), PAGE), cases.get(i), i);
    }
    shared.set(ValueLayout.JAVA_INT, 8, cases.size());
    child.getOutputStream().write('g');
    child.getOutputStream().flush();
    if (child.getInputStream().read() < 0) {
      throw new IOException(
          "the oracle's child process ended: "
              + child.onExit().join().exitValue()
              + ", in the case after "
              + lastFinished(cases));
    }
    for (int i = 0; i < cases.size(); i++) {
      results.add(take(shared.asSlice((long) PAGE * (i + 1), PAGE), cases.get(i)));
    }
  }

  /** The last case with a result. The one after it, or what that left behind, was too much. */
  private String lastFinished(List<CpuImage> cases) {
    int i = cases.size() - 1;
    while (i >= 0 && shared.get(ValueLayout.JAVA_INT, (long) PAGE * (i + 1) + OUT_SIGNAL) == 0) {
      i--;
    }
    return i + " of this batch" + (i + 1 < cases.size() ? ": " + cases.get(i + 1) : "");
  }

  private static void put(MemorySegment page, CpuImage image, int number) {
    if (image.windows.size() > CpuImage.MAX_WINDOWS) {
      throw new IllegalArgumentException("too many windows: " + image.windows.size());
    }
    page.fill((byte) 0);
    page.set(ValueLayout.JAVA_INT, 0, image.ds);
    page.set(ValueLayout.JAVA_INT, 4, image.es);
    page.set(ValueLayout.JAVA_LONG, 16, image.fsBase);
    page.set(ValueLayout.JAVA_LONG, 24, image.gsBase);
    for (int r = 0; r < 16; r++) {
      page.set(ValueLayout.JAVA_LONG, IN_CONTEXT + GPR[r], image.gpr[r]);
    }
    page.set(ValueLayout.JAVA_LONG, IN_CONTEXT + RIP, image.rip);
    page.set(ValueLayout.JAVA_LONG, IN_CONTEXT + RFLAGS, image.rflags);
    page.set(ValueLayout.JAVA_SHORT, IN_CONTEXT + CS, (short) image.cs);
    page.set(ValueLayout.JAVA_SHORT, IN_CONTEXT + SS, (short) image.ss);
    page.set(
        ValueLayout.JAVA_LONG,
        IN_CONTEXT + FP_POINTER,
        ChildProgram.SHARED + (long) PAGE * (number + 1) + IN_FX);
    MemorySegment.copy(image.fx, 0, page, ValueLayout.JAVA_BYTE, IN_FX, CpuImage.FX_SIZE);
    int at = IN_WINDOWS;
    for (CpuImage.Window w : image.windows) {
      page.set(ValueLayout.JAVA_LONG, at, w.address());
      MemorySegment.copy(w.bytes(), 0, page, ValueLayout.JAVA_BYTE, at + 8, CpuImage.WINDOW);
      at += 8 + CpuImage.WINDOW;
    }
  }

  private static CpuImage take(MemorySegment page, CpuImage in) {
    var out = new CpuImage();
    for (int r = 0; r < 16; r++) {
      out.gpr[r] = page.get(ValueLayout.JAVA_LONG, OUT_CONTEXT + GPR[r]);
    }
    out.rip = page.get(ValueLayout.JAVA_LONG, OUT_CONTEXT + RIP);
    out.rflags = page.get(ValueLayout.JAVA_LONG, OUT_CONTEXT + RFLAGS);
    out.cs = Short.toUnsignedInt(page.get(ValueLayout.JAVA_SHORT, OUT_CONTEXT + CS));
    out.ss = Short.toUnsignedInt(page.get(ValueLayout.JAVA_SHORT, OUT_CONTEXT + SS));
    out.ds = selector(page, 0xF88);
    out.es = selector(page, 0xF90);
    out.fs = selector(page, 0xF98);
    out.gs = selector(page, 0xFA0);
    out.fsBase = page.get(ValueLayout.JAVA_LONG, 0xFA8);
    out.gsBase = page.get(ValueLayout.JAVA_LONG, 0xFB0);
    out.vector = (int) page.get(ValueLayout.JAVA_LONG, OUT_CONTEXT + VECTOR);
    out.error = page.get(ValueLayout.JAVA_LONG, OUT_CONTEXT + ERROR);
    out.faultAddress = out.vector == 14 ? page.get(ValueLayout.JAVA_LONG, OUT_CONTEXT + CR2) : 0;
    MemorySegment.copy(page, ValueLayout.JAVA_BYTE, OUT_FX, out.fx, 0, CpuImage.FX_SIZE);
    int at = OUT_WINDOWS;
    for (int i = 0; i < in.windows.size(); i++) {
      byte[] bytes = new byte[CpuImage.WINDOW];
      MemorySegment.copy(page, ValueLayout.JAVA_BYTE, at + 8, bytes, 0, CpuImage.WINDOW);
      out.windows.add(new CpuImage.Window(in.windows.get(i).address(), bytes));
      at += 8 + CpuImage.WINDOW;
    }
    return out;
  }

  private static int selector(MemorySegment page, int offset) {
    return (int) page.get(ValueLayout.JAVA_LONG, offset) & 0xFFFF;
  }

  @Override
  public void close() throws IOException {
    child.getOutputStream().close();
    child.onExit().join();
    arena.close();
    try (var files = Files.list(directory)) {
      for (Path f : files.toList()) {
        Files.delete(f);
      }
    }
    Files.delete(directory);
  }
}
