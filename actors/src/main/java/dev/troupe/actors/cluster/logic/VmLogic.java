package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.CommandRecord;
import dev.troupe.proto.cluster.CommandReply;
import dev.troupe.proto.cluster.Desired;
import dev.troupe.proto.cluster.Evict;
import dev.troupe.proto.cluster.Failure;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Offer;
import dev.troupe.proto.cluster.Release;
import dev.troupe.proto.cluster.Report;
import dev.troupe.proto.cluster.Report.Phase;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.cluster.VmStored;
import dev.troupe.proto.cluster.Want;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.VmInfo;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The entity of one machine: what should run, under which epoch, where, and what has become of each
 * command.
 *
 * <p>All that must outlive this process is in its {@link VmRecord}, and changes there only by an
 * event that is stored; what it says to others follows from stored events. It says what it wants
 * until that is so, so lost and doubled messages change nothing.
 *
 * <p>An epoch is open from its placement on until its host has said that nothing of it runs, or the
 * host is gone for good. Only then is there another: so there is at most one machine.
 */
public final class VmLogic {
  /** What an entity is told. */
  public sealed interface Input {}

  /** A command. */
  public record Submitted(Submit submit) implements Input {}

  /** From a host: a machine's state. */
  public record Reported(Report report) implements Input {}

  /** From a host: what it makes of the machine. */
  public record Offered(Offer offer) implements Input {}

  /** From a host that is being drained. */
  public record Evicted(Evict evict) implements Input {}

  /** Time has passed, or the hosts are others. */
  public record Tick() implements Input {}

  private final String name;
  private final Placing placing;
  private final List<VmEffect> effects = new ArrayList<>();

  /** What has come while the store was busy. */
  private final Deque<Input> inputs = new ArrayDeque<>();

  /** Who waits for the result of a command, by its id. */
  private final Map<String, Set<String>> waiting = new HashMap<>();

  private VmRecord record;
  private VmStored storing;
  private Surroundings now;

  /** The last that this process has heard of the machine in its epoch. */
  private Optional<Report> seen = Optional.empty();

  /** When what is wanted is said again; only if no report has shown it. */
  private long sayAgain;

  /** When a graceful stop turns into another; of no meaning unless one is under way. */
  private long patience;

  private boolean stopping;

  /** Its node is being drained. */
  private boolean evicted;

  private VmInfo told;
  private Boolean settledTold;

  /**
   * An entity that begins with what was stored.
   *
   * @param policy how nodes are chosen
   */
  public VmLogic(String name, VmRecord recovered, Placing.Policy policy) {
    this.name = name;
    record = recovered;
    placing = new Placing(name, policy);
  }

  /** Handles an input; gives what is to be done, in order. */
  public List<VmEffect> on(Input input, Surroundings surroundings) {
    now = surroundings;
    if (storing == null) {
      handle(input);
      settle();
    } else if (inputs.size() < Limits.WAITING_INPUTS) {
      inputs.add(input);
    } else if (input instanceof Submitted(Submit submit)) {
      fail(
          submit.getReplyTo(), Failure.Kind.KIND_UNAVAILABLE, name + ": the store does not answer");
    }
    return flush();
  }

  /** What was to be stored is. */
  public List<VmEffect> stored(Surroundings surroundings) {
    now = surroundings;
    VmStored event = storing;
    storing = null;
    record = VmRecords.apply(record, event);
    after(event);
    goOn();
    return flush();
  }

  /**
   * What was to be stored is not: the entity is where it was.
   *
   * @param reason for people
   */
  public List<VmEffect> notStored(String reason, Surroundings surroundings) {
    now = surroundings;
    VmStored event = storing;
    storing = null;
    if (event.hasAccepted()) {
      String id = event.getAccepted().getCommand().getId();
      for (String replyTo : waiters(id)) {
        fail(replyTo, Failure.Kind.KIND_UNAVAILABLE, name + ": not stored: " + reason);
      }
    }
    // What is due is tried again by the next input; a store that refuses at once is not hammered.
    while (storing == null && !inputs.isEmpty()) {
      handle(inputs.remove());
    }
    return flush();
  }

  /** The stored truth, for whoever restarts the store. */
  public VmRecord record() {
    return record;
  }

  /** What a store that has started again says, by what it has. */
  public Recovered recovered(VmRecord found) {
    return Recovered.of(found, record, storing == null ? null : VmRecords.apply(record, storing));
  }

  /** What is being stored; null if nothing is. */
  public VmStored storing() {
    return storing;
  }

  private void goOn() {
    while (storing == null && !inputs.isEmpty()) {
      handle(inputs.remove());
    }
    settle();
  }

  private List<VmEffect> flush() {
    if (storing == null) {
      tell();
    }
    List<VmEffect> out = List.copyOf(effects);
    effects.clear();
    return out;
  }

  private void handle(Input input) {
    switch (input) {
      case Submitted(Submit submit) -> onSubmit(submit);
      case Reported(Report report) -> onReport(report);
      case Offered(Offer offer) -> placing.offered(offer);
      case Evicted(Evict evict) -> onEvict(evict);
      case Tick() -> {} // settle does what time brings
    }
  }

  private void store(VmStored.Builder event) {
    storing = event.build();
    effects.add(new VmEffect.Persist(storing));
  }

  // Commands -----------------------------------------------------------------------------------

  private void onSubmit(Submit submit) {
    String id = submit.getCommand().getId();
    for (CommandRecord known : record.getCommandsList()) {
      if (known.getCommand().getId().equals(id)) {
        if (known.hasResult()) {
          reply(submit.getReplyTo(), known.getResult());
        } else {
          waiters(id).add(submit.getReplyTo());
        }
        return;
      }
    }
    Optional<Failure> refusal = VmCommands.refusal(name, record, submit);
    if (refusal.isPresent()) {
      effects.add(
          new VmEffect.Reply(
              submit.getReplyTo(),
              CommandReply.newBuilder().setFailure(refusal.orElseThrow()).build()));
      return;
    }
    waiters(id).add(submit.getReplyTo());
    store(VmCommands.accept(record, submit, seen));
  }

  private Set<String> waiters(String id) {
    return waiting.computeIfAbsent(id, _ -> new LinkedHashSet<>());
  }

  private void reply(String replyTo, CommandResult result) {
    effects.add(
        new VmEffect.Reply(
            replyTo,
            CommandReply.newBuilder().setResult(result.toBuilder().setVm(info())).build()));
  }

  private void fail(String replyTo, Failure.Kind kind, String text) {
    Failure failure = Failure.newBuilder().setKind(kind).setText(text).build();
    effects.add(new VmEffect.Reply(replyTo, CommandReply.newBuilder().setFailure(failure).build()));
  }

  // Hosts --------------------------------------------------------------------------------------

  private void onReport(Report report) {
    HostId host = report.getHost();
    boolean current =
        record.hasHost() && report.getEpoch() == record.getEpoch() && host.equals(record.getHost());
    if (!current) {
      if (report.getEpoch() <= record.getEpoch() && report.getPhase() != Phase.PHASE_RELEASED) {
        release(report.getEpoch(), host);
      }
      return;
    }
    switch (report.getPhase()) {
      case PHASE_STARTING, PHASE_FROZEN -> seen = Optional.of(report);
      case PHASE_RUNNING, PHASE_PAUSED -> {
        seen = Optional.of(report);
        if (!record.getStarted()) {
          store(VmStored.newBuilder().setStartedMillis(now.millis()));
        }
      }
      case PHASE_ENDED -> close(VmStored.newBuilder().setOutcome(report.getOutcome()), false);
      case PHASE_NO_ROOM -> {
        placing.refused(host, report.getReason());
        close(VmStored.newBuilder(), record.getWanted());
      }
      case PHASE_RELEASED -> close(VmStored.newBuilder(), record.getWanted());
      case PHASE_UNSPECIFIED, UNRECOGNIZED -> {} // a newer node's word, which it says again
    }
  }

  /**
   * The epoch is over.
   *
   * @param wanted whether the machine is to run under another, if nobody has said so already
   */
  private void close(VmStored.Builder event, boolean wanted) {
    boolean again = record.getAgain() || wanted;
    store(
        event
            .setClosed(true)
            .setWanted(again)
            .setAgain(false)
            .addAllResults(VmCommands.cutShort(record, event.getOutcome(), again)));
  }

  private void release(long epoch, HostId host) {
    effects.add(
        new VmEffect.SendRelease(
            Release.newBuilder().setVm(name).setEpoch(epoch).setHost(host).build()));
  }

  private void onEvict(Evict evict) {
    if (runsHere(evict.getEpoch(), evict.getHost()) && !evicted) {
      evicted = true;
      placing.begin();
    }
  }

  private boolean runsHere(long epoch, HostId host) {
    return record.hasHost()
        && epoch == record.getEpoch()
        && host.equals(record.getHost())
        && record.getWanted()
        && !record.getAgain();
  }

  /** Leaves a drained node, if there is room elsewhere. */
  private void leave() {
    Optional<HostId> chosen = placing.settle(record.getSpec(), "", now, effects);
    if (chosen.isPresent()) {
      placing.tell(chosen.orElseThrow(), record.getSpec(), effects);
      Desired desired = record.getDesired();
      store(
          VmStored.newBuilder()
              .setAgain(true)
              .setDesired(
                  desired.toBuilder()
                      .setVersion(desired.getVersion() + 1)
                      .setPaused(false)
                      .setPowerPresses(desired.getPowerPresses() + 1)));
    }
  }

  /** What follows from an event once it is stored. */
  private void after(VmStored event) {
    sayAgain = now.nanos();
    if (event.hasPlaced() || event.getClosed()) {
      seen = Optional.empty();
      stopping = false;
      evicted = false;
    }
    boolean looks = event.hasWanted() || event.getAccepted().getCommand().hasDefine();
    if (looks && !event.getClosed()) {
      placing.begin();
    }
    for (CommandResult result : event.getResultsList()) {
      Set<String> all = waiting.remove(result.getId());
      if (all != null) {
        all.forEach(replyTo -> reply(replyTo, result));
      }
    }
  }

  // What is due --------------------------------------------------------------------------------

  /** Does what the record asks for and has not been done; ends when something is being stored. */
  private void settle() {
    if (storing != null || !record.hasRegistration()) {
      return;
    }
    List<CommandResult> results = VmCommands.results(record, seen, placing.waits());
    if (!results.isEmpty()) {
      store(VmStored.newBuilder().addAllResults(results));
    } else if (record.hasHost()) {
      settlePlaced();
    } else if (record.getWanted()) {
      settleUnplaced();
    } else if (VmCommands.defining(record)) {
      settleDefined();
    }
  }

  private void settlePlaced() {
    HostId host = record.getHost();
    if (now.hosts().gone(host)) {
      placing.begin();
      close(VmStored.newBuilder(), record.getWanted());
      return;
    }
    if (evicted && record.getWanted() && !record.getAgain()) {
      leave();
      if (storing != null) {
        return;
      }
    }
    boolean asked = !record.getWanted() || record.getAgain();
    if (asked && !record.getDesired().getStop()) {
      if (!stopping) {
        stopping = true;
        patience = now.nanos() + Limits.GRACEFUL_STOP_NANOS;
      } else if (now.nanos() - patience >= 0) {
        Desired desired = record.getDesired();
        store(
            VmStored.newBuilder()
                .setDesired(
                    desired.toBuilder().setVersion(desired.getVersion() + 1).setStop(true)));
        return;
      }
    }
    if (!shown() && now.nanos() - sayAgain >= 0) {
      sayAgain = now.nanos() + Limits.RETRY_NANOS;
      effects.add(
          new VmEffect.SendWant(
              Want.newBuilder()
                  .setVm(name)
                  .setEpoch(record.getEpoch())
                  .setHost(host)
                  .setSpec(record.getSpec())
                  .setDesired(record.getDesired())
                  .setRegistration(record.getRegistration())
                  .build()));
    }
  }

  private void settleUnplaced() {
    Optional<HostId> chosen = placing.settle(record.getSpec(), record.getHome(), now, effects);
    if (chosen.isPresent()) {
      placing.tell(chosen.orElseThrow(), record.getSpec(), effects);
      store(VmStored.newBuilder().setPlaced(chosen.orElseThrow()));
    } else if (placing.waits().isPresent()) {
      // A start that nobody has room for has this result; the machine goes on waiting.
      List<CommandResult> results = VmCommands.results(record, seen, placing.waits());
      if (!results.isEmpty()) {
        store(VmStored.newBuilder().addAllResults(results));
      }
    }
  }

  private void settleDefined() {
    Optional<HostId> chosen = placing.settle(record.getSpec(), "", now, effects);
    if (chosen.isPresent()) {
      String node = chosen.orElseThrow().getName();
      store(
          VmStored.newBuilder()
              .setHome(node)
              .addAllResults(VmCommands.defined(record, "a start runs it on " + node)));
    } else if (placing.waits().isPresent()) {
      store(
          VmStored.newBuilder()
              .addAllResults(VmCommands.defined(record, placing.waits().orElseThrow())));
    }
  }

  // What others see ----------------------------------------------------------------------------

  /** The machine, for people. Its number is 0 if nothing is known of it. */
  public VmInfo info() {
    return VmView.of(name, record, seen, placing.waits());
  }

  /** Whether anything is under way, so that time brings something. */
  public boolean busy() {
    return storing != null || record.getWanted() || record.hasHost() || VmCommands.defining(record);
  }

  /** Whether the machine is known to run as it is wanted: only others can change that. */
  public boolean steady() {
    return storing == null
        && inputs.isEmpty()
        && record.hasHost()
        && record.getWanted()
        && !record.getAgain()
        && !evicted
        && shown();
  }

  private boolean shown() {
    return seen.isPresent()
        && seen.orElseThrow().getDone().getVersion() == record.getDesired().getVersion();
  }

  private void tell() {
    if (!record.hasRegistration()) {
      return;
    }
    VmInfo current = info();
    if (told == null || !VmView.same(told, current)) {
      effects.add(new VmEffect.Changed(current));
      told = current;
    }
    boolean settled = !busy();
    if (settledTold == null || settledTold != settled) {
      effects.add(new VmEffect.Settled(settled));
      settledTold = settled;
    }
  }
}
