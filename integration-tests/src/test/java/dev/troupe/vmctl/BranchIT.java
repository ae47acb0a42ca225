package dev.troupe.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A recorded run goes on as another: a message is changed, a rule added, somebody types. */
@Timeout(600)
class BranchIT {
  @TempDir private Path folder;

  private static VmctlProcess.Result vmctl(String... arguments) throws Exception {
    return VmctlProcess.run(new byte[0], arguments);
  }

  /** A guest that echoes, typed at while it is recorded. */
  private String record() throws Exception {
    String journal = folder.resolve("echo.journal").toString();
    String kernel = TinyKernel.write(folder, TinyKernel.ECHO).toString();
    try (VmctlProcess vmctl =
        VmctlProcess.start(
            "run",
            "--kernel",
            kernel,
            "--quiet",
            "--record",
            journal,
            "--record-level",
            "messages")) {
      vmctl.type("abc");
      vmctl.await("abc", 0, VmctlProcess.LIMIT_SECONDS);
      vmctl.type("\u0004");
      assertThat(vmctl.exitCode(VmctlProcess.LIMIT_SECONDS)).isEqualTo(3);
    }
    return journal;
  }

  /** The number of the message that puts out a letter. */
  private static String number(String journal, char letter) throws Exception {
    String line =
        vmctl(
                "journal",
                "show",
                journal,
                "--where",
                "kind=IoWrite port=0x3f8 value=0x" + Integer.toHexString(letter))
            .out()
            .strip();
    return line.substring(2, line.indexOf(' '));
  }

  @Test
  void aChangedMessageMakesARunOfItsOwnThatIsRecordedWhole() throws Exception {
    String journal = record();
    String position = "m:" + number(journal, 'b');
    String copy = folder.resolve("copy.journal").toString();
    var edited =
        vmctl(
            "replay",
            journal,
            "--to",
            position,
            "--edit",
            "payload.value=0x42",
            "--record",
            copy,
            "--console");
    assertThat(edited.out())
        .startsWith("aBc")
        .contains("injected: " + position + " ", "did=corrupt now.value=0x42", "of=IoWrite")
        .contains("ended: debug exit 1, ");
    var replayed = vmctl("replay", copy, "--console");
    assertThat(replayed.out()).startsWith("aBc").contains("identical: ");
    assertThat(vmctl("journal", "stat", copy).out())
        .contains("fault 1: corrupt m=" + position.substring(2) + " value:=0x42")
        .contains("parent: " + journal + " up to " + position);
    assertThat(vmctl("replay", journal, "--console").out()).startsWith("abc").contains("identical");
  }

  @Test
  void fromAPositionOnTheConsoleIsLive() throws Exception {
    String journal = record();
    String copy = folder.resolve("live.journal").toString();
    List<String> arguments = new ArrayList<>(List.of("replay", journal, "--live", "--to"));
    arguments.addAll(List.of("m:" + number(journal, 'b'), "--record", copy));
    try (VmctlProcess vmctl = VmctlProcess.start(List.of(), arguments)) {
      vmctl.type("xyz\u0004"); // waits for its turn
      assertThat(vmctl.exitCode(VmctlProcess.LIMIT_SECONDS)).as(vmctl.output()).isZero();
      assertThat(vmctl.output()).contains("xyz").contains("ended: debug exit 1, ");
    }
    var replayed = vmctl("replay", copy, "--console");
    assertThat(replayed.out()).startsWith("a").contains("xyz", "identical: ");
  }

  @Test
  void aRuleThatIsAddedTakesEffectFromThePositionOn() throws Exception {
    String journal = record();
    var dropped =
        vmctl(
            "replay",
            journal,
            "--to",
            "m:" + number(journal, 'b'),
            "--fault",
            "drop kind=IoWrite port=0x3f8",
            "--console");
    assertThat(dropped.out()).startsWith("a").doesNotContain("abc").contains("did=drop");
    assertThat(dropped.exitCode()).isZero();
  }

  @Test
  void twoRunsAreBisectedByTheirHashesHoweverTheyWereRecorded() throws Exception {
    String kernel = TinyKernel.write(folder, TinyKernel.ECHO).toString();
    List<String> journals = new ArrayList<>();
    for (String typed : List.of("abc", "abc", "abX")) {
      Path script =
          Files.writeString(
              folder.resolve("inputs"),
              "i:1000 console \"ab\"\ni:900000 console \"%s\\x04\"\n".formatted(typed.charAt(2)));
      String journal = folder.resolve(journals.size() + ".journal").toString();
      // The second has more hashes, and messages.
      boolean more = journals.size() == 1;
      var recorded =
          vmctl(
              "run",
              kernel,
              "--memory",
              "4M",
              "--inputs",
              script.toString(),
              "--record",
              journal,
              "--hash-every",
              more ? "1ms" : "2ms",
              "--record-level",
              more ? "messages" : "inputs");
      assertThat(recorded.exitCode()).as(recorded.err()).isEqualTo(3);
      journals.add(journal);
    }
    var equal = vmctl("journal", "bisect", journals.get(0), journals.get(1));
    assertThat(equal.out()).startsWith("equal at 3 of 3 common hashes, ").contains("no difference");
    assertThat(equal.exitCode()).isZero();
    var parted = vmctl("journal", "bisect", journals.get(1), journals.get(2));
    assertThat(parted.out())
        .startsWith("equal at 3 of 3 common hashes, ")
        .containsPattern("\n< .* Typed .*bytes=\"c")
        .containsPattern("\n> .* Typed .*bytes=\"X");
    assertThat(parted.exitCode()).isEqualTo(1);
    String other = TinyKernel.write(folder, TinyKernel.DEBUG_EXIT).toString();
    String stranger = folder.resolve("stranger.journal").toString();
    vmctl("run", other, "--memory", "4M", "--record", stranger);
    assertThat(vmctl("journal", "bisect", journals.get(0), stranger).err())
        .isEqualTo(
            "vmctl: the journals are of different machines or images: see vmctl journal stat\n");
  }

  @Test
  void whatIsLookedForMayBeInMemoryOrInARegister() throws Exception {
    String journal = record();
    for (String[] until :
        new String[][] {
          {"memory[0x100020,4]==0x3fbba66", "0"}, // the first bytes of the guest's code
          {"memory[100020,2]==ba66", "0"},
          {"memory[0x100020,4]==0x3fbba67", "1"},
          {"memory[0xffffff000,4]==0", "1"}, // no memory
          {"rip==0x90000", "1"},
          {"vcpu0.cpl==0", "0"},
          {"vcpu1.cpl==0", "1"}, // there is one
          {"cr0==7", "1"},
          {"VCPU0.Memory[100020,2]==BA66", "0"},
        }) {
      var found = vmctl("explore", journal, "--from", "i:500", "--seeds", "2", "--until", until[0]);
      assertThat(found.exitCode()).as(until[0] + found.err()).isEqualTo(until[1].charAt(0) - '0');
    }
    assertThat(vmctl("explore", journal, "--from", "i:5", "--until", "memory[5]==1").err())
        .isEqualTo(
            "vmctl: --until 'memory[5]==1', expected console~REGEX, end~REGEX,"
                + " [vcpuN.]REGISTER==VALUE or [vcpuN.]memory[ADDRESS,SIZE]==VALUE\n");
  }

  @Test
  void whatMakesNoSenseIsSaidInOneLine() throws Exception {
    String journal = record();
    assertThat(vmctl("replay", journal, "--live").err())
        .isEqualTo(
            "vmctl: --live, --edit, --fault and --record need --to: where the run is its own\n");
    assertThat(vmctl("replay", journal, "--to", "i:5", "--edit", "value=1").err())
        .isEqualTo("vmctl: --edit needs --to m:N: which message\n");
    assertThat(vmctl("replay", journal, "--to", "m:1", "--fault", "drop kind=Line").err())
        .startsWith("vmctl: fault rule 1 'drop kind=Line after=m:1', column 6: kind=Line, expected")
        .hasLineCount(1);
    assertThat(vmctl("replay", journal, "--to", "m:1", "--edit", "pin=4").err())
        .isEqualTo("vmctl: --edit: m:1 has no such field, or is no message\n");
  }
}
