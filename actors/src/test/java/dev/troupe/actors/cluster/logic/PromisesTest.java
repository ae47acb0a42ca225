package dev.troupe.actors.cluster.logic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.cluster.Chosen;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Registration;
import dev.troupe.proto.cluster.Report.Phase;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.cluster.Want;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.Explanation;
import dev.troupe.proto.vmd.StartVm;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Machines that have chosen a host and are not there yet. */
class PromisesTest {
  private static final long MEBIBYTE = 1 << 20;
  private static final VmSpec SMALL =
      VmSpec.newBuilder()
          .setCpus(1)
          .setMemoryBytes(100 * MEBIBYTE)
          .setBoot(Boot.newBuilder().setKernel("/k"))
          .build();

  private static HostId id(String name) {
    return HostId.newBuilder().setName(name).setUid(1).build();
  }

  private static HostLogic host(String name, long mebibytes) {
    HostLogic host =
        new HostLogic(
            id(name), 1, new Capacity(mebibytes * MEBIBYTE, 1000, Set.of("interpreter"), Map.of()));
    host.on(new HostLogic.Tick(0, true));
    return host;
  }

  private static Explanation.Score score(HostLogic host, String vm) {
    List<HostEffect> effects =
        host.on(new HostLogic.Asked(Bid.newBuilder().setVm(vm).setSpec(SMALL).build()));
    return ((HostEffect.SendOffer) effects.getFirst()).offer().getScore();
  }

  private static void choose(HostLogic host, String name, String vm) {
    host.on(
        new HostLogic.Promised(
            Chosen.newBuilder().setVm(vm).setHost(id(name)).setSpec(SMALL).build()));
  }

  private static Phase want(HostLogic host, String name, String vm) {
    Want want = Want.newBuilder().setVm(vm).setEpoch(1).setHost(id(name)).setSpec(SMALL).build();
    return host.on(new HostLogic.Wanted(want)).stream()
        .filter(HostEffect.SendReport.class::isInstance)
        .map(effect -> ((HostEffect.SendReport) effect).report().getPhase())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void whatIsExpectedCountsForOthersUntilItComesOrTimeIsOver() {
    HostLogic host = host("n1", 1000);
    long empty = score(host, "b").getScore();
    choose(host, "n1", "a");
    long expecting = score(host, "b").getScore();
    assertThat(expecting).isLessThan(empty);
    assertThat(score(host, "a").getScore()).as("not for itself").isEqualTo(empty);

    want(host, "n1", "a");
    assertThat(score(host, "b").getScore()).as("once, not twice").isEqualTo(expecting);

    choose(host, "n1", "c");
    host.on(new HostLogic.Tick(Limits.PROMISE_NANOS - 1, true));
    assertThat(score(host, "b").getScore()).isLessThan(expecting);
    host.on(new HostLogic.Tick(Limits.PROMISE_NANOS, true));
    assertThat(score(host, "b").getScore()).isEqualTo(expecting);
  }

  @Test
  void whatIsExpectedTakesNobodysPlace() {
    HostLogic host = host("n1", 150);
    choose(host, "n1", "a");
    assertThat(score(host, "b").getFits()).isFalse();

    assertThat(want(host, "n1", "b")).isEqualTo(Phase.PHASE_STARTING);
    assertThat(want(host, "n1", "a")).isEqualTo(Phase.PHASE_NO_ROOM);
  }

  @Test
  void aChoiceOfAnEarlierLifeOfTheNodeIsNoOnes() {
    HostLogic host = host("n1", 150);
    host.on(
        new HostLogic.Promised(
            Chosen.newBuilder()
                .setVm("a")
                .setHost(id("n1").toBuilder().setUid(2))
                .setSpec(SMALL)
                .build()));
    assertThat(score(host, "b").getFits()).isTrue();
  }

  /** While no store has written yet; a node has one machine more than the others from before. */
  @Test
  void machinesThatAreStartedAtOnceGoEverywhere() {
    Map<HostId, HostLogic> hosts = new LinkedHashMap<>();
    for (String name : List.of("n1", "n2", "n3")) {
      hosts.put(id(name), host(name, 10_000));
    }
    want(hosts.get(id("n1")), "n1", "old");
    Map<HostId, Integer> chosen = new LinkedHashMap<>();
    for (int i = 0; i < 62; i++) {
      chosen.merge(start("vm" + i, hosts), 1, Integer::sum);
    }

    assertThat(chosen)
        .containsOnly(Map.entry(id("n1"), 20), Map.entry(id("n2"), 21), Map.entry(id("n3"), 21));
  }

  /** Starts a machine whose store never answers; gives where it is to go. */
  private static HostId start(String vm, Map<HostId, HostLogic> hosts) {
    Surroundings now =
        new Surroundings(
            0,
            0,
            new Surroundings.Hosts() {
              @Override
              public List<HostId> present() {
                return List.copyOf(hosts.keySet());
              }

              @Override
              public boolean gone(HostId host) {
                return false;
              }
            });
    VmLogic logic = new VmLogic(vm, VmRecord.getDefaultInstance(), Placing.Policy.SPREAD);
    Submit submit =
        Submit.newBuilder()
            .setCommand(
                Command.newBuilder()
                    .setId(vm)
                    .setStart(StartVm.newBuilder().setVm(vm).setSpec(SMALL)))
            .setRegistration(Registration.newBuilder().setId(1).setName(vm))
            .setPrivileged(true)
            .build();
    logic.on(new VmLogic.Submitted(submit), now);
    Deque<VmEffect> effects = new ArrayDeque<>(logic.stored(now)); // the command
    while (true) {
      switch (effects.remove()) {
        case VmEffect.SendBid(HostId host, Bid bid) -> {
          for (HostEffect effect : hosts.get(host).on(new HostLogic.Asked(bid))) {
            HostEffect.SendOffer offer = (HostEffect.SendOffer) effect;
            effects.addAll(logic.on(new VmLogic.Offered(offer.offer()), now));
          }
        }
        case VmEffect.SendChosen(Chosen chosen) -> {
          hosts.get(chosen.getHost()).on(new HostLogic.Promised(chosen));
          return chosen.getHost();
        }
        case VmEffect.Reply _, VmEffect.Changed _, VmEffect.Settled _, VmEffect.Persist _ -> {}
        case VmEffect other -> throw new AssertionError(other.toString());
      }
    }
  }
}
