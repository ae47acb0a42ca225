package dev.troupe.runtime.device.uart;

import static dev.troupe.runtime.device.uart.Registers.DATA;
import static dev.troupe.runtime.device.uart.Registers.FCR_CLEAR_RECEIVE;
import static dev.troupe.runtime.device.uart.Registers.FCR_CLEAR_TRANSMIT;
import static dev.troupe.runtime.device.uart.Registers.FCR_ENABLE;
import static dev.troupe.runtime.device.uart.Registers.IER_ALL;
import static dev.troupe.runtime.device.uart.Registers.IER_LINE_STATUS;
import static dev.troupe.runtime.device.uart.Registers.IER_MODEM_STATUS;
import static dev.troupe.runtime.device.uart.Registers.IER_RECEIVED;
import static dev.troupe.runtime.device.uart.Registers.IER_TRANSMIT_EMPTY;
import static dev.troupe.runtime.device.uart.Registers.IIR_FIFOS;
import static dev.troupe.runtime.device.uart.Registers.IIR_LINE_STATUS;
import static dev.troupe.runtime.device.uart.Registers.IIR_MODEM_STATUS;
import static dev.troupe.runtime.device.uart.Registers.IIR_NONE;
import static dev.troupe.runtime.device.uart.Registers.IIR_RECEIVED;
import static dev.troupe.runtime.device.uart.Registers.IIR_TIMEOUT;
import static dev.troupe.runtime.device.uart.Registers.IIR_TRANSMIT_EMPTY;
import static dev.troupe.runtime.device.uart.Registers.INTERRUPT_ENABLE;
import static dev.troupe.runtime.device.uart.Registers.INTERRUPT_IDENT;
import static dev.troupe.runtime.device.uart.Registers.LCR_DIVISOR_LATCH;
import static dev.troupe.runtime.device.uart.Registers.LINE_CONTROL;
import static dev.troupe.runtime.device.uart.Registers.LINE_STATUS;
import static dev.troupe.runtime.device.uart.Registers.LSR_DATA_READY;
import static dev.troupe.runtime.device.uart.Registers.LSR_ERRORS;
import static dev.troupe.runtime.device.uart.Registers.LSR_OVERRUN;
import static dev.troupe.runtime.device.uart.Registers.LSR_THR_EMPTY;
import static dev.troupe.runtime.device.uart.Registers.LSR_TRANSMITTER_EMPTY;
import static dev.troupe.runtime.device.uart.Registers.MODEM_CONTROL;
import static dev.troupe.runtime.device.uart.Registers.MODEM_STATUS;
import static dev.troupe.runtime.device.uart.Registers.SCRATCH;

import dev.troupe.proto.message.BoardMessage;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.Effects;
import dev.troupe.runtime.snapshot.StateVisitor;

/**
 * 16550A serial port with FIFOs (National Semiconductor PC16550D). Output line 0 is its interrupt,
 * which as on a PC goes out only while MCR.OUT2 is set. The far end holds CTS, DSR and DCD.
 *
 * <p>Input is never lost. It waits on the line, in a buffer whose free space the backend is
 * granted, until the guest listens: it has enabled the receive interrupt, or looks for data again
 * and again. Bytes come at a character's time each, whatever the divisor, and only while the FIFO
 * has room. A FIFO reset puts unread bytes back onto the line, because a guest resets it before it
 * begins to listen. Output leaves at once, while the backend has room; without, it waits in the
 * FIFO.
 */
public final class Uart implements Device {
  public static final int COM1_PORT = 0x3F8;

  /** Ports from the first. */
  public static final int PORTS = 8;

  /** Output line 0: the interrupt request. */
  public static final int OUTPUT_IRQ = 0;

  /** Bytes of input that can wait on the line: one large paste. */
  public static final int INPUT_WINDOW = 4096;

  /**
   * Bytes of output that the backend must have room for at the machine's start: a full screen many
   * times over.
   */
  public static final int OUTPUT_WINDOW = 64 * 1024;

  private static final int TIMER_ARRIVAL = 0;
  private static final int TIMER_TIMEOUT = 1;

  private static final int FIFO_SIZE = 16;

  /** Ten bits at 115,200 baud. */
  private static final long CHARACTER_NANOS = 86_806;

  /** The FIFO's time-out: four characters without an arrival or a read (page 19). */
  private static final long TIMEOUT_NANOS = 4 * CHARACTER_NANOS;

  /**
   * So many looks at an empty receiver, with nothing in between, make a guest that polls; a
   * driver's writes look once each.
   */
  private static final int POLLS = 4;

  private static final int[] TRIGGER_LEVELS = {1, 4, 8, 14};

  // What firmware leaves: 9600 baud, 8 data bits, no parity.
  private static final int INITIAL_DIVISOR = 12;
  private static final int INITIAL_LINE_CONTROL = 3;

  private final String name;

  /** Input that the guest has not been shown. */
  private final ByteQueue line = new ByteQueue(INPUT_WINDOW);

  private final ByteQueue received = new ByteQueue(FIFO_SIZE);
  private final ByteQueue toSend = new ByteQueue(FIFO_SIZE);

  /** Bytes that the backend may still send. */
  private int granted;

  /** Bytes that the backend still has room for. */
  private int room = OUTPUT_WINDOW;

  private int divisor = INITIAL_DIVISOR;
  private int interruptEnable;
  private int fifoControl;
  private int lineControl = INITIAL_LINE_CONTROL;
  private final Modem modem = new Modem();
  private int lineErrors;
  private int scratch;

  /** The transmitter has become empty and nobody has been told. */
  private boolean transmitInterrupt;

  private boolean timeout;
  private int polls;

  /** The next byte on the line is complete at this time at the earliest. */
  private long arrival;

  /** The last arrival or read. */
  private long idleSince;

  private long arrivalTimer = Long.MAX_VALUE;
  private long timeoutTimer = Long.MAX_VALUE;
  private boolean irq;

  /** Makes a port; the name tells several apart. */
  public Uart(String name) {
    this.name = name;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long handle(BoardMessage message, long now, Effects effects) {
    receive(now);
    long result = 0;
    switch (message) {
      case BoardMessage.IoRead read -> result = read((int) read.address() & 7, now, effects);
      case BoardMessage.IoWrite write ->
          write((int) write.address() & 7, (int) write.value() & 0xFF, now, effects);
      case BoardMessage.ConsoleInput(byte[] bytes) -> input(bytes, now);
      case BoardMessage.ConsoleRoom(int bytes) -> {
        room = Math.clamp((long) room + bytes, 0, OUTPUT_WINDOW);
        send(effects);
      }
      case BoardMessage.TimerFired(int timer, long _) -> {
        if (timer == TIMER_ARRIVAL) {
          arrivalTimer = Long.MAX_VALUE;
        } else {
          timeoutTimer = Long.MAX_VALUE;
        }
      }
      case BoardMessage.Reset _ -> reset(effects);
      default -> {
        return 0;
      }
    }
    receive(now);
    drive(effects);
    arm(effects);
    return result;
  }

  private void reset(Effects effects) {
    unread();
    toSend.clear();
    divisor = INITIAL_DIVISOR;
    interruptEnable = 0;
    fifoControl = 0;
    lineControl = INITIAL_LINE_CONTROL;
    modem.reset();
    lineErrors = 0;
    scratch = 0;
    transmitInterrupt = false;
    timeout = false;
    polls = 0;
    // Whatever the machine has set is replaced.
    arrivalTimer = 0;
    timeoutTimer = 0;
    grant(INPUT_WINDOW - line.size() - granted, effects);
  }

  private void grant(int bytes, Effects effects) {
    if (bytes > 0) {
      granted += bytes;
      effects.room(bytes);
    }
  }

  private boolean fifos() {
    return (fifoControl & FCR_ENABLE) != 0;
  }

  private int trigger() {
    return fifos() ? TRIGGER_LEVELS[fifoControl >> 6] : 1;
  }

  private int capacity() {
    return fifos() ? FIFO_SIZE : 1;
  }

  private boolean listens() {
    return !modem.loops() && ((interruptEnable & IER_RECEIVED) != 0 || polls >= POLLS);
  }

  private void input(byte[] bytes, long now) {
    if (line.isEmpty()) {
      arrival = Math.max(arrival, now + CHARACTER_NANOS);
    }
    for (byte value : bytes) {
      granted = Math.max(0, granted - 1);
      if (!line.add(value)) {
        lineErrors |= LSR_OVERRUN; // more than was granted
      }
    }
  }

  /**
   * Moves what has arrived by now from the line to the FIFO; a pause of the listening starts a
   * character's time anew.
   */
  private void receive(long now) {
    if (line.isEmpty() || !listens() || received.size() >= capacity()) {
      arrival = Math.max(arrival, now + CHARACTER_NANOS);
    } else {
      while (arrival <= now && !line.isEmpty() && received.size() < capacity()) {
        accept(line.remove(), arrival);
        arrival += CHARACTER_NANOS;
      }
    }
    if (!received.isEmpty() && fifos() && now - idleSince >= TIMEOUT_NANOS) {
      timeout = true;
    }
  }

  private void accept(int value, long time) {
    if (received.size() >= capacity()) {
      lineErrors |= LSR_OVERRUN;
      if (!fifos()) { // the new character destroys the old one; with FIFOs it is lost itself (page
        // 17)
        received.clear();
        received.add(value);
      }
      return;
    }
    received.add(value);
    idleSince = time;
  }

  /** Puts what the guest has not read back onto the line. */
  private void unread() {
    while (!received.isEmpty()) {
      int value = received.removeLast();
      if (!line.isFull()) {
        line.addFirst(value);
      }
    }
    timeout = false;
  }

  private int read(int register, long now, Effects effects) {
    if (register != LINE_STATUS) {
      polls = 0;
    }
    return switch (register) {
      case DATA -> latched() ? divisor & 0xFF : readData(now, effects);
      case INTERRUPT_ENABLE -> latched() ? divisor >> 8 : interruptEnable;
      case INTERRUPT_IDENT -> {
        int source = source();
        if (source == IIR_TRANSMIT_EMPTY) {
          transmitInterrupt = false;
        }
        yield source | (fifos() ? IIR_FIFOS : 0);
      }
      case LINE_CONTROL -> lineControl;
      case MODEM_CONTROL -> modem.control();
      case LINE_STATUS -> readLineStatus();
      case MODEM_STATUS -> modem.readStatus();
      default -> scratch;
    };
  }

  private boolean latched() {
    return (lineControl & LCR_DIVISOR_LATCH) != 0;
  }

  private int readData(long now, Effects effects) {
    timeout = false;
    idleSince = now;
    if (received.isEmpty()) {
      return 0;
    }
    int value = received.remove();
    grant(INPUT_WINDOW - line.size() - received.size() - granted, effects);
    return value;
  }

  private int readLineStatus() {
    int status = lineErrors | (received.isEmpty() ? 0 : LSR_DATA_READY);
    if (toSend.isEmpty()) {
      status |= LSR_THR_EMPTY | LSR_TRANSMITTER_EMPTY;
      polls = received.isEmpty() ? Math.min(polls + 1, POLLS) : polls;
    }
    lineErrors = 0;
    return status;
  }

  private void write(int register, int value, long now, Effects effects) {
    polls = 0;
    switch (register) {
      case DATA -> {
        if (latched()) {
          divisor = (divisor & 0xFF00) | value;
        } else {
          transmit(value, now, effects);
        }
      }
      case INTERRUPT_ENABLE -> {
        if (latched()) {
          divisor = (divisor & 0xFF) | value << 8;
        } else {
          boolean enabled = (value & ~interruptEnable & IER_TRANSMIT_EMPTY) != 0;
          interruptEnable = value & IER_ALL;
          transmitInterrupt |= enabled && toSend.isEmpty();
        }
      }
      case INTERRUPT_IDENT -> fifoControl(value);
      case LINE_CONTROL -> lineControl = value;
      case MODEM_CONTROL -> modem.setControl(value);
      case SCRATCH -> scratch = value;
      default -> {} // line and modem status: factory test only
    }
  }

  private void fifoControl(int value) {
    boolean toggles = ((value ^ fifoControl) & FCR_ENABLE) != 0;
    if ((value & FCR_ENABLE) == 0) {
      value = 0; // the other bits are not programmed without it (page 18)
    }
    fifoControl = value & 0xC1;
    if (toggles || (value & FCR_CLEAR_RECEIVE) != 0) {
      if (modem.loops()) {
        received.clear();
        timeout = false;
      } else {
        unread();
      }
    }
    if (toggles || (value & FCR_CLEAR_TRANSMIT) != 0) {
      transmitInterrupt |= !toSend.isEmpty();
      toSend.clear();
    }
  }

  private void transmit(int value, long now, Effects effects) {
    transmitInterrupt = false;
    int data = value & (0xFF >> (3 - (lineControl & 3))); // word length 5 to 8
    if (modem.loops()) {
      accept(data, now);
      transmitInterrupt = true;
      return;
    }
    if (toSend.size() >= capacity()) {
      toSend.removeLast(); // written without looking at THRE: it replaces the last one
    }
    toSend.add(data);
    send(effects);
  }

  /** Sends what the backend has room for. */
  private void send(Effects effects) {
    int count = Math.min(room, toSend.size());
    if (count == 0) {
      return;
    }
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) toSend.remove();
    }
    room -= count;
    effects.output(bytes);
    transmitInterrupt |= toSend.isEmpty();
  }

  /** The pending interrupt of highest priority, as IIR shows it (table IV). */
  private int source() {
    if ((interruptEnable & IER_LINE_STATUS) != 0 && (lineErrors & LSR_ERRORS) != 0) {
      return IIR_LINE_STATUS;
    }
    if ((interruptEnable & IER_RECEIVED) != 0) {
      if (received.size() >= trigger()) {
        return IIR_RECEIVED;
      }
      if (timeout && !received.isEmpty()) {
        return IIR_TIMEOUT;
      }
    }
    if ((interruptEnable & IER_TRANSMIT_EMPTY) != 0 && transmitInterrupt) {
      return IIR_TRANSMIT_EMPTY;
    }
    if ((interruptEnable & IER_MODEM_STATUS) != 0 && modem.changed()) {
      return IIR_MODEM_STATUS;
    }
    return IIR_NONE;
  }

  private void drive(Effects effects) {
    boolean level = modem.gatesInterrupt() && source() != IIR_NONE;
    if (level != irq) {
      irq = level;
      effects.line(OUTPUT_IRQ, level);
    }
  }

  private void arm(Effects effects) {
    boolean comes = !line.isEmpty() && listens() && received.size() < capacity();
    long nextArrival = comes ? arrival : Long.MAX_VALUE;
    if (nextArrival != arrivalTimer) {
      arrivalTimer = nextArrival;
      effects.timer(TIMER_ARRIVAL, nextArrival);
    }
    boolean waits =
        fifos() && !timeout && !received.isEmpty() && (interruptEnable & IER_RECEIVED) != 0;
    long nextTimeout = waits ? idleSince + TIMEOUT_NANOS : Long.MAX_VALUE;
    if (nextTimeout != timeoutTimer) {
      timeoutTimer = nextTimeout;
      effects.timer(TIMER_TIMEOUT, nextTimeout);
    }
  }

  @Override
  public void state(StateVisitor v) {
    v.version(1);
    line.state(v, "line");
    received.state(v, "received");
    toSend.state(v, "toSend");
    granted = v.within("granted", granted, 0, INPUT_WINDOW);
    room = v.within("room", room, 0, OUTPUT_WINDOW);
    divisor = v.int16("divisor", divisor);
    interruptEnable = v.bits("interruptEnable", interruptEnable, IER_ALL);
    fifoControl = v.int8("fifoControl", fifoControl);
    lineControl = v.int8("lineControl", lineControl);
    modem.controlState(v);
    lineErrors = v.bits("lineErrors", lineErrors, LSR_ERRORS);
    modem.deltasState(v);
    scratch = v.int8("scratch", scratch);
    transmitInterrupt = v.bool("transmitInterrupt", transmitInterrupt);
    timeout = v.bool("timeout", timeout);
    polls = v.within("polls", polls, 0, POLLS);
    arrival = v.within("arrival", arrival, 0, Long.MAX_VALUE);
    idleSince = v.within("idleSince", idleSince, 0, Long.MAX_VALUE);
    arrivalTimer = v.within("arrivalTimer", arrivalTimer, 0, Long.MAX_VALUE);
    timeoutTimer = v.within("timeoutTimer", timeoutTimer, 0, Long.MAX_VALUE);
    irq = v.bool("irq", irq);
  }
}
