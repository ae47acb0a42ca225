package dev.troupe.actors.vmd.door;

import java.time.Duration;

/**
 * What the door bears, all in one place.
 *
 * @param connections of all callers together: a connection costs about 100 KB
 * @param connectionsOfOne of one user who is not privileged, so that he cannot lock others out
 * @param callsOfConnection at once: {@code vmctl} needs one, a program that talks to the daemon a
 *     few
 * @param messageBytes of a request; the largest honest one is a start with its command line
 * @param requestTime until a request has come whole, from its first byte on
 * @param answerTime until there is an answer from behind the door, where that is a matter of
 *     reading
 * @param resultTime until a command has its result: a cluster that loses a node needs half a minute
 *     to agree on it
 * @param silence of a connection, before it is asked whether it is still there
 * @param silenceAfterAsking until it is closed
 */
public record DoorLimits(
    int connections,
    int connectionsOfOne,
    int callsOfConnection,
    int messageBytes,
    Duration requestTime,
    Duration answerTime,
    Duration resultTime,
    Duration silence,
    Duration silenceAfterAsking) {
  /** What a daemon uses. */
  public static final DoorLimits DEFAULT =
      new DoorLimits(
          256,
          16,
          16,
          1 << 20,
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofMinutes(2),
          Duration.ofMinutes(2),
          Duration.ofMinutes(1));

  /** Bytes of a request's headers; gRPC's own are about 300. */
  static final int METADATA_BYTES = 8192;

  /** Bytes of one console input, as vmd.proto says. */
  static final int CONSOLE_INPUT_BYTES = 4096;

  /** Chunks of a console that may be on their way to the socket. */
  static final int CONSOLE_CHUNKS = 8;

  /** Bytes of what came before that a console may ask for: more than any ring keeps. */
  static final long SCROLLBACK_BYTES = 1L << 30;

  /** Events or log lines that wait for a reader who is slow. */
  static final int FEED_ITEMS = 1024;
}
