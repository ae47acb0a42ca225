package dev.troupe.actors.vmctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.spec.EngineKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class TraceOptionsTest {
  private static final EngineKind INTERPRETER = EngineKind.ENGINE_KIND_INTERPRETER;

  @TempDir private Path folder;

  private static TraceOptions options(String... arguments) {
    TraceOptions options = new TraceOptions();
    new CommandLine(CommandLine.Model.CommandSpec.forAnnotatedObject(options))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .parseArgs(arguments);
    return options;
  }

  @Test
  void nothingIsTracedUnlessAskedFor() {
    assertThat(options().complaint(INTERPRETER, true)).isEmpty();
    assertThat(options().begin(false)).isNull();
  }

  @Test
  void theInterpreterHasAllButEmittedCode() {
    assertThat(options("--trace", "in_asm,exec").complaint(INTERPRETER, false)).isEmpty();
    assertThat(options("--trace", "in_asm,out_asm").complaint(INTERPRETER, false))
        .hasValue("--trace out_asm: the interpreter emits no code; it has in_asm and exec");
  }

  @Test
  void whatMakesNoSenseIsSaid() {
    assertThat(options("--trace-file", "x").complaint(INTERPRETER, false))
        .hasValue("--trace-file is for --trace");
    assertThat(options("--trace", "exec").complaint(INTERPRETER, true))
        .hasValue("--trace is not for --sharded runs");
  }

  @Test
  void onlyWhatIsAskedForGoesIntoTheFileInPlaceOfWhatWasThere() throws IOException {
    Path file = Files.writeString(folder.resolve("trace"), "of an earlier run\n".repeat(100));
    try (TraceWriter writer =
        options("--trace", "exec", "--trace-file", file.toString()).begin(true)) {
      writer.left(0, 2, 17);
    }
    assertThat(file).hasContent("left: vcpu0 block 2, budget 17");
  }

  @Test
  void aFileThatCannotBeWrittenIsNamed() {
    Path file = folder.resolve("none/trace");
    TraceOptions options = options("--trace", "exec", "--trace-file", file.toString());

    assertThatThrownBy(() -> options.begin(false))
        .isInstanceOf(UserException.class)
        .hasMessage("trace " + file + ": no such folder");
  }
}
