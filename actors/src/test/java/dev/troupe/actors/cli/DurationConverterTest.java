package dev.troupe.actors.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class DurationConverterTest {
  private final DurationConverter converter = new DurationConverter();

  @ParameterizedTest
  @CsvSource({
    "1ms, PT0.001S",
    "500ms, PT0.5S",
    "90s, PT1M30S",
    "5m, PT5M",
    "2h, PT2H",
    "1MS, PT0.001S",
    "1Ms, PT0.001S",
    "90S, PT1M30S",
    "5M, PT5M",
    "2H, PT2H"
  })
  void aUnitCountsInEitherCase(String text, Duration duration) {
    assertThat(converter.convert(text)).isEqualTo(duration);
  }

  @ParameterizedTest
  @CsvSource({"1, PT1S", "120, PT2M", "007, PT7S"})
  void aNumberWithoutAUnitCountsSeconds(String text, Duration duration) {
    assertThat(converter.convert(text)).isEqualTo(duration);
  }

  @ParameterizedTest
  @ValueSource(strings = {" 4s", "4s ", "\t4s\n"})
  void spaceAroundItIsNotPartOfIt(String text) {
    assertThat(converter.convert(text)).isEqualTo(Duration.ofSeconds(4));
  }

  @ParameterizedTest
  @ValueSource(strings = {"8784h", "527040m", "31622400s", "31622400", "31622400000ms"})
  void aYearIsTheLongestInEveryUnit(String text) {
    assertThat(converter.convert(text)).isEqualTo(Duration.ofDays(366));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "8785h",
        "527041m",
        "31622401s",
        "31622401",
        "31622400001ms",
        "9223372036854775807ms",
        "9223372036854775807s",
        "9223372036854775807m",
        "9223372036854775807h",
        "9223372036854775808",
        "99999999999999999999h"
      })
  void whatIsLongerIsRefusedAndDoesNotWrap(String text) {
    refused(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "0ms", "0s", "0m", "0h", "-1", "-1s", "-5m"})
  void nothingAndLessAreRefused(String text) {
    refused(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", " ", "s", "ms", "soon", "5x", "5d", "5us", "5sec", "5mm", "s5", "5 s", "1.5s", "1e3s",
        "1m30s", "+5", "0x10", "1_000", "\u0665s", "PT5S"
      })
  void everyOtherTextIsRefused(String text) {
    refused(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1\ns", "x\r\ny", "1\u001b[2J"})
  void theComplaintOfATextWithControlCharactersIsStillOneLine(String text) {
    assertThatThrownBy(() -> converter.convert(text))
        .isInstanceOf(TypeConversionException.class)
        .message()
        .doesNotContainPattern("\\p{Cntrl}")
        .contains("is not a duration");
  }

  private void refused(String text) {
    assertThatThrownBy(() -> converter.convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage(
            "'"
                + text
                + "' is not a duration (a number above 0 with ms, s, m or h, at most a year;"
                + " seconds without)");
  }
}
