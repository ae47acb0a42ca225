package dev.troupe.actors.cluster.logic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.cluster.Chosen;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Offer;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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

  private static Offer ask(HostLogic host, String vm) {
    List<HostEffect> effects =
        host.on(new HostLogic.Asked(Bid.newBuilder().setVm(vm).setSpec(SMALL).build()));
    return ((HostEffect.SendOffer) effects.getFirst()).offer();
  }

  private static Explanation.Score score(HostLogic host, String vm) {
    return ask(host, vm).getScore();
  }

  private static void choose(HostLogic host, String name, String vm) {
    host.on(
        new HostLogic.Told(Chosen.newBuilder().setVm(vm).setHost(id(name)).setSpec(SMALL).build()));
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
        new HostLogic.Told(
            Chosen.newBuilder()
                .setVm("a")
                .setHost(id("n1").toBuilder().setUid(2))
                .setSpec(SMALL)
                .build()));
    assertThat(score(host, "b").getFits()).isTrue();
  }

  @Test
  void whoHasAskedAndNotChosenIsToldAsWhatTheScoreMayLose() {
    HostLogic host = host("n1", 1000);
    Offer alone = ask(host, "a");
    assertThat(alone.getOpen()).isZero();
    assertThat(ask(host, "a").getOpen()).as("not its own question").isZero();

    Offer second = ask(host, "b");
    assertThat(second.getScore()).isEqualTo(alone.getScore());
    choose(host, "n1", "a");
    Offer third = ask(host, "c");
    assertThat(third.getScore().getScore())
        .as("what was open has come")
        .isEqualTo(second.getScore().getScore() - second.getOpen());
    assertThat(third.getOpen()).as("b").isEqualTo(second.getOpen());

    choose(host, "n2", "b");
    choose(host, "n2", "c");
    assertThat(ask(host, "d").getOpen()).isZero();
    host.on(new HostLogic.Tick(Limits.BID_NANOS, true));
    assertThat(ask(host, "e").getOpen()).as("d has had its time").isZero();
  }

  /** While no store has written yet; a node has one machine more than the others from before. */
  @Test
  void machinesThatAreStartedOneAfterAnotherAreSpreadEvenly() {
    Map<HostId, HostLogic> hosts = hosts();
    want(hosts.get(id("n1")), "n1", "old");
    Map<HostId, Integer> chosen = new LinkedHashMap<>();
    for (int i = 0; i < 62; i++) {
      Start start = new Start("vm" + i, hosts);
      start.ask();
      chosen.merge(start.choose(), 1, Integer::sum);
    }

    assertThat(chosen)
        .containsOnly(Map.entry(id("n1"), 20), Map.entry(id("n2"), 21), Map.entry(id("n3"), 21));
  }

  /** All have asked before the first one chooses; one node has a little more room. */
  @Test
  void machinesThatChooseByTheSameOffersGoEverywhere() {
    Map<HostId, HostLogic> hosts = hosts();
    want(hosts.get(id("n1")), "n1", "old");
    want(hosts.get(id("n2")), "n2", "older");
    List<Start> starts = IntStream.range(0, 60).mapToObj(i -> new Start("vm" + i, hosts)).toList();
    starts.forEach(Start::ask);
    Map<HostId, Long> chosen =
        starts.stream().collect(Collectors.groupingBy(Start::choose, Collectors.counting()));

    assertThat(chosen).containsOnlyKeys(hosts.keySet());
    assertThat(chosen.values()).allMatch(count -> count >= 12);
  }

  private static Map<HostId, HostLogic> hosts() {
    Map<HostId, HostLogic> hosts = new LinkedHashMap<>();
    for (String name : List.of("n1", "n2", "n3")) {
      hosts.put(id(name), host(name, 10_000));
    }
    return hosts;
  }

  /** An entity that starts, whose store never answers. */
  private static final class Start {
    private final Map<HostId, HostLogic> hosts;
    private final Surroundings now;
    private final VmLogic logic;
    private final List<VmEffect.SendBid> bids;
    private final List<Offer> offers = new ArrayList<>();

    Start(String vm, Map<HostId, HostLogic> hosts) {
      this.hosts = hosts;
      now =
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
      logic = new VmLogic(vm, VmRecord.getDefaultInstance(), Placing.Policy.SPREAD);
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
      bids = only(VmEffect.SendBid.class, logic.stored(now)); // the command
    }

    private static <T> List<T> only(Class<T> kind, List<?> effects) {
      return effects.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    void ask() {
      for (VmEffect.SendBid bid : bids) {
        only(HostEffect.SendOffer.class, hosts.get(bid.host()).on(new HostLogic.Asked(bid.bid())))
            .forEach(offer -> offers.add(offer.offer()));
      }
    }

    /** Where it is to go; all hosts are told. */
    HostId choose() {
      List<VmEffect.SendChosen> chosen = new ArrayList<>();
      for (Offer offer : offers) {
        chosen.addAll(only(VmEffect.SendChosen.class, logic.on(new VmLogic.Offered(offer), now)));
      }
      assertThat(chosen).hasSize(hosts.size());
      chosen.forEach(to -> hosts.get(to.host()).on(new HostLogic.Told(to.chosen())));
      return chosen.getFirst().chosen().getHost();
    }
  }
}
