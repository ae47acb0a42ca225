package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.spec.VmSpec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Machines that have chosen a host and are not there yet, since their entities store the choice
 * first. They count in what the host offers to others, so that machines which are started at once
 * do not all go to the node that was the emptiest; whether one is taken does not depend on them.
 */
final class Promises {
  private record Promise(VmSpec spec, long until) {}

  /** By name; the oldest first. */
  private final Map<String, Promise> promises = new LinkedHashMap<>();

  private long now;

  void add(String vm, VmSpec spec) {
    promises.remove(vm);
    promises.put(vm, new Promise(spec, now + Limits.PROMISE_NANOS));
    if (promises.size() > Limits.PROMISES) {
      forget(promises.keySet().iterator().next());
    }
  }

  /** The machine has come, or will not. */
  void forget(String vm) {
    promises.remove(vm);
  }

  /** Time has passed. */
  void tick(long nanos) {
    now = nanos;
    promises.values().removeIf(promise -> nanos - promise.until >= 0);
  }

  /** What is there, and what is expected besides one machine. */
  Collection<VmSpec> with(Collection<VmSpec> here, String except) {
    List<VmSpec> all = new ArrayList<>(here);
    promises.forEach(
        (vm, promise) -> {
          if (!vm.equals(except)) {
            all.add(promise.spec);
          }
        });
    return all;
  }
}
