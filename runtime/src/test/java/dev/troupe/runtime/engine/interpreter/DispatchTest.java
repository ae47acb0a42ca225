package dev.troupe.runtime.engine.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class DispatchTest {
  /** HotSpot never compiles longer methods (HugeMethodLimit). */
  private static final int HUGE = 8_000;

  /** What the generated cases should stay under, so that C2 inlines well. */
  private static final int LARGE = 4_500;

  @Test
  void theCheckedInDispatchIsFresh() throws IOException {
    DispatchGenerator generator = new DispatchGenerator();
    Path main = DispatchGenerator.sourceRoot();
    generator.generate(main);
    for (Map.Entry<String, String> file : generator.output.entrySet()) {
      Path path = main.resolve(file.getKey());
      assertThat(path).as("run DispatchGenerator.main").exists();
      // The formatter may break lines as it likes.
      assertThat(Files.readString(path).replaceAll("\\s", ""))
          .as("%s is stale: run DispatchGenerator.main", file.getKey())
          .isEqualTo(file.getValue().replaceAll("\\s", ""));
    }
    Path folder = main.resolve("java").resolve(DispatchClasses.PACKAGE.replace('.', '/'));
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.count()).isEqualTo(generator.output.size() - 1);
    }
  }

  @Test
  void everyMeaningThatARowNamesHasAMethod() throws IOException {
    DispatchGenerator generator = new DispatchGenerator();
    generator.generate(DispatchGenerator.sourceRoot());
    assertThat(generator.missing).isEmpty();
  }

  @Test
  void noMethodIsTooLongForTheCompiler() throws IOException, URISyntaxException {
    Path root =
        Path.of(Interpreter.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<String> huge = new ArrayList<>();
    List<String> large = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
        ClassModel type = ClassFile.of().parse(file);
        boolean generated = file.getParent().getFileName().toString().equals("group");
        for (MethodModel method : type.methods()) {
          int length =
              method
                  .findAttribute(java.lang.classfile.Attributes.code())
                  .map(CodeAttribute::codeLength)
                  .orElse(0);
          String name =
              root.relativize(file) + " " + method.methodName().stringValue() + " " + length;
          // Class initializers run once, and only interpreted.
          if (length > HUGE && !method.methodName().stringValue().equals("<clinit>")) {
            huge.add(name);
          }
          if (generated && length > LARGE) {
            large.add(name);
          }
        }
      }
    }
    assertThat(huge).isEmpty();
    assertThat(large).isEmpty();
  }
}
