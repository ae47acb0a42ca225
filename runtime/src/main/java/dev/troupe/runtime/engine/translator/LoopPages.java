package dev.troupe.runtime.engine.translator;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.Tlb;
import dev.troupe.runtime.memory.GuestMemory;
import dev.troupe.runtime.memory.Raw;
import java.util.ArrayList;
import java.util.List;

/**
 * The pages that a loop's accesses are in, a slot of {@link State} for each group of them: {page,
 * addend}, as the TLB holds them for that kind of access. The round before the loop fills the
 * slots; in the loop they save the look into the TLB. They hold as long as emitted code runs, for
 * nothing but the interpreter changes the TLB; a code area is left before another vCPU relies on a
 * write tag that it has taken away.
 */
final class LoopPages {
  /**
   * Accesses that are likely to be in one page.
   *
   * @param base general register or {@link Cpu#ZERO}, as {@code index}
   * @param segment the one whose base is added, -1 for none
   * @param bank offset of the TLB bank from the state
   */
  record Group(int base, int index, int segment, int bank, boolean write) {
    private boolean holds(long state, long page, long addend) {
      return addend != GuestMemory.NO_RAM && addend == addend(state, page);
    }

    /** The page's, {@link GuestMemory#NO_RAM} if the TLB does not permit the access. */
    private long addend(long state, long page) {
      return Tlb.addend(
          state + State.bank(0), State.bankAt(bank), page, write ? Tlb.WRITE : Tlb.READ);
    }
  }

  static final int NONE = -1;

  private final List<Group> groups = new ArrayList<>();
  private List<Group> unsteady = List.of();
  private int filledFrom;
  private int usedFrom;

  /** A new trace; groups of an earlier one for it that were not worth a slot are left out. */
  void begin(Trace trace, List<Group> without) {
    groups.clear();
    unsteady = without;
    usedFrom = trace.loop < 0 ? trace.count : trace.loop;
    filledFrom = trace.loop < 0 ? trace.count : trace.loop - (trace.count - trace.loop);
  }

  /** The slot that an access of the round before the loop is to fill, {@link #NONE} for none. */
  int filledBy(Group group, int at) {
    if (at < filledFrom || at >= usedFrom || unsteady.contains(group)) {
      return NONE;
    }
    int slot = groups.indexOf(group);
    if (slot < 0 && groups.size() < State.PAGES) {
      slot = groups.size();
      groups.add(group);
    }
    return slot;
  }

  /** The slot that an access of the loop is to use. */
  int usedBy(Group group, int at) {
    return at < usedFrom ? NONE : groups.indexOf(group);
  }

  List<Group> groups() {
    return List.copyOf(groups);
  }

  /**
   * Makes the slots true again after the TLB may have changed. Any true translation will do.
   *
   * @param rsp an address that is likely to have one
   * @return false if there is none for some group
   */
  static boolean refresh(List<Group> groups, long state, long rsp) {
    for (int n = 0; n < groups.size(); n++) {
      Group group = groups.get(n);
      long slot = state + State.page(n);
      if (!group.holds(state, Raw.get64(slot), Raw.get64(slot + 8))
          && !put(group, state, rsp & -4096L, slot)
          && !borrow(groups, n, state)) {
        return false;
      }
    }
    return true;
  }

  private static boolean borrow(List<Group> groups, int n, long state) {
    Group group = groups.get(n);
    for (int other = 0; other < n; other++) {
      if (put(group, state, Raw.get64(state + State.page(other)), state + State.page(n))) {
        return true;
      }
    }
    return false;
  }

  private static boolean put(Group group, long state, long page, long slot) {
    long addend = group.addend(state, page);
    if (addend == GuestMemory.NO_RAM) {
      return false;
    }
    Raw.put64(slot, page);
    Raw.put64(slot + 8, addend);
    return true;
  }
}
