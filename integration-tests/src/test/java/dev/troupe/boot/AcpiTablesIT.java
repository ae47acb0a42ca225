package dev.troupe.boot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.boot.AcpiTables;
import dev.troupe.runtime.boot.BoardDescription;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tables read by ACPICA's own tool, the reference that guests' interpreters are built on. */
class AcpiTablesIT {
  private static final int ALIGNMENT = 64;

  @TempDir Path folder;

  private static Map<String, byte[]> tables() {
    BoardDescription board =
        new BoardDescription(
            3,
            0xFEE0_0000L,
            0xFEC0_0000L,
            0,
            0x600,
            9,
            5,
            0xCF9,
            6,
            0x3F8,
            4,
            0x70,
            8,
            0xF000_0000L,
            0xFEBF_FFFFL);
    byte[] all = AcpiTables.build(board).toArray(ValueLayout.JAVA_BYTE);
    ByteBuffer buffer = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
    Map<String, byte[]> tables = new TreeMap<>();
    for (int at = ALIGNMENT; at < all.length; ) {
      int size = buffer.getInt(at + 4);
      String name = new String(all, at, 4, StandardCharsets.US_ASCII);
      tables.put(name, Arrays.copyOfRange(all, at, at + size));
      at += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    return tables;
  }

  private String iasl(String... arguments) throws IOException, InterruptedException {
    String[] command = new String[arguments.length + 1];
    command[0] = "iasl";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  private String disassemble(String table) throws IOException, InterruptedException {
    Files.write(folder.resolve(table + ".dat"), tables().get(table));
    assertThat(iasl("-d", table + ".dat"))
        .doesNotContainIgnoringCase("checksum")
        .doesNotContain("rror");
    return Files.readString(folder.resolve(table + ".dsl"));
  }

  @Test
  void everyTableDisassemblesWithoutAComplaint() throws Exception {
    for (String table : tables().keySet()) {
      assertThat(disassemble(table)).as(table).doesNotContain("Invalid", "Incorrect", "Unknown");
    }
  }

  @Test
  void theDsdtCompilesAgainWithoutAWarningAndNamesTheDevices() throws Exception {
    String source = disassemble("DSDT");
    assertThat(source)
        .contains(
            "Device (PCI0)", "PNP0A03", "Device (COM1)", "PNP0501", "Device (RTC)", "Name (\\_S5")
        .contains("0xF0000000,         // Range Minimum", "0xFEBFFFFF,         // Range Maximum");
    assertThat(iasl("-p", "again", "DSDT.dsl")).contains("0 Errors, 0 Warnings, 0 Remarks");
  }

  @Test
  void theFadtAndMadtSayWhatTheBoardHas() throws Exception {
    assertThat(disassemble("FACP"))
        .contains("PM1A Event Block Address : 00000600", "PM Timer Block Address : 00000608")
        .contains("SCI Interrupt : 0009", "Control Method Power Button (V1) : 0")
        .contains("Reset Register Supported (V2) : 1", "Value to cause reset : 06");
    assertThat(disassemble("APIC").split("Processor Enabled : 1", -1)).hasSize(1 + 3);
  }
}
