package dev.troupe.actors.vmctl;

import java.net.InetSocketAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Where GDB is listened for.
 *
 * @param host null for this machine only: whoever reaches the port has the guest in hand
 * @param port 0 for any that is free
 */
record GdbAddress(String host, int port) {
  private static final Pattern FORM = Pattern.compile("(?:(.*):)?(\\d{1,5})");
  private static final int MAX_PORT = 65_535;

  /** As GDB's {@code target remote} wants it. */
  static String text(InetSocketAddress address) {
    String host = address.getAddress().getHostAddress();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }

  @Override
  public String toString() {
    return host == null ? Integer.toString(port) : host + ":" + port;
  }

  /** For picocli. */
  static final class Converter implements ITypeConverter<GdbAddress> {
    @Override
    public GdbAddress convert(String text) {
      Matcher parts = FORM.matcher(text);
      if (!parts.matches() || Integer.parseInt(parts.group(2)) > MAX_PORT) {
        throw new TypeConversionException(
            "'%s' is no address, expected PORT or HOST:PORT".formatted(text));
      }
      String host = parts.group(1);
      return new GdbAddress(
          host == null || host.isEmpty() ? null : host, Integer.parseInt(parts.group(2)));
    }
  }
}
