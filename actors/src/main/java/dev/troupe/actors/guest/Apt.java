package dev.troupe.actors.guest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Debian's apt, used as an ordinary user: the system's package lists if they serve, else lists of
 * our own in a private folder. apt checks the archive's signature; the SHA-256 in its index is
 * checked here once more.
 */
final class Apt {
  /** How often a running download is looked at. */
  private static final Duration LOOK = Duration.ofMillis(200);

  private static final Pattern DEPENDENCY = Pattern.compile("(?:^|[,|]\\s*)([a-z0-9][a-z0-9+.-]+)");
  private static final Pattern ERROR = Pattern.compile("^E: (.+)$", Pattern.MULTILINE);

  private final Path folder;
  private final String architecture;
  private final Progress progress;
  private boolean ownLists;

  /**
   * One package of the index.
   *
   * @param version with epoch and revision
   * @param size bytes of the .deb
   * @param sha256 in hexadecimal
   * @param depends the Depends field
   */
  record Deb(String name, String version, long size, String sha256, String depends) {
    /** The first dependency whose name begins so. */
    Optional<String> dependency(String prefix) {
      Matcher matcher = DEPENDENCY.matcher(depends);
      while (matcher.find()) {
        if (matcher.group(1).startsWith(prefix)) {
          return Optional.of(matcher.group(1));
        }
      }
      return Optional.empty();
    }
  }

  /** What a command left behind. */
  private record Result(int status, String output, String errors) {
    String reason() {
      Matcher matcher = ERROR.matcher(errors);
      return matcher.find() ? matcher.group(1).strip() : "exit status " + status;
    }
  }

  /**
   * Prepares the use of apt.
   *
   * @param folder an empty folder of ours, for lists, state and downloads
   * @param architecture Debian's name of the packages' architecture, which may be foreign here
   */
  Apt(Path folder, String architecture, Progress progress) {
    this.folder = folder;
    this.architecture = architecture;
    this.progress = progress;
  }

  /**
   * Fetches our own package lists, and uses them from now on. Whether that worked shows when a
   * package is looked for.
   */
  void update() {
    progress.say("fetching Debian's package lists");
    ownLists = true;
    for (String name : List.of("state/lists/partial", "cache/archives/partial")) {
      try {
        Files.createDirectories(folder.resolve(name));
      } catch (IOException e) {
        throw new GuestException("cannot make " + folder.resolve(name) + ": " + e.getMessage(), e);
      }
    }
    run(folder, "apt-get", "update");
  }

  /** The candidate version of a package, if the lists have one. */
  Optional<Deb> find(String name) {
    Result result = run(folder, "apt-cache", "show", "--no-all-versions", name);
    return result.status == 0 ? parse(name, result.output) : Optional.empty();
  }

  /** The stanza of that package in apt-cache's answer; a virtual package has none. */
  static Optional<Deb> parse(String name, String output) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String line : output.lines().toList()) {
      int colon = line.indexOf(": ");
      if (colon > 0 && !line.startsWith(" ")) {
        fields.putIfAbsent(line.substring(0, colon), line.substring(colon + 2).strip());
      }
    }
    String size = fields.getOrDefault("Size", "");
    String sha256 = fields.getOrDefault("SHA256", "");
    if (!name.equals(fields.get("Package"))
        || !size.matches("[0-9]{1,15}")
        || !sha256.matches("[0-9a-f]{64}")) {
      return Optional.empty();
    }
    return Optional.of(
        new Deb(
            name,
            fields.getOrDefault("Version", ""),
            Long.parseLong(size),
            sha256,
            fields.getOrDefault("Depends", "")));
  }

  /**
   * Downloads a package and checks it against the index.
   *
   * @return its file
   * @throws GuestException if it cannot be had
   */
  Path download(Deb wanted) {
    Path target = folder.resolve(wanted.name);
    try {
      Files.createDirectories(target);
      Process process = start(target, "apt-get", "download", wanted.name + "=" + wanted.version);
      Result result =
          finish(process, () -> progress.advance(wanted.name, bytesIn(target), wanted.size));
      Optional<Path> file = onlyDeb(target);
      if (result.status != 0 || file.isEmpty()) {
        throw new GuestException(
            "package " + wanted.name + " cannot be fetched: " + result.reason());
      }
      check(wanted, file.get());
      progress.done(wanted.name, wanted.size);
      return file.get();
    } catch (IOException e) {
      throw new GuestException(
          "package " + wanted.name + " cannot be fetched: " + e.getMessage(), e);
    }
  }

  static void check(Deb wanted, Path file) throws IOException {
    long size = Files.size(file);
    String sha256 = sha256(file);
    if (size != wanted.size || !sha256.equals(wanted.sha256)) {
      throw new GuestException(
          "package %s is damaged: %d bytes with SHA-256 %s, apt's index says %d and %s"
              .formatted(wanted.name, size, sha256, wanted.size, wanted.sha256));
    }
  }

  private static String sha256(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (DigestInputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(java.io.OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static Optional<Path> onlyDeb(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(".deb")).findFirst();
    }
  }

  private static long bytesIn(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      long sum = 0;
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        sum += Files.size(file);
      }
      return sum;
    } catch (IOException | java.io.UncheckedIOException e) {
      return 0; // a file was renamed while it was looked at
    }
  }

  private Result run(Path directory, String... command) {
    try {
      return finish(start(directory, command), () -> {});
    } catch (IOException e) {
      throw new GuestException(
          "apt is needed to fetch this guest, and cannot be run: " + e.getMessage(), e);
    }
  }

  private Process start(Path directory, String... command) throws IOException {
    List<String> words = new ArrayList<>();
    words.add(command[0]);
    words.add("-q");
    option(words, "APT::Architecture=" + architecture);
    // Sources that do not answer are given up soon; the user sees what failed.
    option(words, "Acquire::Retries=1");
    option(words, "Acquire::http::Timeout=20");
    option(words, "Acquire::https::Timeout=20");
    // The lists' translations and desktop data are no use here.
    option(words, "Acquire::Languages=none");
    option(words, "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false");
    option(words, "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false");
    // For root, apt would become a user who cannot write into our folder.
    option(words, "APT::Sandbox::User=root");
    if (ownLists) {
      option(words, "Dir::State=" + folder.resolve("state"));
      option(words, "Dir::State::lists=" + folder.resolve("state/lists"));
      option(words, "Dir::Cache=" + folder.resolve("cache"));
    }
    words.addAll(List.of(command).subList(1, command.length));
    ProcessBuilder builder = new ProcessBuilder(words).directory(directory.toFile());
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.redirectOutput(folder.resolve("output").toFile());
    builder.redirectError(folder.resolve("errors").toFile());
    builder.environment().put("LC_ALL", "C");
    return builder.start();
  }

  private static void option(List<String> words, String option) {
    words.add("-o");
    words.add(option);
  }

  private Result finish(Process process, Runnable look) throws IOException {
    Thread stop = new Thread(process::destroyForcibly, "apt-stopper");
    Runtime.getRuntime().addShutdownHook(stop);
    try {
      while (!process.waitFor(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
        look.run();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new GuestException("interrupted", e);
    } finally {
      process.destroyForcibly();
      unhook(stop);
    }
    return new Result(process.exitValue(), read("output"), read("errors"));
  }

  private static void unhook(Thread stop) {
    try {
      Runtime.getRuntime().removeShutdownHook(stop);
    } catch (IllegalStateException alreadyShuttingDown) {
      // The hook does its work.
    }
  }

  private String read(String name) throws IOException {
    try {
      return new String(Files.readAllBytes(folder.resolve(name)), StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      return "";
    }
  }
}
