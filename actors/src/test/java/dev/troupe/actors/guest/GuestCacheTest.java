package dev.troupe.actors.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestCacheTest {
  private static final List<String> FILES = List.of("a", "b");

  @TempDir Path folder;

  private GuestCache cache;

  @BeforeEach
  void open() {
    cache = new GuestCache(folder.resolve("cache folder"));
  }

  private static void make(Path entry) throws IOException {
    Files.writeString(entry.resolve("a"), "1");
    Files.writeString(entry.resolve("b"), "2");
  }

  private List<String> left() throws IOException {
    try (Stream<Path> files = Files.list(cache.entry("x").getParent())) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(n -> !n.endsWith(".lock"))
          .sorted()
          .toList();
    }
  }

  @Test
  void anEntryIsMadeOnceHoweverManyAskAtOnce() throws Exception {
    AtomicInteger made = new AtomicInteger();
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      List<Callable<Path>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        calls.add(
            () ->
                cache.get(
                    "debian",
                    FILES,
                    () -> {},
                    entry -> {
                      made.incrementAndGet();
                      make(entry);
                    }));
      }
      for (var result : pool.invokeAll(calls)) {
        assertThat(result.get().resolve("b")).hasContent("2");
      }
    }
    assertThat(made).hasValue(1);
    assertThat(left()).containsExactly("debian");
  }

  @Test
  void aFailureLeavesNothingBehindAndTheNextTryWorks() throws IOException {
    assertThatThrownBy(
            () ->
                cache.get(
                    "debian",
                    FILES,
                    () -> {},
                    entry -> {
                      Files.writeString(entry.resolve("a"), "half");
                      throw new GuestException("no network");
                    }))
        .hasMessage("no network");
    assertThat(left()).isEmpty();
    assertThat(cache.get("debian", FILES, () -> {}, GuestCacheTest::make).resolve("a"))
        .hasContent("1");
  }

  @Test
  void whatAKilledProcessLeftIsRemovedButOnlyOfTheSameEntry() throws IOException {
    cache.get("debian-initrd-1", FILES, () -> {}, GuestCacheTest::make);
    Path root = cache.entry("x").getParent();
    Files.writeString(
        Files.createDirectory(root.resolve(".unfinished.debian.77")).resolve("a"), "half");
    Files.createDirectory(root.resolve(".unfinished.debian-initrd-2.78"));
    cache.get("debian", FILES, () -> {}, GuestCacheTest::make);
    assertThat(left())
        .containsExactly(".unfinished.debian-initrd-2.78", "debian", "debian-initrd-1");
  }

  @Test
  void anEntryThatLacksAFileIsMadeAnew() throws IOException {
    Path entry = cache.get("debian", FILES, () -> {}, GuestCacheTest::make);
    Files.delete(entry.resolve("b"));
    cache.get("debian", FILES, () -> {}, GuestCacheTest::make);
    assertThat(entry.resolve("b")).hasContent("2");
  }

  @Test
  void aFolderThatCannotBeMadeIsOneClearLine() throws IOException {
    Files.writeString(folder.resolve("cache folder"), "a file is in the way");
    assertThatThrownBy(() -> cache.get("debian", FILES, () -> {}, GuestCacheTest::make))
        .isInstanceOf(GuestException.class)
        .hasMessageContaining("cache folder");
  }

  @Test
  void theFolderFollowsXdg() {
    assertThat(GuestCache.ofUser(Map.of("XDG_CACHE_HOME", "/x y"), "/home/u").entry("debian"))
        .isEqualTo(Path.of("/x y/troupe/guests/debian"));
    assertThat(GuestCache.ofUser(Map.of("XDG_CACHE_HOME", "relative"), "/home/u").entry("debian"))
        .isEqualTo(Path.of("/home/u/.cache/troupe/guests/debian"));
    assertThat(GuestCache.ofUser(Map.of(), "/home/u").entry("debian"))
        .isEqualTo(Path.of("/home/u/.cache/troupe/guests/debian"));
  }
}
