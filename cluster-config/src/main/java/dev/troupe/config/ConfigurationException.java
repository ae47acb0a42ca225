package dev.troupe.config;

import java.util.List;

/** A configuration that is not used; says all that is wrong with it. */
public final class ConfigurationException extends Exception {
  private static final long serialVersionUID = 1;

  private final List<String> problems;

  /**
   * What is wrong.
   *
   * @param problems a line each: where, the value, what was expected; at least one
   */
  public ConfigurationException(List<String> problems) {
    super(String.join(System.lineSeparator(), problems));
    this.problems = List.copyOf(problems);
  }

  /** What is wrong, a line each, in the order of the files and lines. */
  public List<String> problems() {
    return problems;
  }
}
