package dev.troupe.actors.cluster.logic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.cluster.HostId;
import java.util.List;
import org.junit.jupiter.api.Test;

class NodeLeaseTest {
  private static final long LENGTH = 4_000;

  private final HostId self = host("a");
  private final HostId other = host("b");
  private final HostId newcomer = host("c");
  private final NodeLease lease = new NodeLease(self, LENGTH);

  private static HostId host(String name) {
    return HostId.newBuilder().setName(name).setAddress(name).setUid(name.charAt(0)).build();
  }

  private boolean held(long now) {
    return lease.until(now) - now > 0;
  }

  @Test
  void ofTwoTheOneOfTheLowestAddressNeedsNobody() {
    lease.members(List.of(self, other));

    assertThat(held(1_000_000)).isTrue();
  }

  /** It may be a member elsewhere by now, and remove this node together with the other. */
  @Test
  void whoJoinsCountsAgainstANodeThatHearsOfNobody() {
    lease.members(List.of(self, other, newcomer));
    lease.answered(other, 1_000);

    assertThat(held(2_000)).isTrue();
    assertThat(held(1_000 + LENGTH)).isFalse();
  }

  @Test
  void anAnswerIsGoodFromWhenItWasAskedFor() {
    lease.members(List.of(self, other, newcomer));
    lease.answered(newcomer, 1_000);

    assertThat(lease.until(3_000)).isEqualTo(1_000 + LENGTH);
  }

  @Test
  void whoIsNoMemberHoldsNone() {
    lease.members(List.of(other, newcomer));
    lease.answered(other, 1_000);
    lease.answered(newcomer, 1_000);

    assertThat(held(1_001)).isFalse();
  }
}
