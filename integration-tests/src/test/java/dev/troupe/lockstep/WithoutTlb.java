package dev.troupe.lockstep;

import dev.troupe.runtime.snapshot.StateVisitor;
import dev.troupe.runtime.snapshot.Stateful;

/** Shows a vCPU to another visitor without its TLB, which is most of it. */
record WithoutTlb(StateVisitor to) implements StateVisitor {
  private static final String TLB = "mmu";

  @Override
  public boolean restoring() {
    return false;
  }

  @Override
  public int version(int current) {
    return to.version(current);
  }

  @Override
  public long scalar(String name, int index, Width width, long value, long least, long most) {
    return to.scalar(name, index, width, value, least, most);
  }

  @Override
  public void bytes(String name, byte[] values) {
    to.bytes(name, values);
  }

  @Override
  public byte[] bytes(String name, byte[] values, int mostBytes) {
    return to.bytes(name, values, mostBytes);
  }

  @Override
  public void part(String name, Stateful part) {
    if (!name.equals(TLB)) {
      to.part(name, v -> part.state(new WithoutTlb(v)));
    }
  }

  @Override
  public <E extends Enum<E>> E constant(String name, E value, Class<E> type) {
    return to.constant(name, value, type);
  }

  @Override
  public void enter(String name, int index) {
    to.enter(name, index);
  }

  @Override
  public void leave() {
    to.leave();
  }

  @Override
  public void require(boolean valid, String name, long value, String expected) {}
}
