package dev.troupe.runtime.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.runtime.engine.interpreter.PagedGuest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * What a part's version means never changes: {@code layouts.txt} holds a fingerprint of the names
 * and types of the fields, in order, of every part and version that there ever was.
 */
final class LayoutTest {
  private static final String FILE = "layouts.txt";

  @Test
  void a_layout_changes_only_with_its_version() {
    Map<String, String> known = known();
    List<String> complaints = new ArrayList<>();
    try (PagedGuest guest = new PagedGuest()) {
      guest.run(1_000); // fills the TLB, so that its entries are seen
      for (Layout layout : layouts(MachineStateTest.parts(guest))) {
        String before = known.get(layout.key());
        if (before == null) {
          complaints.add(
              "%s is new. Add this line to %s: %s %s"
                  .formatted(layout.key(), FILE, layout.key(), layout.fingerprint()));
        } else if (!before.equals(layout.fingerprint())) {
          complaints.add(
              ("%s has changed its fields, which are now [%s]. Snapshots with the old ones exist:"
                   + " let its state() ask for v.version(%d), give the fields that older versions"
                   + " lack their defaults by a branch on what that returns, leave the old line in"
                   + " %s and add: %s %d %s")
                  .formatted(
                      layout.path,
                      String.join(" ", layout.fields),
                      layout.version + 1,
                      FILE,
                      layout.path,
                      layout.version + 1,
                      layout.fingerprint()));
        }
      }
    }
    assertThat(complaints).as(String.join("\n", complaints)).isEmpty();
  }

  private static Map<String, String> known() {
    Map<String, String> lines = new TreeMap<>();
    try (InputStream in = LayoutTest.class.getResourceAsStream(FILE)) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      for (String line : text.lines().toList()) {
        if (!line.isBlank() && !line.startsWith("#")) {
          int last = line.lastIndexOf(' ');
          lines.put(line.substring(0, last), line.substring(last + 1));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return lines;
  }

  private static List<Layout> layouts(List<StatePart> parts) {
    List<Layout> all = new ArrayList<>();
    for (StatePart part : parts) {
      new Layout(part.name(), all).visit(part.part());
    }
    return all;
  }

  /** Collects the fields of one part; parts within it have their own. */
  private static final class Layout implements StateVisitor {
    private final String path;
    private final List<Layout> all;
    private final List<String> fields = new ArrayList<>();
    private final Set<String> lists = new HashSet<>();
    private int version;

    /** Levels within an element of a list that has been seen. */
    private int repeated;

    private int depth;

    Layout(String path, List<Layout> all) {
      this.path = path;
      this.all = all;
      all.add(this);
    }

    void visit(Stateful part) {
      part.state(this);
    }

    String key() {
      return path + " " + version;
    }

    String fingerprint() {
      StateHasher hasher = new StateHasher();
      for (String field : fields) {
        byte[] bytes = field.getBytes(StandardCharsets.UTF_8);
        hasher.bytes("field", bytes, bytes.length);
      }
      return "%016x".formatted(hasher.value());
    }

    private void add(String field) {
      if (repeated == 0) {
        fields.add(field);
      }
    }

    @Override
    public boolean restoring() {
      return false;
    }

    @Override
    public int version(int current) {
      version = current;
      return current;
    }

    @Override
    public long scalar(String name, int index, Width width, long value, long least, long most) {
      add((index == NO_INDEX ? name : name + "[" + index + "]") + ":" + width);
      return value;
    }

    @Override
    public <E extends Enum<E>> E constant(String name, E value, Class<E> type) {
      add(name + ":" + List.of(type.getEnumConstants()));
      return value;
    }

    @Override
    public void longs(String name, long[] values, int count, long least, long most) {
      add(name + ":LONG[" + count + "]");
    }

    @Override
    public void bytes(String name, byte[] values) {
      add(name + ":BYTE[" + values.length + "]");
    }

    @Override
    public byte[] bytes(String name, byte[] values, int mostBytes) {
      add(name + ":BYTE[]");
      return values;
    }

    @Override
    public <T> List<T> list(
        String name, List<T> values, int most, T blank, Element<T> description) {
      add(name + ":size");
      enter(name, 0);
      description.state(this, blank);
      leave();
      return values;
    }

    @Override
    public void part(String name, Stateful part) {
      add(name + ":part");
      new Layout(path + "." + name, all).visit(part);
    }

    @Override
    public void enter(String name, int index) {
      depth++;
      if (repeated == 0 && !lists.add(name)) {
        repeated = depth;
      }
      add(name + "{");
    }

    @Override
    public void leave() {
      add("}");
      if (repeated == depth) {
        repeated = 0;
      }
      depth--;
    }

    @Override
    public void require(boolean valid, String name, long value, String expected) {}
  }
}
