package dev.troupe.runtime.engine.interpreter;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The x86-TSO abstract machine (Owens, Sarkar, Sewell: A Better x86 Memory Model: x86-TSO, 2009):
 * each processor has a queue of stores in front of memory; it reads its own youngest store of a
 * place, else memory. Locked instructions and MFENCE wait until the queue is empty.
 */
final class TsoModel {
  /** What a processor does, to a place. */
  enum Kind {
    STORE,
    LOAD,
    /** XCHG: gives what it replaces. */
    EXCHANGE,
    FENCE
  }

  /**
   * One instruction.
   *
   * @param place 0 or 1
   * @param value what is stored
   */
  record Op(Kind kind, int place, int value) {
    boolean reads() {
      return kind == Kind.LOAD || kind == Kind.EXCHANGE;
    }

    @Override
    public String toString() {
      String name = place == 0 ? "x" : "y";
      return switch (kind) {
        case STORE -> name + "=" + value;
        case LOAD -> "read " + name;
        case EXCHANGE -> "xchg " + name + "," + value;
        case FENCE -> "mfence";
      };
    }
  }

  /** What all reads of both processors gave, in their order, and then the places at the end. */
  record Outcome(List<Integer> values) {}

  private record Store(int place, int value) {}

  /** A state of the machine; equal ones lead to the same outcomes. */
  private record State(
      List<Integer> memory,
      List<Integer> next,
      List<List<Store>> queues,
      List<List<Integer>> read) {}

  private final List<List<Op>> programs;
  private final Set<State> seen = new HashSet<>();
  private final Set<Outcome> outcomes = new HashSet<>();

  private TsoModel(List<List<Op>> programs) {
    this.programs = programs;
  }

  /** All outcomes that two processors may have with these programs, from places that hold 0. */
  static Set<Outcome> outcomes(List<List<Op>> programs) {
    TsoModel model = new TsoModel(programs);
    model.explore(
        new State(
            List.of(0, 0),
            List.of(0, 0),
            List.of(List.of(), List.of()),
            List.of(List.of(), List.of())));
    return model.outcomes;
  }

  private void explore(State state) {
    if (!seen.add(state)) {
      return;
    }
    boolean ended = true;
    for (int p = 0; p < 2; p++) {
      List<Store> queue = state.queues.get(p);
      if (!queue.isEmpty()) {
        ended = false;
        Store oldest = queue.getFirst();
        explore(
            new State(
                with(state.memory, oldest.place, oldest.value),
                state.next,
                with(state.queues, p, queue.subList(1, queue.size())),
                state.read));
      }
      int at = state.next.get(p);
      if (at < programs.get(p).size()) {
        ended = false;
        step(state, p, programs.get(p).get(at));
      }
    }
    if (ended) {
      List<Integer> values = new ArrayList<>(state.read.get(0));
      values.addAll(state.read.get(1));
      values.addAll(state.memory);
      outcomes.add(new Outcome(values));
    }
  }

  private void step(State state, int p, Op op) {
    List<Store> queue = state.queues.get(p);
    List<Integer> next = with(state.next, p, state.next.get(p) + 1);
    switch (op.kind) {
      case STORE ->
          explore(
              new State(
                  state.memory,
                  next,
                  with(state.queues, p, plus(queue, new Store(op.place, op.value))),
                  state.read));
      case LOAD -> {
        int value = state.memory.get(op.place);
        for (Store store : queue) {
          value = store.place == op.place ? store.value : value;
        }
        explore(new State(state.memory, next, state.queues, read(state, p, value)));
      }
      case EXCHANGE -> {
        if (queue.isEmpty()) {
          explore(
              new State(
                  with(state.memory, op.place, op.value),
                  next,
                  state.queues,
                  read(state, p, state.memory.get(op.place))));
        }
      }
      case FENCE -> {
        if (queue.isEmpty()) {
          explore(new State(state.memory, next, state.queues, state.read));
        }
      }
    }
  }

  private static List<List<Integer>> read(State state, int p, int value) {
    return with(state.read, p, plus(state.read.get(p), value));
  }

  private static <T> List<T> with(List<T> list, int at, T value) {
    List<T> copy = new ArrayList<>(list);
    copy.set(at, value);
    return copy;
  }

  private static <T> List<T> plus(List<T> list, T value) {
    List<T> copy = new ArrayList<>(list);
    copy.add(value);
    return copy;
  }

  /** For tests of the model itself. */
  static Outcome outcome(Integer... values) {
    return new Outcome(Arrays.asList(values));
  }
}
