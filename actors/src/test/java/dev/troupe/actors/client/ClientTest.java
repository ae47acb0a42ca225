package dev.troupe.actors.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.client.DoorFixture.Result;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.StartVm;
import dev.troupe.proto.vmd.VmInfo;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** vmctl's commands against a real door: words, columns, exit codes. */
class ClientTest {
  private DoorFixture vmd;

  @BeforeEach
  void open() throws IOException {
    vmd = new DoorFixture();
  }

  @AfterEach
  void close() throws IOException {
    vmd.close();
  }

  private void expect(Result result, int exitCode, String out, String err) {
    assertThat(result).isEqualTo(new Result(exitCode, out, err));
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as("what is waited for comes").isNegative();
      Thread.sleep(2);
    }
  }

  @Test
  void defineSaysWhereAStartWouldRunIt() {
    expect(
        vmd.vmctl("define", "-m", "96M", "-b", "/k", "idle"),
        0,
        "",
        "vmctl: defined vm 1: a start runs it on n1\n");
    assertThat(vmd.control.done.getLast().getDefine().getSpec().getMemoryBytes())
        .isEqualTo(96L << 20);
    assertThat(vmd.vmctl("status", "idle").out()).contains("stopped idle");
  }

  private StartVm started() {
    return vmd.control.done.getLast().getStart();
  }

  @Test
  void startSaysWhichMachineAndHandsOnWhatWasGiven() {
    Result result =
        vmd.vmctl(
            "start",
            "-m",
            "1G",
            "-p",
            "2",
            "-b",
            "k",
            "--initrd",
            "m a,,b,n",
            "--append",
            "x y",
            "--cpu",
            "base",
            "--engine",
            "Interpreter",
            "--label",
            "zone=b",
            "--label",
            "disk=ssd",
            "--affinity",
            "g",
            "--anti-affinity",
            "h",
            "--no-reboot",
            "web");
    expect(result, 0, "", "vmctl: started vm 1 successfully\n");
    Path here = Path.of("").toAbsolutePath();
    VmSpec spec = started().getSpec();
    assertThat(spec.getName()).isEqualTo("web");
    assertThat(spec.getMemoryBytes()).isEqualTo(1L << 30);
    assertThat(spec.getCpus()).isEqualTo(2);
    assertThat(spec.getBoot().getKernel()).isEqualTo(here + "/k");
    assertThat(spec.getBoot().getInitrd()).isEqualTo(here + "/m a,,b," + here + "/n");
    assertThat(spec.getBoot().getCommandLine()).isEqualTo("x y");
    assertThat(spec.getCpuModel()).isEqualTo("base");
    assertThat(spec.getEngine()).isEqualTo(EngineKind.ENGINE_KIND_INTERPRETER);
    assertThat(spec.getNoReboot()).isTrue();
    assertThat(spec.getPlacement().getLabelsMap()).isEqualTo(Map.of("zone", "b", "disk", "ssd"));
    assertThat(spec.getPlacement().getAffinityList()).containsExactly("g");
    assertThat(spec.getPlacement().getAntiAffinityList()).containsExactly("h");
  }

  @Test
  void theNameMayComeFirstAsIn2018OrLastAsToday() {
    vmd.vmctl("start", "a", "-m", "64M", "-p2");
    StartVm first = started();
    vmd.vmctl("start", "--memory=64M", "--cpus", "2", "b");
    assertThat(started().getSpec().toBuilder().clearName().build())
        .isEqualTo(first.getSpec().toBuilder().clearName().build());
    assertThat(vmd.vmctl("stop", "a", "-fw").err()).contains("terminated vm 1");
    assertThat(vmd.vmctl("stop", "-wf", "b").err()).contains("terminated vm 2");
  }

  @Test
  void aTemplateIsNamed() {
    vmd.vmctl("start", "-m", "96M", "old");
    expect(vmd.vmctl("start", "-t", "old", "new"), 0, "", "vmctl: started vm 2 successfully\n");
    assertThat(started().getLike()).isEqualTo("old");
    expect(vmd.vmctl("start", "-t", "none", "new2"), 4, "", "vmctl: vm 'none' not found\n");
  }

  @Test
  void aMachineThatFitsNowhereWaitsAndOneThatRunsIsNotStarted() {
    expect(
        vmd.vmctl("start", "-m", "2T", "big"),
        0,
        "",
        "vmctl: vm 1 waits: no node has 2T of memory\n");
    vmd.vmctl("start", "a");
    expect(vmd.vmctl("start", "a"), 1, "", "vmctl: vm 2 is running already\n");
  }

  @Test
  void stopSaysInOpenBsdsWordsWhatItDid() {
    vmd.vmctl("start", "a");
    expect(vmd.vmctl("stop", "a"), 0, "", "stopping vm a: requested to shutdown vm 1\n");
    expect(vmd.vmctl("stop", "1"), 0, "", "stopping vm 1: vm 1 is stopped\n");
    vmd.vmctl("start", "a");
    expect(vmd.vmctl("stop", "-f", "a"), 0, "", "stopping vm a: forced to terminate vm 1\n");
    vmd.vmctl("start", "a");
    expect(vmd.vmctl("stop", "-w", "a"), 0, "", "stopping vm a: terminated vm 1\n");
    expect(vmd.vmctl("stop", "b"), 4, "", "vmctl: stopping vm b: vm not found\n");
    vmd.vmctl("start", "a");
    vmd.vmctl("start", "b");
    expect(
        vmd.vmctl("stop", "-a"),
        0,
        "",
        "stopping vm a: requested to shutdown vm 1\nstopping vm b: requested to shutdown vm 2\n");
    expect(vmd.vmctl("stop", "-a"), 0, "", "");
    expect(vmd.vmctl("stop"), 2, "", "vmctl: give NAME, or -a for all\n");
    expect(vmd.vmctl("stop", "-a", "b"), 2, "", "vmctl: give NAME or -a, not both\n");
    expect(vmd.vmctl("stop", ""), 2, "", "vmctl: the name is empty\n");
  }

  @Test
  void showHasOpenBsdsColumns() {
    vmd.vmctl("start", "-p", "2", "a");
    vmd.vmctl("start", "-m", "1536M", "b");
    vmd.vmctl("stop", "b");
    String me = System.getProperty("user.name");
    String title = "   ID   PID VCPUS  MAXMEM  CURMEM     TTY        OWNER    STATE NAME\n";
    String a = "    1  4242     2    512M      8M       - %12s  running a\n".formatted(me);
    String b = "    2     -     1    1.5G      8M       - %12s  stopped b\n".formatted(me);
    expect(vmd.vmctl("show"), 0, title + a + b, "");
    expect(vmd.vmctl("status"), 0, title + a + b, "");
    expect(vmd.vmctl("status", "-r"), 0, title + a, "");
    expect(vmd.vmctl("show", "b"), 0, title + b, "");
    expect(vmd.vmctl("show", "1"), 0, title + a, "");
    expect(vmd.vmctl("show", "c"), 4, "", "vmctl: vm 'c' not found\n");
    assertThat(vmd.vmctl("show", "-w").out())
        .contains("NAME         NODE     EPOCH ENGINE      REASON")
        .contains("a            n1           1 auto        -");
  }

  @Test
  void jsonAndYamlHaveTheSameKeys() {
    vmd.vmctl("start", "--append", "a\"b\n: no", "--label", "on=1", "a");
    String me = System.getProperty("user.name");
    int uid = vmd.control.lastCaller.uid();
    Result json = vmd.vmctl("show", "--format", "json");
    expect(
        json,
        0,
        """
        [{"id":1,"name":"a","owner":"%s","owner_uid":%d,"state":"running","reason":null,\
        "outcome":null,"pid":4242,"node":"n1","epoch":1,"vcpus":1,"memory_bytes":536870912,\
        "current_memory_bytes":8388608,"cpu_nanos":65000000000,"started":"2026-01-01T00:00:00Z",\
        "engine":"auto","cpu_model":null,"kernel":null,"initrd":null,\
        "command_line":"a\\"b\\n: no","labels":{"on":"1"},"affinity":[],"anti_affinity":[]}]
        """
            .formatted(me, uid),
        "");
    Result yaml = vmd.vmctl("show", "--format=yaml", "a");
    assertThat(yaml.out())
        .startsWith("- id: 1\n  name: \"a\"\n  owner: ")
        .contains(
            "  command_line: \"a\\\"b\\n: no\"\n  labels:\n    \"on\": \"1\"\n  affinity: []\n");
    assertThat(vmd.vmctl("show", "--format", "xml").exitCode()).isEqualTo(2);
    assertThat(vmd.vmctl("stop", "--format", "json", "a").out())
        .startsWith("{\"command\":\"")
        .contains("\"result\":\"done\",\"text\":null,\"vm\":{\"id\":1,");
  }

  @Test
  void pauseUnpauseAndResetSayWhatTheyDid() {
    vmd.vmctl("start", "a");
    expect(vmd.vmctl("pause", "a"), 0, "", "vmctl: paused vm 1 successfully\n");
    expect(vmd.vmctl("unpause", "1"), 0, "", "vmctl: unpaused vm 1 successfully\n");
    expect(vmd.vmctl("reset", "a"), 0, "", "vmctl: reset vm 1 successfully\n");
    expect(vmd.vmctl("pause", "b"), 4, "", "vmctl: vm 'b' not found\n");
  }

  @Test
  void waitEndsWithTheMachineOrTheTime() throws Exception {
    vmd.vmctl("start", "a");
    Result late = vmd.vmctl("wait", "--timeout", "50ms", "a");
    expect(late, 124, "", "vmctl: waiting for vm a: time-out\n");
    var waiting = CompletableFuture.supplyAsync(() -> vmd.vmctl("wait", "a"));
    await(() -> vmd.control.waiting() > 0);
    vmd.control.put(
        vmd.control.put(VmInfo.newBuilder().setId(1).setName("a").build()).toBuilder()
            .setState(VmState.VM_STATE_ENDED)
            .build());
    expect(waiting.get(60, TimeUnit.SECONDS), 0, "", "waiting for vm a: terminated vm 1\n");
  }

  @Test
  void nodesAreListedDrainedAndUndrained() {
    expect(
        vmd.vmctl("node", "list"),
        0,
        """
        NAME         STATE        VMS VCPUS/CORES          MEMORY ADDRESS               ENGINES                LABELS
        n1*          up             2         3/2         1.5G/4G 127.0.0.1:7355        interpreter,translator disk=ssd,zone=b
        """,
        "");
    assertThat(vmd.vmctl("node", "list", "--format", "json").out())
        .startsWith(
            "[{\"name\":\"n1\",\"address\":\"127.0.0.1:7355\",\"state\":\"up\",\"self\":true,");
    expect(vmd.vmctl("node", "drain", "n1"), 0, "", "vmctl: drained node n1\n");
    expect(vmd.vmctl("node", "undrain", "n1"), 0, "", "vmctl: undrained node n1\n");
    expect(vmd.vmctl("node", "drain", "n9"), 1, "", "vmctl: no node is called n9\n");
    expect(DoorFixture.run("node"), 2, "", "vmctl: node: give list, drain or undrain\n");
  }

  @Test
  void placementIsExplainedNodeByNode() {
    expect(
        vmd.vmctl("placement", "explain", "a"),
        0,
        "NODE         FITS  SCORE WHY\nn1*          yes      71 memory 62% free\n",
        "");
    expect(
        vmd.vmctl("placement", "explain", "-m", "8G", "a"),
        0,
        "NODE         FITS  SCORE WHY\nn1           no        - memory: 8G asked for, 2.5G free\n",
        "vmctl: vm a fits nowhere\n");
    assertThat(vmd.vmctl("placement", "explain", "a", "--format", "json").out())
        .isEqualTo(
            "{\"vm\":\"a\",\"chosen\":\"n1\",\"nodes\":[{\"name\":\"n1\",\"fits\":true,"
                + "\"score\":71,\"reasons\":[\"memory 62% free\"]}]}\n");
  }

  @Test
  void eventsAreShownAsTheyHappen() throws Exception {
    var watching =
        CompletableFuture.supplyAsync(() -> vmd.vmctl("events", "-w", "-n", "2", "--format=json"));
    await(() -> vmd.control.listeners() > 0);
    VmInfo.Builder vm = VmInfo.newBuilder().setId(1).setName("a").setEpoch(3);
    vmd.control.put(vm.setState(VmState.VM_STATE_RUNNING).build());
    vmd.control.put(vm.setState(VmState.VM_STATE_ENDED).setReason("powered off").build());
    assertThat(watching.get(60, TimeUnit.SECONDS).out().lines())
        .hasSize(2)
        .allMatch(l -> l.startsWith("{\"time\":\"2026-01-01T00:00:00.123Z\",\"vm\":{\"id\":1,"))
        .anyMatch(l -> l.contains("\"state\":\"stopped\",\"reason\":\"powered off\""));
    await(() -> vmd.control.listeners() == 0); // who has gone is not told any more
  }

  @Test
  void topShowsWhoUsesTheProcessors() {
    vmd.vmctl("start", "a");
    assertThat(vmd.vmctl("top", "-n", "1").out())
        .startsWith("1 vms, 1 running; 1 nodes, 1 up; 2 cores; memory 1.5G of 4G\n\n")
        .containsPattern("    1  running     1 +[0-9.]+     1:05    512M      8M n1 +\\S+ +a\n");
    assertThat(vmd.vmctl("top", "-n", "2", "-s", "10ms", "--format", "json").out()).hasLineCount(2);
  }

  @Test
  void theLogIsShownAndFollowed() {
    // What tests log is switched off, and other tests may have switched it on.
    if (LoggerFactory.getLogger("dev.troupe") instanceof ch.qos.logback.classic.Logger ours) {
      ours.setLevel(ch.qos.logback.classic.Level.INFO);
    }
    LoggerFactory.getLogger("dev.troupe.LogTest").warn("something \033[31m happened");
    assertThat(vmd.vmctl("log").out()).contains("WARN  LogTest: something ?[31m happened\n");
    assertThat(vmd.vmctl("log", "-n", "0")).isEqualTo(new Result(0, "", ""));
    assertThat(vmd.vmctl("log", "verbose")).isEqualTo(new Result(0, "", ""));
    LoggerFactory.getLogger("dev.troupe.LogTest").debug("a detail");
    assertThat(vmd.vmctl("log", "brief")).isEqualTo(new Result(0, "", ""));
    LoggerFactory.getLogger("dev.troupe.LogTest").debug("no detail");
    assertThat(vmd.vmctl("log").out()).contains("a detail").doesNotContain("no detail");
  }

  @Test
  void aPrefixIsEnoughIfItCanBeNothingElse() {
    assertThat(vmd.vmctl("sh").exitCode()).isZero();
    assertThat(vmd.vmctl("stat").exitCode()).isZero();
    assertThat(vmd.vmctl("no", "l").exitCode()).isZero();
    expect(vmd.vmctl("sta"), 2, "", "vmctl: 'sta' is ambiguous: start, status\n");
    expect(vmd.vmctl("re"), 2, "", "vmctl: 're' is ambiguous: reset, reload, receive, replay\n");
    expect(vmd.vmctl("r"), 2, "", "vmctl: 'r' is ambiguous: reset, reload, receive, run, replay\n");
    expect(vmd.vmctl("boot"), 2, "", "vmctl: no command is called 'boot'; see vmctl help\n");
    expect(DoorFixture.run(), 2, "", "vmctl: no command given; see vmctl help\n");
    assertThat(vmd.vmctl("node", "x").exitCode()).isEqualTo(2);
  }

  @Test
  void whatIsNotThereYetSaysSo() {
    Map<String, String> options =
        Map.of(
            "-d",
            "disks",
            "-n",
            "switches",
            "-i",
            "networks",
            "-r",
            "CD-ROMs",
            "-B",
            "boot devices");
    options.forEach(
        (option, what) ->
            expect(
                vmd.vmctl("start", option, "1", "a"),
                3,
                "",
                "vmctl: start %s: Troupe does not have %s yet\n".formatted(option, what)));
    expect(
        vmd.vmctl("start", "-cL", "a"),
        3,
        "",
        "vmctl: start -L: Troupe does not have networks yet\n");
    expect(
        vmd.vmctl("create", "foo.qcow2", "-s", "10g"),
        3,
        "",
        "vmctl: create: Troupe does not have disks yet\n");
    for (String command : new String[] {"load", "reload", "send", "receive"}) {
      assertThat(vmd.vmctl(command, "x").exitCode()).as(command).isEqualTo(3);
    }
    expect(
        vmd.vmctl("reset", "all"), 3, "", "vmctl: reset all: Troupe does not have vm.conf yet\n");
    assertThat(vmd.control.done).isEmpty();
  }

  @Test
  void aWrongCommandLineIsOneLine() {
    for (String[] wrong :
        new String[][] {
          {"start"},
          {"start", "a", "b"},
          {"start", "-m", "many", "a"},
          {"start", "-p", "0", "a"},
          {"start", "-p", "65", "a"},
          {"start", "-m", "1K", "a"},
          {"start", "../x"},
          {"start", "--label", "x", "a"},
          {"start", "--engine", "jit", "a"},
          {"show", "--nope"},
          {"pause"},
          {"log", "loud"},
          {"-v", "show"},
        }) {
      Result result = vmd.vmctl(wrong);
      assertThat(result.exitCode()).as(result.err()).isEqualTo(2);
      assertThat(result.err()).startsWith("vmctl: ").hasLineCount(1);
    }
    assertThat(vmd.control.done).isEmpty();
  }

  @Test
  void aDaemonThatDoesNotRunIsOneLine() throws Exception {
    String none = "/nonexistent/vmd.sock";
    expect(
        DoorFixture.run("show", "--socket", none),
        6,
        "",
        "vmctl: no daemon answers at " + none + "; ./vmd starts one\n");
    Path folder = Files.createTempDirectory("dead");
    Path dead = folder.resolve("s");
    try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(dead));
    }
    expect(
        DoorFixture.run("pause", "a", "--socket", dead.toString()),
        6,
        "",
        "vmctl: no daemon answers at " + dead + "; ./vmd starts one\n");
    Files.delete(dead);
    Files.delete(folder);
  }

  @Test
  void aCommandThatWasCutOffIsSentAgainUnderItsIdAndDoneOnce() throws Exception {
    vmd.vmctl("start", "a");
    vmd.control.held = true;
    var pausing = CompletableFuture.supplyAsync(() -> vmd.vmctl("pause", "a"));
    await(() -> vmd.control.done.size() == 2);
    vmd.shut();
    vmd.control.held = false;
    Thread.sleep(50); // the daemon is away for a while
    vmd.open();
    expect(
        pausing.get(60, TimeUnit.SECONDS),
        0,
        "",
        """
        vmctl: the daemon went away; asking it again under the same id
        vmctl: paused vm 1 successfully
        """);
    Command pause = vmd.control.done.getLast();
    assertThat(vmd.control.done).hasSize(2);
    assertThat(vmd.control.sent).containsEntry(pause.getId(), 2);
    assertThat(vmd.vmctl("pause", "a", "--id", pause.getId()).exitCode()).isZero();
    assertThat(vmd.control.done).as("the same id by hand").hasSize(2);
  }

  @Test
  void aDaemonThatStaysAwayEndsTheCommandWithItsId() throws Exception {
    vmd.control.held = true;
    var asking =
        CompletableFuture.supplyAsync(
            () -> {
              try (Daemon daemon = Daemon.at(vmd.socket, java.time.Duration.ofMillis(300))) {
                daemon.submit(
                    Command.newBuilder()
                        .setId("the-id")
                        .setStart(StartVm.newBuilder().setVm("a"))
                        .build());
                return "a result";
              } catch (ClientException e) {
                return e.getMessage();
              }
            });
    await(() -> !vmd.control.done.isEmpty());
    vmd.shut();
    assertThat(asking.get(60, TimeUnit.SECONDS))
        .startsWith("no result: the daemon at ")
        .endsWith("the same command with --id the-id asks again");
    vmd.open();
  }
}
