package dev.troupe.config;

import com.sun.management.OperatingSystemMXBean;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValueFactory;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The configuration of a node's daemon, checked.
 *
 * @param config everything, resolved; what the actor system is started with
 * @param threads of the turn pool, 1 to {@link Configuration#MAX_THREADS}
 * @param name the node's name
 * @param address where other nodes reach it; port 0 for a free one
 * @param seeds where it finds its cluster
 * @param labels what machines may ask for
 * @param offer what it has for machines
 * @param policy how its machines are placed
 * @param store where it keeps what must not be lost
 * @param lease how long a node may run a machine without having said so again
 * @param commandTimeout after which a command that cannot be done has failed
 * @param stopLimit so long a stopping node waits for its machines
 * @param socket where vmctl reaches it
 * @param socketGroup whose members may connect, beside root and the daemon's own user
 * @param consoleRing bytes of a console's output that are kept
 * @param log where its log goes
 */
public record NodeConfiguration(
    Config config,
    int threads,
    String name,
    Seeds.Address address,
    Seeds seeds,
    Map<String, String> labels,
    Offer offer,
    Policy policy,
    StoreConfiguration store,
    Lease lease,
    Duration commandTimeout,
    Duration stopLimit,
    Path socket,
    Optional<String> socketGroup,
    int consoleRing,
    Log log) {
  /** How machines are placed among nodes that have room. */
  public enum Policy {
    /** Where most is free. */
    SPREAD,
    /** Where least is free. */
    PACK
  }

  /** What can execute a guest. */
  public enum Engine {
    INTERPRETER,
    TRANSLATOR,
    KVM
  }

  /**
   * What a node has for machines.
   *
   * @param memory bytes of guest memory of all its machines together
   * @param cores of the host
   * @param vcpusPerCore so many vCPUs may share a core
   * @param engines at least one
   */
  public record Offer(long memory, int cores, int vcpusPerCore, List<Engine> engines) {
    /** As many vCPUs as its machines may have together. */
    public int vcpus() {
      return cores * vcpusPerCore;
    }
  }

  /**
   * A machine's right to run on a node, which the node must renew.
   *
   * @param length so long it is good
   * @param renew so often it is renewed; at most half the length
   */
  public record Lease(Duration length, Duration renew) {}

  /**
   * The daemon's log.
   *
   * @param file its file; not used in the foreground
   * @param level error, warn, info, debug or trace
   */
  public record Log(Path file, String level) {}

  private static final String NAME = "[A-Za-z][A-Za-z0-9._-]{0,62}";
  private static final String A_NAME =
      "a letter, then letters, digits, dots, dashes and underscores, 63 at most";
  private static final String HOST = "[A-Za-z0-9._-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}\\]";
  private static final String PORT =
      "0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
  private static final String ENDPOINT = "(" + HOST + "):" + PORT;
  private static final String GROUP = "|[A-Za-z_][A-Za-z0-9_.-]{0,31}";
  private static final String LABEL = "[A-Za-z0-9]([A-Za-z0-9._/-]{0,62})";

  /** The kernel's field for it has 108 bytes, one of them a zero; it is bound in a folder below. */
  private static final int LONGEST_SOCKET = 97;

  private static final long MIB = 1 << 20;
  private static final long MOST_MEMORY = 1L << 50;

  /** Loads the configuration of this process; the file of its user or of root, if there is one. */
  public static NodeConfiguration load() throws ConfigurationException {
    return load(Optional.empty(), Map.of());
  }

  /**
   * Loads the configuration of this process.
   *
   * @param file the user's file; if none is named, {@link Places#configuration} where it exists
   * @param definitions values of paths, and of names that the file uses; they come before all else
   * @throws ConfigurationException if anything is wrong
   */
  public static NodeConfiguration load(Optional<Path> file, Map<String, String> definitions)
      throws ConfigurationException {
    Places places = Places.ofProcess();
    Optional<Path> chosen =
        file.or(() -> Optional.of(places.configuration()).filter(Files::exists));
    return load(chosen, definitions, ConfigFactory.defaultOverrides(), places);
  }

  static NodeConfiguration load(
      Optional<Path> file, Map<String, String> definitions, Config system, Places places)
      throws ConfigurationException {
    Config defaults = Configuration.defaults(Configuration.Role.VMD);
    Config config;
    try {
      Config given = definitions(definitions).withFallback(system);
      if (file.isPresent()) {
        given = given.withFallback(parse(file.get()));
      }
      config =
          given.withFallback(defaults).withFallback(ConfigFactory.defaultReference()).resolve();
      defaults = defaults.resolve();
    } catch (ConfigException e) {
      throw new ConfigurationException(List.of(line(e)));
    }
    Settings settings = new Settings(config);
    settings.checkNames("troupe", defaults, List.of("troupe.node.labels"));
    NodeConfiguration read = read(config, settings, places);
    settings.finish();
    return read;
  }

  private static Config parse(Path file) throws ConfigurationException {
    if (!Files.isReadable(file) || Files.isDirectory(file)) {
      throw new ConfigurationException(
          List.of(file + ": expected a configuration file that can be read"));
    }
    return ConfigFactory.parseFile(
        file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false));
  }

  private static Config definitions(Map<String, String> definitions) throws ConfigurationException {
    Config config = ConfigFactory.empty();
    for (Map.Entry<String, String> definition : new TreeMap<>(definitions).entrySet()) {
      String path = definition.getKey();
      try {
        ConfigUtil.splitPath(path);
      } catch (ConfigException e) {
        throw new ConfigurationException(
            List.of(
                "-D: " + path + ": expected names with dots between, such as troupe.node.port"));
      }
      config = config.withValue(path, ConfigValueFactory.fromAnyRef(definition.getValue(), "-D"));
    }
    return config;
  }

  /** One line of what the parser says in one or more. */
  private static String line(ConfigException e) {
    String text = e.getMessage().lines().findFirst().orElse("cannot be read");
    if (e.origin() == null) {
      return text;
    }
    String prefix = e.origin().description() + ": ";
    int line = e.origin().lineNumber();
    return Settings.place(e.origin())
        + (line > 0 ? ":" + line : "")
        + ": "
        + (text.startsWith(prefix) ? text.substring(prefix.length()) : text);
  }

  private static NodeConfiguration read(Config config, Settings settings, Places places) {
    int threads =
        settings.integer(
            "troupe.dispatcher.threads", 0, Configuration.MAX_THREADS, "threads, 0 for one a core");
    return new NodeConfiguration(
        config,
        threads == 0 ? Runtime.getRuntime().availableProcessors() : threads,
        name(settings),
        address(settings),
        seeds(settings),
        settings.map(
            "troupe.node.labels", LABEL, "a letter or digit, then those, . _ / and -, 63 at most"),
        offer(settings),
        settings.word(
            "troupe.placement.policy", words(Map.of("spread", Policy.SPREAD, "pack", Policy.PACK))),
        store(settings, places),
        lease(settings),
        settings.duration("troupe.command.timeout", Duration.ofSeconds(1), Duration.ofHours(1)),
        settings.duration("troupe.stop.limit", Duration.ofSeconds(1), Duration.ofHours(1)),
        socket(settings, places),
        Optional.of(settings.text("troupe.socket-group", GROUP, "a group of this host, or empty"))
            .filter(group -> !group.isEmpty()),
        (int) settings.size("troupe.console.ring", 4096, 64 * MIB),
        new Log(
            settings.path("troupe.log.file", places.logs().resolve("vmd.log")),
            settings.word(
                "troupe.log.level",
                words(
                    Map.of(
                        "error", "error", "warn", "warn", "info", "info", "debug", "debug", "trace",
                        "trace")))));
  }

  private static <T> Map<String, T> words(Map<String, T> words) {
    return new TreeMap<>(words);
  }

  private static String name(Settings settings) {
    String path = "troupe.node.name";
    return settings.given(path) ? settings.text(path, NAME, A_NAME) : hostName();
  }

  private static String hostName() {
    String name;
    try {
      name = InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      name = "";
    }
    int dot = name.indexOf('.');
    String first = (dot < 0 ? name : name.substring(0, dot)).replaceAll("[^A-Za-z0-9_-]", "-");
    return first.matches(NAME) ? first : "node";
  }

  private static Seeds.Address address(Settings settings) {
    String path = "troupe.node.host";
    String expected = "the name or address by which other nodes reach this one";
    String host = settings.text(path, HOST, expected);
    if (host.equals("0.0.0.0") || host.equals("[::]")) {
      settings.bad(path, expected);
    }
    return new Seeds.Address(
        host, settings.integer("troupe.node.port", 0, 65535, "a port, 0 for a free one"));
  }

  private static Seeds seeds(Settings settings) {
    String list = "troupe.node.seeds";
    String name = "troupe.node.seeds-name";
    List<String> addresses =
        settings.list(list, ENDPOINT, "a list of host:port, such as [\"10.0.0.1:25520\"]");
    String named =
        settings.text(
            name, "|" + ENDPOINT, "a name and a port, such as nodes.example.org:25520, or empty");
    int expected = settings.integer("troupe.node.seeds-expected", 1, 1000, "addresses");
    for (String path : List.of(list, name)) {
      if (settings.given(path) && !settings.given("troupe.store.url")) {
        settings.bad(
            path,
            "none: this node's store is its own, embedded in it, and can be no cluster's; name the"
                + " cluster's in troupe.store.url");
      }
    }
    if (!addresses.isEmpty() && !named.isEmpty()) {
      settings.bad(name, "nothing, as troupe.node.seeds names the seeds already");
    }
    if (!addresses.isEmpty()) {
      return new Seeds.Fixed(addresses.stream().map(Seeds.Address::parse).toList());
    }
    return named.isEmpty()
        ? new Seeds.Alone()
        : new Seeds.Named(Seeds.Address.parse(named), expected);
  }

  private static Offer offer(Settings settings) {
    String memory = "troupe.offer.memory";
    long reserve = automatic(settings, "troupe.offer.reserve") ? -1 : reserve(settings);
    long offered =
        automatic(settings, memory)
            ? ofHost(hostMemory(), reserve)
            : settings.size(memory, MIB, MOST_MEMORY);
    if (offered < MIB) {
      settings.bad(
          "troupe.offer.reserve", "less than the memory of this host, " + hostMemory() / MIB + "M");
    }
    String cores = "troupe.offer.cores";
    String engines = "troupe.offer.engines";
    return new Offer(
        offered,
        automatic(settings, cores)
            ? Runtime.getRuntime().availableProcessors()
            : settings.integer(cores, 1, Configuration.MAX_THREADS, "auto or cores"),
        settings.integer("troupe.offer.vcpus-per-core", 1, 1000, "vCPUs"),
        automatic(settings, engines) ? hostEngines() : engines(settings, engines));
  }

  private static boolean automatic(Settings settings, String path) {
    return settings.is(path, "auto");
  }

  private static long reserve(Settings settings) {
    return settings.size("troupe.offer.reserve", 0, MOST_MEMORY);
  }

  /** A tenth of the host and at least a gigabyte is kept, or half of a small host. */
  private static long ofHost(long memory, long reserve) {
    long kept = reserve >= 0 ? reserve : Math.min(memory / 2, Math.max(1024 * MIB, memory / 10));
    return (memory - kept) / MIB * MIB;
  }

  private static long hostMemory() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
  }

  /** KVM is offered by request only. */
  private static List<Engine> hostEngines() {
    return System.getProperty("os.arch").matches("amd64|x86_64")
        ? List.of(Engine.INTERPRETER, Engine.TRANSLATOR)
        : List.of(Engine.INTERPRETER);
  }

  private static List<Engine> engines(Settings settings, String path) {
    String expected = "auto, or a list of interpreter, translator, kvm";
    List<String> words = settings.list(path, "interpreter|translator|kvm", expected);
    if (words.isEmpty() && !settings.given(path)) {
      settings.bad(path, expected);
    }
    return words.stream()
        .distinct()
        .map(word -> Engine.valueOf(word.toUpperCase(Locale.ROOT)))
        .toList();
  }

  private static Path socket(Settings settings, Places places) {
    String path = "troupe.socket";
    Path socket = settings.path(path, places.socket());
    if (socket.toString().getBytes(StandardCharsets.UTF_8).length > LONGEST_SOCKET) {
      settings.bad(path, "a path of " + LONGEST_SOCKET + " bytes at most, as sockets have");
    }
    return socket;
  }

  private static Lease lease(Settings settings) {
    String lengthPath = "troupe.lease.length";
    String renewPath = "troupe.lease.renew";
    Duration length = settings.duration(lengthPath, Duration.ofSeconds(1), Duration.ofMinutes(10));
    Duration renew = settings.duration(renewPath, Duration.ofMillis(100), Duration.ofMinutes(5));
    if (renew.multipliedBy(2).compareTo(length) > 0
        && settings.good(lengthPath)
        && settings.good(renewPath)) {
      if (settings.isDefault(renewPath)) {
        settings.bad(
            lengthPath, "at least twice " + renewPath + ", which is " + Settings.time(renew));
      } else {
        settings.bad(
            renewPath, "at most half of " + lengthPath + ", which is " + Settings.time(length));
      }
    }
    return new Lease(length, renew);
  }

  private static StoreConfiguration store(Settings settings, Places places) {
    return new StoreConfiguration(
        settings.given("troupe.store.url")
            ? server(settings)
            : new StoreConfiguration.Embedded(
                settings.path("troupe.store.file", places.state().resolve("store"))),
        settings.integer("troupe.store.connections", 1, 64, "connections"),
        settings.duration("troupe.store.timeout", Duration.ofSeconds(1), Duration.ofMinutes(1)),
        settings.duration("troupe.store.start-limit", Duration.ZERO, Duration.ofHours(24)));
  }

  private static StoreConfiguration.Server server(Settings settings) {
    if (settings.given("troupe.store.file")) {
      settings.bad("troupe.store.file", "nothing, as troupe.store.url names the store already");
    }
    String url =
        settings.text(
            "troupe.store.url",
            "jdbc:(postgresql:(//)?[^ ]+|h2:(tcp|ssl)://[^ ]+)",
            "jdbc:postgresql://HOST:PORT/DATABASE or jdbc:h2:tcp://HOST:PORT/PATH");
    String user = settings.text("troupe.store.user", "a database user");
    String password = settings.text("troupe.store.password", "a password");
    String file = "troupe.store.password-file";
    if (settings.given(file)) {
      if (!password.isEmpty()) {
        settings.bad(file, "nothing, as troupe.store.password is set already");
      }
      try {
        password =
            Files.readString(settings.path(file, Path.of(""))).lines().findFirst().orElse("");
      } catch (IOException e) {
        settings.bad(file, "a file that can be read, with a password as its first line");
      }
    }
    return new StoreConfiguration.Server(url, user, password);
  }
}
