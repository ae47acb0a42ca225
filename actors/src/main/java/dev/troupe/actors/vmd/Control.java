package dev.troupe.actors.vmd;

import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.ExplainRequest;
import dev.troupe.proto.vmd.Explanation;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.proto.vmd.OpenConsole;
import dev.troupe.proto.vmd.VmEvent;
import dev.troupe.proto.vmd.VmInfo;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * What a node's door asks of the cluster behind it. Requests are well-formed when they come here;
 * whether the caller may do or see a thing is decided behind. A stage that fails does so with a
 * {@link ControlException}. Safe for use by several threads; nothing here blocks.
 */
public interface Control {
  /**
   * Who asks: the other end of the socket, as its kernel says.
   *
   * @param privileged root, or the user whose daemon this is: may see and change everything
   */
  record Caller(int uid, String name, boolean privileged) {}

  /** Does a command; completed with its one result. */
  CompletionStage<CommandResult> submit(Caller caller, Command command);

  /**
   * The machines that the caller may see, by number.
   *
   * @param vm name or number of the only one that is wanted; empty for all
   */
  CompletionStage<List<VmInfo>> show(Caller caller, String vm);

  /** Completed when the machine has stopped. */
  CompletionStage<VmInfo> await(Caller caller, String vm);

  /** The cluster's nodes, by name. */
  CompletionStage<List<NodeInfo>> nodes(Caller caller);

  /** What placement makes of a machine. */
  CompletionStage<Explanation> explain(Caller caller, ExplainRequest request);

  /** Attaches somebody to a console; what fails is told to the watcher, too. */
  ConsoleSession console(Caller caller, OpenConsole open, ConsoleWatcher watcher);

  /**
   * Tells what happens from now on.
   *
   * @return ends it
   */
  AutoCloseable events(Caller caller, Consumer<VmEvent> listener);
}
