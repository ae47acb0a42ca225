package dev.troupe.actors.cluster.logic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Registration;
import dev.troupe.proto.cluster.Report;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.cluster.Want;
import dev.troupe.proto.spec.VmSpec;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a machine uses, on its way from its host to those who ask. */
class UsageTest {
  private static final long MINUTE = 60_000_000_000L;
  private static final HostId HOST =
      HostId.newBuilder().setName("n1").setAddress("pekko://sim@127.0.0.1:1").setUid(7).build();
  private static final VmSpec SPEC =
      VmSpec.newBuilder().setName("a").setCpus(1).setMemoryBytes(1 << 20).build();

  private final HostLogic host =
      new HostLogic(HOST, 1, new Capacity(1L << 30, 8, Set.of("interpreter"), Map.of()));

  private static List<Report> reports(List<HostEffect> effects) {
    return effects.stream()
        .filter(HostEffect.SendReport.class::isInstance)
        .map(effect -> ((HostEffect.SendReport) effect).report())
        .toList();
  }

  @Test
  void aHostTellsWhatWasMeasuredWithItsNextReportAndNotByItself() {
    host.on(new HostLogic.Tick(0, true));
    host.on(
        new HostLogic.Wanted(
            Want.newBuilder().setVm("a").setEpoch(3).setHost(HOST).setSpec(SPEC).build()));
    host.on(new HostLogic.Ran("a", 3));

    assertThat(host.on(new HostLogic.Measured("a", 3, 8192, 55))).isEmpty();
    assertThat(host.on(new HostLogic.Measured("a", 2, 1, 1))).isEmpty();
    assertThat(host.on(new HostLogic.Measured("b", 3, 1, 1))).isEmpty();

    assertThat(reports(host.on(new HostLogic.Tick(MINUTE, true))))
        .singleElement()
        .satisfies(
            report -> {
              assertThat(report.getCurrentMemoryBytes()).isEqualTo(8192);
              assertThat(report.getCpuNanos()).isEqualTo(55);
            });
  }

  @Test
  void anEntityShowsItAndNeitherStoresItNorTellsOfAChange() {
    VmLogic entity =
        new VmLogic(
            "a",
            VmRecord.newBuilder()
                .setRegistration(Registration.newBuilder().setId(1).setName("a"))
                .setSpec(SPEC)
                .setWanted(true)
                .setStarted(true)
                .setEpoch(3)
                .setHost(HOST)
                .build(),
            Placing.Policy.SPREAD);
    entity.on(new VmLogic.Reported(report(4096, 10)), now());

    assertThat(entity.on(new VmLogic.Reported(report(8192, 20)), now())).isEmpty();

    assertThat(entity.info().getCurrentMemoryBytes()).isEqualTo(8192);
    assertThat(entity.info().getCpuNanos()).isEqualTo(20);
  }

  private static Report report(long memory, long nanos) {
    return Report.newBuilder()
        .setVm("a")
        .setEpoch(3)
        .setHost(HOST)
        .setPhase(Report.Phase.PHASE_RUNNING)
        .setCurrentMemoryBytes(memory)
        .setCpuNanos(nanos)
        .build();
  }

  private static Surroundings now() {
    return new Surroundings(
        0,
        0,
        new Surroundings.Hosts() {
          @Override
          public List<HostId> present() {
            return List.of(HOST);
          }

          @Override
          public boolean gone(HostId other) {
            return false;
          }
        });
  }
}
