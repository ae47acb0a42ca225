package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.RecordEdit;
import dev.troupe.actors.journal.RecordFields;
import dev.troupe.runtime.journal.FrameBuilder;
import dev.troupe.runtime.journal.JournalException;
import dev.troupe.runtime.journal.JournalReader;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.JournalWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vmctl journal edit}: a copy of a journal with one record changed. */
@Command(
    name = "edit",
    description = "Writes a copy of a journal with one record changed.",
    mixinStandardHelpOptions = true)
final class JournalEdit implements Callable<Integer> {
  @Spec private CommandSpec command;

  @Parameters(index = "0", paramLabel = "FILE", description = "The journal.")
  private Path file;

  @Parameters(index = "1", paramLabel = "COPY", description = "The changed one.")
  private Path copy;

  @Option(
      names = "--message",
      paramLabel = "N",
      description = "Which: the message with this number.")
  private Long message;

  @Option(
      names = "--input",
      paramLabel = "N",
      description = "Which: the input with this number, from 1.")
  private Long input;

  @Option(
      names = "--set",
      required = true,
      paramLabel = "FIELD=VALUE",
      description = "What: value=0x41, high=true, bytes=TEXT.")
  private String set;

  private long inputs;
  private boolean done;

  @Override
  public Integer call() {
    if ((message == null) == (input == null)) {
      throw usage("one of --message and --input says which record");
    }
    if (copy.toAbsolutePath().normalize().equals(file.toAbsolutePath().normalize())) {
      throw usage("the copy cannot be the journal itself");
    }
    Path part = copy.toAbsolutePath().resolveSibling(copy.getFileName() + ".part");
    try {
      write(part);
      Files.move(part, copy, StandardCopyOption.REPLACE_EXISTING);
      return ExitCode.OK;
    } catch (IOException e) {
      delete(part);
      throw JournalSelection.unreadable(file, e);
    } catch (IllegalArgumentException e) {
      delete(part);
      throw usage("--set " + e.getMessage());
    }
  }

  private static void delete(Path part) {
    try {
      Files.deleteIfExists(part);
    } catch (IOException e) {
      Vmctl.complain(part + " stays behind: " + e.getMessage());
    }
  }

  private void write(Path part) throws IOException {
    try (JournalReader reader = new JournalReader(file);
        JournalWriter writer = new JournalWriter(part, reader.header())) {
      copy(reader, writer);
      if (!done) {
        throw new JournalException("journal " + file + ": no such record");
      }
      writer.finish();
      JournalSelection.complain(file, reader.damage());
    }
  }

  private void copy(JournalReader reader, JournalWriter writer) throws IOException {
    RecordEdit edit = RecordEdit.parse(set);
    RecordFields fields = new RecordFields(reader.header().getActorsList());
    FrameBuilder builder = new FrameBuilder();
    for (JournalRecord record = reader.next(); record != null; record = reader.next()) {
      JournalRecord written = record;
      if (wanted(record)) {
        written = edit.apply(record);
        done = true;
        System.out.println("was: " + fields.line(record));
        System.out.println("is:  " + fields.line(written));
      }
      builder.add(written);
      if (builder.full()) {
        writer.write(builder.take());
      }
    }
    if (!builder.isEmpty()) {
      writer.write(builder.take());
    }
  }

  private boolean wanted(JournalRecord record) {
    if (record instanceof JournalRecord.Input) {
      inputs++;
      return input != null && inputs == input;
    }
    return message != null
        && record instanceof JournalRecord.Message candidate
        && candidate.number() == message;
  }

  private ParameterException usage(String text) {
    return new ParameterException(command.commandLine(), text);
  }
}
