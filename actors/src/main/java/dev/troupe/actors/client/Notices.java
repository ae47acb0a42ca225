package dev.troupe.actors.client;

/** What is said beside a command's output. */
final class Notices {
  private Notices() {}

  /** One line on standard error, from vmctl. */
  static void say(String message) {
    line("vmctl: " + message.lines().findFirst().orElse("failed"));
  }

  /** One line on standard error. */
  static void line(String line) {
    System.err.println(line);
    System.err.flush();
  }
}
