package dev.troupe.actors.vmctl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.actors.client.CommandName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher script in a small tree, with a Maven and JDKs that only say that they were called.
 * The machine's own JDKs in /usr/lib/jvm may be found too, so the tests name theirs where it
 * matters.
 */
class LauncherTest {
  private static final Path HERE = Path.of("").toAbsolutePath();
  private static final Path REPOSITORY =
      Files.exists(HERE.resolve("vmctl")) ? HERE : HERE.getParent();
  private static final long LIMIT_SECONDS = 60;

  @TempDir Path folder;

  private Path tree;
  private Path path;
  private Path mavenCalls;

  private record Result(int status, String output, String errors) {}

  @BeforeEach
  void plant() throws IOException {
    tree = folder.resolve("a tree");
    path = folder.resolve("bin");
    mavenCalls = folder.resolve("maven-calls");
    Files.createDirectories(path);
    for (String name : List.of("proto", "runtime", "cluster-config", "actors")) {
      Files.createDirectories(tree.resolve(name).resolve("src/main"));
      Files.writeString(tree.resolve(name).resolve("pom.xml"), "<project/>");
    }
    Files.writeString(tree.resolve("pom.xml"), "<project/>");
    Files.createDirectories(tree.resolve("build"));
    for (String name :
        List.of(
            "vmctl",
            "vmd",
            "build/launcher.sh",
            "build/ModernJar.java",
            "build/jvm.options",
            "build/client.options")) {
      Files.copy(REPOSITORY.resolve(name), tree.resolve(name));
    }
    maven("mkdir -p actors/target/lib; : >actors/target/lib/a.jar; : >actors/target/actors-1.jar");
  }

  private void maven(String work) throws IOException {
    // Slow enough that two launchers at once overlap.
    script(path.resolve("mvn"), "echo called >>'" + mavenCalls + "'; sleep 0.3; " + work);
  }

  private Path jdk(String name, String version) throws IOException {
    Path home = folder.resolve(name);
    Files.createDirectories(home.resolve("bin"));
    script(home.resolve("bin/java"), "echo java of " + name + "; for a; do echo \"[$a]\"; done");
    script(home.resolve("bin/javac"), "");
    Files.writeString(
        home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
    return home;
  }

  private static void script(Path file, String body) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + body + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Process start(Map<String, String> environment, String... arguments) throws IOException {
    return start("vmctl", environment, arguments);
  }

  private Process start(String program, Map<String, String> environment, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of("sh", tree.resolve(program).toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(path.toFile());
    builder.environment().clear();
    builder.environment().put("PATH", path + ":/usr/bin:/bin");
    builder.environment().put("HOME", folder.resolve("home").toString());
    builder.environment().putAll(environment);
    return builder.start();
  }

  private static Result finish(Process process) throws IOException, InterruptedException {
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String errors = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as("the launcher ends").isTrue();
    return new Result(process.exitValue(), output, errors);
  }

  private Result run(Map<String, String> environment, String... arguments) throws Exception {
    return finish(start(environment, arguments));
  }

  private long builds() throws IOException {
    return Files.exists(mavenCalls) ? Files.readAllLines(mavenCalls).size() : 0;
  }

  @Test
  void argumentsPathsWithSpacesAndOptionsReachJavaUnchanged() throws Exception {
    Path jdk = jdk("jdk 25", "25.0.1");
    Result result =
        run(
            Map.of("TROUPE_JAVA_HOME", jdk.toString(), "TROUPE_JAVA_OPTS", "-Xmx64m -Dx=y"),
            "run",
            "--append",
            "a  b *",
            "");
    assertThat(result.status).as(result.errors).isZero();
    assertThat(result.output.lines())
        .containsSubsequence(
            "java of jdk 25",
            "[@" + tree.toRealPath() + "/build/jvm.options]",
            "[-Xmx64m]",
            "[-Dx=y]",
            "[-cp]",
            "[dev.troupe.actors.vmctl.Vmctl]",
            "[run]",
            "[--append]",
            "[a  b *]",
            "[]");
  }

  @Test
  void anUnchangedTreeStartsWithoutMavenAndAChangedOneBuilds() throws Exception {
    Map<String, String> environment = Map.of("TROUPE_JAVA_HOME", jdk("j", "25").toString());
    assertThat(run(environment).errors).contains("building Troupe");
    Result second = run(environment);
    assertThat(second.errors).isEmpty();
    assertThat(builds()).isEqualTo(1);

    Path source = Files.writeString(tree.resolve("runtime/src/main/A.java"), "class A {}");
    later(source);
    later(source.getParent());
    run(environment);
    assertThat(builds()).as("a file was added").isEqualTo(2);

    // The stamp is older than the changes "later", so that only the removal's own time counts
    // below.
    for (Path p : List.of(source, source.getParent())) {
      Files.setLastModifiedTime(p, FileTime.from(Instant.EPOCH));
    }
    run(environment);
    assertThat(builds()).as("nothing is newer").isEqualTo(2);
    Files.delete(source);
    later(source.getParent());
    run(environment);
    assertThat(builds()).as("a file was removed").isEqualTo(3);
  }

  /** File systems keep coarse times; a change in the same tick as the stamp is made visible. */
  private static void later(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(10)));
  }

  @Test
  void twoFirstStartsAtOnceBuildOnce() throws Exception {
    Map<String, String> environment = Map.of("TROUPE_JAVA_HOME", jdk("j", "25").toString());
    List<Process> processes =
        List.of(start(environment, "1"), start(environment, "2"), start(environment, "3"));
    for (Process process : processes) {
      assertThat(finish(process).status).isZero();
    }
    assertThat(builds()).isEqualTo(1);
  }

  @Test
  void theCacheOfLoadedClassesIsUsedWhereTheJdkMadeOne() throws Exception {
    Path jdk = jdk("j", "25");
    script(
        jdk.resolve("bin/java"),
        "for a; do case $a in -XX:AOTCacheOutput=*) : >\"${a#*=}\" ;; *) echo \"$a\" ;; esac;"
            + " done");
    Map<String, String> environment = Map.of("TROUPE_JAVA_HOME", jdk.toString());
    assertThat(run(environment).output).containsPattern("(?m)^-XX:AOTCache=.*/build-.*[.]aot$");
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.9\"\n");
    assertThat(run(environment).output).as("another JDK").doesNotContain("AOTCache");
  }

  @Test
  void aFailedBuildShowsTheEndOfMavensOutputAndLeavesNoBuildBehind() throws Exception {
    maven("echo \"[ERROR] A.java:[1,2] ';' expected\"; exit 1");
    Map<String, String> environment = Map.of("TROUPE_JAVA_HOME", jdk("j", "25").toString());
    Result result = run(environment);
    assertThat(result.status).isEqualTo(8);
    assertThat(result.errors).contains("';' expected", "the build failed", ".troupe/build.log");
    assertThat(result.output).isEmpty();
    try (var left = Files.list(tree.resolve(".troupe"))) {
      assertThat(left.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("build.log", "lock");
    }
    maven("mkdir -p actors/target/lib; : >actors/target/lib/a.jar; : >actors/target/actors-1.jar");
    assertThat(run(environment).status).isZero();
  }

  @Test
  void theFirstJdkOf25OrLaterInTheDocumentedOrderIsTaken() throws Exception {
    Map<String, String> environment = new TreeMap<>();
    environment.put("JAVA_HOME", jdk("seventeen", "17.0.15").toString());
    environment.put("JAVA25_HOME", jdk("twenty-six", "26").toString());
    assertThat(run(environment).output).startsWith("java of twenty-six");
    environment.put("TROUPE_JAVA_HOME", jdk("own", "25.0.2").toString());
    assertThat(run(environment).output).startsWith("java of own");
  }

  @Test
  void aJdkThatTheUserNamedAndThatIsTooOldIsAnError() throws Exception {
    Result result = run(Map.of("TROUPE_JAVA_HOME", jdk("old", "21.0.1").toString()));
    assertThat(result.status).isEqualTo(8);
    assertThat(result.errors)
        .contains("TROUPE_JAVA_HOME=")
        .contains("no JDK 25 or later")
        .hasLineCount(1);
  }

  @Test
  void aCommandRunsInTheProcessThatDoesIt() throws Exception {
    Map<String, String> environment = Map.of("TROUPE_JAVA_HOME", jdk("j", "25").toString());
    String thick = "[dev.troupe.actors.vmctl.Vmctl]";
    String thin = "[dev.troupe.actors.client.Client]";
    Map<String, String> words = new TreeMap<>();
    List.of(
            "run",
            "ru",
            "replay",
            "rep",
            "journal",
            "j",
            "explore",
            "ex",
            "help",
            "--version",
            "-h")
        .forEach(word -> words.put(word, thick));
    // The thin one also says what is wrong with a word.
    List.of("start", "sta", "show", "r", "re", "e", "ev", "top", "create", "*", "?un", "", "x y")
        .forEach(word -> words.put(word, thin));
    for (Map.Entry<String, String> word : words.entrySet()) {
      assertThat(run(environment, word.getKey(), "a").output.lines())
          .as(word.getKey())
          .containsSubsequence(word.getValue(), "[" + word.getKey() + "]", "[a]");
    }
    assertThat(run(environment).output).as("no word").contains(thin);
    Result daemon = finish(start("vmd", environment, "-d", "a b"));
    assertThat(daemon.output.lines())
        .containsSubsequence(
            "[@" + tree.toRealPath() + "/build/jvm.options]",
            "[dev.troupe.actors.vmd.Vmd]",
            "[-d]",
            "[a b]");
    assertThat(builds()).isEqualTo(1);
  }

  @Test
  void theLauncherKnowsTheCommandsThatThereAre() throws IOException {
    String script = Files.readString(REPOSITORY.resolve("vmctl"));
    for (boolean thin : new boolean[] {true, false}) {
      assertThat(script)
          .contains(
              (thin ? "\ndaemons=\"" : "\nhere=\"")
                  + Arrays.stream(CommandName.values())
                      .filter(name -> name.isThin() == thin)
                      .map(CommandName::text)
                      .collect(Collectors.joining(" "))
                  + "\"\n");
    }
  }

  @Test
  void theJvmGetsTheSameAccessFlagsAsTheTests() throws IOException {
    String pom = Files.readString(REPOSITORY.resolve("pom.xml"));
    String flags = pom.substring(pom.indexOf("<jvm.flags>") + 11, pom.indexOf("</jvm.flags>"));
    List<String> options = Files.readAllLines(REPOSITORY.resolve("build/jvm.options"));
    assertThat(options).contains(flags.split(" "));
  }
}
