package dev.troupe.actors.vmd;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.util.FileSize;
import dev.troupe.config.NodeConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where a daemon's log goes: standard error in the foreground, else a file. */
final class Logging {
  private static final String PATTERN =
      "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %logger{0}: %msg%n%ex{full}";

  /** The log and so many older parts of it, each of this size, are kept. */
  private static final int PARTS = 4;

  private static final long PART = 10L << 20;

  private static final String OURS = "dev.troupe";

  private Logging() {}

  /**
   * Sends the log where it belongs.
   *
   * @param foreground to standard error
   * @param verbose ours in detail
   */
  static void configure(NodeConfiguration.Log log, boolean foreground, boolean verbose)
      throws VmdException {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.detachAndStopAllAppenders();
    root.addAppender(foreground ? console(context) : file(context, log.file()));
    root.setLevel(Level.toLevel(log.level()));
    // What libraries say of their inner life is for those who look for something.
    if (!root.getLevel().isGreaterOrEqual(Level.INFO)) {
      return;
    }
    for (String quiet : new String[] {"org.apache.pekko", "com.zaxxer.hikari", "slick", "io"}) {
      context.getLogger(quiet).setLevel(Level.WARN);
    }
    context.getLogger("org.apache.pekko.cluster.Cluster").setLevel(root.getLevel());
    if (verbose) {
      context.getLogger(OURS).setLevel(Level.DEBUG);
    }
  }

  private static Appender<ILoggingEvent> console(LoggerContext context) {
    ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
    console.setContext(context);
    console.setTarget("System.err");
    console.setEncoder(encoder(context));
    console.start();
    return console;
  }

  private static Appender<ILoggingEvent> file(LoggerContext context, Path path)
      throws VmdException {
    try {
      Files.createDirectories(path.getParent());
      if (Files.exists(path) ? !Files.isWritable(path) : !Files.isWritable(path.getParent())) {
        throw new VmdException(VmdExit.UNAVAILABLE, "log " + path + " cannot be written");
      }
    } catch (IOException e) {
      throw new VmdException(VmdExit.UNAVAILABLE, "log " + path + " cannot be made: " + e);
    }
    RollingFileAppender<ILoggingEvent> file = new RollingFileAppender<>();
    file.setContext(context);
    file.setFile(path.toString());
    file.setEncoder(encoder(context));
    FixedWindowRollingPolicy parts = new FixedWindowRollingPolicy();
    parts.setContext(context);
    parts.setParent(file);
    parts.setFileNamePattern(path + ".%i");
    parts.setMinIndex(1);
    parts.setMaxIndex(PARTS);
    parts.start();
    SizeBasedTriggeringPolicy<ILoggingEvent> size = new SizeBasedTriggeringPolicy<>();
    size.setContext(context);
    size.setMaxFileSize(new FileSize(PART));
    size.start();
    file.setRollingPolicy(parts);
    file.setTriggeringPolicy(size);
    file.start();
    return file;
  }

  private static PatternLayoutEncoder encoder(LoggerContext context) {
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(PATTERN);
    encoder.start();
    return encoder;
  }

  /** Writes what is written, and no more. */
  static void close() {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).stop();
  }
}
