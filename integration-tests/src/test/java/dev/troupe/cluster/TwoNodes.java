package dev.troupe.cluster;

import dev.troupe.vmctl.VmctlProcess;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.h2.tools.Server;

/** Nodes with one store, which is in this process; each in a process of its own. */
final class TwoNodes implements AutoCloseable {
  private final Path folder;
  private final Server database;
  private final int seed;
  private final List<VmctlProcess> started = new ArrayList<>();

  /**
   * A store without nodes.
   *
   * @param folder where the nodes have their sockets
   */
  TwoNodes(Path folder) throws SQLException, IOException {
    this.folder = folder;
    database = Server.createTcpServer("-tcpPort", "0", "-ifNotExists").start();
    try (ServerSocket free = new ServerSocket(0)) {
      seed = free.getLocalPort();
    }
  }

  /** Starts the node that the other one joins by. */
  VmctlProcess startFirst(String name) throws IOException, InterruptedException {
    return start(name, seed);
  }

  /** Starts a node that joins the first. */
  VmctlProcess start(String name) throws IOException, InterruptedException {
    return start(name, 0);
  }

  private VmctlProcess start(String name, int port) throws IOException, InterruptedException {
    Path file =
        Files.writeString(
            folder.resolve(name + ".conf"),
            """
            troupe {
              node { name = %s, port = %d, seeds = ["127.0.0.1:%d"] }
              store { url = "jdbc:h2:tcp://127.0.0.1:%d/mem:store;DB_CLOSE_DELAY=-1", user = sa }
              offer.cores = 8
              stop.limit = 20s
              socket = %s.sock
            }
            """
                .formatted(name, port, seed, database.getPort(), name));
    VmctlProcess node = Daemon.vmd(List.of()).start(List.of("-d", "-f", file.toString()));
    started.add(node);
    node.await("serves at", 0, 120);
    return node;
  }

  Daemon daemon(String name) {
    return new Daemon(folder.resolve(name + ".sock"));
  }

  @Override
  public void close() {
    started.reversed().forEach(VmctlProcess::close);
    database.stop();
  }
}
