package dev.troupe.runtime.device.i8042;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.device.PowerEvent;
import dev.troupe.runtime.snapshot.StateVisitor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The PC/AT's keyboard controller (IBM PS/2 Hardware Interface Technical Reference, keyboard and
 * auxiliary device controller) with nothing plugged in: a command to the keyboard or mouse times
 * out at once, so that guests need not wait to find out. Output lines 0 and 1 are IRQ 1 and IRQ 12.
 */
public final class I8042 implements Device {
  public static final int DATA_PORT = 0x60;
  public static final int COMMAND_PORT = 0x64;

  /** Output line 0: keyboard data is there. */
  public static final int OUTPUT_KEYBOARD = 0;

  /** Output line 1: auxiliary device (mouse) data is there. */
  public static final int OUTPUT_AUXILIARY = 1;

  private static final int STATUS_FULL = 1 << 0;
  private static final int STATUS_SYSTEM = 1 << 2;
  private static final int STATUS_COMMAND = 1 << 3;
  private static final int STATUS_UNLOCKED = 1 << 4;
  private static final int STATUS_AUXILIARY = 1 << 5;
  private static final int STATUS_TIMEOUT = 1 << 6;

  private static final int MODE_KEYBOARD_INTERRUPT = 1 << 0;
  private static final int MODE_AUXILIARY_INTERRUPT = 1 << 1;
  private static final int MODE_SYSTEM = 1 << 2;
  private static final int MODE_KEYBOARD_OFF = 1 << 4;
  private static final int MODE_AUXILIARY_OFF = 1 << 5;

  private static final int OUTPUT_NO_RESET = 1 << 0;
  private static final int OUTPUT_A20 = 1 << 1;
  private static final int OUTPUT_KEYBOARD_FULL = 1 << 4;
  private static final int OUTPUT_AUXILIARY_FULL = 1 << 5;

  private static final int WRITE_OUTPUT_PORT = 0xD1;
  private static final int WRITE_KEYBOARD_BUFFER = 0xD2;
  private static final int WRITE_AUXILIARY_BUFFER = 0xD3;
  private static final int WRITE_AUXILIARY = 0xD4;

  private static final int SELF_TEST_PASSED = 0x55;
  private static final int INTERFACE_TEST_PASSED = 0x00;

  /** Input port: no manufacturing jumper, colour display, keyboard not locked. */
  private static final int INPUT_PORT = 0xF0;

  /** What the controller itself answers when a device does not: resend. */
  private static final int RESEND = 0xFE;

  /** The controller's RAM, byte 0 of which is the command byte. */
  private static final int RAM_SIZE = 32;

  /** Answers in a row that nobody has fetched; a command makes one. */
  private static final int MAX_ANSWERS = 16;

  /** A byte for the host and the status bits that come with it. */
  private record Answer(int value, int status) {}

  private final byte[] ram = new byte[RAM_SIZE];

  /** The first is in the output buffer; at most {@link #MAX_ANSWERS}. */
  private List<Answer> answers = new ArrayList<>();

  /** What the output buffer held last. */
  private int last;

  /** The command whose data byte comes next, or 0. */
  private int expecting;

  private int outputPort;
  private boolean lastWasCommand;
  private boolean keyboardLine;
  private boolean auxiliaryLine;

  /** Power-on. */
  public I8042() {
    clear();
  }

  private void clear() {
    Arrays.fill(ram, (byte) 0);
    // As firmware leaves it: tested, interrupt 1 on, mouse off.
    ram[0] = MODE_KEYBOARD_INTERRUPT | MODE_SYSTEM | MODE_AUXILIARY_OFF;
    answers.clear();
    last = 0;
    expecting = 0;
    outputPort = OUTPUT_NO_RESET | OUTPUT_A20;
    lastWasCommand = false;
  }

  @Override
  public String name() {
    return "i8042";
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    long result = 0;
    switch (message) {
      case BoardMessage.IoRead read -> {
        if (read.address() == DATA_PORT) {
          result = readData();
          drive(false, false, effects); // each byte makes an edge of its own
        } else {
          result = status();
        }
      }
      case BoardMessage.IoWrite write -> {
        int value = (int) write.value() & 0xFF;
        lastWasCommand = write.address() == COMMAND_PORT;
        if (lastWasCommand) {
          command(value, effects);
        } else {
          data(value, effects);
        }
      }
      case BoardMessage.Reset _ -> clear();
      default -> {
        return 0;
      }
    }
    drive(effects);
    return result;
  }

  private int status() {
    return (answers.isEmpty() ? 0 : STATUS_FULL | answers.getFirst().status)
        | ((ram[0] & MODE_SYSTEM) != 0 ? STATUS_SYSTEM : 0)
        | (lastWasCommand ? STATUS_COMMAND : 0)
        | STATUS_UNLOCKED;
  }

  private int readData() {
    if (!answers.isEmpty()) {
      last = answers.removeFirst().value;
    }
    return last;
  }

  private void answer(int value, int status) {
    if (answers.size() < MAX_ANSWERS) {
      answers.add(new Answer(value, status));
    }
  }

  private void command(int command, Effects effects) {
    expecting = 0;
    switch (command) {
      case 0xA7 -> ram[0] |= MODE_AUXILIARY_OFF;
      case 0xA8 -> ram[0] &= ~MODE_AUXILIARY_OFF;
      case 0xA9, 0xAB -> answer(INTERFACE_TEST_PASSED, 0);
      case 0xAA -> {
        ram[0] |= MODE_SYSTEM;
        answer(SELF_TEST_PASSED, 0);
      }
      case 0xAD -> ram[0] |= MODE_KEYBOARD_OFF;
      case 0xAE -> ram[0] &= ~MODE_KEYBOARD_OFF;
      case 0xC0 -> answer(INPUT_PORT, 0);
      case 0xD0 -> answer(outputPort(), 0);
      case WRITE_OUTPUT_PORT, WRITE_KEYBOARD_BUFFER, WRITE_AUXILIARY_BUFFER, WRITE_AUXILIARY ->
          expecting = command;
      case 0xDD -> outputPort &= ~OUTPUT_A20;
      case 0xDF -> outputPort |= OUTPUT_A20;
      case 0xE0 -> answer(0, 0); // test inputs: both clock lines low
      default -> {
        if (command >= 0xF0) {
          // A zero bit pulses that output low for 6 µs; bit 0 is the processor's reset.
          if ((command & OUTPUT_NO_RESET) == 0) {
            effects.power(new PowerEvent.Reset());
          }
        } else if (command >= 0x60 && command < 0x80) {
          expecting = command;
        } else if (command >= 0x20 && command < 0x40) {
          answer(ram[command & 0x1F] & 0xFF, 0);
        }
      }
    }
  }

  private int outputPort() {
    if (answers.isEmpty()) {
      return outputPort;
    }
    boolean auxiliary = (answers.getFirst().status & STATUS_AUXILIARY) != 0;
    return outputPort | (auxiliary ? OUTPUT_AUXILIARY_FULL : OUTPUT_KEYBOARD_FULL);
  }

  private void data(int value, Effects effects) {
    int command = expecting;
    expecting = 0;
    switch (command) {
      case WRITE_OUTPUT_PORT -> {
        outputPort = value & (OUTPUT_NO_RESET | OUTPUT_A20);
        if ((value & OUTPUT_NO_RESET) == 0) {
          effects.power(new PowerEvent.Reset());
        }
      }
      case WRITE_KEYBOARD_BUFFER -> answer(value, 0);
      case WRITE_AUXILIARY_BUFFER -> answer(value, STATUS_AUXILIARY);
      case WRITE_AUXILIARY -> answer(RESEND, STATUS_AUXILIARY | STATUS_TIMEOUT);
      case 0 -> {
        ram[0] &= ~MODE_KEYBOARD_OFF; // sending to the keyboard switches it on
        answer(RESEND, STATUS_TIMEOUT);
      }
      default -> ram[command & 0x1F] = (byte) value;
    }
  }

  private void drive(Effects effects) {
    boolean full = !answers.isEmpty();
    boolean auxiliary = full && (answers.getFirst().status & STATUS_AUXILIARY) != 0;
    drive(
        full && !auxiliary && (ram[0] & MODE_KEYBOARD_INTERRUPT) != 0,
        auxiliary && (ram[0] & MODE_AUXILIARY_INTERRUPT) != 0,
        effects);
  }

  private void drive(boolean keyboardLevel, boolean auxiliaryLevel, Effects effects) {
    if (keyboardLevel != keyboardLine) {
      keyboardLine = keyboardLevel;
      effects.line(OUTPUT_KEYBOARD, keyboardLevel);
    }
    if (auxiliaryLevel != auxiliaryLine) {
      auxiliaryLine = auxiliaryLevel;
      effects.line(OUTPUT_AUXILIARY, auxiliaryLevel);
    }
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    v.bytes("ram", ram);
    answers =
        v.list(
            "answers",
            answers,
            MAX_ANSWERS,
            new Answer(0, 0),
            (e, answer) ->
                new Answer(
                    e.int8("value", answer.value),
                    e.bits("status", answer.status, STATUS_AUXILIARY | STATUS_TIMEOUT)));
    last = v.int8("last", last);
    expecting = v.int8("expecting", expecting);
    outputPort = v.bits("outputPort", outputPort, OUTPUT_NO_RESET | OUTPUT_A20);
    lastWasCommand = v.bool("lastWasCommand", lastWasCommand);
    keyboardLine = v.bool("keyboardLine", keyboardLine);
    auxiliaryLine = v.bool("auxiliaryLine", auxiliaryLine);
  }
}
