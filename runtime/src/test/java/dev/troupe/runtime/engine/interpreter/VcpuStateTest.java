package dev.troupe.runtime.engine.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.Exit;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Rflags;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import dev.troupe.runtime.snapshot.StateException;
import dev.troupe.runtime.snapshot.StateReader;
import dev.troupe.runtime.snapshot.States;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * A vCPU that was restored does what the saved one does, and a damaged state is refused or runs.
 */
final class VcpuStateTest {
  /** A fresh guest with another's state and memory. */
  private static PagedGuest twin(PagedGuest guest) {
    PagedGuest twin = new PagedGuest();
    copyMemory(guest.memory, twin.memory);
    States.copy(guest.vcpu, twin.vcpu);
    twin.now = guest.now;
    return twin;
  }

  private static void copyMemory(GuestMemory from, GuestMemory to) {
    for (long page = 0; page < from.pages(); page++) {
      if (from.isTouched(page) || to.isTouched(page)) {
        to.copyIn(page << 12, Raw.segment(from.pageAddress(page), GuestMemory.PAGE_SIZE));
      }
    }
  }

  private static void assertSame(PagedGuest a, PagedGuest b, String where) {
    assertThat(States.diff(a.vcpu, b.vcpu)).as(where).isEmpty();
    assertThat(States.hash(a.vcpu)).as(where).isEqualTo(States.hash(b.vcpu));
    for (long page = 0; page < a.memory.pages(); page++) {
      if (a.memory.isTouched(page)) {
        long mismatch =
            Raw.segment(a.memory.pageAddress(page), GuestMemory.PAGE_SIZE)
                .mismatch(Raw.segment(b.memory.pageAddress(page), GuestMemory.PAGE_SIZE));
        assertThat(mismatch).as("%s, page %d", where, page).isEqualTo(-1);
      }
    }
  }

  @Test
  void a_restored_vcpu_goes_on_as_the_saved_one() {
    long seed = 7;
    SplittableRandom random = new SplittableRandom(seed);
    try (PagedGuest guest = new PagedGuest()) {
      for (int round = 0; round < 40; round++) {
        run(guest, random.nextInt(1, 3_000), random.nextInt(1, 20));
        try (PagedGuest twin = twin(guest)) {
          String where = "seed %d round %d".formatted(seed, round);
          assertSame(guest, twin, where);
          long slice = random.nextInt(1, 3_000);
          for (int turn = 0; turn < 20; turn++) {
            assertThat(twin.run(slice)).as(where).isEqualTo(guest.run(slice));
          }
          assertSame(guest, twin, where + " afterwards");
        }
      }
      assertThat(guest.cpu.gpr[15]).as("interrupts taken").isGreaterThan(100);
    }
  }

  private static void run(PagedGuest guest, long slice, int turns) {
    for (int turn = 0; turn < turns; turn++) {
      assertThat(guest.run(slice)).isInstanceOfAny(Exit.TurnEnd.class, Exit.Halt.class);
    }
  }

  @Test
  void tracking_of_writes_and_of_code_is_not_state() {
    try (PagedGuest guest = new PagedGuest()) {
      run(guest, 2_000, 10);
      long hash = States.hash(guest.vcpu);
      guest.memory.clearDirty();
      int holder = guest.memory.addCodeListener((host, length) -> false);
      for (long page = 0x400; page < 0x500; page++) {
        guest.memory.markCode(guest.memory.hostAddress(page << 12), holder);
      }
      assertThat(States.hash(guest.vcpu)).isEqualTo(hash);
      byte[] code = new byte[256];
      guest.memory.copyOut(0x1000, code);
      guest.memory.copyIn(
          0x1000, code); // as a device does, into a page that the engine has decoded
      assertThat(States.hash(guest.vcpu)).isEqualTo(hash);
      guest.cpu.debug.write(7, 0x0001_0001 | 0x400); // a watched page: slow, and still the same
      assertThat(States.listing(guest.vcpu)).contains("mmu.tlb.entry");
      guest.cpu.debug.write(7, 0x400);
      assertThat(States.hash(guest.vcpu)).isEqualTo(hash);
    }
  }

  @Test
  void lazily_kept_flags_that_mean_the_same_are_the_same_state() {
    SplittableRandom random = new SplittableRandom(3);
    try (PagedGuest guest = new PagedGuest()) {
      Cpu c = guest.cpu;
      for (int i = 0; i < 1_000; i++) {
        c.flagZero = random.nextInt(3) == 0 ? 0 : random.nextLong();
        c.flagSign = random.nextLong();
        c.flagCarry = random.nextLong();
        c.flagAux = random.nextLong();
        long hash = States.hash(guest.vcpu);
        long image = Rflags.get(c);
        Rflags.setArithmetic(c, image);
        assertThat(Rflags.get(c)).isEqualTo(image);
        assertThat(States.hash(guest.vcpu)).as("seed 3 step %d", i).isEqualTo(hash);
      }
    }
  }

  @Test
  void a_damaged_state_is_refused_or_one_that_the_engine_runs() {
    try (PagedGuest guest = new PagedGuest();
        PagedGuest victim = new PagedGuest()) {
      run(guest, 2_000, 10);
      byte[] state = States.save(guest.vcpu);
      byte[] initial = States.save(victim.vcpu);
      int accepted = 0;
      for (int seed = 0; seed < 3_000; seed++) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] damaged = state.clone();
        // The TLB is most of it: half of the damage is done before it.
        int reach = random.nextBoolean() ? damaged.length : Math.min(2_000, damaged.length);
        for (int i = random.nextInt(1, 4); i > 0; i--) {
          damaged[random.nextInt(reach)] ^= (byte) (1 << random.nextInt(8));
        }
        copyMemory(guest.memory, victim.memory);
        States.restore(initial, victim.vcpu);
        victim.now = guest.now;
        try {
          StateReader.restore(damaged, States.parts(victim.vcpu));
        } catch (StateException e) {
          assertThat(e.getMessage()).matches("[ -~]+: .*, expected .*");
          assertThat(States.save(victim.vcpu)).as("seed %d", seed).isEqualTo(initial);
          continue;
        }
        accepted++;
        try {
          for (int turn = 0; turn < 3; turn++) {
            Exit exit = victim.run(500);
            victim.vcpu.complete(-1);
            assertThat(exit).isNotNull();
          }
        } catch (RuntimeException e) {
          throw new AssertionError("seed " + seed, e);
        }
        victim.vcpu.reset();
      }
      assertThat(accepted).isGreaterThan(500);
    }
  }
}
