package dev.troupe.actors.cluster.logic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.cluster.logic.HostEffect.Operation;
import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.cluster.Desired;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Report.Phase;
import dev.troupe.proto.cluster.Want;
import dev.troupe.proto.control.VmOutcome;
import dev.troupe.proto.spec.VmSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How a host's machines leave a node that is about to go. */
class LeavingTest {
  private static final int VMS = 100;
  private static final long TICK = 250_000_000L;
  private static final HostId HOST =
      HostId.newBuilder().setName("n1").setAddress("pekko://sim@127.0.0.1:1").setUid(7).build();

  private final HostLogic host =
      new HostLogic(HOST, 1, new Capacity(1L << 40, 1000, Set.of("interpreter"), Map.of()));
  private long now;

  @BeforeEach
  void manyMachinesRun() {
    tick();
    for (int i = 0; i < VMS; i++) {
      want(i, Desired.getDefaultInstance());
      host.on(new HostLogic.Ran("vm" + i, 1));
    }
  }

  private List<HostEffect> want(int vm, Desired desired) {
    return host.on(
        new HostLogic.Wanted(
            Want.newBuilder()
                .setVm("vm" + vm)
                .setEpoch(1)
                .setHost(HOST)
                .setSpec(VmSpec.newBuilder().setName("vm" + vm).setCpus(1).setMemoryBytes(1 << 20))
                .setDesired(desired)
                .build()));
  }

  private List<HostEffect> tick() {
    now += TICK;
    return host.on(new HostLogic.Tick(now, true));
  }

  private static List<String> evicted(List<HostEffect> effects) {
    return effects.stream()
        .filter(HostEffect.SendEvict.class::isInstance)
        .map(effect -> ((HostEffect.SendEvict) effect).evict().getVm())
        .toList();
  }

  private static List<Operation> operations(List<HostEffect> effects) {
    return effects.stream()
        .filter(HostEffect.Operate.class::isInstance)
        .map(effect -> ((HostEffect.Operate) effect).operation())
        .toList();
  }

  /** What an entity wishes that has found another host. */
  private static Desired off() {
    return Desired.newBuilder().setVersion(1).setPowerPresses(1).build();
  }

  @Test
  void allAreSentAwaySomeAtATimeAndNothingIsDoneToThoseThatFindNoOtherNode() {
    assertThat(host.on(new HostLogic.Leaving(Departure.MOVE))).isEmpty();
    Set<String> seen = new TreeSet<>();
    for (int i = 0; i * Limits.LEAVING_AT_ONCE < VMS; i++) {
      List<HostEffect> effects = tick();
      assertThat(evicted(effects)).hasSizeLessThanOrEqualTo(Limits.LEAVING_AT_ONCE);
      assertThat(operations(effects)).isEmpty();
      seen.addAll(evicted(effects));
    }

    assertThat(seen).hasSize(VMS);
    assertThat(host.live()).hasSize(VMS);
    assertThat(evicted(tick())).as("asked again, a word may be lost").isNotEmpty();
  }

  @Test
  void whoHasFoundAnotherNodeIsAskedOnceToSwitchOff() {
    host.on(new HostLogic.Leaving(Departure.MOVE));
    assertThat(operations(want(3, off()))).containsExactly(Operation.POWER_BUTTON);
    List<String> later = new ArrayList<>();
    for (int i = 0; i < VMS; i++) {
      later.addAll(evicted(tick()));
    }
    assertThat(later).doesNotContain("vm3").hasSizeGreaterThan(VMS);

    List<HostEffect> asked = host.on(new HostLogic.Leaving(Departure.ASK));
    assertThat(operations(asked)).hasSize(VMS - 1).containsOnly(Operation.POWER_BUTTON);
    assertThat(evicted(tick())).isEmpty();
  }

  @Test
  void whatIsLeftIsEndedAndReleasedForAnotherNode() {
    host.on(new HostLogic.Leaving(Departure.ASK));
    List<HostEffect> effects = host.on(new HostLogic.Leaving(Departure.END));
    assertThat(operations(effects)).hasSize(VMS).containsOnly(Operation.STOP);

    List<HostEffect> over =
        host.on(
            new HostLogic.Over(
                "vm5", 1, VmOutcome.newBuilder().setKind(VmOutcome.Kind.KIND_STOPPED).build()));
    assertThat(over)
        .singleElement()
        .isInstanceOfSatisfying(
            HostEffect.SendReport.class,
            sent -> assertThat(sent.report().getPhase()).isEqualTo(Phase.PHASE_RELEASED));
    assertThat(host.live()).hasSize(VMS - 1);
  }

  @Test
  void aDrainedHostSendsTwoAwayAtATimeAndWhoFitsNowhereHoldsUpNone() {
    host.on(new HostLogic.Draining(true));
    Set<String> seen = new TreeSet<>();
    for (int i = 0; i < 10 * VMS; i++) {
      List<String> now = evicted(tick());
      assertThat(now).hasSizeLessThanOrEqualTo(Limits.EVICTED_AT_ONCE);
      seen.addAll(now);
    }
    assertThat(seen).as("nobody has found another node").hasSize(VMS);

    want(3, off());
    want(4, off());
    for (int i = 0; i < VMS; i++) {
      assertThat(evicted(tick())).as("two are on their way").isEmpty();
    }
    VmOutcome off = VmOutcome.newBuilder().setKind(VmOutcome.Kind.KIND_POWERED_OFF).build();
    host.on(new HostLogic.Over("vm3", 1, off));
    List<String> next = new ArrayList<>();
    for (int i = 0; i < VMS && next.isEmpty(); i++) {
      next.addAll(evicted(tick()));
    }
    assertThat(next).hasSize(1).doesNotContain("vm3", "vm4");
  }

  @Test
  void aHostThatLeavesTakesNothing() {
    host.on(new HostLogic.Leaving(Departure.MOVE));

    List<HostEffect> effects =
        host.on(
            new HostLogic.Asked(
                Bid.newBuilder()
                    .setVm("new")
                    .setSpec(VmSpec.newBuilder().setCpus(1).setMemoryBytes(1 << 20))
                    .build()));
    assertThat(effects)
        .singleElement()
        .isInstanceOfSatisfying(
            HostEffect.SendOffer.class,
            sent -> {
              assertThat(sent.offer().getScore().getFits()).isFalse();
              assertThat(sent.offer().getScore().getReasonsList())
                  .containsExactly("is about to go");
            });
  }
}
