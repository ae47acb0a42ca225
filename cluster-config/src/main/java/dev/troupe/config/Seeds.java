package dev.troupe.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Where a starting node finds its cluster. */
public sealed interface Seeds {
  /** A node's address, as the others know it. */
  record Address(String host, int port) implements Comparable<Address> {
    /** Reads {@code host:port}, which is well-formed. */
    static Address parse(String text) {
      int colon = text.lastIndexOf(':');
      return new Address(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
    }

    @Override
    public int compareTo(Address other) {
      int hosts = host.compareTo(other.host);
      return hosts != 0 ? hosts : Integer.compare(port, other.port);
    }

    @Override
    public String toString() {
      return host + ":" + port;
    }
  }

  /** Nowhere: a cluster of one. */
  record Alone() implements Seeds {}

  /** These nodes, in the order that all of them have. */
  record Fixed(List<Address> addresses) implements Seeds {
    /** Sorts the addresses: the first one may form a cluster, and all must mean the same one. */
    public Fixed {
      addresses = addresses.stream().sorted().distinct().toList();
    }
  }

  /**
   * The addresses of a name.
   *
   * @param address the name, and the port of each
   * @param expected so many addresses there must be
   */
  record Named(Address address, int expected) implements Seeds {}

  /**
   * The seed nodes now, in the order that all nodes have; empty for a cluster of one.
   *
   * @throws UnknownHostException if the name has no address, or fewer than expected; the message
   *     says which
   */
  default List<Address> resolve() throws UnknownHostException {
    return switch (this) {
      case Alone _ -> List.of();
      case Fixed(List<Address> addresses) -> addresses;
      case Named(Address(String name, int port), int expected) -> {
        InetAddress[] found;
        try {
          found = InetAddress.getAllByName(name);
        } catch (UnknownHostException e) {
          throw (UnknownHostException)
              new UnknownHostException(name + " has no address").initCause(e);
        }
        List<Address> addresses = new ArrayList<>();
        Arrays.stream(found)
            .map(InetAddress::getHostAddress)
            .sorted()
            .distinct()
            .forEach(host -> addresses.add(new Address(host, port)));
        if (addresses.size() < expected) {
          throw new UnknownHostException(
              name + " has " + addresses.size() + " addresses, expected are " + expected);
        }
        yield List.copyOf(addresses);
      }
    };
  }
}
