package dev.troupe.actors.vmd.door;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The daemon's log as {@code vmctl log} shows it: its last lines, and whoever follows. */
public final class LogRing extends AppenderBase<ILoggingEvent> implements AutoCloseable {
  /** Lines that are kept: some hours of a daemon that has little to say. */
  static final int LINES = 2000;

  /** Characters of one line; a stack trace is many lines. */
  private static final int LINE = 2000;

  private static final String PATTERN =
      "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %logger{0}: %msg%n%ex{full}";

  private static final String OURS = "dev.troupe";

  private final PatternLayout layout = new PatternLayout();
  private final Deque<String> lines = new ArrayDeque<>();
  private final List<Consumer<String>> followers = new CopyOnWriteArrayList<>();

  private LogRing() {}

  /** A ring that everything goes into that this process logs from now on. */
  public static LogRing install() {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    LogRing ring = new LogRing();
    ring.setContext(context);
    ring.setName("ring");
    ring.layout.setContext(context);
    ring.layout.setPattern(PATTERN);
    ring.layout.start();
    ring.start();
    context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(ring);
    return ring;
  }

  @Override
  protected void append(ILoggingEvent event) {
    // Who follows would be told of each line that it makes the connection log another.
    if (event.getLevel().toInt() < Level.INFO_INT && !event.getLoggerName().startsWith(OURS)) {
      return;
    }
    for (String line : layout.doLayout(event).split("\n", -1)) {
      if (!line.isBlank()) {
        add(line.length() > LINE ? line.substring(0, LINE) : line);
      }
    }
  }

  private synchronized void add(String line) {
    if (lines.size() == LINES) {
      lines.poll();
    }
    lines.add(line);
    followers.forEach(follower -> follower.accept(line));
  }

  /**
   * The last lines, and what follows to {@code follower}, none missing between them and none twice.
   *
   * @param count how many at most
   * @param follower must not block, and must not log
   */
  synchronized List<String> follow(int count, Consumer<String> follower) {
    followers.add(follower);
    return last(count);
  }

  /** Tells this follower nothing more. */
  void leave(Consumer<String> follower) {
    followers.remove(follower);
  }

  /** The last lines, oldest first. */
  synchronized List<String> last(int count) {
    List<String> all = new ArrayList<>(lines);
    return all.subList(Math.max(0, all.size() - count), all.size());
  }

  /** Whether Troupe's own classes log what they do in detail. */
  static void verbose(boolean verbose) {
    ((LoggerContext) LoggerFactory.getILoggerFactory())
        .getLogger(OURS)
        .setLevel(verbose ? Level.DEBUG : null);
  }

  /** Takes nothing more in. */
  @Override
  public void close() {
    ((LoggerContext) LoggerFactory.getILoggerFactory())
        .getLogger(Logger.ROOT_LOGGER_NAME)
        .detachAppender(this);
    stop();
  }
}
