package dev.troupe.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code vmctl journal}: what is found in a journal, by whichever selection, as text and as JSON.
 */
@Timeout(600)
class JournalCommandsIT {
  @TempDir private Path folder;
  private String journal;
  private String changed;

  /** The message that puts out the letter b. */
  private String number;

  private static VmctlProcess.Result journal(String... arguments) throws Exception {
    return VmctlProcess.run(new byte[0], arguments);
  }

  @BeforeEach
  void record() throws Exception {
    journal = folder.resolve("echo.journal").toString();
    changed = folder.resolve("changed.journal").toString();
    Path inputs =
        Files.writeString(
            folder.resolve("inputs"), "i:1000 console \"ab\"\ni:900000 console \"c\\x04\"\n");
    String kernel = TinyKernel.write(folder, TinyKernel.ECHO).toString();
    var recorded =
        journal(
            "run",
            kernel,
            "--memory",
            "4M",
            "--inputs",
            inputs.toString(),
            "--record",
            journal,
            "--record-level",
            "messages",
            "--hash-every",
            "1ms");
    assertThat(recorded.exitCode()).as(recorded.err()).isEqualTo(3);
    String line =
        journal("journal", "show", journal, "--where", "kind=IoWrite port=0x3f8 value=0x62").out();
    number = line.substring(2, line.indexOf(' '));
    journal("journal", "edit", journal, changed, "--message", number, "--set", "value=0x42");
  }

  @Test
  void recordsAreFoundByTheirLines() throws Exception {
    var found = journal("journal", "grep", "port=0x3f8.*value=0x6[12]", journal);
    assertThat(found.out().lines())
        .hasSize(2)
        .allMatch(line -> line.contains("vcpu0->uart0 IoWrite port=0x3f8"));
    assertThat(found.exitCode()).isZero();
    assertThat(journal("journal", "grep", "bytes=\"ab", journal, "--format", "json").out().lines())
        .hasSize(2)
        .allMatch(line -> line.startsWith("{\"kind\":") && line.endsWith("\"bytes\":\"ab\"}"));
    assertThat(journal("journal", "grep", "value=0x6[12]", journal, "--actor", "pic").exitCode())
        .isEqualTo(1);
    assertThat(journal("journal", "grep", "(", journal).err()).contains("no regular expression");
  }

  @Test
  void whatAFullDiskDoesNotTakeIsAnError() throws Exception {
    var full =
        new ProcessBuilder(VmctlProcess.command("journal", "show", journal))
            .redirectOutput(new File("/dev/full"))
            .start();
    String err = new String(full.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(full.waitFor()).isEqualTo(8);
    assertThat(err).isEqualTo("vmctl: standard output: No space left on device\n");
  }

  @Test
  void whoReadsNoFurtherHasHadEnough() throws Exception {
    var cut = new ProcessBuilder(VmctlProcess.command("journal", "show", journal)).start();
    cut.getInputStream().close();
    assertThat(cut.getErrorStream().readAllBytes()).isEmpty();
    assertThat(cut.waitFor()).isZero();
  }

  @Test
  void recordsAreCountedBySelection() throws Exception {
    String all = journal("journal", "stat", journal).out();
    String some = journal("journal", "stat", journal, "--actor", "pic").out();
    assertThat(all).contains("count Reset to pic: 1", "count ConsoleInput to uart0: 2");
    assertThat(some).contains("count Reset to pic: 1").doesNotContain("uart0");
    assertThat(some.lines().filter(line -> line.startsWith("size: ")).findFirst())
        .isEqualTo(all.lines().filter(line -> line.startsWith("size: ")).findFirst());
    assertThat(journal("journal", "stat", journal, "--kind", "Typed", "--format", "json").out())
        .startsWith("{\"vcpus\":1,")
        .contains("\"level\":\"messages\"", "\"counts\":{\"Typed\":2}", "\"damage\":\"none\"}");
  }

  @Test
  void aDifferenceIsShownOfWhatIsSelected() throws Exception {
    var text = journal("journal", "diff", journal, changed, "--context", "1");
    assertThat(text.out().lines()).hasSize(3);
    assertThat(text.out()).contains("< m:" + number + " ", "value=0x62", "value=0x42");
    assertThat(text.exitCode()).isEqualTo(1);
    List<String> json =
        journal("journal", "diff", journal, changed, "--context", "1", "--format", "json")
            .out()
            .lines()
            .toList();
    assertThat(json).hasSize(3);
    assertThat(json.get(0)).startsWith("{\"in\":\"both\",");
    assertThat(json.get(1)).startsWith("{\"in\":\"first\",\"kind\":\"IoWrite\",\"m\":" + number);
    assertThat(json.get(2)).startsWith("{\"in\":\"second\",\"kind\":\"IoWrite\",\"m\":" + number);
    for (String[] selection :
        new String[][] {{"--kind", "Typed"}, {"--actor", "pic"}, {"--to", "m:" + number}}) {
      var same = journal("journal", "diff", journal, changed, selection[0], selection[1]);
      assertThat(same.out()).startsWith("no difference in ");
      assertThat(same.exitCode()).isZero();
    }
  }

  @Test
  void hashesAreBisectedAsJson() throws Exception {
    var equal = journal("journal", "bisect", journal, journal, "--format", "json");
    assertThat(equal.out())
        .containsPattern("\\{\"equalHashes\":(\\d+),\"commonHashes\":\\1,\"i\":\\d+,")
        .contains("{\"same\":");
  }
}
