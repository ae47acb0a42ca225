package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.CommandRecord;
import dev.troupe.proto.cluster.Desired;
import dev.troupe.proto.cluster.Failure;
import dev.troupe.proto.cluster.Report;
import dev.troupe.proto.cluster.Report.Phase;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.cluster.VmStored;
import dev.troupe.proto.control.VmOutcome;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.Command.WhatCase;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.CommandResult.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a machine's commands mean: what is accepted, what it changes, and when it is done. */
final class VmCommands {
  private VmCommands() {}

  /** Why a command is not taken; nothing is stored of it then. */
  static Optional<Failure> refusal(String name, VmRecord record, Submit submit) {
    Command command = submit.getCommand();
    boolean known = record.hasRegistration();
    boolean settings = command.hasStart() || command.hasDefine();
    if (!known && !(settings && submit.hasRegistration())) {
      return no(Failure.Kind.KIND_NOT_FOUND, name + ": vm not found");
    }
    if (known
        && !submit.getPrivileged()
        && submit.getUid() != record.getRegistration().getOwnerUid()) {
      return no(
          Failure.Kind.KIND_DENIED,
          name + ": belongs to " + record.getRegistration().getOwner() + ", not to you");
    }
    if (pending(record).size() >= Limits.PENDING_COMMANDS) {
      return no(
          Failure.Kind.KIND_UNAVAILABLE,
          name + ": " + Limits.PENDING_COMMANDS + " commands are under way already");
    }
    if (settings && VmSpecs.started(name, record, submit).getBoot().getKernel().isEmpty()) {
      return no(
          Failure.Kind.KIND_INVALID, name + ": nothing to boot, a kernel is needed (-b, --kernel)");
    }
    return Optional.empty();
  }

  private static Optional<Failure> no(Failure.Kind kind, String text) {
    return Optional.of(Failure.newBuilder().setKind(kind).setText(text).build());
  }

  /** What is stored of a command that is taken: the command and what it changes, at once. */
  static VmStored.Builder accept(VmRecord record, Submit submit, Optional<Report> seen) {
    Command command = submit.getCommand();
    VmStored.Builder event = VmStored.newBuilder();
    CommandRecord.Builder accepted = CommandRecord.newBuilder().setCommand(command);
    switch (command.getWhatCase()) {
      case START -> start(event, accepted, record, submit);
      case DEFINE -> define(event, accepted, record, submit);
      case STOP -> stop(event, accepted, record, command.getStop().getForce());
      case PAUSE, UNPAUSE -> pause(event, accepted, record, seen);
      case RESET -> reset(event, accepted, record);
      case DRAIN, UNDRAIN, WHAT_NOT_SET ->
          throw new IllegalArgumentException("no command of a machine: " + command.getWhatCase());
    }
    return event.setAccepted(accepted);
  }

  private static void start(
      VmStored.Builder event, CommandRecord.Builder accepted, VmRecord record, Submit submit) {
    String name = submit.getRegistration().getName();
    if (!record.hasRegistration()) {
      event.setRegistration(submit.getRegistration());
    }
    if (record.getWanted() && record.hasHost() && !record.getAgain()) {
      event.addResults(result(accepted, Kind.KIND_ALREADY, "vm already running"));
      return;
    }
    for (CommandRecord other : pending(record)) {
      if (other.getCommand().hasDefine()) {
        event.addResults(result(other, Kind.KIND_SUPERSEDED, "started before a node was chosen"));
      }
    }
    // A start while it waits changes what it waits with.
    event.setSpec(VmSpecs.started(name, record, submit));
    if (record.hasHost()) {
      event.setAgain(true);
    } else {
      event.setWanted(true);
    }
  }

  private static void define(
      VmStored.Builder event, CommandRecord.Builder accepted, VmRecord record, Submit submit) {
    if (record.getWanted() || record.getAgain() || record.hasHost()) {
      event.addResults(
          result(accepted, Kind.KIND_FAILED, "vm is running; its settings are as they were"));
      return;
    }
    String name = submit.getRegistration().getName();
    if (!record.hasRegistration()) {
      event.setRegistration(submit.getRegistration());
    }
    event.setSpec(VmSpecs.started(name, record, submit));
  }

  /** A node is to be chosen for the machine, which does not run. */
  static boolean defining(VmRecord record) {
    return !record.getWanted()
        && !record.hasHost()
        && pending(record).stream().anyMatch(command -> command.getCommand().hasDefine());
  }

  /**
   * Results of definitions, which are done once the nodes have been asked.
   *
   * @param where the node that was chosen, or why there is none
   */
  static List<CommandResult> defined(VmRecord record, String where) {
    return pending(record).stream()
        .filter(command -> command.getCommand().hasDefine())
        .map(command -> result(command, Kind.KIND_DONE, where))
        .toList();
  }

  private static void stop(
      VmStored.Builder event, CommandRecord.Builder accepted, VmRecord record, boolean force) {
    int id = record.getRegistration().getId();
    if (!record.getWanted() && !record.getAgain() && !record.hasHost()) {
      event.addResults(result(accepted, Kind.KIND_ALREADY, "vm not running"));
      return;
    }
    event.setWanted(false).setAgain(false);
    for (CommandRecord other : pending(record)) {
      if (other.getCommand().hasStart()) {
        event.addResults(result(other, Kind.KIND_SUPERSEDED, "stopped before it ran"));
      }
    }
    if (!record.hasHost()) {
      event.addResults(result(accepted, Kind.KIND_DONE, "terminated vm " + id));
      return;
    }
    Desired.Builder desired = change(record).setPaused(false);
    if (force) {
      desired.setStop(true);
    } else {
      desired.setPowerPresses(desired.getPowerPresses() + 1);
    }
    event
        .setDesired(desired)
        .addResults(
            result(
                accepted,
                Kind.KIND_DONE,
                (force ? "forced to terminate vm " : "requested to shutdown vm ") + id));
  }

  private static void pause(
      VmStored.Builder event,
      CommandRecord.Builder accepted,
      VmRecord record,
      Optional<Report> seen) {
    boolean pause = accepted.getCommand().hasPause();
    if (!runs(record)) {
      event.addResults(result(accepted, Kind.KIND_FAILED, "vm not running"));
    } else if (record.getDesired().getPaused() == pause
        && seen.isPresent()
        && (seen.orElseThrow().getPhase() == Phase.PHASE_PAUSED) == pause) {
      event.addResults(
          result(accepted, Kind.KIND_ALREADY, pause ? "vm already paused" : "vm not paused"));
    } else {
      Desired.Builder desired = change(record).setPaused(pause);
      accepted.setVersion(desired.getVersion());
      event.setDesired(desired);
    }
  }

  private static void reset(
      VmStored.Builder event, CommandRecord.Builder accepted, VmRecord record) {
    if (!runs(record)) {
      event.addResults(result(accepted, Kind.KIND_FAILED, "vm not running"));
      return;
    }
    Desired.Builder desired = change(record);
    desired.setResets(desired.getResets() + 1);
    accepted.setVersion(desired.getVersion());
    event.setDesired(desired);
  }

  /** It runs, and nobody has asked it not to. */
  private static boolean runs(VmRecord record) {
    return record.hasHost() && record.getStarted() && record.getWanted() && !record.getAgain();
  }

  private static Desired.Builder change(VmRecord record) {
    Desired desired = record.getDesired();
    return desired.toBuilder().setVersion(desired.getVersion() + 1);
  }

  /**
   * Results that are due.
   *
   * @param waits why no node has taken the machine; empty if none has been asked
   */
  static List<CommandResult> results(
      VmRecord record, Optional<Report> seen, Optional<String> waits) {
    List<CommandResult> results = new ArrayList<>();
    for (CommandRecord command : pending(record)) {
      if (command.getCommand().hasStart()) {
        if (record.hasHost() && record.getStarted() && record.getWanted() && !record.getAgain()) {
          int id = record.getRegistration().getId();
          results.add(result(command, Kind.KIND_DONE, "started vm " + id + " successfully"));
        } else if (!record.hasHost() && record.getWanted() && waits.isPresent()) {
          results.add(result(command, Kind.KIND_WAITS, waits.orElseThrow()));
        }
      } else if (!command.getCommand().hasDefine()
          && seen.isPresent()
          && seen.orElseThrow().getDone().getVersion() >= command.getVersion()) {
        results.add(
            result(
                command,
                Kind.KIND_DONE,
                switch (command.getCommand().getWhatCase()) {
                  case PAUSE -> "paused vm " + record.getRegistration().getId();
                  case UNPAUSE -> "unpaused vm " + record.getRegistration().getId();
                  default -> "reset vm " + record.getRegistration().getId();
                }));
      }
    }
    return results;
  }

  /**
   * Results of what can never be done any more when an epoch closes.
   *
   * @param outcome how it ended; the default if the machine's node was lost or had no room
   * @param again the machine is to run under another
   */
  static List<CommandResult> cutShort(VmRecord record, VmOutcome outcome, boolean again) {
    List<CommandResult> results = new ArrayList<>();
    for (CommandRecord command : pending(record)) {
      WhatCase what = command.getCommand().getWhatCase();
      if (what != WhatCase.START) {
        results.add(result(command, Kind.KIND_FAILED, "the vm ended before"));
      } else if (!again) {
        String text = outcome.getText();
        results.add(
            result(command, Kind.KIND_FAILED, text.isEmpty() ? "ended before it ran" : text));
      }
    }
    return results;
  }

  private static List<CommandRecord> pending(VmRecord record) {
    return record.getCommandsList().stream().filter(command -> !command.hasResult()).toList();
  }

  private static CommandResult result(CommandRecord.Builder command, Kind kind, String text) {
    return result(command.build(), kind, text);
  }

  private static CommandResult result(CommandRecord command, Kind kind, String text) {
    return CommandResult.newBuilder()
        .setId(command.getCommand().getId())
        .setKind(kind)
        .setText(text)
        .build();
  }
}
