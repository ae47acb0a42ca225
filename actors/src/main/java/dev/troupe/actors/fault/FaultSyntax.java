package dev.troupe.actors.fault;

import dev.troupe.actors.journal.RecordEdit;
import dev.troupe.actors.journal.RecordText;
import dev.troupe.actors.journal.VirtualTime;
import dev.troupe.actors.journal.Where;
import dev.troupe.runtime.journal.RecordLimits;
import dev.troupe.runtime.machine.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a rule, of words with blanks between:
 *
 * <pre>
 * VERB [P/Q] [CONDITION ...] [ARGUMENT ...]
 *
 * drop 1/1000 kind=LineLevel to=ioapic after=i:2000000000 seed=7
 * delay by=5ms kind=LineLevel to=pic pin=4
 * duplicate times=2 kind=Fixed to=vcpu1
 * reorder past=1 within=1ms kind=IoWrite port=0x3f8
 * corrupt value:=0x41 m=35505
 * answer value:=0 kind=IoRead port=0x3fd
 * </pre>
 *
 * <p>Conditions are {@code kind from to actor m after before}, and fields of the payload. Arguments
 * of all rules are {@code seed} and {@code limit}.
 */
public final class FaultSyntax {
  /** How long a reordered message waits for others if the rule does not say: a millisecond. */
  private static final long WITHIN_NANOS = 1_000_000;

  /** Delays, at most: an hour of the guest's. */
  private static final long MOST_NANOS = 3600L * 1_000_000_000;

  private static final Set<String> VERBS =
      new TreeSet<>(List.of("drop", "delay", "duplicate", "reorder", "corrupt", "answer"));

  private static final Pattern WORD = Pattern.compile("\\S+");
  private static final Pattern CHANCE = Pattern.compile("(\\d{1,9})/(\\d{1,9})");
  private static final Pattern CHANGE = Pattern.compile("(?:payload\\.)?(\\w+):=(.*)");
  private static final Pattern SETTING = Pattern.compile("(?:payload\\.)?(\\w+)=(.+)");

  /** In the place of a new value: one bit, drawn from the seed, is the other. */
  private static final String FLIP = "flip";

  private final int number;
  private final String text;
  private final List<String> actors;
  private int column;

  private String verb;
  private int chance = 1;
  private int outOf = 1;
  private String kind;
  private int from = FaultRule.ANY;
  private int to = FaultRule.ANY;
  private int either = FaultRule.ANY;
  private long message = FaultRule.ANY;
  private Predicate<Position> begin = position -> true;
  private Predicate<Position> end = position -> false;
  private long seed;
  private long limit = Long.MAX_VALUE;
  private long by;
  private int times = 1;
  private int past = 1;
  private long within = WITHIN_NANOS;
  private String changed;
  private String value;
  private final List<FaultRule.Term> terms = new ArrayList<>();

  /** Where the words stand whose meaning depends on others. */
  private int kindColumn = 1;

  private int changeColumn = 1;
  private final List<Integer> termColumns = new ArrayList<>();

  private FaultSyntax(int number, String text, List<String> actors) {
    this.number = number;
    this.text = text;
    this.actors = actors;
  }

  /**
   * Reads rules.
   *
   * @param actors the machine's, by number
   * @throws IllegalArgumentException with rule, column and what was expected
   */
  public static List<FaultRule> parse(List<String> texts, List<String> actors) {
    if (texts.size() > RecordLimits.RULES) {
      throw new IllegalArgumentException(
          "%d fault rules, expected at most %d".formatted(texts.size(), RecordLimits.RULES));
    }
    List<FaultRule> rules = new ArrayList<>();
    for (String text : texts) {
      rules.add(new FaultSyntax(rules.size() + 1, text, actors).rule());
    }
    return rules;
  }

  private IllegalArgumentException bad(int at, String what, String expected) {
    return new IllegalArgumentException(
        "fault rule %d '%s', column %d: %s, expected %s"
            .formatted(number, text, at, what, expected));
  }

  private FaultRule rule() {
    Matcher words = WORD.matcher(text);
    while (words.find()) {
      column = words.start() + 1;
      word(words.group());
    }
    if (verb == null) {
      throw bad(1, "no rule", String.join(", ", VERBS));
    }
    List<String> kinds = kinds();
    return new FaultRule(
        text,
        action(),
        kinds,
        new FaultRule.Ends(from, to, either),
        terms,
        new FaultRule.Range(message, begin, end),
        chance,
        outOf,
        seed,
        limit);
  }

  private void word(String word) {
    Matcher ofChance = CHANCE.matcher(word);
    Matcher change = CHANGE.matcher(word);
    Matcher setting = SETTING.matcher(word);
    if (verb == null) {
      if (!VERBS.contains(word)) {
        throw bad(column, "'" + word + "'", String.join(", ", VERBS));
      }
      verb = word;
    } else if (ofChance.matches()) {
      chance = Integer.parseInt(ofChance.group(1));
      outOf = Integer.parseInt(ofChance.group(2));
      if (chance < 1 || chance > outOf) {
        throw bad(column, "'" + word + "'", "P/Q with P from 1 to Q");
      }
    } else if (change.matches()) {
      if (!verb.equals("corrupt") && !verb.equals("answer")) {
        throw bad(column, "'" + word + "'", "no new value for " + verb);
      }
      changed = change.group(1);
      value = change.group(2);
      changeColumn = column;
    } else if (setting.matches()) {
      set(setting.group(1), setting.group(2));
    } else {
      throw bad(column, "'" + word + "'", "P/Q, NAME=VALUE or FIELD:=VALUE");
    }
  }

  private void set(String name, String given) {
    switch (name) {
      case "kind" -> {
        kind = given;
        kindColumn = column;
        if (!FaultKinds.all().contains(kind)) {
          throw bad(column, "kind=" + kind, String.join(", ", FaultKinds.all()));
        }
      }
      case "from" -> from = actor(given);
      case "to" -> to = actor(given);
      case "actor" -> either = actor(given);
      case "m" -> message = number(name, given, Long.MAX_VALUE);
      case "after" -> begin = where(given);
      case "before" -> end = where(given);
      case "seed" -> seed = number(name, given, Long.MAX_VALUE);
      case "limit" -> limit = number(name, given, Long.MAX_VALUE);
      case "by" -> by = only("delay", nanos(given));
      case "times" -> times = (int) only("duplicate", number(name, given, RecordLimits.REPEATS));
      case "past" -> past = (int) only("reorder", number(name, given, RecordLimits.REPEATS));
      case "within" -> within = only("reorder", nanos(given));
      default -> {
        termColumns.add(column);
        terms.add(
            RecordText.isNumber(given)
                ? new FaultRule.NumberTerm(name, RecordText.number(given))
                : new FaultRule.TextTerm(name, given));
      }
    }
  }

  private long only(String wanted, long argument) {
    if (!verb.equals(wanted)) {
      throw bad(column, "an argument of " + wanted, "one of " + verb);
    }
    return argument;
  }

  private int actor(String name) {
    int index = actors.indexOf(name);
    if (index < 0) {
      throw bad(column, "no actor '" + name + "'", String.join(", ", actors));
    }
    return index;
  }

  private long number(String name, String given, long most) {
    long least = name.equals("seed") ? 0 : 1;
    long parsed = RecordText.isNumber(given) ? RecordText.number(given) : -1;
    if (parsed < least || parsed > most) {
      throw bad(
          column,
          name + "=" + given,
          most == Long.MAX_VALUE
              ? "a number from " + least + " on"
              : "a number from %d to %d".formatted(least, most));
    }
    return parsed;
  }

  private Where where(String given) {
    try {
      return Where.parse(given);
    } catch (IllegalArgumentException e) {
      throw bad(column, "'" + given + "'", "m:N, i:N or t:D such as t:2.5s");
    }
  }

  private long nanos(String given) {
    long nanos = VirtualTime.isTime(given) ? VirtualTime.nanos(given) : 0;
    if (nanos < 1 || nanos > MOST_NANOS) {
      throw bad(column, "'" + given + "'", "virtual time such as 5ms, at most an hour");
    }
    return nanos;
  }

  /** The kinds that the verb can be used on and that have all the fields. */
  private List<String> kinds() {
    List<String> usable =
        FaultKinds.those(
            candidate ->
                switch (verb) {
                  case "delay" -> !FaultKinds.isQuestion(candidate);
                  case "reorder" ->
                      !FaultKinds.isQuestion(candidate) && !FaultKinds.isInterrupt(candidate);
                  case "answer" -> FaultKinds.isQuestion(candidate);
                  default -> true;
                });
    if (kind != null) {
      if (!usable.contains(kind)) {
        throw bad(kindColumn, verb + " of " + kind, String.join(", ", usable));
      }
      usable.retainAll(List.of(kind));
    }
    for (int i = 0; i < terms.size(); i++) {
      keep(usable, terms.get(i).field(), termColumns.get(i));
    }
    if (verb.equals("corrupt") && changed != null) {
      keep(usable, changed, changeColumn);
      change(usable);
    }
    return usable;
  }

  /** Keeps the kinds of which the new message can be made. */
  private void change(List<String> usable) {
    String trial = value.equals(FLIP) ? flipped() : value;
    List<String> reasons = new ArrayList<>();
    usable.removeIf(
        candidate -> {
          try {
            FaultKinds.change(candidate, new RecordEdit(changed, trial));
            return false;
          } catch (IllegalArgumentException e) {
            reasons.add(e.getMessage());
            return true;
          }
        });
    if (usable.isEmpty()) {
      throw new IllegalArgumentException(
          "fault rule %d '%s', column %d: %s"
              .formatted(number, text, changeColumn, reasons.getFirst()));
    }
  }

  /** A value that a flipped bit may give. */
  private String flipped() {
    return changed.equals("high") || changed.equals("level") ? "true" : "1";
  }

  private void keep(List<String> usable, String field, int at) {
    Set<String> known = new TreeSet<>();
    usable.forEach(candidate -> known.addAll(FaultKinds.fields(candidate)));
    usable.removeIf(candidate -> !FaultKinds.fields(candidate).contains(field));
    if (usable.isEmpty()) {
      throw bad(
          at, "no field '" + field + "'", known.isEmpty() ? "none" : String.join(", ", known));
    }
  }

  private FaultAction action() {
    return switch (verb) {
      case "drop" -> new FaultAction.Drop();
      case "delay" -> {
        if (by == 0) {
          throw bad(text.length() + 1, "nothing", "by=D such as by=5ms");
        }
        yield new FaultAction.Delay(by);
      }
      case "duplicate" -> new FaultAction.Duplicate(times);
      case "reorder" -> new FaultAction.Reorder(past, within);
      case "answer" -> {
        if (changed == null || !changed.equals("value") || !RecordText.isNumber(value)) {
          throw bad(
              changed == null ? text.length() + 1 : changeColumn, "no answer", "value:=NUMBER");
        }
        yield new FaultAction.Answer(RecordText.number(value));
      }
      default -> {
        if (changed == null || value.isEmpty()) {
          throw bad(
              changed == null ? text.length() + 1 : changeColumn,
              "no new value",
              "FIELD:=VALUE or FIELD:=flip");
        }
        yield new FaultAction.Corrupt(
            changed,
            value.equals(FLIP) ? Optional.empty() : Optional.of(new RecordEdit(changed, value)));
      }
    };
  }
}
