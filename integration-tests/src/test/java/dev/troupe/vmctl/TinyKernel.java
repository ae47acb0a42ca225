package dev.troupe.vmctl;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/** Multiboot kernels of a few instructions; 32-bit code in hexadecimal, loaded at 0x100020. */
public final class TinyKernel {
  /** Sends back what it gets; 4 ends it with exit code 3. */
  public static final String ECHO =
      "66bafb03b003ee66bafa03b007ee66bafd03eca80174f766baf803ec3c047403eeebebb001e6f4";

  /**
   * The same, and sleeps until something comes: the serial port interrupts it. Needs 2 MiB; its IDT
   * is at 0x170000, its stack below 0x180000.
   */
  public static final String SLEEPING_ECHO =
      "bc00001800e8000000005b8d83b60000008983a80000000f0193a60000006a088d831e00000050cb"
          + "8d8387000000bf000017006689872001000066c78722010000080066c78724010000008ec1e81066"
          + "8987260100000f019bae000000b011e620b020e621b004e621b001e621b0efe62166bafb03b003ee"
          + "66bafa03b007ee66bafc03b00bee66baf903b001eefbf4ebfd66bafd03eca801740c66baf803ec3c"
          + "047408eeebebb020e620cfb001e6f4f40f0000000000669027010000170066900000000000000000"
          + "ffff0000009acf00";

  /** Jumps to itself. */
  public static final String ENDLESS = "ebfe";

  /** Halts for ever, with interrupts off. */
  public static final String HALTED = "f4ebfd";

  /** Looks for the power button, and switches off when it is pressed. */
  public static final String SWITCHES_OFF = "66ba0006f39066edf6c40174f766ba040666b8003466eff4ebfd";

  /** The same, but it sleeps, and looks 18 times a second, when the timer's interrupt wakes it. */
  public static final String SWITCHES_OFF_IN_SLEEP =
      "bc00002100b88f00100089c381e3ffff00008cc9c1e11009cb891d0001200066b8008ea3040120000f011db4"
          + "0010000f011596001000b011e620b020e621b004e621b001e621b0fee621b034e64331c0e640e64066ba0006"
          + "fbf4fa66edf6c40174f666ba040666b8003466eff4ebfd50b020e62058cf17009c0010000000000000000000"
          + "0000000000000000ffff0000009acf00ff0700002000";

  /** An invalid opcode without an IDT. */
  static final String TRIPLE_FAULT = "0f0b";

  /** ACPI's S5. */
  static final String POWER_OFF = "66ba040666b8003466ef";

  /** Writes 0x10 to the debug exit port. */
  static final String DEBUG_EXIT = "b010e6f4";

  /**
   * Adds the numbers from 100,000 down to 1, stores each, and writes 0x10 to the debug exit port.
   */
  static final String COUNTING = "b9a086010001c8890d000011004975f5b010e6f4";

  private static final int BASE = 0x10_0000;
  private static final int HEADER_BYTES = 32;
  private static final int MAGIC = 0x1BAD_B002;
  private static final int ADDRESSES = 1 << 16;

  private TinyKernel() {}

  /** Writes a kernel's file. */
  public static Path write(Path folder, String hex) throws IOException {
    byte[] code = HexFormat.of().parseHex(hex);
    int end = BASE + HEADER_BYTES + code.length;
    ByteBuffer image =
        ByteBuffer.allocate(HEADER_BYTES + code.length).order(ByteOrder.LITTLE_ENDIAN);
    image.putInt(MAGIC).putInt(ADDRESSES).putInt(-(MAGIC + ADDRESSES));
    image.putInt(BASE).putInt(BASE).putInt(end).putInt(end).putInt(BASE + HEADER_BYTES);
    image.put(code);
    return Files.write(Files.createTempFile(folder, "kernel", ".mb"), image.array());
  }
}
