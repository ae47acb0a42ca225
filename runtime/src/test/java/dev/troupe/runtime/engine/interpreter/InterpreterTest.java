package dev.troupe.runtime.engine.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.Exit;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.memory.Raw;
import dev.troupe.runtime.memory.Turns;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class InterpreterTest {
  // mov ecx,1000; xor eax,eax; l: add rax,rcx; dec ecx; jnz l; hlt
  private static final String SUM = "b9e8030000 31c0 4801c8 ffc9 75f9 f4";

  @Test
  void aLoopRunsToItsEnd() {
    try (FlatCpu m = new FlatCpu().code(SUM)) {
      m.run(3002);
      assertThat(m.cpu.gpr[Cpu.RAX]).isEqualTo(500500);
      assertThat(m.cpu.rip).isEqualTo(FlatCpu.CODE + 14);
      assertThat(m.engine.retired()).isEqualTo(3002);
    }
  }

  @Test
  void everySliceEndsAtExactlyTheInstructionAskedFor() {
    try (FlatCpu whole = new FlatCpu().code(SUM)) {
      for (int total = 1; total < 40; total++) {
        try (FlatCpu sliced = new FlatCpu().code(SUM)) {
          sliced.run(total);
          assertThat(sliced.engine.retired()).isEqualTo(total);
          assertThat(whole.run(1)).isInstanceOf(Exit.TurnEnd.class);
          assertThat(sliced.cpu.rip).as("after %d", total).isEqualTo(whole.cpu.rip);
          assertThat(sliced.cpu.gpr).as("after %d", total).isEqualTo(whole.cpu.gpr);
        }
      }
    }
  }

  @Test
  void anInstructionModifiedAheadInItsOwnBlockRunsNew() {
    // mov byte [rip+1], 7 ; mov eax, 1 ; jmp $   (the store changes the immediate of the mov after
    // it)
    try (FlatCpu m = new FlatCpu().code("c6050100000007 b801000000 ebfe")) {
      m.run(2);
      assertThat(m.cpu.gpr[Cpu.RAX]).isEqualTo(7);
      m.run(3);
      assertThat(m.engine.retired()).isEqualTo(5);
    }
  }

  /** At the borders of a page and of its 64ths, beside other code of the page. */
  @Test
  void aStoreIntoAnyByteOfABlockIsSeen() {
    long main = 0x5000;
    for (int at : new int[] {0, 56, 58, 59, 60, 62, 63, 64, 2048, 4090, 4092, 4095}) {
      for (int changed = 1; changed <= 4; changed++) {
        try (FlatCpu m = new FlatCpu()) {
          long target = FlatCpu.CODE + at;
          m.memory.copyIn(target, HexFormat.of().parseHex("b801000000c3")); // mov eax,1; ret
          ByteBuffer code = ByteBuffer.allocate(17).order(ByteOrder.LITTLE_ENDIAN);
          code.put((byte) 0xE8).putInt((int) (target - (main + 5))); // call
          code.put((byte) 0xC6).put((byte) 5); // mov byte [target+changed],7
          code.putInt((int) (target + changed - (main + 12))).put((byte) 7);
          code.put((byte) 0xE8).putInt((int) (target - (main + 17)));
          m.memory.copyIn(main, code.array());
          m.cpu.rip = main;
          m.run(7);
          int byBit = 8 * (changed - 1);
          assertThat(m.cpu.gpr[Cpu.RAX])
              .as("at %d, byte %d", at, changed)
              .isEqualTo((1 & ~(0xFF << byBit)) | (7 << byBit));
          assertThat(m.cpu.rip).isEqualTo(main + 17);
        }
      }
    }
  }

  @Test
  void codeWrittenByADeviceRunsNew() {
    try (FlatCpu m = new FlatCpu().code("b801000000 ebf9")) {
      m.run(10);
      assertThat(m.cpu.gpr[Cpu.RAX]).isEqualTo(1);
      m.memory.copyIn(FlatCpu.CODE + 1, new byte[] {9});
      m.run(4);
      assertThat(m.cpu.gpr[Cpu.RAX]).isEqualTo(9);
    }
  }

  @Test
  void repeatedStringsChargeEachIterationAndStopBetweenTwo() {
    // mov ecx,100; mov esi,0x2000; mov edi,0x3000; rep movsb; jmp $
    try (FlatCpu m = new FlatCpu().code("b964000000 be00200000 bf00300000 f3a4 ebfe")) {
      byte[] data = new byte[100];
      for (int i = 0; i < data.length; i++) {
        data[i] = (byte) (i + 1);
      }
      m.memory.copyIn(0x2000, data);
      m.run(3 + 40);
      assertThat(m.cpu.gpr[Cpu.RCX]).isEqualTo(60);
      assertThat(m.cpu.gpr[Cpu.RDI]).isEqualTo(0x3000 + 40);
      assertThat(m.cpu.rip).isEqualTo(FlatCpu.CODE + 15);
      m.run(60);
      assertThat(m.cpu.gpr[Cpu.RCX]).isZero();
      assertThat(m.cpu.rip).isEqualTo(FlatCpu.CODE + 17);
      assertThat(m.engine.retired()).isEqualTo(103);
      byte[] copy = new byte[100];
      m.memory.copyOut(0x3000, copy);
      assertThat(copy).isEqualTo(data);
    }
  }

  @Test
  void portInputAsksAndStartsAgainWithTheAnswer() {
    // in al,0x71; out 0x70,al; mov bl,al; jmp $
    try (FlatCpu m = new FlatCpu().code("e471 e670 88c3 ebfe")) {
      assertThat(m.run(10)).isEqualTo(new Exit.PortRead(0x71, 1));
      assertThat(m.engine.retired()).isZero();
      m.vcpu.complete(0x5A);
      assertThat(m.run(10)).isEqualTo(new Exit.PortWrite(0x70, 1, 0x5A));
      assertThat(m.engine.retired()).isEqualTo(2);
      assertThat(m.run(1)).isInstanceOf(Exit.TurnEnd.class);
      assertThat(m.cpu.gpr[Cpu.RBX]).isEqualTo(0x5A);
    }
  }

  @Test
  void callsAndReturnsUseTheStack() {
    // call +2; jmp $; push 5; pop rax; ret
    try (FlatCpu m = new FlatCpu().code("e802000000 ebfe 6a05 58 c3")) {
      m.run(5);
      assertThat(m.cpu.gpr[Cpu.RAX]).isEqualTo(5);
      assertThat(m.cpu.gpr[Cpu.RSP]).isEqualTo(FlatCpu.STACK);
      assertThat(m.cpu.rip).isEqualTo(FlatCpu.CODE + 5);
    }
  }

  @Test
  void whatMustBeDoneAloneRunsBetweenTheTurnsOfOthers() throws InterruptedException {
    // Two vCPUs add 1 to a counter in memory, one in the guest's turns, one by steps done alone.
    try (FlatCpu m = new FlatCpu().code("48ff0425 00200000 ebf6")) {
      Turns.Turn other = m.memory.turns().add(() -> {});
      long counter = m.memory.hostAddress(0x2000);
      Thread thread =
          new Thread(
              () -> {
                for (int n = 0; n < 200; n++) {
                  m.run(2000);
                }
              });
      thread.start();
      for (int n = 0; n < 2000; n++) {
        other.begin();
        other.alone(() -> Raw.put64(counter, Raw.get64(counter) + 1));
        other.end();
      }
      thread.join();
      assertThat(Raw.get64(counter)).isEqualTo(200 * 1000 + 2000);
    }
  }

  @Test
  void lockedUpdatesThatStraddleEightBytesAreAtomic() throws InterruptedException {
    // lock inc dword [0x2006]; jmp back
    try (FlatCpu m = new FlatCpu().code("f0ff0425 06200000 ebf6")) {
      Thread thread = new Thread(() -> m.run(40_000));
      thread.start();
      m.another().run(40_000);
      thread.join();
      assertThat(Raw.get32(m.memory.hostAddress(0x2006))).isEqualTo(40_000);
    }
  }

  @Test
  void anInstructionAcrossTwoPagesRunsNewWhenItsSecondPageChanges() {
    // At 0x1ffd: mov eax, 0x11223344 (its last two bytes in the next page); jmp back.
    try (FlatCpu m = new FlatCpu()) {
      m.memory.copyIn(0x1FFD, HexFormat.of().parseHex("b844332211ebf9"));
      m.cpu.rip = 0x1FFD;
      m.run(5);
      assertThat(m.cpu.gpr[Cpu.RAX]).isEqualTo(0x11223344);
      m.memory.copyIn(0x2001, new byte[] {0x55});
      m.run(3);
      assertThat(m.cpu.gpr[Cpu.RAX]).isEqualTo(0x55223344);
    }
  }

  @Test
  void aRepeatedStoreOverItsOwnCodeEndsAsTheProcessorDoes() {
    // mov ecx,8; mov edi,CODE+14; mov al,0x90; rep stosb; (8 bytes become nop) ; jmp $
    try (FlatCpu m = new FlatCpu().code("b908000000 bf0e100000 b090 f3aa cccccccccccccccc ebfe")) {
      m.run(3 + 8 + 8);
      assertThat(m.cpu.rip).isEqualTo(FlatCpu.CODE + 14 + 8);
      assertThat(m.cpu.gpr[Cpu.RCX]).isZero();
    }
  }

  @Test
  void anInterruptIsTakenAfterTheInstructionThatFollowsSti() {
    try (FlatCpu m = new FlatCpu().code("fa 90 fb 90 90 90 ebfe")) {
      m.vcpu.post(new Interrupt.Intr(true));
      assertThat(m.run(100)).isInstanceOf(Exit.InterruptAcknowledge.class);
      assertThat(m.cpu.rip).as("after cli, nop, sti, nop").isEqualTo(FlatCpu.CODE + 4);
      assertThat(m.engine.retired()).isEqualTo(4);
    }
  }

  @Test
  void overlappingStringsCopyUpwardsElementByElement() {
    // mov ecx,64; mov esi,0x2000; mov edi,0x2003; rep movsb; jmp $
    try (FlatCpu m = new FlatCpu().code("b940000000 be00200000 bf03200000 f3a4 ebfe")) {
      m.memory.copyIn(0x2000, new byte[] {1, 2, 3});
      m.run(70);
      byte[] all = new byte[67];
      m.memory.copyOut(0x2000, all);
      for (int i = 0; i < all.length; i++) {
        assertThat(all[i]).as("byte %d", i).isEqualTo((byte) (i % 3 + 1));
      }
    }
  }

  @Test
  void everySliceOfAnySizeGivesTheSameStateInTheEnd() {
    String code = "b9e8030000 31c0 4801c8 d1c0 11c8 f7d8 ffc9 75f3 f4";
    long[] want = null;
    for (int slice : new int[] {100_000, 1, 2, 3, 5, 7, 64, 1000}) {
      try (FlatCpu m = new FlatCpu().code(code)) {
        while (m.engine.retired() < 5000) {
          m.run(Math.min(slice, 5000 - m.engine.retired()));
        }
        long[] got = Arrays.copyOf(m.cpu.gpr, 18);
        got[16] = m.cpu.rip;
        got[17] = Rflags.get(m.cpu);
        want = want == null ? got : want;
        assertThat(got).as("slice %d", slice).isEqualTo(want);
      }
    }
  }
}
