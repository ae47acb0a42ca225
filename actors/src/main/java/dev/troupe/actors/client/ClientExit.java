package dev.troupe.actors.client;

/** How a command ends. */
public final class ClientExit {
  /** Done, or it was so already. */
  public static final int OK = 0;

  /** Not done: the text says why. */
  public static final int FAILED = 1;

  /** The command line is wrong. */
  public static final int USAGE = 2;

  /** Asks for what Troupe does not have yet: disks, networks, vm.conf, sending machines. */
  public static final int UNSUPPORTED = 3;

  /** No such machine or node, or a named guest that cannot be had. */
  public static final int NOT_FOUND = 4;

  /** Somebody else's. */
  public static final int DENIED = 5;

  /** No daemon answers, or what it needs cannot be reached. */
  public static final int UNAVAILABLE = 6;

  /** We failed. */
  public static final int INTERNAL = 8;

  /** {@code --timeout} ran out, as with timeout(1). */
  public static final int TIMEOUT = 124;

  private ClientExit() {}
}
