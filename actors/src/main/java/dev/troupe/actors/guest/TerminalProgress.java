package dev.troupe.actors.guest;

import java.io.PrintStream;
import java.util.Locale;

/** A bar that is drawn over itself on a terminal, and one line a file anywhere else. */
public final class TerminalProgress implements Progress {
  /** Fits a terminal of 80 columns without touching the last one, where some wrap. */
  private static final int COLUMNS = 79;

  private static final int NAME = 33;
  private static final int BAR = 22;

  private final PrintStream out;
  private final boolean terminal;
  private boolean drawn;

  /**
   * Makes a progress display.
   *
   * @param out where it goes: standard error
   * @param terminal whether that is a terminal
   */
  public TerminalProgress(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  @Override
  public void say(String line) {
    wipe();
    out.println(line);
  }

  @Override
  public void advance(String what, long done, long total) {
    if (terminal) {
      out.print('\r' + line(what, done, total));
      out.flush();
      drawn = true;
    }
  }

  @Override
  public void done(String what, long total) {
    wipe();
    out.println(line(what, total, total));
  }

  private void wipe() {
    if (drawn) {
      out.print('\r' + " ".repeat(COLUMNS) + '\r');
      drawn = false;
    }
  }

  static String line(String what, long done, long total) {
    long whole = Math.max(1, total);
    long part = Math.clamp(done, 0, whole);
    int filled = (int) (part * BAR / whole);
    String name = what.length() > NAME ? what.substring(0, NAME - 1) + "~" : what;
    String sizes = String.format(Locale.ROOT, "%5.1f of %.1f MB", part / 1e6, total / 1e6);
    String line =
        String.format(
            Locale.ROOT,
            "%-" + NAME + "s [%s%s] %s",
            name,
            "=".repeat(filled),
            " ".repeat(BAR - filled),
            sizes);
    return line.length() > COLUMNS ? line.substring(0, COLUMNS) : line;
  }
}
