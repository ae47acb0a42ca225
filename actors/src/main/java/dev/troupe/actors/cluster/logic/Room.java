package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.spec.EngineKind;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Explanation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a node has left, and what it makes of one more machine.
 *
 * @param capacity what it offers
 * @param residents the machines for which room is kept
 */
record Room(Capacity capacity, Collection<VmSpec> residents) {
  /** A share of 1, in a score. */
  private static final long WHOLE = 1000;

  /** A group that is here counts for more than any room. */
  private static final long AFFINITY = 10 * WHOLE;

  private long memory() {
    return residents.stream().mapToLong(VmSpec::getMemoryBytes).sum();
  }

  private int cores() {
    return residents.stream().mapToInt(VmSpec::getCpus).sum();
  }

  /** Why a machine cannot be here; empty if it can. */
  List<String> against(VmSpec spec) {
    List<String> against = new ArrayList<>();
    long memoryLeft = capacity.memoryBytes() - memory();
    if (spec.getMemoryBytes() > memoryLeft) {
      against.add(
          "%s of memory wanted, %s of %s left"
              .formatted(
                  mebibytes(spec.getMemoryBytes()),
                  mebibytes(Math.max(0, memoryLeft)),
                  mebibytes(capacity.memoryBytes())));
    }
    int coresLeft = capacity.cores() - cores();
    if (spec.getCpus() > coresLeft) {
      against.add(
          "%d vCPUs wanted, %d of %d left"
              .formatted(spec.getCpus(), Math.max(0, coresLeft), capacity.cores()));
    }
    if (spec.getEngine() != EngineKind.ENGINE_KIND_AUTO) {
      String engine =
          spec.getEngine().name().substring("ENGINE_KIND_".length()).toLowerCase(Locale.ROOT);
      if (!capacity.engines().contains(engine)) {
        against.add("has no engine " + engine);
      }
    }
    new TreeMap<>(spec.getPlacement().getLabelsMap())
        .forEach(
            (label, value) -> {
              String here = capacity.labels().get(label);
              if (!value.equals(here)) {
                against.add(
                    "label %s=%s wanted, %s".formatted(label, value, here == null ? "none" : here));
              }
            });
    for (String group : spec.getPlacement().getAntiAffinityList()) {
      residents.stream()
          .filter(other -> other.getPlacement().getAntiAffinityList().contains(group))
          .findFirst()
          .ifPresent(
              other -> against.add("%s of group %s is here".formatted(other.getName(), group)));
    }
    return against;
  }

  /** What the node makes of a machine, without its name. */
  Explanation.Score.Builder score(VmSpec spec, Bid.Policy policy) {
    Explanation.Score.Builder score = Explanation.Score.newBuilder();
    List<String> against = against(spec);
    if (!against.isEmpty()) {
      return score.setFits(false).addAllReasons(against);
    }
    long memoryShare =
        share(capacity.memoryBytes() - memory() - spec.getMemoryBytes(), capacity.memoryBytes());
    long coreShare = share(capacity.cores() - cores() - spec.getCpus(), capacity.cores());
    long left = Math.min(memoryShare, coreShare);
    long total = policy == Bid.Policy.POLICY_PACK ? WHOLE - left : left;
    score.addReasons(
        "%s memory and %s vCPUs left".formatted(tenths(memoryShare), tenths(coreShare)));
    Set<String> here = new LinkedHashSet<>();
    for (String group : spec.getPlacement().getAffinityList()) {
      if (residents.stream().anyMatch(o -> o.getPlacement().getAffinityList().contains(group))) {
        here.add(group);
      }
    }
    for (String group : here) {
      total += AFFINITY;
      score.addReasons("group " + group + " is here");
    }
    return score.setFits(true).setScore(total);
  }

  private static long share(long part, long whole) {
    return whole <= 0 ? 0 : (long) ((double) part / whole * WHOLE);
  }

  private static String tenths(long share) {
    return "%d.%d %%".formatted(share / 10, share % 10);
  }

  private static String mebibytes(long bytes) {
    return (bytes >> 20) + "M";
  }
}
