package dev.troupe.runtime.engine.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import org.junit.jupiter.api.Test;

class WideExchangeTest {
  @Test
  void bothHalvesAreComparedAndReplacedInOneStep() {
    try (GuestMemory memory = GuestMemory.allocate(4096)) {
      long at = memory.hostAddress(0x40);
      long block = memory.hostAddress(0x100);
      Raw.put64(at, 1);
      Raw.put64(at + 8, 2);
      assertThat(WideExchange.swap(block, at, 1, 3, 8, 9)).isFalse();
      assertThat(WideExchange.low(block)).isEqualTo(1);
      assertThat(WideExchange.high(block)).isEqualTo(2);
      assertThat(Raw.get64(at)).isEqualTo(1);
      assertThat(WideExchange.swap(block, at, 1, 2, 8, 9)).isTrue();
      assertThat(Raw.get64(at)).isEqualTo(8);
      assertThat(Raw.get64(at + 8)).isEqualTo(9);
    }
  }
}
