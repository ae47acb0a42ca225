package dev.troupe.actors.client;

import dev.troupe.actors.cli.DaemonSocket;
import dev.troupe.proto.vmd.Command;
import java.nio.file.Path;
import java.util.UUID;
import picocli.CommandLine.Option;

/** Which daemon is asked. */
final class DaemonOptions {
  @Option(
      names = "--socket",
      paramLabel = "PATH",
      description =
          "The daemon's socket; else TROUPE_SOCKET, else where a daemon has it by itself.")
  private Path socket;

  /** A connection to it. */
  Daemon connect() {
    Path place = socket;
    if (place == null) {
      place =
          DaemonSocket.find(System.getenv())
              .orElseThrow(
                  () ->
                      new ClientException(
                          ClientExit.USAGE,
                          "where is the daemon? Give --socket PATH, or set TROUPE_SOCKET or"
                              + " XDG_RUNTIME_DIR"));
    }
    return Daemon.at(place);
  }

  /** What commands that change something have, too. */
  static final class Id {
    @Option(
        names = "--id",
        paramLabel = "UUID",
        description = "The command's id: one that was sent before is not done again.")
    private String id;

    boolean given() {
      return id != null;
    }

    /** A command with this id, or with a new one. */
    Command.Builder command() {
      return Command.newBuilder().setId(id == null ? UUID.randomUUID().toString() : id);
    }
  }

  /** What commands that print something have, too. */
  static final class Output {
    @Option(
        names = "--format",
        paramLabel = "NAME",
        defaultValue = "table",
        description = "table, json or yaml; default ${DEFAULT-VALUE}.")
    private Format format;

    Format format() {
      return format;
    }

    boolean forPeople() {
      return format == Format.TABLE;
    }

    /** Prints a document, unless it is for people. */
    void print(Value value) {
      if (!forPeople()) {
        System.out.print(format.write(value));
      }
    }
  }
}
