package dev.troupe.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeConfigurationTest {
  private static final Places PLACES =
      new Places(Path.of("/r"), Path.of("/s"), Path.of("/l"), Path.of("/none/vmd.conf"));

  @TempDir Path folder;

  private NodeConfiguration load(String text, Map<String, String> definitions)
      throws ConfigurationException, IOException {
    return load(text, definitions, ConfigFactory.empty());
  }

  private NodeConfiguration load(String text, Map<String, String> definitions, Config system)
      throws ConfigurationException, IOException {
    Path file = Files.writeString(folder.resolve("vmd.conf"), text);
    return NodeConfiguration.load(Optional.of(file), definitions, system, PLACES);
  }

  /** What is complained of, without the file's folder. */
  private List<String> problems(String text, Map<String, String> definitions) {
    ConfigurationException e =
        catchThrowableOfType(ConfigurationException.class, () -> load(text, definitions));
    assertThat(e).as("refused").isNotNull();
    return e.problems().stream().map(line -> line.replace(folder + "/", "")).toList();
  }

  @Test
  void withoutAFileEverythingHasADefault() throws ConfigurationException {
    NodeConfiguration node =
        NodeConfiguration.load(Optional.empty(), Map.of(), ConfigFactory.empty(), PLACES);

    assertThat(node.seeds()).isEqualTo(new Seeds.Alone());
    assertThat(node.store().place())
        .isEqualTo(new StoreConfiguration.Embedded(Path.of("/s/store")));
    assertThat(node.socket()).isEqualTo(Path.of("/r/vmd.sock"));
    assertThat(node.socketGroup()).isEmpty();
    assertThat(node.log()).isEqualTo(new NodeConfiguration.Log(Path.of("/l/vmd.log"), "info"));
    assertThat(node.name()).isNotEmpty();
    assertThat(node.offer().memory()).isPositive();
    assertThat(node.offer().cores()).isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat(node.offer().engines()).contains(NodeConfiguration.Engine.INTERPRETER);
    assertThat(node.lease().renew().multipliedBy(2)).isLessThanOrEqualTo(node.lease().length());
    assertThat(node.config().getString("pekko.actor.provider")).isEqualTo("cluster");
  }

  @Test
  void aFileSaysWhatANodeIs() throws ConfigurationException, IOException {
    Files.writeString(folder.resolve("secret"), "opensesame\nmore\n");
    NodeConfiguration node =
        load(
            """
            troupe {
              node { name = b, host = 10.0.0.2, port = 2552, seeds = ["10.0.0.10:2552", "10.0.0.1:2552"], labels { disk = ssd } }
              offer { memory = 3G, cores = 4, vcpus-per-core = 2, engines = [translator, kvm] }
              placement.policy = pack
              store { url = "jdbc:postgresql://db/troupe?sslmode=require", user = troupe, password-file = secret, timeout = 2s }
              lease { length = 6s, renew = 1s }
              socket = vmd.sock
              socket-group = operators
              console.ring = 1M
              log { file = log/vmd.log, level = debug }
            }
            """,
            Map.of());

    assertThat(node.name()).isEqualTo("b");
    assertThat(node.address()).hasToString("10.0.0.2:2552");
    assertThat(node.seeds())
        .isEqualTo(
            new Seeds.Fixed(
                List.of(
                    new Seeds.Address("10.0.0.1", 2552), new Seeds.Address("10.0.0.10", 2552))));
    assertThat(node.labels()).containsExactly(Map.entry("disk", "ssd"));
    assertThat(node.offer())
        .isEqualTo(
            new NodeConfiguration.Offer(
                3L << 30,
                4,
                2,
                List.of(NodeConfiguration.Engine.TRANSLATOR, NodeConfiguration.Engine.KVM)));
    assertThat(node.policy()).isEqualTo(NodeConfiguration.Policy.PACK);
    assertThat(node.store().place())
        .isEqualTo(
            new StoreConfiguration.Server(
                "jdbc:postgresql://db/troupe?sslmode=require", "troupe", "opensesame"));
    assertThat(node.store().place()).hasToString("jdbc:postgresql://db/troupe");
    assertThat(node.store().timeout()).isEqualTo(Duration.ofSeconds(2));
    assertThat(node.config().getDuration("jdbc-journal.circuit-breaker.call-timeout"))
        .isEqualTo(Duration.ofSeconds(2));
    assertThat(node.socket()).isEqualTo(folder.resolve("vmd.sock"));
    assertThat(node.socketGroup()).contains("operators");
    assertThat(node.log().file()).isEqualTo(folder.resolve("log/vmd.log"));
    assertThat(node.consoleRing()).isEqualTo(1 << 20);
  }

  @Test
  void aDefinitionComesBeforeASystemPropertyAndThatBeforeTheFile()
      throws ConfigurationException, IOException {
    String file = "troupe.node { name = file, host = file, port = 1 }";
    Config system =
        ConfigFactory.parseMap(Map.of("troupe.node.name", "system", "troupe.node.port", "2"));
    NodeConfiguration node = load(file, Map.of("troupe.node.name", "definition"), system);

    assertThat(node.name()).isEqualTo("definition");
    assertThat(node.address()).isEqualTo(new Seeds.Address("file", 2));
  }

  @Test
  void aFileUsesWhatIsDefined() throws ConfigurationException, IOException {
    NodeConfiguration node =
        load(
            "troupe { node.name = node-${number}, socket = /run/${number}.sock }",
            Map.of("number", "7"));

    assertThat(node.name()).isEqualTo("node-7");
    assertThat(node.socket()).isEqualTo(Path.of("/run/7.sock"));
  }

  @Test
  void aListMayBeGivenAsOneText() throws ConfigurationException, IOException {
    NodeConfiguration node =
        load(
            "troupe.store.url = \"jdbc:h2:tcp://db/troupe\"",
            Map.of("troupe.node.seeds", "b:1, a:2"));

    assertThat(node.seeds().toString()).contains("a:2, b:1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          node.port = 99999 | expected a port, 0 for a free one, 0 to 65535
          node.port = many | expected a port, 0 for a free one, 0 to 65535
          node.port = 1.5 | expected a port, 0 for a free one, 0 to 65535
          node.name = 9lives | expected a letter, then letters, digits, dots, dashes and underscores, 63 at most
          node.host = 0.0.0.0 | expected the name or address by which other nodes reach this one
          node.seeds-expected = 0 | expected addresses, 1 to 1000
          offer.memory = 1K | expected a size, 1M to 1P, such as 1M
          offer.memory = -5 | expected a size, 1M to 1P, such as 1M
          offer.reserve = 1P | expected less than the memory of this host, `HOST`M
          offer.cores = 0 | expected auto or cores, 1 to 4096
          offer.vcpus-per-core = 0 | expected vCPUs, 1 to 1000
          offer.engines = [bochs] | expected auto, or a list of interpreter, translator, kvm
          offer.engines = [] | expected auto, or a list of interpreter, translator, kvm
          placement.policy = random | expected pack or spread
          store.connections = 65 | expected connections, 1 to 64
          store.timeout = 100ms | expected a time, 1s to 60s, such as 1s
          store.timeout = soon | expected a time, 1s to 60s, such as 1s
          store.url = mysql | expected jdbc:postgresql://HOST:PORT/DATABASE or jdbc:h2:tcp://HOST:PORT/PATH
          lease.renew = 4s | expected at most half of troupe.lease.length, which is 5s
          lease.length = 1s | expected at least twice troupe.lease.renew, which is 1s
          lease.length = 0 | expected a time, 1s to 600s, such as 1s
          command.timeout = 2h | expected a time, 1s to 1h, such as 1s
          stop.limit = null | expected a time, 1s to 1h, such as 1s
          console.ring = 1G | expected a size, 4K to 64M, such as 4K
          log.level = loud | expected debug or error or info or trace or warn
          dispatcher.threads = -1 | expected threads, 0 for one a core, 0 to 4096
          node.labels.disk = [a] | expected a letter or digit, then those, . _ / and -, 63 at most
          """)
  void aBadValueIsOneLineWithFileLinePathValueAndWhatWasExpected(String line, String expected) {
    String value = line.substring(line.indexOf('=') + 2);
    String path = line.substring(0, line.indexOf(' '));

    List<String> problems = problems("# comment\n\ntroupe." + line + "\n", Map.of());

    assertThat(problems).hasSize(1);
    assertThat(problems.getFirst().replaceAll("host, [0-9]+M", "host, `HOST`M"))
        .isEqualTo(
            "vmd.conf:3: troupe."
                + path
                + " = "
                + (value.equals("[bochs]") || value.equals("[a]")
                    ? value.replaceAll("\\w+", "\"$0\"")
                    : value)
                + ": "
                + expected);
  }

  @Test
  void allThatIsWrongIsSaidInTheOrderOfTheLines() {
    assertThat(
            problems(
                """
                troupe {
                  node {
                    port = 70000
                    prot = 1
                    name = "-"
                  }
                  stor.file = x
                  offer.cores = none
                }
                """,
                Map.of("troupe.lease.length", "long")))
        .containsExactly(
            "-D: troupe.lease.length = long: expected a time, 1s to 600s, such as 1s",
            "vmd.conf:3: troupe.node.port = 70000: expected a port, 0 for a free one, 0 to 65535",
            "vmd.conf:4: troupe.node.prot: unknown; did you mean troupe.node.port?",
            "vmd.conf:5: troupe.node.name = -: expected a letter, then letters, digits, dots,"
                + " dashes and underscores, 63 at most",
            "vmd.conf:7: troupe.stor: unknown; did you mean troupe.store?",
            "vmd.conf:8: troupe.offer.cores = none: expected auto or cores, 1 to 4096");
  }

  @Test
  void anUnknownNameThatResemblesNothingIsAnsweredWithAllThereAre() {
    assertThat(problems("troupe.lease.colour = red", Map.of()))
        .containsExactly(
            "vmd.conf:1: troupe.lease.colour: unknown; troupe.lease has length, renew");
  }

  @Test
  void aValueInPlaceOfASectionIsOneLine() {
    assertThat(problems("\ntroupe.lease = 5s", Map.of()))
        .containsExactly("vmd.conf:2: troupe.lease = 5s: expected a section length, renew { }");
  }

  @Test
  void aFileThatCannotBeParsedIsOneLine() {
    assertThat(problems("troupe {\n  node.port = [1\n}\n", Map.of()))
        .singleElement()
        .asString()
        .startsWith("vmd.conf:3: ")
        .doesNotContain("\n");
  }

  @Test
  void aNameThatIsNotDefinedIsOneLine() {
    assertThat(problems("\ntroupe.node.name = ${nobody}", Map.of()))
        .singleElement()
        .asString()
        .startsWith("vmd.conf:2: ")
        .contains("${nobody}");
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = folder.resolve("none.conf");
    assertThatThrownBy(
            () ->
                NodeConfiguration.load(Optional.of(file), Map.of(), ConfigFactory.empty(), PLACES))
        .hasMessage(file + ": expected a configuration file that can be read");
  }

  @Test
  void aNodeWithAStoreOfItsOwnJoinsNoCluster() {
    String refused =
        ": expected none: this node's store is its own, embedded in it, and can be no cluster's;"
            + " name the cluster's in troupe.store.url";
    assertThat(problems("troupe.node.seeds = [\"a:1\"]", Map.of()))
        .containsExactly("vmd.conf:1: troupe.node.seeds = [\"a:1\"]" + refused);
    assertThat(problems("troupe.node.seeds-name = \"a:1\"", Map.of()))
        .containsExactly("vmd.conf:1: troupe.node.seeds-name = a:1" + refused);
  }

  @Test
  void aPasswordIsNeverShown() throws ConfigurationException, IOException {
    String store = "troupe.store { url = \"jdbc:postgresql://db/troupe\", password = ";

    assertThat(problems(store + "[sesame] }", Map.of()))
        .containsExactly("vmd.conf:1: troupe.store.password = (not shown): expected a password");
    assertThat(load(store + "sesame }", Map.of()).store().toString()).doesNotContain("sesame");
  }

  @Test
  void aSocketPathThatTheKernelCannotTakeIsRefused() {
    assertThat(problems("troupe.socket-group = \"two words\"", Map.of()))
        .singleElement()
        .asString()
        .endsWith("expected a group of this host, or empty");
    assertThat(problems("troupe.socket = /" + "x".repeat(107), Map.of()))
        .singleElement()
        .asString()
        .endsWith("expected a path of 97 bytes at most, as sockets have");
  }

  @Test
  void aNameOfSeedsNeedsAsManyAddressesAsExpected() throws Exception {
    var one = new Seeds.Named(new Seeds.Address("127.0.0.1", 2552), 1);
    var two = new Seeds.Named(new Seeds.Address("127.0.0.1", 2552), 2);

    assertThat(one.resolve()).containsExactly(new Seeds.Address("127.0.0.1", 2552));
    assertThatThrownBy(two::resolve).hasMessage("127.0.0.1 has 1 addresses, expected are 2");
  }

  @Test
  void rootAndOthersHaveTheirThingsWhereTheirHostsRulesSay() {
    Path home = Path.of("/home/u");

    assertThat(Places.of(Map.of(), "root", Path.of("/root")).socket())
        .isEqualTo(Path.of("/run/troupe/vmd.sock"));
    assertThat(Places.of(Map.of("XDG_RUNTIME_DIR", "/run/user/7"), "u", home).socket())
        .isEqualTo(Path.of("/run/user/7/troupe/vmd.sock"));
    assertThat(Places.of(Map.of(), "u", home).state())
        .isEqualTo(Path.of("/home/u/.local/state/troupe"));
    assertThat(Places.of(Map.of("STATE_DIRECTORY", "/var/lib/t:/b"), "root", home).state())
        .isEqualTo(Path.of("/var/lib/t"));
  }
}
