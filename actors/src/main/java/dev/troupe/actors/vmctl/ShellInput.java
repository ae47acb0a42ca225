package dev.troupe.actors.vmctl;

import dev.troupe.actors.cli.Terminal;
import dev.troupe.actors.debug.ReplayTarget;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;

/** Where a shell's lines come from: a terminal, with history and completion, or a pipe. */
final class ShellInput {
  private static final String PROMPT = "(replay) ";

  private ShellInput() {}

  /** Takes lines until there are no more, or the shell has enough. */
  static void run(ReplayTarget target, Function<PrintWriter, ReplayShell> shells)
      throws IOException {
    if (Terminal.isTerminal()) {
      typed(target, shells);
    } else {
      piped(shells);
    }
  }

  private static void piped(Function<PrintWriter, ReplayShell> shells) throws IOException {
    PrintWriter out = new PrintWriter(System.out, false, StandardCharsets.UTF_8);
    ReplayShell shell = shells.apply(out);
    out.println(shell.where());
    out.flush();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null && !shell.isOver(); ) {
      shell.execute(line);
      line = shell.isOver() ? null : in.readLine();
    }
  }

  private static void typed(ReplayTarget target, Function<PrintWriter, ReplayShell> shells)
      throws IOException {
    try (org.jline.terminal.Terminal terminal = TerminalBuilder.builder().system(true).build()) {
      ReplayShell shell = shells.apply(terminal.writer());
      LineReader reader =
          LineReaderBuilder.builder()
              .terminal(terminal)
              .completer(new StringsCompleter(shell.names()))
              .build();
      terminal.handle(Signal.INT, signal -> target.interrupt());
      terminal.writer().println(shell.where());
      while (!shell.isOver()) {
        try {
          shell.execute(reader.readLine(PROMPT));
        } catch (UserInterruptException e) {
          // The line is dropped.
        } catch (EndOfFileException e) {
          return;
        }
      }
    }
  }
}
