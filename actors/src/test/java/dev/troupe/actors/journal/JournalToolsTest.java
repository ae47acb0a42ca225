package dev.troupe.actors.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.Interrupt;
import dev.troupe.runtime.journal.JournalActors;
import dev.troupe.runtime.journal.JournalRecord;
import dev.troupe.runtime.journal.Place;
import dev.troupe.runtime.machine.Position;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** What users see of records, look for in them, and change. */
class JournalToolsTest {
  private static final List<String> ACTORS = JournalActors.names(2, List.of("pic", "uart0"));
  private static final RecordFields FIELDS = new RecordFields(ACTORS);
  private static final Place PLACE = new Place(3, new Position(1000, 7, 2_000_000_001L));
  private static final JournalRecord WRITE =
      new JournalRecord.Message(
          8, 4, 6, 1_500_000_000L, new BoardMessage.IoWrite(AddressSpace.PORT, 0x3F8, 1, 0x41));
  private static final JournalRecord LINE =
      new JournalRecord.Message(9, 6, 5, 1_400_000_000L, new BoardMessage.LineLevel(4, true));
  private static final JournalRecord TYPED =
      new JournalRecord.Typed(PLACE, false, "a \"b\"\n\0".getBytes(StandardCharsets.US_ASCII));

  @Test
  void aRecordIsOneLine() {
    assertThat(FIELDS.line(WRITE))
        .isEqualTo("m:8 t:1.500000000 vcpu1->uart0 IoWrite port=0x3f8 size=1 value=0x41");
    assertThat(FIELDS.line(LINE))
        .isEqualTo("m:9 t:1.400000000 uart0->pic LineLevel pin=4 high=true");
    assertThat(FIELDS.line(TYPED))
        .isEqualTo("i:1000 m:7 t:2.000000001 Typed scripted=false bytes=\"a \\\"b\\\"\\n\\x00\"");
    assertThat(FIELDS.line(new JournalRecord.Interrupted(1, new Interrupt.Fixed(0x30, true))))
        .isEqualTo("->vcpu1 Fixed vector=0x30 level=true");
  }

  @ParameterizedTest
  @CsvSource({
    "to=uart0, true",
    "to=pic, false",
    "actor=vcpu1 kind=IoWrite, true",
    "kind=iowrite value=65, true",
    "port=0x3F8 size=0x1, true",
    "value=0x42, false",
    "pin=4, false",
    "'', true"
  })
  void aConditionHoldsIfAllItsTermsDo(String condition, boolean holds) {
    assertThat(new RecordFilter(FIELDS, condition).test(WRITE)).isEqualTo(holds);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pic", "=pic", "to=pic kind"})
  void whatIsNoConditionIsRefused(String condition) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RecordFilter(FIELDS, condition))
        .withMessageContaining("expected FIELD=VALUE");
  }

  @Test
  void anEditChangesOneFieldAndNothingElse() {
    assertThat(FIELDS.line(RecordEdit.parse("payload.value=0x7e").apply(WRITE)))
        .isEqualTo(FIELDS.line(WRITE).replace("0x41", "0x7e"));
    assertThat(FIELDS.line(RecordEdit.parse("high=false").apply(LINE)))
        .isEqualTo(FIELDS.line(LINE).replace("true", "false"));
    JournalRecord typed = RecordEdit.parse("bytes=x\\ny").apply(TYPED);
    assertThat(((JournalRecord.Typed) typed).bytes())
        .isEqualTo("x\ny".getBytes(StandardCharsets.US_ASCII));
  }

  @ParameterizedTest
  @ValueSource(strings = {"value", "pin=3", "value=yes", "bytes=a"})
  void anEditThatMakesNoSenseIsRefused(String edit) {
    assertThatIllegalArgumentException().isThrownBy(() -> RecordEdit.parse(edit).apply(WRITE));
  }

  @Test
  void aChromeTraceNamesItsTracksAndTimeNeverGoesBackInOne() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ChromeTrace trace = new ChromeTrace(ACTORS, out)) {
      List.of(WRITE, LINE, TYPED, new JournalRecord.Reply(1, -1), WRITE).forEach(trace::write);
    }
    List<Map<String, String>> events = events(out.toByteArray());
    assertThat(events).hasSize(ACTORS.size() + 5);
    assertThat(events)
        .allMatch(event -> event.keySet().containsAll(List.of("name", "ph", "ts", "pid", "tid")));
    Map<String, Double> last = new HashMap<>();
    for (Map<String, String> event : events) {
      double time = Double.parseDouble(event.get("ts"));
      assertThat(time).isGreaterThanOrEqualTo(last.getOrDefault(event.get("tid"), 0.0));
      last.put(event.get("tid"), time);
    }
    assertThat(events.get(ACTORS.size()))
        .containsEntry("name", "IoWrite")
        .containsEntry("ph", "i")
        .containsEntry("tid", "6");
  }

  /** The events' own fields; their arguments are passed over. */
  private static List<Map<String, String>> events(byte[] json) throws IOException {
    List<Map<String, String>> events = new ArrayList<>();
    try (JsonParser parser =
        JsonFactory.builder().build().createParser(ObjectReadContext.empty(), json)) {
      assertThat(parser.nextToken()).isEqualTo(JsonToken.START_OBJECT);
      assertThat(parser.nextName()).isEqualTo("traceEvents");
      assertThat(parser.nextToken()).isEqualTo(JsonToken.START_ARRAY);
      while (parser.nextToken() == JsonToken.START_OBJECT) {
        Map<String, String> event = new HashMap<>();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
          String name = parser.currentName();
          if (parser.nextToken() == JsonToken.START_OBJECT) {
            parser.skipChildren();
          } else {
            event.put(name, parser.getString());
          }
        }
        events.add(event);
      }
    }
    return events;
  }
}
