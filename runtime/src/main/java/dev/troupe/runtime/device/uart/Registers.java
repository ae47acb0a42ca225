package dev.troupe.runtime.device.uart;

/** Register offsets and bits of the 16550A (National Semiconductor PC16550D, tables I to IV). */
final class Registers {
  /** Receiver buffer (read), transmitter holding (write), divisor low (DLAB). */
  static final int DATA = 0;

  /** Interrupt enable; divisor high (DLAB). */
  static final int INTERRUPT_ENABLE = 1;

  /** Interrupt identification (read), FIFO control (write). */
  static final int INTERRUPT_IDENT = 2;

  static final int LINE_CONTROL = 3;
  static final int MODEM_CONTROL = 4;
  static final int LINE_STATUS = 5;
  static final int MODEM_STATUS = 6;
  static final int SCRATCH = 7;

  static final int IER_RECEIVED = 1 << 0;
  static final int IER_TRANSMIT_EMPTY = 1 << 1;
  static final int IER_LINE_STATUS = 1 << 2;
  static final int IER_MODEM_STATUS = 1 << 3;
  static final int IER_ALL = 0x0F;

  static final int IIR_MODEM_STATUS = 0x00;
  static final int IIR_NONE = 0x01;
  static final int IIR_TRANSMIT_EMPTY = 0x02;
  static final int IIR_RECEIVED = 0x04;
  static final int IIR_LINE_STATUS = 0x06;
  static final int IIR_TIMEOUT = 0x0C;
  static final int IIR_FIFOS = 0xC0;

  static final int FCR_ENABLE = 1 << 0;
  static final int FCR_CLEAR_RECEIVE = 1 << 1;
  static final int FCR_CLEAR_TRANSMIT = 1 << 2;

  static final int LCR_DIVISOR_LATCH = 1 << 7;

  static final int MCR_DTR = 1 << 0;
  static final int MCR_RTS = 1 << 1;
  static final int MCR_OUT1 = 1 << 2;
  static final int MCR_OUT2 = 1 << 3;
  static final int MCR_LOOP = 1 << 4;
  static final int MCR_ALL = 0x1F;

  static final int LSR_DATA_READY = 1 << 0;
  static final int LSR_OVERRUN = 1 << 1;
  static final int LSR_ERRORS = 0x1E;
  static final int LSR_THR_EMPTY = 1 << 5;
  static final int LSR_TRANSMITTER_EMPTY = 1 << 6;

  static final int MSR_RING_ENDED = 1 << 2;
  static final int MSR_DELTAS = 0x0F;
  static final int MSR_CTS = 1 << 4;
  static final int MSR_DSR = 1 << 5;
  static final int MSR_RI = 1 << 6;
  static final int MSR_DCD = 1 << 7;

  private Registers() {}
}
