package dev.troupe.actors.cluster;

import dev.troupe.proto.vmd.VmInfo;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Tells those who listen on this node what happens to the cluster's machines. */
final class EventFeed {
  private final List<Consumer<VmInfo>> listeners = new CopyOnWriteArrayList<>();

  /** A machine has changed. */
  void changed(VmInfo vm) {
    listeners.forEach(listener -> listener.accept(vm));
  }

  /** Listens until what is given back is closed. Listeners must not block. */
  AutoCloseable listen(Consumer<VmInfo> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }
}
