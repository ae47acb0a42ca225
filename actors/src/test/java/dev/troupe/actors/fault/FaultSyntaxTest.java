package dev.troupe.actors.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.runtime.journal.JournalActors;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every rule that is documented is read; one that is wrong is refused in one line. */
class FaultSyntaxTest {
  private static final List<String> ACTORS = JournalActors.names(2, List.of("pic", "ioapic"));

  private static FaultRule parse(String rule) {
    return FaultSyntax.parse(List.of(rule), ACTORS).getFirst();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "drop 1/1000 kind=LineLevel to=ioapic after=i:2000000000 seed=7",
        "delay by=5ms kind=LineLevel to=pic pin=4",
        "delay by=1.5us to=vcpu1 kind=Fixed vector=0x20 limit=3",
        "duplicate times=2 kind=Fixed to=vcpu1",
        "reorder past=3 within=1ms kind=IoWrite port=0x3f8",
        "corrupt payload.value:=0x41 m=35505",
        "corrupt 1/2 high:=flip kind=LineLevel after=t:1s before=m:9000",
        "corrupt bytes:=a\\x20b kind=ConsoleInput",
        "answer value:=0 kind=IoRead port=0x3fd",
        "  drop\tactor=gate  "
      })
  void whatIsDocumentedIsRead(String rule) {
    assertThat(parse(rule).text()).isEqualTo(rule);
  }

  @Test
  void aRuleIsAboutTheKindsThatItsVerbAndFieldsAllow() {
    assertThat(parse("answer value:=1").kinds())
        .containsExactlyInAnyOrder("IoRead", "InterruptAcknowledge");
    assertThat(parse("reorder port=0x20").kinds()).containsExactly("IoWrite");
    assertThat(parse("corrupt high:=false").kinds())
        .containsExactlyInAnyOrder("LineLevel", "Intr", "IgnoreNumericError");
    assertThat(parse("delay by=1ms").kinds()).contains("IoWrite", "Nmi").doesNotContain("IoRead");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "lose kind=LineLevel | 1 | 'lose', expected answer, corrupt, delay, drop, duplicate,"
            + " reorder",
        "drop kind=Linelevel | 6 | kind=Linelevel, expected ConsoleInput,",
        "drop to=ioapik | 6 | no actor 'ioapik', expected machine, gate, clock, vcpu0, vcpu1, pic,",
        "drop 3/2 | 6 | '3/2', expected P/Q with P from 1 to Q",
        "drop kind=LineLevel pni=4 | 21 | no field 'pni', expected high, pin",
        "drop kind=PowerButton pin=4 | 23 | no field 'pin', expected none",
        "drop after=5 | 6 | '5', expected m:N, i:N or t:D such as t:2.5s",
        "drop value:=5 | 6 | 'value:=5', expected no new value for drop",
        "drop by=5ms | 6 | an argument of delay, expected one of drop",
        "drop now | 6 | 'now', expected P/Q, NAME=VALUE or FIELD:=VALUE",
        "delay kind=LineLevel | 21 | nothing, expected by=D such as by=5ms",
        "delay by=5 | 7 | '5', expected virtual time such as 5ms, at most an hour",
        "delay by=1ms kind=IoRead | 14 | delay of IoRead, expected ConsoleInput,",
        "reorder kind=Nmi | 9 | reorder of Nmi, expected ConsoleInput,",
        "corrupt kind=LineLevel | 23 | no new value, expected FIELD:=VALUE or FIELD:=flip",
        "corrupt pin:=300 | 9 | pin=300, expected 0 to 255",
        "corrupt high:=maybe kind=Intr | 9 | high=maybe, expected true or false",
        "answer kind=IoRead | 19 | no answer, expected value:=NUMBER",
        "duplicate times=0 | 11 | times=0, expected a number from 1 to 1000",
        "drop seed=x | 6 | seed=x, expected a number from 0 on"
      })
  void whatIsWrongIsNamedWithItsColumnAndWhatWasExpected(String rule, int column, String what) {
    assertThatThrownBy(() -> FaultSyntax.parse(List.of("drop", rule), ACTORS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("fault rule 2 '%s', column %d: %s".formatted(rule, column, what));
  }
}
