package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.Bid;
import dev.troupe.proto.cluster.Chosen;
import dev.troupe.proto.cluster.HostId;
import dev.troupe.proto.cluster.Offer;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Explanation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The choice of a host for one machine: all that are present are asked, the best offer is taken;
 * whoever has said no since is left out for a round. Nothing of it is stored: what counts is the
 * host's word when the machine comes to it.
 */
public final class Placing {
  /** Which of the hosts that fit is chosen. */
  public enum Policy {
    /** The one with the most room left. */
    SPREAD(Bid.Policy.POLICY_SPREAD),
    /** The one with the least room left. */
    PACK(Bid.Policy.POLICY_PACK);

    private final Bid.Policy word;

    Policy(Bid.Policy word) {
      this.word = word;
    }

    /** The policy as a message has it. */
    public Bid.Policy word() {
      return word;
    }
  }

  private final String name;
  private final Policy policy;

  private long round;
  private boolean asking;
  private List<HostId> asked = List.of();
  private final Map<HostId, Offer> offers = new LinkedHashMap<>();

  /** Why a host has refused what it had offered to take, by its name. */
  private final Map<String, String> refusals = new TreeMap<>();

  /** While asking: when no more offers are waited for. Else: when hosts are asked again. */
  private long next;

  private boolean first = true;

  /** When the machine began to look for a host; of no meaning before it has. */
  private long begun;

  private boolean looking;
  private Optional<String> waits = Optional.empty();

  Placing(String name, Policy policy) {
    this.name = name;
    this.policy = policy;
  }

  /** The machine looks for a host anew: at once, and all hosts are asked. */
  void begin() {
    asking = false;
    first = true;
    looking = false;
    refusals.clear();
    waits = Optional.empty();
  }

  /** Why no host has taken the machine; empty as long as that is not known. */
  Optional<String> waits() {
    return waits;
  }

  void offered(Offer offer) {
    if (asking && offer.getRound() == round && asked.contains(offer.getHost())) {
      offers.put(offer.getHost(), offer);
    }
  }

  /** A host has not taken the machine. */
  void refused(HostId host, String reason) {
    refusals.put(host.getName(), reason);
    asking = false;
    first = true;
  }

  /**
   * Which node a machine goes to: its home if it fits there, else the one with the highest score.
   *
   * @param home a node's name; empty for none
   * @return a node's name
   */
  public static Optional<String> best(
      String vm, String home, Collection<Explanation.Score> scores) {
    return best(vm, home, scores, Map.of());
  }

  /**
   * The same while others look for a node, too. What the best one's score may have lost to them in
   * a moment is no reason to choose it; among equals the names of machine and node decide, so that
   * many machines that come at once go everywhere.
   *
   * @param open by node, see {@link Offer#getOpen}
   */
  private static Optional<String> best(
      String vm, String home, Collection<Explanation.Score> scores, Map<String, Long> open) {
    List<Explanation.Score> fitting = scores.stream().filter(Explanation.Score::getFits).toList();
    long enough =
        fitting.stream()
            .max(Comparator.comparingLong(Explanation.Score::getScore))
            .map(top -> top.getScore() - open.getOrDefault(top.getNode(), 0L))
            .orElse(0L);
    return fitting.stream()
        .max(
            Comparator.comparing((Explanation.Score score) -> score.getNode().equals(home))
                .thenComparingLong(score -> Math.min(score.getScore(), enough))
                .thenComparingLong(score -> mixed(vm, score.getNode()))
                .thenComparing(Explanation.Score::getNode))
        .map(Explanation.Score::getNode);
  }

  /** A hash whose order says nothing of the names'; the finalizer of MurmurHash3. */
  private static long mixed(String vm, String node) {
    long hash = ((long) vm.hashCode() << 32) ^ node.hashCode();
    hash = (hash ^ (hash >>> 33)) * 0xFF51_AFD7_ED55_8CCDL;
    hash = (hash ^ (hash >>> 33)) * 0xC4CE_B9FE_1A85_EC53L;
    return hash ^ (hash >>> 33);
  }

  /**
   * Does what is due; gives a host when one is chosen.
   *
   * @param home see {@link #best}
   */
  Optional<HostId> settle(VmSpec spec, String home, Surroundings now, List<VmEffect> effects) {
    if (!looking) {
      looking = true;
      begun = now.nanos();
    }
    if (asking) {
      if (offers.size() < asked.size() && now.nanos() - next < 0) {
        return Optional.empty();
      }
      asking = false;
      return choose(home, now);
    }
    if (first || now.nanos() - next >= 0) {
      first = false;
      ask(spec, now, effects);
    }
    return Optional.empty();
  }

  private void ask(VmSpec spec, Surroundings now, List<VmEffect> effects) {
    asked =
        now.hosts().present().stream()
            .filter(host -> !refusals.containsKey(host.getName()))
            .toList();
    offers.clear();
    if (asked.isEmpty()) {
      none(now);
      return;
    }
    asking = true;
    round++;
    next = now.nanos() + Limits.BID_NANOS;
    for (HostId host : asked) {
      effects.add(
          new VmEffect.SendBid(
              host,
              Bid.newBuilder()
                  .setVm(name)
                  .setRound(round)
                  .setSpec(spec)
                  .setPolicy(policy.word())
                  .build()));
    }
  }

  private Optional<HostId> choose(String home, Surroundings now) {
    Map<String, HostId> hosts = new HashMap<>();
    Map<String, Long> open = new HashMap<>();
    List<Explanation.Score> scores = new ArrayList<>();
    List<HostId> present = now.hosts().present();
    for (HostId host : asked) {
      Offer offer = offers.get(host);
      if (offer != null && present.contains(host)) {
        hosts.put(host.getName(), host);
        open.put(host.getName(), offer.getOpen());
        scores.add(offer.getScore().toBuilder().setNode(host.getName()).build());
      }
    }
    Optional<HostId> best = best(name, home, scores, open).map(hosts::get);
    if (best.isEmpty()) {
      none(now);
    } else {
      waits = Optional.empty();
    }
    return best;
  }

  /** Tells those that were asked which of them the machine comes to. */
  void tell(HostId chosen, VmSpec spec, List<VmEffect> effects) {
    Chosen word = Chosen.newBuilder().setVm(name).setHost(chosen).setSpec(spec).build();
    asked.forEach(host -> effects.add(new VmEffect.SendChosen(host, word)));
  }

  private void none(Surroundings now) {
    boolean passing =
        asked.isEmpty()
            || asked.stream()
                .anyMatch(host -> offers.get(host) == null || offers.get(host).getPassing());
    if (passing && refusals.isEmpty() && now.nanos() - begun < Limits.PASSING_NANOS) {
      next = now.nanos() + Limits.BID_NANOS / 4;
      return;
    }
    Map<String, String> reasons = new TreeMap<>(refusals);
    for (HostId host : asked) {
      Offer offer = offers.get(host);
      reasons.put(
          host.getName(),
          offer == null ? "does not answer" : String.join(", ", offer.getScore().getReasonsList()));
    }
    waits =
        Optional.of(
            reasons.isEmpty()
                ? "no node is there"
                : reasons.entrySet().stream()
                    .map(entry -> entry.getKey() + ": " + entry.getValue())
                    .collect(Collectors.joining("; ", "no node fits: ", "")));
    refusals.clear();
    next = now.nanos() + Limits.REBID_NANOS;
  }
}
