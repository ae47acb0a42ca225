package dev.troupe.actors.vmd.door;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** Hands on what comes at one Unix socket to another, and back: as whoever runs it. */
public final class Relay {
  private Relay() {}

  /** Listens at the first path, connects to the second. */
  public static void main(String[] arguments) throws Exception {
    try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(arguments[0]));
      System.out.println("listens");
      while (true) {
        SocketChannel here = server.accept();
        SocketChannel there = SocketChannel.open(UnixDomainSocketAddress.of(arguments[1]));
        start(here, there);
        start(there, here);
      }
    }
  }

  private static void start(SocketChannel from, SocketChannel to) {
    new Thread(() -> copy(from, to)).start();
  }

  private static void copy(SocketChannel from, SocketChannel to) {
    try (from;
        to) {
      ByteBuffer bytes = ByteBuffer.allocate(8192);
      while (from.read(bytes) >= 0) {
        bytes.flip();
        while (bytes.hasRemaining()) {
          to.write(bytes);
        }
        bytes.clear();
      }
    } catch (java.io.IOException e) {
      // One end has gone, and the other goes with it.
    }
  }
}
