package dev.troupe.actors.cluster.simulation;

import com.google.protobuf.Message;
import dev.troupe.actors.cluster.logic.Placing;
import dev.troupe.actors.cluster.logic.RegistryEffect;
import dev.troupe.actors.cluster.logic.RegistryLogic;
import dev.troupe.actors.cluster.logic.VmEffect;
import dev.troupe.actors.cluster.logic.VmLogic;
import dev.troupe.actors.cluster.logic.VmRecords;
import dev.troupe.proto.cluster.DrainReport;
import dev.troupe.proto.cluster.Ensure;
import dev.troupe.proto.cluster.Evict;
import dev.troupe.proto.cluster.Offer;
import dev.troupe.proto.cluster.Register;
import dev.troupe.proto.cluster.RegistryRecord;
import dev.troupe.proto.cluster.RegistryStored;
import dev.troupe.proto.cluster.Report;
import dev.troupe.proto.cluster.Settled;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.cluster.VmStored;
import dev.troupe.proto.cluster.Wake;
import java.util.List;

/** An entity's life on one node, between its state machine and the simulated store and network. */
sealed interface SimEntity {
  void tick();

  void receive(Message message);

  /** A machine's entity. */
  final class OfVm implements SimEntity {
    private final SimNode node;
    private final String name;
    private VmLogic logic;

    OfVm(SimNode node, String name) {
      this.node = node;
      this.name = name;
      recover();
    }

    private void recover() {
      VmRecord record = (VmRecord) node.world.store.read(name, VmRecord.getDefaultInstance());
      if (node.world.bug == Bug.AMNESIA) {
        record = record.toBuilder().clearCommands().build();
      }
      logic = new VmLogic(name, record, Placing.Policy.SPREAD);
      tick();
    }

    private boolean lives() {
      return node.alive && node.entities.get(name) == this;
    }

    @Override
    public void tick() {
      perform(logic.on(new VmLogic.Tick(), node.surroundings()));
    }

    @Override
    public void receive(Message message) {
      switch (message) {
        case Ensure _ -> tick();
        case Submit submit -> perform(logic.on(new VmLogic.Submitted(submit), node.surroundings()));
        case Report report -> perform(logic.on(new VmLogic.Reported(report), node.surroundings()));
        case Offer offer -> perform(logic.on(new VmLogic.Offered(offer), node.surroundings()));
        case Evict evict -> perform(logic.on(new VmLogic.Evicted(evict), node.surroundings()));
        default -> throw new IllegalStateException("not for an entity: " + message);
      }
    }

    private void perform(List<VmEffect> effects) {
      for (VmEffect effect : effects) {
        switch (effect) {
          case VmEffect.Persist(var event) -> persist(logic, event);
          case VmEffect.SendWant(var want) -> node.world.send(node, want.getHost(), want);
          case VmEffect.SendRelease(var release) ->
              node.world.send(node, release.getHost(), release);
          case VmEffect.SendChosen(var host, var chosen) -> node.world.send(node, host, chosen);
          case VmEffect.SendBid(var host, var bid) -> node.world.send(node, host, bid);
          case VmEffect.Reply(String replyTo, var reply) ->
              node.world.toClient(node, replyTo, reply);
          case VmEffect.Changed _ -> node.world.changes++;
          case VmEffect.Settled(boolean settled) ->
              node.world.toRegistry(
                  node, Settled.newBuilder().setVm(name).setSettled(settled).build());
        }
      }
    }

    private void persist(VmLogic writing, VmStored event) {
      SimClock clock = node.clock();
      clock.within(
          1,
          20,
          () ->
              node.here(
                  () -> {
                    boolean stored =
                        node.world.store.write(
                            name,
                            writing.record(),
                            event,
                            (state, e) -> VmRecords.apply((VmRecord) state, (VmStored) e),
                            state -> ((VmRecord) state).getRevision());
                    boolean heard = !clock.chance(node.world.faults ? 0.01 : 0);
                    clock.within(
                        stored ? 0 : 200,
                        stored ? 5 : 3000,
                        () -> node.here(() -> written(writing, stored && heard)));
                  }));
    }

    /** As the store's actor tells it: an acknowledgement, or what is there after a restart. */
    private void written(VmLogic writing, boolean acknowledged) {
      if (!lives() || logic != writing) {
        return;
      }
      if (acknowledged) {
        perform(logic.stored(node.surroundings()));
        return;
      }
      VmRecord stored = (VmRecord) node.world.store.read(name, VmRecord.getDefaultInstance());
      switch (logic.recovered(stored)) {
        case STORED -> perform(logic.stored(node.surroundings()));
        case NOT_STORED -> perform(logic.notStored("the store has failed", node.surroundings()));
        case UNCHANGED -> {}
        case FOREIGN -> recover();
      }
    }
  }

  /** The registry. */
  final class OfRegistry implements SimEntity {
    private final SimNode node;
    private RegistryLogic logic;

    OfRegistry(SimNode node) {
      this.node = node;
      logic = new RegistryLogic(stored());
    }

    private RegistryRecord stored() {
      return (RegistryRecord)
          node.world.store.read(Simulation.REGISTRY, RegistryRecord.getDefaultInstance());
    }

    @Override
    public void tick() {}

    @Override
    public void receive(Message message) {
      RegistryLogic.Input input =
          switch (message) {
            case Wake _ -> new RegistryLogic.Woken();
            case Register register -> new RegistryLogic.Registering(register);
            case Settled settled -> new RegistryLogic.Settling(settled);
            case Submit submit -> new RegistryLogic.Submitted(submit);
            case DrainReport report -> new RegistryLogic.Draining(report);
            default -> throw new IllegalStateException("not for the registry: " + message);
          };
      perform(logic.on(input, node.surroundings()));
    }

    private void perform(List<RegistryEffect> effects) {
      for (RegistryEffect effect : effects) {
        switch (effect) {
          case RegistryEffect.Persist(var event) -> persist(logic, event);
          case RegistryEffect.Reply(String replyTo, Message reply) ->
              node.world.toClient(node, replyTo, reply);
          case RegistryEffect.SendEnsure(String vm) -> {
            if (node.world.bug != Bug.NO_REGISTRY) {
              node.world.toEntity(node, vm, Ensure.getDefaultInstance());
            }
          }
          case RegistryEffect.SendDrained(var drained) ->
              node.present().forEach(host -> node.world.send(node, host, drained));
        }
      }
    }

    private void persist(RegistryLogic writing, RegistryStored event) {
      node.clock()
          .within(
              1,
              20,
              () ->
                  node.here(
                      () -> {
                        boolean stored =
                            node.world.store.write(
                                Simulation.REGISTRY,
                                writing.record(),
                                event,
                                (state, e) ->
                                    RegistryLogic.apply((RegistryRecord) state, (RegistryStored) e),
                                state -> ((RegistryRecord) state).getRevision());
                        node.clock()
                            .within(
                                stored ? 0 : 200,
                                stored ? 5 : 3000,
                                () -> node.here(() -> written(writing, stored)));
                      }));
    }

    private void written(RegistryLogic writing, boolean acknowledged) {
      if (node.entities.get(Simulation.REGISTRY) != this || logic != writing) {
        return;
      }
      if (acknowledged) {
        perform(logic.stored(node.surroundings()));
        return;
      }
      switch (logic.recovered(stored())) {
        case STORED -> perform(logic.stored(node.surroundings()));
        case NOT_STORED -> perform(logic.notStored("the store has failed", node.surroundings()));
        case UNCHANGED -> {}
        case FOREIGN -> logic = new RegistryLogic(stored());
      }
    }
  }
}
