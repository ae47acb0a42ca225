package dev.troupe.actors.cluster.logic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Offer;
import dev.troupe.proto.cluster.Registration;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.Explanation;
import dev.troupe.proto.vmd.StartVm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Machines that are defined: placed, and not running. */
class DefinitionTest {
  private static final List<HostId> HOSTS =
      Stream.of("node1", "node2", "node3")
          .map(name -> HostId.newBuilder().setName(name).setUid(1).build())
          .toList();

  /**
   * An entity with its store, which does what it is told at once, and hosts that answer at once.
   */
  private static final class World {
    final Map<String, Explanation.Score> scores = new TreeMap<>();
    final List<CommandResult> results = new ArrayList<>();
    VmLogic logic = new VmLogic("vm", VmRecord.getDefaultInstance(), Placing.Policy.SPREAD);
    private int ids;
    private long nanos;

    World(long one, long two, long three) {
      score("node1", one);
      score("node2", two);
      score("node3", three);
    }

    /** Below 0: it does not fit. */
    void score(String node, long score) {
      scores.put(
          node,
          score < 0
              ? Explanation.Score.newBuilder().addReasons("is full").build()
              : Explanation.Score.newBuilder().setFits(true).setScore(score).build());
    }

    Surroundings now() {
      return new Surroundings(
          nanos,
          0,
          new Surroundings.Hosts() {
            @Override
            public List<HostId> present() {
              return HOSTS;
            }

            @Override
            public boolean gone(HostId host) {
              return false;
            }
          });
    }

    void submit(Command.Builder command) {
      on(
          new VmLogic.Submitted(
              Submit.newBuilder()
                  .setCommand(command.setId("c" + ids++))
                  .setPrivileged(true)
                  .setReplyTo("somebody")
                  .setRegistration(Registration.newBuilder().setId(7).setName("vm"))
                  .build()));
    }

    void on(VmLogic.Input input) {
      perform(logic.on(input, now()));
    }

    void pass(long nanos) {
      this.nanos += nanos;
      on(new VmLogic.Tick());
    }

    private void perform(List<VmEffect> effects) {
      for (VmEffect effect : effects) {
        switch (effect) {
          case VmEffect.Persist _ -> perform(logic.stored(now()));
          case VmEffect.SendBid(var host, var bid) ->
              on(
                  new VmLogic.Offered(
                      Offer.newBuilder()
                          .setRound(bid.getRound())
                          .setHost(host)
                          .setScore(scores.get(host.getName()))
                          .build()));
          case VmEffect.Reply(String _, var reply) -> results.add(reply.getResult());
          default -> {}
        }
      }
    }
  }

  private static StartVm.Builder vm() {
    return StartVm.newBuilder()
        .setVm("vm")
        .setSpec(
            VmSpec.newBuilder()
                .setMemoryBytes(1 << 24)
                .setBoot(Boot.newBuilder().setKernel("/kernel")));
  }

  private static Command.Builder define() {
    return Command.newBuilder().setDefine(vm());
  }

  private static Command.Builder start() {
    return Command.newBuilder().setStart(StartVm.newBuilder().setVm("vm"));
  }

  @Test
  void aDefinedMachineHasANodeAndDoesNotRun() {
    World world = new World(100, 300, 200);
    world.submit(define());
    assertThat(world.results).singleElement().isNotNull();
    assertThat(world.results.getFirst().getKind()).isEqualTo(CommandResult.Kind.KIND_DONE);
    assertThat(world.results.getFirst().getText()).isEqualTo("a start runs it on node2");
    assertThat(world.logic.info().getState()).isEqualTo(VmState.VM_STATE_ENDED);
    assertThat(world.logic.info().getNode()).isEqualTo("node2");
    assertThat(world.logic.info().getSpec().getMemoryBytes()).isEqualTo(1 << 24);
    assertThat(world.logic.record().hasHost()).isFalse();
    assertThat(world.logic.busy()).isFalse();
  }

  @Test
  void aDefinedMachineStartsWhereItWasPlacedAsLongAsItFitsThere() {
    World world = new World(100, 300, 200);
    world.submit(define());
    world.score("node3", 900);
    world.submit(start());
    assertThat(world.logic.record().getHost().getName()).isEqualTo("node2");

    world = new World(100, 300, 200);
    world.submit(define());
    world.score("node2", -1);
    world.submit(start());
    assertThat(world.logic.record().getHost().getName()).isEqualTo("node3");
  }

  @Test
  void aMachineThatFitsNowhereIsDefinedAndSaysWhy() {
    World world = new World(-1, -1, -1);
    world.submit(define());
    assertThat(world.results.getLast().getKind()).isEqualTo(CommandResult.Kind.KIND_DONE);
    assertThat(world.results.getLast().getText())
        .isEqualTo("no node fits: node1: is full; node2: is full; node3: is full");
    assertThat(world.logic.info().getNode()).isEmpty();
    assertThat(world.logic.busy()).isFalse();
  }

  @Test
  void aMachineThatRunsIsNotDefinedAnew() {
    World world = new World(1, 1, 1);
    world.submit(Command.newBuilder().setStart(vm()));
    VmRecord before = world.logic.record();
    world.submit(define());
    assertThat(world.results.getLast().getKind()).isEqualTo(CommandResult.Kind.KIND_FAILED);
    assertThat(world.logic.record().getSpec()).isEqualTo(before.getSpec());
  }

  @Test
  void aDefinitionThatWasAcceptedIsDoneAlsoByAnEntityThatBeginsAgain() {
    World world = new World(-1, 1, -1);
    // All but the first write is lost with the process.
    world.logic =
        new VmLogic(
            "vm",
            VmRecords.apply(
                VmRecord.getDefaultInstance(),
                VmCommands.accept(
                        VmRecord.getDefaultInstance(),
                        Submit.newBuilder()
                            .setCommand(define().setId("before"))
                            .setRegistration(Registration.newBuilder().setId(7).setName("vm"))
                            .build(),
                        Optional.empty())
                    .build()),
            Placing.Policy.SPREAD);
    assertThat(world.logic.busy()).isTrue();
    world.pass(1);
    assertThat(world.logic.info().getNode()).isEqualTo("node2");
    assertThat(world.logic.record().getCommands(0).getResult().getKind())
        .isEqualTo(CommandResult.Kind.KIND_DONE);
  }

  @Test
  void machinesThatComeAtOnceGoToAllNodesThatAreEqual() {
    List<Explanation.Score> equal =
        HOSTS.stream()
            .map(
                host ->
                    Explanation.Score.newBuilder()
                        .setNode(host.getName())
                        .setFits(true)
                        .setScore(500)
                        .build())
            .toList();
    Map<String, Integer> placed = new TreeMap<>();
    IntStream.range(0, 300)
        .forEach(
            i -> placed.merge(Placing.best("vm" + i, "", equal).orElseThrow(), 1, Integer::sum));
    assertThat(placed).hasSize(3);
    assertThat(placed.values()).allSatisfy(count -> assertThat(count).isBetween(70, 130));
  }
}
