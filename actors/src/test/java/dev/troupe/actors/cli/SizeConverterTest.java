package dev.troupe.actors.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class SizeConverterTest {
  private final SizeConverter converter = new SizeConverter();

  @ParameterizedTest
  @CsvSource({
    "1K, 1024",
    "1M, 1048576",
    "1G, 1073741824",
    "1T, 1099511627776",
    "3k, 3072",
    "3m, 3145728",
    "3g, 3221225472",
    "3t, 3298534883328"
  })
  void aUnitIsAPowerOf1024InEitherCase(String text, long bytes) {
    assertThat(converter.convert(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({"1, 1048576", "512, 536870912", "007, 7340032"})
  void aNumberWithoutAUnitCountsMebibytes(String text, long bytes) {
    assertThat(converter.convert(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {" 4M", "4M ", "\t4M\n"})
  void spaceAroundItIsNotPartOfIt(String text) {
    assertThat(converter.convert(text)).isEqualTo(4 << 20);
  }

  @ParameterizedTest
  @CsvSource({
    "9007199254740991K, 9223372036854774784",
    "8796093022207M, 9223372036853727232",
    "8796093022207, 9223372036853727232",
    "8589934591G, 9223372035781033984",
    "8388607T, 9223370937343148032"
  })
  void theGreatestSizeOfEachUnitIsExact(String text, long bytes) {
    assertThat(converter.convert(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "9007199254740992K",
        "8796093022208M",
        "8796093022208",
        "8589934592G",
        "8388608T",
        "99999999999999999999",
        "99999999999999999999K"
      })
  void aSizeThatDoesNotFitIsRefusedAndDoesNotWrap(String text) {
    refused(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "0K", "0G", "000", "-1", "-1K", "-9223372036854775808K"})
  void nothingAndLessAreRefused(String text) {
    refused(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", " ", "K", "M", "x", "1x", "1B", "1MB", "1MiB", "1KK", "M1", "1 M", "1.5G", "1e3",
        "1,000", "0x10", "+1", "1_000", "\u0661M", "1P", "1\u212A", "NaN"
      })
  void everyOtherTextIsRefused(String text) {
    refused(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1\nM", "x\r\ny", "1\u001b[2J"})
  void theComplaintOfATextWithControlCharactersIsStillOneLine(String text) {
    assertThatThrownBy(() -> converter.convert(text))
        .isInstanceOf(TypeConversionException.class)
        .message()
        .doesNotContainPattern("\\p{Cntrl}")
        .contains("is not a size");
  }

  private void refused(String text) {
    assertThatThrownBy(() -> converter.convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage(
            "'" + text + "' is not a size (a number above 0 with K, M, G or T; MiB without)");
  }
}
