package dev.troupe.actors.vmd.door;

import dev.troupe.actors.vmd.ControlException;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What failed behind the door, as the caller is told it. */
final class Refusals {
  /** Tells an answer of the daemon from gRPC's own trouble with the connection. */
  static final Metadata.Key<String> ORIGIN =
      Metadata.Key.of("troupe-origin", Metadata.ASCII_STRING_MARSHALLER);

  /** Bytes of a text: it has to fit into the headers that a client takes. */
  private static final int TEXT = 1000;

  private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);

  private Refusals() {}

  /** The status of a failure; one that is not the caller's is logged. */
  static StatusRuntimeException status(Throwable failure) {
    return switch (failure) {
      case CompletionException e when e.getCause() != null -> status(e.getCause());
      case ExecutionException e when e.getCause() != null -> status(e.getCause());
      case StatusRuntimeException e -> e;
      case ControlException e ->
          of(
              switch (e.kind()) {
                case INVALID -> Status.INVALID_ARGUMENT;
                case NOT_FOUND -> Status.NOT_FOUND;
                case DENIED -> Status.PERMISSION_DENIED;
                case UNAVAILABLE -> Status.UNAVAILABLE;
              },
              e.getMessage());
      default -> {
        LOG.error("request failed", failure);
        yield of(Status.INTERNAL, "internal error in the daemon: " + failure);
      }
    };
  }

  /** A status with a text of ours. */
  static StatusRuntimeException of(Status status, String text) {
    String line = String.valueOf(text).lines().findFirst().orElse("failed");
    Metadata trailers = new Metadata();
    trailers.put(ORIGIN, "vmd");
    return status
        .withDescription(line.length() > TEXT ? line.substring(0, TEXT) : line)
        .asRuntimeException(trailers);
  }
}
