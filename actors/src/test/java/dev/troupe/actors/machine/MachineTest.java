package dev.troupe.actors.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.vcpu.ExitKind;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.machine.Outcome;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A machine's life, and the proof that its actors' messages are what makes it run. One and the same
 * class for every host.
 */
@Timeout(60)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class MachineTest {
  private static final int END_OF_INPUT = 4;

  private TestHost host;
  private TestConsole console;
  private Path folder;

  /** What runs the machines. */
  abstract TestHost host();

  /** How much is typed into a guest that polls for each byte at 115,200 baud of its own time. */
  int typedBytes() {
    return 20_000;
  }

  /** What all machines of this test have beside what each of them needs. */
  VmSpec.Builder common(VmSpec.Builder spec) {
    return spec;
  }

  @BeforeAll
  void startHost() {
    host = host();
  }

  @AfterAll
  void stopHost() {
    host.close();
  }

  @BeforeEach
  void newConsole(@TempDir Path empty) {
    console = new TestConsole();
    folder = empty;
  }

  private TestHost.Handle start(String guest) throws Exception {
    return start(guest, Doors.OPEN);
  }

  private TestHost.Handle start(String guest, Doors doors) throws Exception {
    return start(TinyGuest.spec(guest, folder), console, doors);
  }

  private TestHost.Handle start(VmSpec.Builder spec, TestConsole end, Doors doors)
      throws Exception {
    return host.start(common(spec).build(), end, doors);
  }

  @Test
  void whatTheGuestWritesToItsSerialLineComesOutOfTheConsole() throws Exception {
    MachineActor.Ended end = start("hello").ended();

    assertThat(end.outcome()).isEqualTo(new Outcome.DebugExit(0x10));
    assertThat(console.text()).isEqualTo("hello\n");
  }

  @Test
  void theGuestSwitchesTheMachineOff() throws Exception {
    assertThat(start("poweroff").ended().outcome()).isEqualTo(new Outcome.PoweredOff());
  }

  @Test
  void aTripleFaultEndsTheMachineAndSaysWhere() throws Exception {
    assertThat(start("triple").ended().outcome())
        .isInstanceOfSatisfying(
            Outcome.TripleFault.class,
            fault -> assertThat(fault.state()).contains("cs:rip=0010:0000000000100020"));
  }

  @Test
  void aRebootResetsTheMachineAndNothingRunsBehindIt() throws Exception {
    assertThat(start("reboot").ended().outcome()).isEqualTo(new Outcome.DebugExit(5));
  }

  @Test
  void aRebootEndsTheMachineWhoseSpecSaysSo() throws Exception {
    var spec = TinyGuest.spec("reboot", folder).setNoReboot(true);

    assertThat(start(spec, console, Doors.OPEN).ended().outcome()).isEqualTo(new Outcome.Reset());
  }

  @Test
  void pauseResumeAndStopActInAnEndlessGuestLoop() throws Exception {
    TestHost.Handle machine = start("endless");
    for (int i = 0; i < 5; i++) {
      machine.pause();
      machine.resume();
    }
    machine.pause();
    machine.stop();
    MachineActor.Ended end = machine.ended();

    assertThat(end.outcome()).isEqualTo(new Outcome.Stopped());
    assertThat(end.statistics().vcpus().exits(ExitKind.TURN_END)).isPositive();
  }

  @Test
  void stopEndsARunningMachine() throws Exception {
    TestHost.Handle machine = start("endless");
    machine.stop();

    assertThat(machine.ended().outcome()).isEqualTo(new Outcome.Stopped());
  }

  @Test
  void aHaltedVcpuRunsNoTurnsAndStillStops() throws Exception {
    TestHost.Handle machine = start("dead");
    Thread.sleep(300);
    machine.pause();
    machine.resume();
    machine.stop();
    MachineActor.Ended end = machine.ended();

    assertThat(end.outcome()).isEqualTo(new Outcome.Stopped());
    assertThat(end.statistics().vcpus().exits(ExitKind.HALT)).isEqualTo(1);
    assertThat(end.statistics().vcpus().instructions()).isLessThan(10);
  }

  @Test
  void interruptsOfATimerWakeAHaltedVcpu() throws Exception {
    MachineActor.Ended end = start("halt").ended();

    assertThat(end.outcome()).isEqualTo(new Outcome.DebugExit(3));
    assertThat(end.statistics().virtualNanos()).isGreaterThan(19 * 10_000_000L);
    assertThat(end.statistics().messages(MessageKind.INTERRUPT_ACKNOWLEDGE)).isEqualTo(20);
    assertThat(end.statistics().vcpus().exits(ExitKind.INTERRUPT_ACKNOWLEDGE)).isEqualTo(20);
  }

  @Test
  void theBootProcessorStartsTheOthers() throws Exception {
    var spec = TinyGuest.spec("smp", folder).setCpus(4);

    assertThat(start(spec, console, Doors.OPEN).ended().outcome())
        .isEqualTo(new Outcome.DebugExit(9));
  }

  @Test
  void theLocalApicsTimerWakesItsHaltedVcpuWithoutAMessage() throws Exception {
    MachineActor.Ended end = start("apic").ended();

    assertThat(end.outcome()).isEqualTo(new Outcome.DebugExit(4));
    assertThat(end.statistics().messages(MessageKind.TIMER_FIRED)).isZero();
  }

  @Test
  void aPausedMachinesClockStandsStill() throws Exception {
    TestHost.Handle machine = start("dead");
    machine.pause();
    Thread.sleep(2_000);
    machine.stop();

    assertThat(machine.ended().statistics().virtualNanos()).isLessThan(2_000_000_000L);
  }

  /** Polled, so that the guest takes bytes one by one while thousands wait. */
  @Test
  void everyByteTypedReachesTheGuestInOrder() throws Exception {
    byte[] typed = new byte[typedBytes()];
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < typed.length; i++) {
      typed[i] = (byte) (5 + random.nextInt(250));
    }
    TestHost.Handle machine = start("echo");
    ByteArrayOutputStream sent = new ByteArrayOutputStream();
    for (int at = 0; at < typed.length; ) {
      int count = Math.min(typed.length - at, 1 + random.nextInt(5_000));
      byte[] part = Arrays.copyOfRange(typed, at, at + count);
      sent.writeBytes(part);
      console.type(part);
      at += count;
    }
    console.type(new byte[] {END_OF_INPUT});

    assertThat(machine.ended().outcome()).isEqualTo(new Outcome.DebugExit(1));
    assertThat(console.bytes()).isEqualTo(sent.toByteArray());
  }

  @Test
  void aSlowReaderHoldsTheMachineUpAndLosesNoByte() throws Exception {
    console.allow(0);
    TestHost.Handle machine = start("flood");
    while (console.mostWaiting() < 32 * 1024) {
      Thread.sleep(1);
    }
    Thread.sleep(200);
    console.allow(Long.MAX_VALUE);

    assertThat(machine.ended().outcome()).isEqualTo(new Outcome.DebugExit(2));
    assertThat(console.mostWaiting()).as("bytes held in memory").isLessThanOrEqualTo(64 * 1024);
    byte[] expected = new byte[100_000];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = (byte) i;
    }
    assertThat(console.bytes()).isEqualTo(expected);
  }

  @Test
  void everyExitToADeviceIsAMessageOnTheBoard() throws Exception {
    MachineActor.Ended end = start("poll").ended();
    MachineStatistics statistics = end.statistics();
    var vcpus = statistics.vcpus();

    assertThat(end.outcome()).isEqualTo(new Outcome.DebugExit(6));
    assertThat(vcpus.exits(ExitKind.PORT_READ)).isEqualTo(1_003);
    assertThat(vcpus.unclaimed()).isEqualTo(2);
    // The word that is read from port 0x20 reaches the PIC as two bytes.
    assertThat(statistics.messages(MessageKind.IO_READ)).isEqualTo(1_003 - 2 + 1);
    assertThat(statistics.messages(MessageKind.IO_WRITE)).isEqualTo(1);
    assertThat(vcpus.messages()).isEqualTo(statistics.calls() - statistics.resets());
  }

  @Test
  void aGuestWhoseSerialLineGetsNoMessagesPrintsNothing() throws Exception {
    Doors deaf =
        new Doors() {
          @Override
          public boolean device(String name, BoardMessage message) {
            return !name.equals("uart0") || message instanceof BoardMessage.Reset;
          }
        };

    assertThat(start("hello", deaf).ended().outcome()).isEqualTo(new Outcome.DebugExit(0x10));
    assertThat(console.bytes()).isEmpty();
  }

  @Test
  void theTimersInterruptComesThroughThePic() throws Exception {
    assertThat(start("timer").ended().outcome()).isEqualTo(new Outcome.DebugExit(1));
  }

  @Test
  void aNumericErrorComesBackAsAnInterrupt() throws Exception {
    MachineActor.Ended end = start("numeric-error").ended();

    assertThat(end.outcome()).isEqualTo(new Outcome.DebugExit(1));
    assertThat(end.statistics().vcpus().exits(ExitKind.NUMERIC_ERROR)).isEqualTo(2);
  }

  @Test
  void aGuestWhosePicHearsOfNoLineGetsNoInterrupt() throws Exception {
    Doors deaf =
        new Doors() {
          @Override
          public boolean device(String name, BoardMessage message) {
            return !(name.equals("pic") && message instanceof BoardMessage.LineLevel);
          }
        };

    assertThat(start("timer", deaf).ended().outcome()).isEqualTo(new Outcome.DebugExit(2));
  }

  @Test
  void aGuestWhoseVcpuIsDeafGetsNoInterrupt() throws Exception {
    Doors deaf =
        new Doors() {
          @Override
          public boolean vcpu(int index, Interrupt interrupt) {
            return false;
          }
        };

    assertThat(start("timer", deaf).ended().outcome()).isEqualTo(new Outcome.DebugExit(2));
  }

  @Test
  void aDeviceThatFailsStopsItsMachineAloneAndSaysWhy() throws Exception {
    Doors failing =
        new Doors() {
          @Override
          public boolean device(String name, BoardMessage message) {
            if (message instanceof BoardMessage.IoRead read && read.address() == 0x71) {
              throw new IllegalStateException("planted fault, address=" + read.address());
            }
            return true;
          }
        };
    TestConsole other = new TestConsole();
    var neighbour = start(TinyGuest.spec("echo", folder).setName("neighbour"), other, Doors.OPEN);
    TestHost.Handle machine = start("poll", failing);

    assertThat(machine.ended().outcome())
        .isInstanceOfSatisfying(
            Outcome.InternalFailure.class,
            error -> assertThat(error.message()).contains("rtc").contains("address=113"));
    other.type(new byte[] {'x', END_OF_INPUT});
    assertThat(neighbour.ended().outcome()).isEqualTo(new Outcome.DebugExit(1));
    assertThat(new String(other.bytes(), StandardCharsets.US_ASCII)).isEqualTo("x");
  }
}
