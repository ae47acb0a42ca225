package dev.troupe.runtime.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.EntryState;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.TestEngine;
import dev.troupe.runtime.memory.GuestMemory;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Small real-mode guests on the whole board, with a clock that jumps when the machine idles. */
final class DirectMachineTest implements DirectMachine.Console, DirectMachine.Idle {
  private static final long MEMORY = 1 << 20;
  private static final int START = 0x1000;

  /**
   * Initialises the master PIC at vector 0x20 with IRQ 0 and IRQ 4 unmasked, interrupts ending by
   * themselves.
   */
  private static final String PIC = "b011 e620 b020 e621 b004 e621 b003 e621 b0ee e621";

  /** OUT 0xF4, AL. */
  private static final String EXIT = "e6f4";

  private final GuestMemory memory = GuestMemory.allocate(MEMORY);
  private final Cpu cpu = new Cpu(CpuModel.DEFAULT, memory, this::nanos, () -> 0);
  private final Vcpu vcpu = new Vcpu(cpu);
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private byte[] input = {};
  private long clock;
  private int waits;

  private final DirectMachine machine = machine(TestEngine.of(vcpu));

  private DirectMachine machine(Engine engine) {
    VmSpec spec = VmSpec.newBuilder().setCpus(1).setMemoryBytes(MEMORY).build();
    return new DirectMachine(
        List.of(new DirectMachine.Processor(vcpu, engine)),
        BoardLayout.standard(spec, 0),
        this::nanos,
        this,
        this);
  }

  private long nanos() {
    return clock += 100;
  }

  @Override
  public void output(byte[] bytes) {
    output.writeBytes(bytes);
  }

  @Override
  public byte[] input(int room) {
    byte[] part = Arrays.copyOf(input, Math.min(room, input.length));
    input = Arrays.copyOfRange(input, part.length, input.length);
    return part;
  }

  @Override
  public void until(long deadline) {
    waits++;
    assertThat(deadline).as("something has to happen").isNotEqualTo(EventHeap.NEVER);
    clock = Math.max(clock, deadline);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private void load(String hex) {
    byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
    memory.copyIn(START, MemorySegment.ofArray(code));
    cpu.selector[Cpu.CS] = 0;
    cpu.segmentBase[Cpu.CS] = 0;
    cpu.rip = START;
    cpu.gpr[Cpu.RSP] = 0x0F00;
    cpu.updateMode();
  }

  private Outcome run(String hex) {
    load(hex);
    return machine.run();
  }

  /** Points the interrupt vector at an address in segment 0. */
  private void vector(int number, int address) {
    byte[] entry = {(byte) address, (byte) (address >> 8), 0, 0};
    memory.copyIn(4L * number, MemorySegment.ofArray(entry));
  }

  @Test
  void a_guest_prints_and_leaves_by_the_debug_exit() {
    // mov dx,0x3f8; mov al,'o'; out dx,al; mov al,'k'; out dx,al; mov al,21; out 0xf4,al
    Outcome outcome = run("baf803 b06f ee b06b ee b015" + EXIT);
    assertThat(outcome).isEqualTo(new Outcome.DebugExit(21));
    assertThat(output.toString(StandardCharsets.US_ASCII)).isEqualTo("ok");
  }

  @Test
  void nobody_s_ports_read_as_all_ones_and_wide_accesses_are_split() {
    // mov al,0x5a; mov dx,0x3ff; out dx,al; in eax,dx (UART's scratch, then three of nobody); out
    // 0xf4,eax
    assertThat(run("b05a baff03 ee 66ed 66 e7f4")).isEqualTo(new Outcome.DebugExit(0xFFFF_FF5AL));
  }

  @Test
  void the_timer_wakes_a_halted_guest_through_the_pic() {
    vector(0x20, START + 0x100);
    // PIC; PIT counter 0 mode 2, count 0x2000; sti; hlt; jmp to hlt
    load(PIC + "b034 e643 b000 e640 b020 e640 fb f4 ebfd");
    // inc bl; cmp bl,3; je exit; iret; exit: mov al,bl; out 0xf4,al
    memory.copyIn(
        START + 0x100, MemorySegment.ofArray(HexFormat.of().parseHex("fec380fb037401cf88d8e6f4")));
    assertThat(machine.run()).isEqualTo(new Outcome.DebugExit(3));
    // The control word itself raises OUT: the first interrupt comes at once.
    assertThat(waits).isEqualTo(2);
    assertThat(clock).isBetween(2 * 6_865_000L, 2 * 6_865_000L + 1_000_000);
  }

  @Test
  void console_input_reaches_a_polling_guest() {
    input = "troupe!".getBytes(StandardCharsets.US_ASCII);
    // again: mov dx,0x3fd; wait: in al,dx; test al,1; jz wait; mov dx,0x3f8; in al,dx; out dx,al;
    // cmp al,'!'; jne again; out 0xf4,al
    Outcome outcome = run("bafd03 ec a801 74fb baf803 ec ee 3c21 75ef" + EXIT);
    assertThat(outcome).isEqualTo(new Outcome.DebugExit('!'));
    assertThat(output.toString(StandardCharsets.US_ASCII)).isEqualTo("troupe!");
  }

  @Test
  void console_input_interrupts_a_halted_guest() {
    vector(0x24, START + 0x100);
    input = "x".getBytes(StandardCharsets.US_ASCII);
    // PIC; MCR.OUT2; IER.received; sti; hlt
    load(PIC + "bafc03 b008 ee baf903 b001 ee fb f4 ebfd");
    // mov dx,0x3f8; in al,dx; out 0xf4,al
    memory.copyIn(START + 0x100, MemorySegment.ofArray(HexFormat.of().parseHex("baf803ece6f4")));
    assertThat(machine.run()).isEqualTo(new Outcome.DebugExit('x'));
  }

  @Test
  void the_keyboard_controller_s_pulse_resets_and_the_machine_starts_anew() {
    assertThat(run("b0fe e664 f4")).isEqualTo(new Outcome.Reset());
    machine.reset();
    assertThat(run("b007" + EXIT)).isEqualTo(new Outcome.DebugExit(7));
  }

  /** Both PICs, with IRQ 13 alone unmasked, at vector 0x2D. */
  private static final String CASCADE =
      "b011 e620 b020 e621 b004 e621 b001 e621 b0fb e621"
          + "b011 e6a0 b028 e6a1 b002 e6a1 b001 e6a1 b0df e6a1";

  /** fldcw [0x1800], zero divide unmasked; fld1; fldz; fdivp; sti; then, at 0x1035, fwait. */
  private static final String NUMERIC_ERROR = "dbe3 d92e0018 d9e8 d9ee def9 fb 9b";

  /** The handler of vector 0x2D at 0x1400: bl++; ax = return address; what is given; EOI; iret. */
  private Outcome withErrorHandler(String handler, String rest) {
    byte[] code =
        HexFormat.of().parseHex(("fec3 58 50" + handler + "b020 e6a0 e620 cf").replace(" ", ""));
    memory.copyIn(0x1400, MemorySegment.ofArray(code));
    memory.copyIn(0x1800, MemorySegment.ofArray(new byte[] {0x7B, 3}));
    vector(0x2D, 0x1400);
    return run(CASCADE + NUMERIC_ERROR + rest);
  }

  @Test
  void a_numeric_error_interrupts_by_line_13_before_the_next_instruction_that_waits() {
    // The handler: mov [0x1900],ax; out 0xf0,al; fnclex. Then: mov al,bl
    assertThat(withErrorHandler("a30019 e6f0 dbe2", "88d8" + EXIT))
        .isEqualTo(new Outcome.DebugExit(1));
    byte[] address = new byte[2];
    memory.copyOut(0x1900, address);
    assertThat(address).as("of the FWAIT").containsExactly(0x35, 0x10);
    machine.reset();
    // The handler leaves the error, which is ignored until fnclex; then the next one interrupts.
    assertThat(withErrorHandler("e6f0", "9b d9e8 9b dbe2" + NUMERIC_ERROR + "88d8" + EXIT))
        .isEqualTo(new Outcome.DebugExit(2));
  }

  @Test
  void a_numeric_error_that_nobody_sees_to_stops_the_processor_for_good() {
    assertThatThrownBy(() -> withErrorHandler("", "88d8" + EXIT))
        .hasMessageContaining("something has to happen");
    assertThat(cpu.rip).isEqualTo(0x1035);
    assertThat(cpu.gpr[Cpu.RBX]).isEqualTo(1);
  }

  @Test
  void s5_switches_off() {
    // mov dx,0x604; mov ax,0x3400; out dx,ax
    assertThat(run("ba0406 b80034 ef f4")).isEqualTo(new Outcome.PoweredOff());
  }

  @Test
  void an_unusable_interrupt_table_ends_in_a_triple_fault() {
    // lidt [0x1100], which is zero: limit 0; int3
    assertThat(run("0f011e0011 cc")).isInstanceOf(Outcome.TripleFault.class);
  }

  /** Enters code at 0x2000 in flat 32-bit mode. */
  private void loadFlat(String hex) {
    memory.copyIn(0x2000, MemorySegment.ofArray(HexFormat.of().parseHex(hex.replace(" ", ""))));
    new EntryState.ProtectedMode(0x2000, 0, 0).apply(cpu);
  }

  @Test
  void a_level_at_the_io_apic_interrupts_again_after_each_end_while_it_lasts() {
    // lgdt; lidt; local APIC on; I/O APIC pin 4: level-triggered, vector 0x40; UART: OUT2, transmit
    // interrupt; sti; hlt
    // handler: the third time read the UART's IIR, so that the line falls, else EOI and iret; then
    // EOI, sti, and out with
    // the count, which would be 4 if the interrupt came once more
    loadFlat(
        "0f0115a02000000f011da8200000bc00800000c705f000e0feff010000c7050000c0fe19"
            + "000000c7051000c0fe00000000c7050000c0fe18000000c7051000c0fe4080000066bafc"
            + "03b008ee66baf903b002eefbf4ebfd4383fb03740bc705b000e0fe00000000cf66bafa03"
            + "ecc705b000e0fe00000000fb909089d8e7f4909000000000000000000000000000000000"
            + "ffff0000009bcf00ffff00000093cf001f008020000090900702b01e0000909057201000"
            + "008e0000");
    assertThat(machine.run()).isEqualTo(new Outcome.DebugExit(3));
  }

  @Test
  void a_start_up_message_reaches_the_other_processor() {
    VmSpec spec = VmSpec.newBuilder().setCpus(2).setMemoryBytes(MEMORY).build();
    Vcpu other = new Vcpu(new Cpu(CpuModel.DEFAULT, memory, this::nanos, () -> 0, 1, 2));
    DirectMachine two =
        new DirectMachine(
            List.of(
                new DirectMachine.Processor(vcpu, TestEngine.of(vcpu)),
                new DirectMachine.Processor(other, TestEngine.of(other))),
            BoardLayout.standard(spec, 0),
            this::nanos,
            this,
            this);
    // The other's start at 0x1000: mov al,9; out 0xf4,al
    memory.copyIn(START, MemorySegment.ofArray(HexFormat.of().parseHex("b009e6f4")));
    // INIT to all others; start-up at page 1; hlt
    loadFlat("c7050003e0fe00450c00 c7050003e0fe01460c00 f4 ebfd");
    assertThat(two.run()).isEqualTo(new Outcome.DebugExit(9));
  }

  @Test
  void a_stop_ends_an_endless_loop() {
    load("ebfe");
    machine.stop();
    assertThat(machine.run()).isEqualTo(new Outcome.Stopped());
  }

  @Test
  void a_broken_engine_ends_its_machine_with_the_numbers() {
    DirectMachine broken =
        machine(
            (_, _) -> {
              throw new IllegalStateException("invariant: count=3");
            });
    assertThat(broken.run())
        .isInstanceOfSatisfying(
            Outcome.InternalFailure.class,
            error -> assertThat(error.message()).contains("count=3"));
  }
}
