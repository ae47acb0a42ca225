package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.CommandRecord;
import dev.troupe.proto.cluster.CommandReply;
import dev.troupe.proto.cluster.DrainReport;
import dev.troupe.proto.cluster.Drained;
import dev.troupe.proto.cluster.Failure;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Lookup;
import dev.troupe.proto.cluster.Register;
import dev.troupe.proto.cluster.Registration;
import dev.troupe.proto.cluster.RegistryRecord;
import dev.troupe.proto.cluster.RegistryReply;
import dev.troupe.proto.cluster.RegistryStored;
import dev.troupe.proto.cluster.Settled;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The cluster's one registry: names of machines with their numbers, and which nodes are drained. It
 * looks after the machines that should run: entities live where somebody speaks to them, and after
 * a node is lost nobody else would.
 */
public final class RegistryLogic {
  /** What the registry is told. */
  public sealed interface Input {}

  /** A machine is to be known. */
  public record Registering(Register register) implements Input {}

  /** Somebody asks which machines there are. */
  public record Looked(Lookup lookup) implements Input {}

  /** A command for a node. */
  public record Submitted(Submit submit) implements Input {}

  /** From an entity. */
  public record Settling(Settled settled) implements Input {}

  /** From a drained host. */
  public record Draining(DrainReport report) implements Input {}

  /** From a node, at intervals. */
  public record Woken() implements Input {}

  /** Machines that nobody need look after are asked so rarely, in case that word was lost. */
  private static final long ENSURE_SETTLED_NANOS = 60_000_000_000L;

  private static final long ENSURE_NANOS = 2_000_000_000L;

  private final List<RegistryEffect> effects = new ArrayList<>();
  private final Deque<Input> inputs = new ArrayDeque<>();
  private final Map<String, Set<String>> waiting = new HashMap<>();

  /** Machines that need nobody. */
  private final Set<String> settled = new LinkedHashSet<>();

  private RegistryRecord record;
  private final Map<String, Registration> byName = new HashMap<>();
  private RegistryStored storing;
  private Surroundings now;
  private long nextEnsure;
  private long nextEnsureAll;
  private boolean begun;

  /** A registry that begins with what was stored. */
  public RegistryLogic(RegistryRecord recovered) {
    record = recovered;
    recovered.getVmsList().forEach(vm -> byName.put(vm.getName(), vm));
  }

  /** Handles an input; gives what is to be done, in order. */
  public List<RegistryEffect> on(Input input, Surroundings surroundings) {
    now = surroundings;
    if (storing == null) {
      handle(input);
    } else if (inputs.size() < Limits.WAITING_INPUTS) {
      inputs.add(input);
    } else {
      refuse(input, "the store does not answer");
    }
    return flush();
  }

  /** What was to be stored is. */
  public List<RegistryEffect> stored(Surroundings surroundings) {
    now = surroundings;
    RegistryStored event = storing;
    storing = null;
    record = apply(record, event);
    event.getRegistrationsList().forEach(vm -> byName.put(vm.getName(), vm));
    if (!event.getDrained().isEmpty() || !event.getUndrained().isEmpty()) {
      sendDrained();
    }
    for (CommandResult result : event.getResultsList()) {
      Set<String> all = waiting.remove(result.getId());
      if (all != null) {
        all.forEach(replyTo -> reply(replyTo, result));
      }
    }
    goOn();
    return flush();
  }

  /** What was to be stored is not. */
  public List<RegistryEffect> notStored(String reason, Surroundings surroundings) {
    now = surroundings;
    RegistryStored event = storing;
    storing = null;
    if (event.hasAccepted()) {
      Set<String> all = waiting.remove(event.getAccepted().getCommand().getId());
      if (all != null) {
        all.forEach(replyTo -> fail(replyTo, Failure.Kind.KIND_UNAVAILABLE, reason));
      }
    }
    Set<String> names = new HashSet<>();
    event.getRegistrationsList().forEach(vm -> names.add(vm.getName()));
    for (Input input : List.copyOf(inputs)) {
      if (input instanceof Registering(Register register) && names.contains(register.getName())) {
        inputs.remove(input);
        fail(register.getReplyTo(), reason);
      }
    }
    goOn();
    return flush();
  }

  /** The stored truth. */
  public RegistryRecord record() {
    return record;
  }

  /** What a store that has started again says, by what it has. */
  public Recovered recovered(RegistryRecord found) {
    return Recovered.of(found, record, storing == null ? null : apply(record, storing));
  }

  /** What is being stored; null if nothing is. */
  public RegistryStored storing() {
    return storing;
  }

  private void goOn() {
    while (storing == null && !inputs.isEmpty()) {
      handle(inputs.remove());
    }
  }

  private List<RegistryEffect> flush() {
    List<RegistryEffect> out = List.copyOf(effects);
    effects.clear();
    return out;
  }

  private void handle(Input input) {
    switch (input) {
      case Registering(Register register) -> onRegister(register);
      case Looked(Lookup lookup) -> onLookup(lookup);
      case Submitted(Submit submit) -> onSubmit(submit);
      case Settling(Settled word) -> {
        if (word.getSettled()) {
          settled.add(word.getVm());
        } else {
          settled.remove(word.getVm());
        }
      }
      case Draining(DrainReport report) -> onDrainReport(report);
      case Woken() -> onWake();
    }
  }

  private void refuse(Input input, String reason) {
    switch (input) {
      case Registering(Register register) -> fail(register.getReplyTo(), reason);
      case Looked(Lookup lookup) -> fail(lookup.getReplyTo(), reason);
      case Submitted(Submit submit) ->
          fail(submit.getReplyTo(), Failure.Kind.KIND_UNAVAILABLE, reason);
      case Settling _, Draining _, Woken _ -> {} // said again
    }
  }

  private void onRegister(Register register) {
    Registration known = byName.get(register.getName());
    if (known != null) {
      effects.add(
          new RegistryEffect.Reply(
              register.getReplyTo(), RegistryReply.newBuilder().addVms(known).build()));
      return;
    }
    // Answered by the same message again, once it is stored; and so are all who wait, by one write.
    inputs.addFirst(new Registering(register));
    Map<String, Registration> fresh = new LinkedHashMap<>();
    for (Input input : inputs) {
      if (input instanceof Registering(Register waits)
          && !byName.containsKey(waits.getName())
          && !fresh.containsKey(waits.getName())) {
        fresh.put(
            waits.getName(),
            Registration.newBuilder()
                .setId(record.getLastId() + fresh.size() + 1)
                .setName(waits.getName())
                .setOwnerUid(waits.getOwnerUid())
                .setOwner(waits.getOwner())
                .build());
      }
    }
    store(RegistryStored.newBuilder().addAllRegistrations(fresh.values()));
  }

  private void onLookup(Lookup lookup) {
    RegistryReply.Builder reply = RegistryReply.newBuilder().addAllDrained(record.getDrainedList());
    String vm = lookup.getVm();
    if (vm.isEmpty()) {
      reply.addAllVms(record.getVmsList());
    } else {
      Optional<Registration> found = find(vm);
      if (found.isEmpty()) {
        fail(lookup.getReplyTo(), Failure.Kind.KIND_NOT_FOUND, vm + ": vm not found", true);
        return;
      }
      reply.addVms(found.orElseThrow());
    }
    effects.add(new RegistryEffect.Reply(lookup.getReplyTo(), reply.build()));
  }

  private Optional<Registration> find(String vm) {
    Registration byItsName = byName.get(vm);
    if (byItsName != null) {
      return Optional.of(byItsName);
    }
    return record.getVmsList().stream()
        .filter(known -> Integer.toUnsignedString(known.getId()).equals(vm))
        .findFirst();
  }

  private void onWake() {
    if (begun && now.nanos() - nextEnsure < 0) {
      return;
    }
    boolean all = !begun || now.nanos() - nextEnsureAll >= 0;
    begun = true;
    nextEnsure = now.nanos() + ENSURE_NANOS;
    if (all) {
      nextEnsureAll = now.nanos() + ENSURE_SETTLED_NANOS;
    }
    for (Registration vm : record.getVmsList()) {
      if (all || !settled.contains(vm.getName())) {
        effects.add(new RegistryEffect.SendEnsure(vm.getName()));
      }
    }
    sendDrained();
    // A node that is gone has no machines.
    for (CommandRecord command : record.getCommandsList()) {
      String node = command.getCommand().getDrain().getNode();
      if (!command.hasResult()
          && command.getCommand().hasDrain()
          && now.hosts().present().stream().noneMatch(host -> host.getName().equals(node))) {
        store(RegistryStored.newBuilder().addResults(drained(command, "is not there any more")));
        return;
      }
    }
  }

  private void sendDrained() {
    effects.add(
        new RegistryEffect.SendDrained(
            Drained.newBuilder().addAllNodes(record.getDrainedList()).build()));
  }

  // Commands -----------------------------------------------------------------------------------

  private void onSubmit(Submit submit) {
    Command command = submit.getCommand();
    for (CommandRecord known : record.getCommandsList()) {
      if (known.getCommand().getId().equals(command.getId())) {
        if (known.hasResult()) {
          reply(submit.getReplyTo(), known.getResult());
        } else {
          waiters(command.getId()).add(submit.getReplyTo());
        }
        return;
      }
    }
    if (!submit.getPrivileged()) {
      fail(submit.getReplyTo(), Failure.Kind.KIND_DENIED, "nodes are root's to drain");
      return;
    }
    boolean drain = command.hasDrain();
    String node = drain ? command.getDrain().getNode() : command.getUndrain().getNode();
    boolean known =
        record.getDrainedList().contains(node)
            || now.hosts().present().stream().map(HostId::getName).anyMatch(node::equals);
    if (!known) {
      fail(submit.getReplyTo(), Failure.Kind.KIND_NOT_FOUND, node + ": node not found");
      return;
    }
    waiters(command.getId()).add(submit.getReplyTo());
    store(drain ? drain(command, node) : undrain(command, node));
  }

  private RegistryStored.Builder drain(Command command, String node) {
    RegistryStored.Builder event = RegistryStored.newBuilder();
    CommandRecord accepted = CommandRecord.newBuilder().setCommand(command).build();
    if (!record.getDrainedList().contains(node)) {
      event.setDrained(node);
    }
    return event.setAccepted(accepted); // its result comes when the host has nothing left
  }

  private RegistryStored.Builder undrain(Command command, String node) {
    RegistryStored.Builder event =
        RegistryStored.newBuilder().setAccepted(CommandRecord.newBuilder().setCommand(command));
    if (!record.getDrainedList().contains(node)) {
      return event.addResults(
          result(command, CommandResult.Kind.KIND_ALREADY, node + ": not drained"));
    }
    event.setUndrained(node);
    for (CommandRecord other : record.getCommandsList()) {
      if (!other.hasResult() && other.getCommand().getDrain().getNode().equals(node)) {
        event.addResults(
            result(other.getCommand(), CommandResult.Kind.KIND_SUPERSEDED, "undrained meanwhile"));
      }
    }
    return event.addResults(
        result(command, CommandResult.Kind.KIND_DONE, node + ": takes machines again"));
  }

  private void onDrainReport(DrainReport report) {
    if (report.getVms() > 0 || !record.getDrainedList().contains(report.getNode())) {
      return;
    }
    List<CommandResult> results =
        record.getCommandsList().stream()
            .filter(
                command ->
                    !command.hasResult()
                        && command.getCommand().getDrain().getNode().equals(report.getNode()))
            .map(command -> drained(command, "has no machines left"))
            .toList();
    if (!results.isEmpty()) {
      store(RegistryStored.newBuilder().addAllResults(results));
    }
  }

  private static CommandResult drained(CommandRecord command, String how) {
    return result(
        command.getCommand(),
        CommandResult.Kind.KIND_DONE,
        command.getCommand().getDrain().getNode() + ": " + how);
  }

  private static CommandResult result(Command command, CommandResult.Kind kind, String text) {
    return CommandResult.newBuilder().setId(command.getId()).setKind(kind).setText(text).build();
  }

  private Set<String> waiters(String id) {
    return waiting.computeIfAbsent(id, _ -> new LinkedHashSet<>());
  }

  private void reply(String replyTo, CommandResult result) {
    effects.add(
        new RegistryEffect.Reply(replyTo, CommandReply.newBuilder().setResult(result).build()));
  }

  private void fail(String replyTo, String reason) {
    fail(replyTo, Failure.Kind.KIND_UNAVAILABLE, reason, true);
  }

  private void fail(String replyTo, Failure.Kind kind, String text) {
    fail(replyTo, kind, text, false);
  }

  private void fail(String replyTo, Failure.Kind kind, String text, boolean lookup) {
    Failure failure = Failure.newBuilder().setKind(kind).setText(text).build();
    effects.add(
        new RegistryEffect.Reply(
            replyTo,
            lookup
                ? RegistryReply.newBuilder().setFailure(failure).build()
                : CommandReply.newBuilder().setFailure(failure).build()));
  }

  private void store(RegistryStored.Builder event) {
    storing = event.build();
    effects.add(new RegistryEffect.Persist(storing));
  }

  /** The record after an event; a pure function of both. */
  public static RegistryRecord apply(RegistryRecord before, RegistryStored event) {
    RegistryRecord.Builder after = before.toBuilder().setRevision(before.getRevision() + 1);
    for (Registration vm : event.getRegistrationsList()) {
      after.addVms(vm).setLastId(vm.getId());
    }
    if (event.hasAccepted()) {
      after.addCommands(event.getAccepted());
    }
    if (!event.getDrained().isEmpty()) {
      after.addDrained(event.getDrained());
    }
    if (!event.getUndrained().isEmpty()) {
      List<String> left =
          before.getDrainedList().stream()
              .filter(node -> !node.equals(event.getUndrained()))
              .toList();
      after.clearDrained().addAllDrained(left);
    }
    List<CommandRecord> commands =
        CommandRecords.ended(after.getCommandsList(), event.getResultsList());
    return after.clearCommands().addAllCommands(commands).build();
  }
}
