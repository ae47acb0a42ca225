package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Explanation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Machines that are not on a host and may be in a moment: those that have chosen it, while their
 * entities store that, and those that have asked and not said yet where they go. They count in what
 * the host offers to others, so that machines which are started at once do not all go to the node
 * that was the emptiest; whether one is taken does not depend on them.
 */
final class Promises {
  /**
   * What the host makes of a machine just now.
   *
   * @param open see {@link dev.troupe.proto.cluster.Offer#getOpen}
   */
  record Round(Explanation.Score.Builder score, long open) {}

  private record Promise(VmSpec spec, boolean chosen, long until) {}

  /** By name; the oldest first. */
  private final Map<String, Promise> promises = new LinkedHashMap<>();

  private long now;

  /** A machine has chosen this host. */
  void add(String vm, VmSpec spec) {
    put(vm, new Promise(spec, true, now + Limits.PROMISE_NANOS));
  }

  private void put(String vm, Promise promise) {
    promises.remove(vm); // the youngest now
    promises.put(vm, promise);
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

  /** What a host makes of a machine; an entity's question is kept in mind. */
  Round round(Room room, Bid bid) {
    forget(bid.getVm());
    List<VmSpec> expected = new ArrayList<>(room.residents());
    promises.values().stream().filter(Promise::chosen).map(Promise::spec).forEach(expected::add);
    Explanation.Score.Builder score = score(room, expected, bid);
    long open = 0;
    if (bid.getPolicy() == Bid.Policy.POLICY_SPREAD && score.getFits()) {
      promises.values().stream().filter(p -> !p.chosen()).map(Promise::spec).forEach(expected::add);
      open = Math.max(0, score.getScore() - score(room, expected, bid).getScore());
    }
    if (bid.getReplyTo().isEmpty()) {
      put(bid.getVm(), new Promise(bid.getSpec(), false, now + Limits.BID_NANOS));
    }
    return new Round(score, open);
  }

  private static Explanation.Score.Builder score(Room room, List<VmSpec> machines, Bid bid) {
    return new Room(room.capacity(), machines).score(bid.getSpec(), bid.getPolicy());
  }
}
