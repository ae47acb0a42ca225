package dev.troupe.actors.vmctl;

import dev.troupe.actors.journal.Where;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Places on the command line. */
final class WhereConverter implements ITypeConverter<Where> {
  @Override
  public Where convert(String text) {
    try {
      return Where.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
