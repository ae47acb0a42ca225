package dev.troupe.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A journal of a run that began with a snapshot is as good as one from power-on. */
@Timeout(600)
class RestoredJournalIT {
  @TempDir private Path folder;
  private Path inputs;
  private String journal;

  private static VmctlProcess.Result vmctl(String... arguments) throws Exception {
    return VmctlProcess.run(new byte[0], arguments);
  }

  /** Records a guest, then what comes of it from its last checkpoint on, a difference. */
  @BeforeEach
  void record() throws Exception {
    inputs =
        Files.writeString(
            folder.resolve("inputs"), "i:1000 console \"ab\"\ni:900000 console \"cd\\x04\"\n");
    String kernel = TinyKernel.write(folder, TinyKernel.ECHO).toString();
    Path first = folder.resolve("first.journal");
    run(List.of("--kernel", kernel, "--memory", "4M"), first, "i:200000");
    Path saved = folder.resolve("first.journal.checkpoints");
    Path snapshot;
    try (Stream<Path> files = Files.list(saved)) {
      snapshot =
          files
              .max(
                  Comparator.comparing(
                      file -> Long.valueOf(file.getFileName().toString().replaceAll("\\D", ""))))
              .orElseThrow();
    }
    journal = folder.resolve("rest.journal").toString();
    run(List.of("--restore", snapshot.toString()), Path.of(journal), "off");
    try (Stream<Path> files = Files.list(saved)) { // the journal has its own
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    try (Stream<Path> files = Files.list(folder.resolve("rest.journal.checkpoints"))) {
      assertThat(files).as("the snapshot, and what it is a difference from").hasSizeGreaterThan(1);
    }
  }

  private void run(List<String> machine, Path to, String checkpoints) throws Exception {
    List<String> line = new ArrayList<>(List.of("run"));
    line.addAll(machine);
    line.addAll(List.of("--record", to.toString(), "--record-level", "messages"));
    line.addAll(List.of("--inputs", inputs.toString(), "--no-pacing", "--hash-every", "1ms"));
    line.addAll(List.of("--checkpoint-every", checkpoints));
    var recorded = vmctl(line.toArray(String[]::new));
    assertThat(recorded.exitCode()).as(recorded.err()).isEqualTo(3);
  }

  @Test
  void allOfItIsHadAgainToAnyPositionAndBackwards() throws Exception {
    assertThat(vmctl("replay", journal, "--console").out())
        .startsWith("cd")
        .contains("identical: ");
    assertThat(vmctl("replay", journal, "--to", "i:850000").out())
        .startsWith("identical so far: i:850000 ");
    assertThat(vmctl("replay", journal, "--break", "kind=Typed").out()).startsWith("found: ");
    byte[] commands =
        "goto i:850000\nback 100\nback 200000\nquit\n".getBytes(StandardCharsets.UTF_8);
    assertThat(VmctlProcess.run(commands, "replay", journal, "--interactive").out())
        .containsSubsequence("i:850000 ", "i:849900 ", "this is the beginning of the run", "i:80");
  }

  @Test
  void eachActorIsHadAgainAlone() throws Exception {
    assertThat(vmctl("replay", journal, "--only", "vcpu0").out()).startsWith("identical: vcpu0, ");
    assertThat(vmctl("replay", journal, "--only", "vcpu0", "--engine", "interpreter").out())
        .startsWith("identical: vcpu0, ");
    assertThat(vmctl("replay", journal, "--only", "uart0").out()).startsWith("identical: uart0, ");
    String changed = folder.resolve("changed.journal").toString();
    String letter =
        vmctl("journal", "show", journal, "--where", "kind=IoWrite port=0x3f8 value=0x63").out();
    vmctl(
        "journal",
        "edit",
        journal,
        changed,
        "--message",
        letter.substring(2, letter.indexOf(' ')),
        "--set",
        "value=0x41");
    Files.move(
        folder.resolve("rest.journal.checkpoints"), folder.resolve("changed.journal.checkpoints"));
    assertThat(vmctl("replay", changed, "--only", "vcpu0").out())
        .startsWith("different after i:")
        .contains("value=65", "value=99");
    var missing = vmctl("replay", journal, "--only", "uart0");
    assertThat(missing.err()).contains("began with a snapshot, which is not there");
    assertThat(missing.exitCode()).isEqualTo(4);
  }

  @Test
  void runsBranchOffFromIt() throws Exception {
    var found =
        vmctl("explore", journal, "--from", "i:850000", "--seeds", "1", "--until", "console~cd");
    assertThat(found.out()).contains("found in 1 of 1 seeds").endsWith(".found\n");
    assertThat(vmctl("replay", journal + ".found", "--console").out())
        .startsWith("c")
        .contains("identical: ");
    String copy = folder.resolve("copy.journal").toString();
    String letter =
        vmctl("journal", "show", journal, "--where", "kind=IoWrite port=0x3f8 value=0x63").out();
    String position = letter.substring(0, letter.indexOf(' '));
    vmctl("replay", journal, "--to", position, "--edit", "payload.value=0x43", "--record", copy);
    assertThat(vmctl("replay", copy, "--console").out()).startsWith("Cd").contains("identical: ");
    assertThat(vmctl("replay", copy, "--only", "uart0").out()).startsWith("identical: uart0, ");
  }
}
