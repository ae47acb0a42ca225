package dev.troupe.actors.vmd.door;

import com.google.protobuf.ByteString;
import dev.troupe.actors.vmd.ConsoleSession;
import dev.troupe.actors.vmd.ConsoleWatcher;
import dev.troupe.actors.vmd.Control;
import dev.troupe.actors.vmd.ControlException;
import dev.troupe.proto.control.VmState;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.CommandResult.Kind;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.ConsolePlace;
import dev.troupe.proto.vmd.ExplainRequest;
import dev.troupe.proto.vmd.Explanation;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.proto.vmd.OpenConsole;
import dev.troupe.proto.vmd.VmEvent;
import dev.troupe.proto.vmd.VmInfo;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * A cluster of one node whose machines are entries of a map: what stands behind a door in its
 * tests. Several doors may open on one of them, as several lives of a daemon on its store.
 */
public final class MemoryControl implements Control {
  /** So many who want to write do not get it: a writer who has gone is thought to be there. */
  public volatile int refusals;

  /** Console sessions in the order in which they came. */
  public final List<Session> sessions = new CopyOnWriteArrayList<>();

  /** What was commanded, each id once. */
  public final List<Command> done = new CopyOnWriteArrayList<>();

  /** How often each id was sent. */
  public final Map<String, Integer> sent = new HashMap<>();

  /** Who asked last. */
  public volatile Caller lastCaller;

  /** Whether results are held back: they then come when {@link #release} says. */
  public volatile boolean held;

  private final Map<String, VmInfo> vms = new LinkedHashMap<>();
  private final Map<String, CommandResult> results = new HashMap<>();
  private final List<Runnable> heldResults = new ArrayList<>();
  private final List<Consumer<VmEvent>> listeners = new CopyOnWriteArrayList<>();
  private final Map<String, List<CompletableFuture<VmInfo>>> waiters = new HashMap<>();

  /** Adds or changes a machine, and tells of it. */
  public synchronized VmInfo put(VmInfo vm) {
    vms.put(vm.getName(), vm);
    VmEvent event = VmEvent.newBuilder().setMillis(1_767_225_600_123L).setVm(vm).build();
    listeners.forEach(listener -> listener.accept(event));
    if (vm.getState() == VmState.VM_STATE_ENDED) {
      var waiting = waiters.remove(vm.getName());
      if (waiting != null) {
        waiting.forEach(waiter -> waiter.complete(vm));
      }
    }
    return vm;
  }

  /** How many listen for events. */
  public int listeners() {
    return listeners.size();
  }

  /** How many wait for a machine's end. */
  public synchronized int waiting() {
    return waiters.size();
  }

  /** Gives the results that were held back. */
  public void release() {
    List<Runnable> all;
    synchronized (this) {
      held = false;
      all = List.copyOf(heldResults);
      heldResults.clear();
    }
    all.forEach(Runnable::run);
  }

  @Override
  public synchronized CompletionStage<CommandResult> submit(Caller caller, Command command) {
    lastCaller = caller;
    sent.merge(command.getId(), 1, Integer::sum);
    CommandResult result = results.get(command.getId());
    if (result == null) {
      done.add(command);
      result = act(caller, command).toBuilder().setId(command.getId()).build();
      results.put(command.getId(), result);
    }
    if (held) {
      CompletableFuture<CommandResult> later = new CompletableFuture<>();
      CommandResult now = result;
      heldResults.add(() -> later.complete(now));
      return later;
    }
    return CompletableFuture.completedFuture(result);
  }

  private CommandResult act(Caller caller, Command command) {
    return switch (command.getWhatCase()) {
      case START -> start(caller, command);
      case DEFINE -> define(caller, command);
      case STOP -> {
        VmInfo vm = find(caller, command.getStop().getVm());
        yield vm.getState() == VmState.VM_STATE_ENDED
            ? result(Kind.KIND_ALREADY, "vm " + vm.getId() + " is stopped", vm)
            : result(
                Kind.KIND_DONE,
                "",
                put(vm.toBuilder().setState(VmState.VM_STATE_ENDED).setPid(0).build()));
      }
      case PAUSE -> to(caller, command.getPause().getVm(), VmState.VM_STATE_PAUSED);
      case UNPAUSE -> to(caller, command.getUnpause().getVm(), VmState.VM_STATE_RUNNING);
      case RESET -> to(caller, command.getReset().getVm(), VmState.VM_STATE_RUNNING);
      case DRAIN, UNDRAIN ->
          CommandResult.newBuilder()
              .setKind("n1".equals(node(command)) ? Kind.KIND_DONE : Kind.KIND_FAILED)
              .setText("n1".equals(node(command)) ? "" : "no node is called " + node(command))
              .build();
      case WHAT_NOT_SET -> throw new IllegalStateException("the door lets nothing empty in");
    };
  }

  private static String node(Command command) {
    return command.hasDrain() ? command.getDrain().getNode() : command.getUndrain().getNode();
  }

  private CommandResult define(Caller caller, Command command) {
    VmInfo vm =
        VmInfo.newBuilder()
            .setId(vms.size() + 1)
            .setName(command.getDefine().getVm())
            .setOwner(caller.name())
            .setOwnerUid(caller.uid())
            .setState(VmState.VM_STATE_ENDED)
            .setNode("n1")
            .setSpec(command.getDefine().getSpec())
            .build();
    return result(Kind.KIND_DONE, "a start runs it on n1", put(vm));
  }

  private CommandResult start(Caller caller, Command command) {
    String name = command.getStart().getVm();
    VmInfo known = vms.get(name);
    VmSpec.Builder spec = VmSpec.newBuilder().setCpus(1).setMemoryBytes(512L << 20);
    if (!command.getStart().getLike().isEmpty()) {
      spec.mergeFrom(find(caller, command.getStart().getLike()).getSpec());
    }
    if (known != null) {
      find(caller, name);
      if (known.getState() == VmState.VM_STATE_RUNNING) {
        return result(Kind.KIND_ALREADY, "vm " + known.getId() + " is running already", known);
      }
      spec.mergeFrom(known.getSpec());
    }
    spec.mergeFrom(command.getStart().getSpec());
    VmInfo.Builder vm =
        known != null ? known.toBuilder() : VmInfo.newBuilder().setId(vms.size() + 1);
    vm.setName(name)
        .setOwner(caller.name())
        .setOwnerUid(caller.uid())
        .setSpec(spec)
        .setEpoch(vm.getEpoch() + 1);
    if (spec.getMemoryBytes() > 1L << 40) {
      vm.setState(VmState.VM_STATE_WAITING).setReason("no node has 2T of memory");
      return result(Kind.KIND_WAITS, vm.getReason(), put(vm.build()));
    }
    vm.setState(VmState.VM_STATE_RUNNING).setPid(4242).setNode("n1");
    vm.setCurrentMemoryBytes(8 << 20)
        .setCpuNanos(65_000_000_000L)
        .setStartedMillis(1_767_225_600_000L);
    return result(Kind.KIND_DONE, "", put(vm.build()));
  }

  private CommandResult to(Caller caller, String name, VmState state) {
    VmInfo vm = find(caller, name);
    return result(Kind.KIND_DONE, "", put(vm.toBuilder().setState(state).build()));
  }

  private static CommandResult result(Kind kind, String text, VmInfo vm) {
    return CommandResult.newBuilder().setKind(kind).setText(text).setVm(vm).build();
  }

  private VmInfo find(Caller caller, String name) {
    VmInfo vm =
        vms.values().stream()
            .filter(v -> v.getName().equals(name) || Integer.toString(v.getId()).equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new ControlException(
                        ControlException.Kind.NOT_FOUND, "vm '" + name + "' not found"));
    if (!caller.privileged() && caller.uid() != vm.getOwnerUid()) {
      throw new ControlException(
          ControlException.Kind.DENIED, "vm '" + name + "' belongs to " + vm.getOwner());
    }
    return vm;
  }

  @Override
  public synchronized CompletionStage<List<VmInfo>> show(Caller caller, String vm) {
    lastCaller = caller;
    if (!vm.isEmpty()) {
      return CompletableFuture.completedFuture(List.of(find(caller, vm)));
    }
    Collection<VmInfo> all = vms.values();
    return CompletableFuture.completedFuture(
        all.stream().filter(v -> caller.privileged() || caller.uid() == v.getOwnerUid()).toList());
  }

  @Override
  public synchronized CompletionStage<VmInfo> await(Caller caller, String name) {
    VmInfo vm = find(caller, name);
    if (vm.getState() == VmState.VM_STATE_ENDED) {
      return CompletableFuture.completedFuture(vm);
    }
    CompletableFuture<VmInfo> waiter = new CompletableFuture<>();
    waiters.computeIfAbsent(vm.getName(), n -> new ArrayList<>()).add(waiter);
    return waiter;
  }

  @Override
  public CompletionStage<List<NodeInfo>> nodes(Caller caller) {
    return CompletableFuture.completedFuture(
        List.of(
            NodeInfo.newBuilder()
                .setName("n1")
                .setAddress("127.0.0.1:7355")
                .setState(NodeInfo.State.STATE_UP)
                .setMemoryBytes(4L << 30)
                .setMemoryReservedBytes(1536L << 20)
                .setCores(2)
                .setCoresReserved(3)
                .setVms(2)
                .addEngines("interpreter")
                .addEngines("translator")
                .putLabels("zone", "b")
                .putLabels("disk", "ssd")
                .setWireVersion(1)
                .setSelf(true)
                .build()));
  }

  @Override
  public CompletionStage<Explanation> explain(Caller caller, ExplainRequest request) {
    boolean fits = request.getSpec().getMemoryBytes() <= 4L << 30;
    return CompletableFuture.completedFuture(
        Explanation.newBuilder()
            .setChosen(fits ? "n1" : "")
            .addNodes(
                Explanation.Score.newBuilder()
                    .setNode("n1")
                    .setFits(fits)
                    .setScore(fits ? 71 : 0)
                    .addReasons(fits ? "memory 62% free" : "memory: 8G asked for, 2.5G free"))
            .build());
  }

  @Override
  public synchronized ConsoleSession console(
      Caller caller, OpenConsole open, ConsoleWatcher watcher) {
    Session session = new Session(open, watcher);
    VmInfo vm;
    try {
      vm = find(caller, open.getVm());
    } catch (ControlException e) {
      watcher.failed(e);
      return session;
    }
    Session other = sessions.stream().filter(s -> s.writes && !s.closed).findFirst().orElse(null);
    session.writes = open.getWrite() && (other == null || open.getForce());
    sessions.add(session);
    if (other != null && session.writes) {
      other.writes = false;
      other.tell(ConsoleOutput.newBuilder().setTakenOver(caller.name()).build());
    }
    if (session.writes && refusals > 0) {
      refusals--;
      session.writes = false;
    }
    var opened =
        ConsoleOutput.Opened.newBuilder()
            .setWriter(session.writes)
            .setAt(ConsolePlace.newBuilder().setEpoch(1).setOffset(session.offset));
    if (open.getWrite() && !session.writes) {
      opened.setText("somebody types on vm " + vm.getId() + " already; --force takes over");
    }
    session.tell(ConsoleOutput.newBuilder().setOpened(opened).build());
    return session;
  }

  @Override
  public AutoCloseable events(Caller caller, Consumer<VmEvent> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** One console: its test says what the guest prints and takes. */
  public static final class Session implements ConsoleSession {
    public final OpenConsole open;
    private final ConsoleWatcher watcher;
    private final StringBuilder typed = new StringBuilder();
    private volatile boolean writes;
    public volatile boolean closed;
    public volatile boolean takes = true;
    private int allowed;
    private int inputs;
    private long offset;

    private Session(OpenConsole open, ConsoleWatcher watcher) {
      this.open = open;
      this.watcher = watcher;
      offset = open.getFrom().getOffset();
    }

    void tell(ConsoleOutput output) {
      watcher.output(output);
    }

    /** Anything. */
    public void say(ConsoleOutput output) {
      tell(output);
    }

    /** Prints, if the watcher is ready; tells whether it was. */
    public boolean print(String text) {
      ConsoleOutput output;
      synchronized (this) {
        if (allowed == 0) {
          return false;
        }
        allowed--;
        ByteString data = ByteString.copyFromUtf8(text);
        output =
            ConsoleOutput.newBuilder()
                .setChunk(
                    ConsoleOutput.Chunk.newBuilder().setEpoch(1).setOffset(offset).setData(data))
                .build();
        offset += data.size();
      }
      tell(output);
      return true;
    }

    /** The machine has stopped. */
    public void end() {
      watcher.closed();
    }

    /** All that was typed. */
    public synchronized String typed() {
      return typed.toString();
    }

    /** How many inputs came. */
    public synchronized int inputs() {
      return inputs;
    }

    public boolean writes() {
      return writes;
    }

    @Override
    public void input(byte[] bytes) {
      synchronized (this) {
        inputs++;
        typed.append(new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1));
      }
      if (takes) {
        tell(ConsoleOutput.newBuilder().setTaken(true).build());
      }
    }

    @Override
    public synchronized void request(int chunks) {
      allowed += chunks;
    }

    /** How many chunks the watcher is ready for. */
    public synchronized int allowed() {
      return allowed;
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
