package dev.troupe.runtime.snapshot;

import java.util.ArrayList;
import java.util.List;

/** Where a visitor is: {@code vcpu0.apic.timer}. Text is made only when somebody asks. */
final class Path {
  private record Step(String name, int index) {
    @Override
    public String toString() {
      return index == StateVisitor.NO_INDEX ? name : name + "[" + index + "]";
    }
  }

  private final List<Step> steps = new ArrayList<>();

  void push(String name, int index) {
    steps.add(new Step(name, index));
  }

  void pop() {
    steps.removeLast();
  }

  /** The path of a leaf here. */
  String of(String name, int index) {
    StringBuilder text = new StringBuilder();
    for (Step step : steps) {
      text.append(step).append('.');
    }
    return text.append(new Step(name, index)).toString();
  }

  /** The path of where the visitor is. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Step step : steps) {
      text.append(text.isEmpty() ? "" : ".").append(step);
    }
    return text.toString();
  }
}
