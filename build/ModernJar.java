import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Writes jars again whose classes are of Java 5: the same code, as of Java 8, with stack maps. The JVM's cache of loaded classes
 * takes none older than Java 6, and reading and verifying picocli's each time is a fifth of a command's time. The launcher runs it on
 * its own copy of the jars: java ModernJar.java JAR...
 */
public final class ModernJar {
  /** Of a class file: where its major version is. */
  private static final int MAJOR_VERSION = 6;

  private static final int JAVA_6 = 50;

  private ModernJar() {}

  public static void main(String[] jars) throws IOException {
    for (String jar : jars) {
      rewrite(Path.of(jar));
    }
  }

  private static void rewrite(Path jar) throws IOException {
    Path modern = jar.resolveSibling(jar.getFileName() + ".modern");
    try (URLClassLoader classes = new URLClassLoader(new URL[] {jar.toUri().toURL()});
        ZipFile from = new ZipFile(jar.toFile());
        ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(modern))) {
      ClassFile files =
          ClassFile.of(
              StackMapsOption.GENERATE_STACK_MAPS,
              ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(classes)));
      for (ZipEntry entry : Collections.list(from.entries())) {
        byte[] bytes = from.getInputStream(entry).readAllBytes();
        if (entry.getName().endsWith(".class")
            && ByteBuffer.wrap(bytes).getShort(MAJOR_VERSION) < JAVA_6) {
          bytes = modern(files, bytes);
        }
        to.putNextEntry(new ZipEntry(entry.getName()));
        to.write(bytes);
        to.closeEntry();
      }
    }
    Files.move(modern, jar, StandardCopyOption.REPLACE_EXISTING);
  }

  private static byte[] modern(ClassFile files, byte[] bytes) {
    ClassModel old = files.parse(bytes);
    ClassTransform code =
        ClassTransform.transformingMethodBodies((builder, element) -> builder.with(element));
    return files.transformClass(
        old,
        code.andThen(
            ClassTransform.endHandler(builder -> builder.withVersion(ClassFile.JAVA_8_VERSION, 0))));
  }
}
