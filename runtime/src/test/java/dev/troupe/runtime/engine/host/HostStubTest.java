package dev.troupe.runtime.engine.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.runtime.memory.ExecutableMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class HostStubTest {
  @Test
  void codeRunsWithItsArgumentAndGivesItsResult() {
    assumeTrue(HostStub.available(), "not an x86-64 Linux host");
    HostStub plusOne =
        new HostStub(
            new byte[] {0x48, (byte) 0x8D, 0x47, 0x01, (byte) 0xC3}); // lea rax,[rdi+1]; ret
    assertThat(plusOne.call(41)).isEqualTo(42);
    assertThat(plusOne.call(Long.MAX_VALUE)).isEqualTo(Long.MIN_VALUE);
  }

  @Test
  void codeReachesMemoryThatItIsGiven() {
    assumeTrue(HostStub.available(), "not an x86-64 Linux host");
    // mov rax,[rdi]; neg qword [rdi]; ret
    HostStub negate =
        new HostStub(new byte[] {0x48, (byte) 0x8B, 0x07, 0x48, (byte) 0xF7, 0x1F, (byte) 0xC3});
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(8);
      block.set(ValueLayout.JAVA_LONG, 0, 5);
      assertThat(negate.call(block.address())).isEqualTo(5);
      assertThat(block.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(-5);
    }
  }

  @Test
  void writesOutsideTheMappingAreRefused() {
    assumeTrue(ExecutableMemory.supported(), "not an x86-64 Linux host");
    try (ExecutableMemory memory = ExecutableMemory.allocate(4096)) {
      assertThatThrownBy(() -> memory.write(4095, new byte[2]))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> ExecutableMemory.allocate(0)).hasMessageContaining("size=0");
    }
  }
}
