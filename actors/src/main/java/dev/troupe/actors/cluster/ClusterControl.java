package dev.troupe.actors.cluster;

import com.google.protobuf.Message;
import dev.troupe.actors.cluster.logic.Placing;
import dev.troupe.actors.cluster.logic.VmSpecs;
import dev.troupe.actors.terminal.ConsoleAttachment;
import dev.troupe.actors.terminal.Locator;
import dev.troupe.actors.vmd.ConsoleSession;
import dev.troupe.actors.vmd.ConsoleWatcher;
import dev.troupe.actors.vmd.Control;
import dev.troupe.actors.vmd.ControlException;
import dev.troupe.actors.vmd.ControlException.Kind;
import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.cluster.CommandReply;
import dev.troupe.proto.cluster.Failure;
import dev.troupe.proto.cluster.FindConsole;
import dev.troupe.proto.cluster.FoundConsole;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Lookup;
import dev.troupe.proto.cluster.Offer;
import dev.troupe.proto.cluster.Query;
import dev.troupe.proto.cluster.QueryNode;
import dev.troupe.proto.cluster.Register;
import dev.troupe.proto.cluster.Registration;
import dev.troupe.proto.cluster.RegistryReply;
import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.ExplainRequest;
import dev.troupe.proto.vmd.Explanation;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.proto.vmd.OpenConsole;
import dev.troupe.proto.vmd.StartVm;
import dev.troupe.proto.vmd.VmEvent;
import dev.troupe.proto.vmd.VmInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.RecipientRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** What a node's door asks, put to entities, registry and hosts wherever they are. */
public final class ClusterControl implements Control {
  private static final Duration POLL = Duration.ofMillis(250);

  private static final Duration OFFER = Duration.ofSeconds(2);

  private final ActorSystem<?> system;
  private final HostId self;
  private final ClusterParts parts;
  private final EventFeed feed;
  private final Duration limit;
  private final ClusterSharding sharding;
  private final ActorRefResolver references;
  private final Asker asker;

  ClusterControl(
      ActorSystem<?> system, HostId self, ClusterParts parts, EventFeed feed, Duration limit) {
    this.system = system;
    this.self = self;
    this.parts = parts;
    this.feed = feed;
    this.limit = limit;
    sharding = ClusterSharding.get(system);
    references = ActorRefResolver.get(system);
    asker = new Asker(system);
  }

  @Override
  public CompletionStage<CommandResult> submit(Caller caller, Command command) {
    return switch (command.getWhatCase()) {
      case START -> start(caller, command, command.getStart());
      case DEFINE -> start(caller, command, command.getDefine());
      case STOP -> toVm(caller, command.getStop().getVm(), command);
      case PAUSE -> toVm(caller, command.getPause().getVm(), command);
      case UNPAUSE -> toVm(caller, command.getUnpause().getVm(), command);
      case RESET -> toVm(caller, command.getReset().getVm(), command);
      case DRAIN -> drain(caller, command);
      case UNDRAIN -> toRegistry(caller, command);
      case WHAT_NOT_SET ->
          CompletableFuture.failedStage(
              new ControlException(Kind.INVALID, "a command that this node does not know"));
    };
  }

  private CompletionStage<CommandResult> toRegistry(Caller caller, Command command) {
    return ask(
            parts.registry(),
            "the registry",
            to -> submission(caller, command).setReplyTo(to).build())
        .thenApply(reply -> result((CommandReply) reply));
  }

  /**
   * It takes as long as the guests on the node take to switch off: while there is a registry, it is
   * asked again, under the same id.
   */
  private CompletionStage<CommandResult> drain(Caller caller, Command command) {
    return toRegistry(caller, command)
        .exceptionallyCompose(
            late ->
                isUnavailable(late)
                    ? registry("").thenCompose(there -> drain(caller, command))
                    : CompletableFuture.failedStage(late));
  }

  private static boolean isUnavailable(Throwable failure) {
    return failure instanceof CompletionException wrapped
        ? isUnavailable(wrapped.getCause())
        : failure instanceof ControlException why && why.kind() == Kind.UNAVAILABLE;
  }

  private CompletionStage<CommandResult> start(Caller caller, Command command, StartVm start) {
    String vm = start.getVm();
    String like = start.getLike();
    CompletionStage<VmSpec> model =
        like.isEmpty()
            ? CompletableFuture.completedStage(VmSpec.getDefaultInstance())
            : visible(caller, like).thenApply(VmInfo::getSpec);
    return model.thenCompose(
        spec ->
            registered(caller, vm)
                .thenCompose(
                    registration -> toVm(registration, submission(caller, command).setLike(spec))));
  }

  /** A number names a machine that is there; a name makes one known that is not. */
  private CompletionStage<Registration> registered(Caller caller, String vm) {
    if (Character.isDigit(vm.charAt(0))) {
      return lookup(vm);
    }
    return ask(
            parts.registry(),
            "the registry",
            to ->
                Register.newBuilder()
                    .setName(vm)
                    .setOwnerUid(caller.uid())
                    .setOwner(caller.name())
                    .setReplyTo(to)
                    .build())
        .thenApply(reply -> registrations((RegistryReply) reply).getFirst());
  }

  private CompletionStage<CommandResult> toVm(Caller caller, String vm, Command command) {
    return lookup(vm).thenCompose(registration -> toVm(registration, submission(caller, command)));
  }

  private CompletionStage<CommandResult> toVm(Registration vm, Submit.Builder submission) {
    submission.setRegistration(vm);
    return entity(vm.getName(), to -> submission.setReplyTo(to).build())
        .thenApply(reply -> result((CommandReply) reply));
  }

  private static Submit.Builder submission(Caller caller, Command command) {
    return Submit.newBuilder()
        .setCommand(command)
        .setUid(caller.uid())
        .setPrivileged(caller.privileged());
  }

  private static CommandResult result(CommandReply reply) {
    if (reply.hasFailure()) {
      throw failure(reply.getFailure());
    }
    return reply.getResult();
  }

  private CompletionStage<Registration> lookup(String vm) {
    return registry(vm).thenApply(List::getFirst);
  }

  private CompletionStage<List<Registration>> registry(String vm) {
    return ask(
            parts.registry(),
            "the registry",
            to -> Lookup.newBuilder().setVm(vm).setReplyTo(to).build())
        .thenApply(reply -> registrations((RegistryReply) reply));
  }

  private static List<Registration> registrations(RegistryReply reply) {
    if (reply.hasFailure()) {
      throw failure(reply.getFailure());
    }
    return reply.getVmsList();
  }

  private static ControlException failure(Failure failure) {
    Kind kind =
        switch (failure.getKind()) {
          case KIND_INVALID -> Kind.INVALID;
          case KIND_NOT_FOUND -> Kind.NOT_FOUND;
          case KIND_DENIED -> Kind.DENIED;
          case KIND_UNAVAILABLE, KIND_UNSPECIFIED, UNRECOGNIZED -> Kind.UNAVAILABLE;
        };
    return new ControlException(kind, failure.getText());
  }

  @Override
  public CompletionStage<List<VmInfo>> show(Caller caller, String vm) {
    if (!vm.isEmpty()) {
      return visible(caller, vm).thenApply(List::of);
    }
    return registry("")
        .thenCompose(
            all -> {
              List<CompletableFuture<VmInfo>> asked =
                  all.stream()
                      .filter(known -> sees(caller, known))
                      .map(known -> shown(known).toCompletableFuture())
                      .toList();
              return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
                  .thenApply(
                      done ->
                          asked.stream()
                              .map(CompletableFuture::join)
                              .filter(info -> info.getId() != 0)
                              .sorted(Comparator.comparingInt(VmInfo::getId))
                              .toList());
            });
  }

  /** A machine whose entity does not answer hides none of the others. */
  private CompletionStage<VmInfo> shown(Registration known) {
    return query(known.getName())
        .exceptionally(
            failure ->
                VmInfo.newBuilder()
                    .setId(known.getId())
                    .setName(known.getName())
                    .setOwner(known.getOwner())
                    .setOwnerUid(known.getOwnerUid())
                    .setReason(
                        failure instanceof CompletionException wrapped
                            ? wrapped.getCause().getMessage()
                            : failure.getMessage())
                    .build());
  }

  private static boolean sees(Caller caller, Registration known) {
    return caller.privileged() || known.getOwnerUid() == caller.uid();
  }

  /** The machine, if the caller may see it; who may not is told that it is not there. */
  CompletionStage<VmInfo> visible(Caller caller, String vm) {
    return lookup(vm)
        .thenCompose(
            known -> {
              if (!sees(caller, known)) {
                throw notFound(vm);
              }
              return query(known.getName());
            })
        .thenApply(
            info -> {
              if (info.getId() == 0) {
                throw notFound(vm); // registered by a start that was refused
              }
              return info;
            });
  }

  private static ControlException notFound(String vm) {
    return new ControlException(Kind.NOT_FOUND, vm + ": vm not found");
  }

  /** The machine of that name, as its entity knows it. */
  CompletionStage<VmInfo> query(String name) {
    return entity(name, to -> Query.newBuilder().setReplyTo(to).build())
        .thenApply(VmInfo.class::cast);
  }

  @Override
  public CompletionStage<VmInfo> await(Caller caller, String vm) {
    CompletableFuture<VmInfo> ended = new CompletableFuture<>();
    visible(caller, vm).whenComplete((info, failure) -> awaited(ended, info, failure));
    return ended;
  }

  private void awaited(CompletableFuture<VmInfo> ended, VmInfo info, Throwable failure) {
    if (ended.isDone()) {
      return; // nobody waits any more
    }
    if (failure != null) {
      ended.completeExceptionally(failure);
    } else if (info.getState() == VmState.VM_STATE_ENDED) {
      ended.complete(info);
    } else {
      CompletableFuture.delayedExecutor(POLL.toMillis(), TimeUnit.MILLISECONDS)
          .execute(
              () ->
                  query(info.getName())
                      .whenComplete(
                          (next, late) -> {
                            // A machine whose entity moves is waited for, too.
                            boolean moving = late != null && isUnavailable(late);
                            awaited(ended, moving ? info : next, moving ? null : late);
                          }));
    }
  }

  @Override
  public CompletionStage<List<NodeInfo>> nodes(Caller caller) {
    List<CompletableFuture<NodeInfo>> asked = new ArrayList<>();
    for (HostId member : parts.hosts().members()) {
      NodeInfo silent =
          NodeInfo.newBuilder()
              .setName(member.getName())
              .setAddress(member.getAddress())
              .setState(NodeInfo.State.STATE_UNREACHABLE)
              .build();
      asked.add(
          parts
              .hosts()
              .ref(member)
              .map(
                  ref ->
                      ask(ref, member.getName(), OFFER, to -> queryNode(to))
                          .thenApply(NodeInfo.class::cast)
                          .exceptionally(failure -> silent)
                          .toCompletableFuture())
              .orElseGet(() -> CompletableFuture.completedFuture(silent)));
    }
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(
            done ->
                asked.stream()
                    .map(CompletableFuture::join)
                    .map(
                        node ->
                            node.toBuilder()
                                .setSelf(node.getAddress().equals(self.getAddress()))
                                .build())
                    .sorted(Comparator.comparing(NodeInfo::getName))
                    .toList());
  }

  private static Message queryNode(String replyTo) {
    return QueryNode.newBuilder().setReplyTo(replyTo).build();
  }

  @Override
  public CompletionStage<Explanation> explain(Caller caller, ExplainRequest request) {
    CompletionStage<VmInfo> known = visible(caller, request.getVm());
    if (request.hasSpec()) { // then it need not be known
      known =
          known.exceptionally(
              failure -> {
                if (failure.getCause() instanceof ControlException why
                    && why.kind() == Kind.NOT_FOUND) {
                  return VmInfo.newBuilder().setName(request.getVm()).build();
                }
                throw new CompletionException(failure.getCause());
              });
    }
    return known.thenCompose(
        vm ->
            explain(
                vm.getName(),
                VmSpecs.described(vm.getSpec(), request.getSpec()),
                vm.getState() == VmState.VM_STATE_ENDED ? vm.getNode() : ""));
  }

  private CompletionStage<Explanation> explain(String vm, VmSpec spec, String home) {
    List<CompletableFuture<Explanation.Score>> asked = new ArrayList<>();
    parts
        .hosts()
        .refs()
        .forEach(
            (id, ref) ->
                asked.add(
                    ask(ref, id.getName(), OFFER, to -> bid(spec, to))
                        .thenApply(reply -> ((Offer) reply).getScore())
                        .exceptionally(
                            failure ->
                                Explanation.Score.newBuilder()
                                    .setNode(id.getName())
                                    .addReasons("does not answer")
                                    .build())
                        .toCompletableFuture()));
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(
            done -> {
              List<Explanation.Score> scores = asked.stream().map(CompletableFuture::join).toList();
              return Explanation.newBuilder()
                  .addAllNodes(scores)
                  .setChosen(Placing.best(vm, home, scores).orElse(""))
                  .build();
            });
  }

  private Bid bid(VmSpec spec, String replyTo) {
    return Bid.newBuilder()
        .setVm(spec.getName())
        .setSpec(spec)
        .setPolicy(parts.policy().word())
        .setReplyTo(replyTo)
        .build();
  }

  // Consoles and events ------------------------------------------------------------------------

  @Override
  public ConsoleSession console(Caller caller, OpenConsole open, ConsoleWatcher watcher) {
    return ConsoleAttachment.attach(system, caller.name(), open, vm -> locate(caller, vm), watcher);
  }

  private CompletionStage<Locator.Location> locate(Caller caller, String vm) {
    return visible(caller, vm)
        .thenCompose(
            info -> {
              if (info.getState() == VmState.VM_STATE_ENDED) {
                return consoles(info.getName(), parts.hosts().refs())
                    .thenApply(last -> new Locator.Stopped(info.getReason(), last));
              }
              Map<HostId, ActorRef<HostActor.Command>> there = new LinkedHashMap<>();
              parts
                  .hosts()
                  .refs()
                  .forEach(
                      (id, ref) -> {
                        if (id.getName().equals(info.getNode())) {
                          there.put(id, ref);
                        }
                      });
              return consoles(info.getName(), there)
                  .thenApply(
                      found ->
                          found
                              .<Locator.Location>map(here -> here)
                              .filter(here -> ((Locator.Here) here).epoch() == info.getEpoch())
                              .orElseGet(
                                  () ->
                                      new Locator.Waiting(
                                          info.getReason().isEmpty()
                                              ? info.getName() + " is being started"
                                              : info.getReason())));
            });
  }

  /** The console of a machine's youngest start on some hosts. */
  private CompletionStage<Optional<Locator.Here>> consoles(
      String name, Map<HostId, ActorRef<HostActor.Command>> hosts) {
    List<CompletableFuture<FoundConsole>> asked = new ArrayList<>();
    hosts.forEach(
        (id, ref) ->
            asked.add(
                ask(ref, id.getName(), OFFER, to -> findConsole(name, to))
                    .thenApply(FoundConsole.class::cast)
                    .exceptionally(failure -> FoundConsole.getDefaultInstance())
                    .toCompletableFuture()));
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(
            done ->
                asked.stream()
                    .map(CompletableFuture::join)
                    .filter(found -> !found.getConsole().isEmpty())
                    .max(Comparator.comparingLong(FoundConsole::getEpoch))
                    .map(
                        found ->
                            new Locator.Here(
                                found.getEpoch(), references.resolveActorRef(found.getConsole()))));
  }

  private static Message findConsole(String name, String replyTo) {
    return FindConsole.newBuilder().setVm(name).setReplyTo(replyTo).build();
  }

  @Override
  public AutoCloseable events(Caller caller, Consumer<VmEvent> listener) {
    return feed.listen(
        vm -> {
          if (caller.privileged() || vm.getOwnerUid() == caller.uid()) {
            listener.accept(
                VmEvent.newBuilder().setMillis(System.currentTimeMillis()).setVm(vm).build());
          }
        });
  }

  private CompletionStage<Message> entity(String name, Function<String, Message> question) {
    return ask(sharding.entityRefFor(VmEntity.KEY, name), name, question);
  }

  private CompletionStage<Message> ask(
      RecipientRef<? super Wire> whom, String who, Function<String, Message> question) {
    return asker.ask(whom, who, limit, question);
  }

  private CompletionStage<Message> ask(
      RecipientRef<? super Wire> whom,
      String who,
      Duration patience,
      Function<String, Message> question) {
    return asker.ask(whom, who, patience, question);
  }
}
