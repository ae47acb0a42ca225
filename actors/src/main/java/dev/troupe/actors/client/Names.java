package dev.troupe.actors.client;

/** Names that the user types. The daemon looks at them; here only what would confuse a command. */
final class Names {
  private Names() {}

  /** An empty name would stand for all machines. */
  static void check(String name) {
    if (name.isEmpty()) {
      throw new ClientException(ClientExit.USAGE, "the name is empty");
    }
  }
}
