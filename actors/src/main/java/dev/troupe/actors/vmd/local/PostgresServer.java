package dev.troupe.actors.vmd.local;

import dev.troupe.actors.vmd.VmdException;
import dev.troupe.actors.vmd.VmdExit;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A PostgreSQL server of our own, from Debian's package: its data in a folder, on a free port of
 * the loopback address, with a password that only its folder's owner can read. It is ended with the
 * process that started it, however that ends.
 */
public final class PostgresServer implements AutoCloseable {
  /** What a missing package is answered with. */
  public static final String MISSING =
      "a local cluster needs PostgreSQL for its store: sudo apt-get install postgresql";

  private static final String USER = "troupe";
  private static final String DATABASE = "troupe";
  private static final Duration START_LIMIT = Duration.ofSeconds(60);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(20);
  private static final Duration LOOK = Duration.ofMillis(100);

  /** Where Debian has a server's programs, a folder for each version. */
  private static final Path DEBIAN = Path.of("/usr/lib/postgresql");

  /**
   * A shell around the server that ends it when its own input ends: a fast end, in which open
   * transactions are undone and nothing is awaited. A server that ends by itself ends the shell.
   */
  private static final String GUARD =
      "exec 3<&0 </dev/null; \"$@\" 3<&- & server=$!;"
          + " { while read -r _; do :; done; kill -INT $server; } 0<&3 & guard=$!;"
          + " wait $server; kill $guard 2>/dev/null";

  private final Path programs;
  private final Path folder;
  private final Path data;
  private final List<String> account;
  private final String password;
  private final int port;
  private Process process;

  private PostgresServer(
      Path programs, Path folder, List<String> account, String password, int port) {
    this.programs = programs;
    this.folder = folder;
    this.data = folder.resolve("data");
    this.account = account;
    this.password = password;
    this.port = port;
  }

  /** Where the package's programs are; empty if it is not installed. */
  public static Optional<Path> programs() {
    if (!Files.isDirectory(DEBIAN)) {
      return Optional.empty();
    }
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> versions = Files.newDirectoryStream(DEBIAN, "[0-9]*")) {
      for (Path version : versions) {
        if (Files.isExecutable(version.resolve("bin/initdb"))) {
          found.add(version.resolve("bin"));
        }
      }
    } catch (IOException e) {
      return Optional.empty();
    }
    return found.stream()
        .max(
            Comparator.comparingDouble(
                bin -> Double.parseDouble(bin.getParent().getFileName().toString())));
  }

  /**
   * Starts a server; makes its data if the folder has none.
   *
   * @param folder made if need be. For root's server it becomes the property of the account that
   *     the server runs under
   * @throws VmdException if the package is missing, or the server does not start
   */
  public static PostgresServer start(Path folder) throws VmdException, InterruptedException {
    Path programs = programs().orElseThrow(() -> new VmdException(VmdExit.UNAVAILABLE, MISSING));
    try {
      PostgresServer server =
          new PostgresServer(
              programs,
              folder,
              account(),
              password(folder.resolveSibling("store.password")),
              freePort());
      server.prepare();
      server.launch();
      return server;
    } catch (IOException e) {
      throw new VmdException(VmdExit.UNAVAILABLE, "store in " + folder + ": " + e);
    }
  }

  /** The server refuses to run as root: an account without rights, by which it is put at once. */
  private static List<String> account() throws IOException {
    if (!System.getProperty("user.name").equals("root")) {
      return List.of();
    }
    String name =
        Files.readAllLines(Path.of("/etc/passwd")).stream()
                .anyMatch(line -> line.startsWith("postgres:"))
            ? "postgres"
            : "nobody";
    return List.of("setpriv", "--reuid=" + name, "--regid=" + group(name), "--clear-groups", "--");
  }

  private static String group(String user) throws IOException {
    return Files.readAllLines(Path.of("/etc/passwd")).stream()
        .filter(line -> line.startsWith(user + ":"))
        .map(line -> line.split(":", -1)[3])
        .findFirst()
        .orElse("nogroup");
  }

  private static String password(Path file) throws IOException {
    if (!Files.exists(file)) {
      byte[] random = new byte[16];
      new SecureRandom().nextBytes(random);
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(file, HexFormat.of().formatHex(random) + "\n");
    }
    return Files.readString(file).strip();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void prepare() throws IOException, InterruptedException, VmdException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(folder);
      if (!account.isEmpty()) {
        String owner = account.get(1).substring("--reuid=".length());
        Files.setOwner(
            folder,
            folder.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(owner));
      }
    }
    if (run(as(List.of("test", "-w", folder.toString(), "-a", "-x", folder.toString()))) != 0) {
      throw new VmdException(
          VmdExit.UNAVAILABLE,
          "store in "
              + folder
              + ": the account that it runs under ("
              + (account.isEmpty() ? System.getProperty("user.name") : account.get(1).substring(8))
              + ") cannot write there; choose another folder by --dir");
    }
    if (Files.exists(data.resolve("postmaster.pid"))) {
      // One whose guard was killed with us; or only its file.
      run(as(List.of(program("pg_ctl"), "-D", data.toString(), "-m", "fast", "-w", "stop")));
    }
    if (run(as(List.of("test", "-e", data.resolve("PG_VERSION").toString()))) != 0) {
      initialize();
    }
  }

  private void initialize() throws IOException, InterruptedException, VmdException {
    // It reads a password from a file only, and from one of its own account's.
    String passwordFile = folder.resolve("password").toString();
    List<String> command =
        as(
            List.of(
                "sh",
                "-c",
                "umask 077; cat >\"$1\" && shift && exec \"$@\"",
                "sh",
                passwordFile,
                program("initdb"),
                "--pgdata=" + data,
                "--username=" + USER,
                "--auth=scram-sha-256",
                "--pwfile=" + passwordFile,
                "--encoding=UTF8",
                "--locale=C"));
    Path log = folder.resolveSibling("store.log");
    Process initdb =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    try (var out = initdb.outputWriter()) {
      out.write(password + "\n");
    }
    int exit = initdb.waitFor();
    Files.deleteIfExists(Path.of(passwordFile));
    if (exit != 0) {
      throw new VmdException(VmdExit.UNAVAILABLE, "store in " + folder + " not made; see " + log);
    }
  }

  private void launch() throws IOException, InterruptedException, VmdException {
    List<String> line = new ArrayList<>();
    // Out of our terminal's group: Ctrl-C is ours to hear, and the store is to end last.
    line.add("setsid");
    line.addAll(
        as(
            List.of(
                "sh",
                "-c",
                GUARD,
                "sh",
                program("postgres"),
                "-D",
                data.toString(),
                "-p",
                Integer.toString(port),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                "-c",
                "shared_buffers=32MB")));
    Path log = folder.resolveSibling("store.log");
    process =
        new ProcessBuilder(line)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (true) {
      try (Connection connection = DriverManager.getConnection(url("postgres"), USER, password)) {
        makeDatabase(connection);
        return;
      } catch (SQLException e) {
        if (!process.isAlive() || System.nanoTime() - deadline > 0) {
          close();
          throw new VmdException(
              VmdExit.UNAVAILABLE, "store in " + folder + " does not start; see " + log);
        }
      }
      Thread.sleep(LOOK);
    }
  }

  private static void makeDatabase(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        ResultSet there =
            statement.executeQuery(
                "SELECT 1 FROM pg_database WHERE datname = '" + DATABASE + "'")) {
      if (!there.next()) {
        statement.execute("CREATE DATABASE " + DATABASE);
      }
    }
  }

  private List<String> as(List<String> command) {
    List<String> line = new ArrayList<>(account);
    line.addAll(command);
    return line;
  }

  private String program(String name) {
    return programs.resolve(name).toString();
  }

  private static int run(List<String> command) throws IOException, InterruptedException {
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }

  private String url(String database) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + database;
  }

  /** Where nodes find the store. */
  public String url() {
    return url(DATABASE);
  }

  /** The user that nodes are to it. */
  public String user() {
    return USER;
  }

  /** A file with the user's password. */
  public Path passwordFile() {
    return folder.resolveSibling("store.password");
  }

  /** The version in the package's path. */
  public String version() {
    return programs.getParent().getFileName().toString();
  }

  /** The server's own process; empty if it does not run. */
  public Optional<ProcessHandle> handle() {
    try {
      String pid = Files.readAllLines(data.resolve("postmaster.pid")).getFirst().strip();
      return ProcessHandle.of(Long.parseLong(pid));
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }

  /** Starts it again after {@link #close}, on the same port. */
  public void restart() throws VmdException, InterruptedException {
    try {
      launch();
    } catch (IOException e) {
      throw new VmdException(VmdExit.UNAVAILABLE, "store in " + folder + ": " + e);
    }
  }

  /** Ends the server: open transactions are undone. */
  @Override
  public void close() {
    try {
      process.getOutputStream().close();
      if (!process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    } catch (IOException e) {
      process.destroy();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
