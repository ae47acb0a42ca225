package dev.troupe.runtime.debug;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Stops;
import dev.troupe.runtime.cpu.Stops.Access;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.Engine;
import dev.troupe.runtime.engine.EngineWatch;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.engine.translator.Translator;
import dev.troupe.runtime.memory.GuestMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongPredicate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Both engines stop at the very instruction; the oracle runs one unit at a time and looks. */
class StopsTest {
  private static final long CODE = 0x1000;
  private static final long LOOP = 0x1007;
  private static final long STORE = 0x101E;
  private static final long REP_STOS = 0x1030;
  private static final long LOAD = 0x1033;
  private static final long INCREMENT = 0x103A;
  private static final long WORD = 0x4000;
  private static final long COUNTER = 0x4010;
  private static final int UNITS = 3000;

  /**
   * mov esp,8000; xor ecx,ecx; loop: inc ecx; mov eax,ecx; call f; cmp ecx,200; jne loop; jmp $; f:
   * test al,7; jnz l; mov [4000],ecx; push rcx; mov edi,3ffc; mov ecx,9; rep stosb; pop rcx; l: mov
   * edx,[4000]; lock inc dword [4010]; ret.
   */
  private static final String PROGRAM =
      "bc0080000031c9ffc189c8e80a00000081f9c800000075efebfea8077515890c250040000051bffc3f0000b90900"
          + "0000f3aa598b142500400000f0ff042510400000c3";

  private static final class Guest implements AutoCloseable {
    final GuestMemory memory = GuestMemory.allocate(1 << 20);
    final Cpu cpu = new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0);
    final Vcpu vcpu = new Vcpu(cpu);
    final Engine engine;
    long units;

    Guest(Function<Vcpu, Engine> engines) {
      engine = engines.apply(vcpu);
      cpu.efer = 0x500;
      cpu.cr0 = 1;
      cpu.segmentAttributes[Cpu.CS] = 0xA09B;
      cpu.segmentBase[Cpu.CS] = 0;
      cpu.segmentLimit[Cpu.CS] = 0xFFFF_FFFFL;
      cpu.rip = CODE;
      cpu.updateMode();
      memory.copyIn(CODE, HexFormat.of().parseHex(PROGRAM));
    }

    void run(long slice) {
      engine.run(vcpu, slice);
      units += slice - cpu.budget;
    }

    List<Long> image() {
      List<Long> all = new ArrayList<>();
      for (long register : cpu.gpr) {
        all.add(register);
      }
      all.add(cpu.rip);
      all.add((long) Arrays.hashCode(LinearMemory.read(cpu, 0, 0x9000)));
      return all;
    }

    @Override
    public void close() {
      memory.close();
    }
  }

  private static Function<Vcpu, Engine> engine(String name) {
    if (name.equals("interpreter")) {
      return Interpreter::new;
    }
    assumeTrue(Translator.available());
    return vcpu -> new Translator(vcpu, 1, 1, EngineWatch.NONE);
  }

  /** Units before each instruction for which {@code wanted} holds, by where it is. */
  private static List<Long> before(LongPredicate wanted) {
    List<Long> found = new ArrayList<>();
    try (Guest guest = new Guest(Interpreter::new)) {
      while (guest.units < UNITS) {
        long rip = guest.cpu.rip;
        boolean begins = guest.cpu.gpr[Cpu.RCX] == 9 || rip != REP_STOS;
        if (wanted.test(rip) && begins) {
          found.add(guest.units);
        }
        guest.run(1);
      }
    }
    return found;
  }

  /** Where the vCPU stops, in units; the end is the same as without stops. */
  private static List<Long> stops(
      String name, List<Long> addresses, List<Stops.Watchpoint> ranges, List<Stops.Hit> hits) {
    List<Long> found = new ArrayList<>();
    try (Guest guest = new Guest(engine(name));
        Guest alone = new Guest(engine(name))) {
      guest.run(17);
      guest.cpu.stops.set(addresses, ranges);
      while (guest.units < UNITS) {
        guest.run(Math.min(UNITS - guest.units, 700));
        Stops.Hit hit = guest.cpu.stops.takeStopped();
        if (hit != null) {
          found.add(guest.units);
          hits.add(hit);
        }
      }
      alone.run(UNITS);
      assertThat(guest.image()).isEqualTo(alone.image());
    }
    return found;
  }

  private static List<Long> after17(List<Long> units) {
    return units.stream().filter(at -> at >= 17).toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"interpreter", "translator"})
  void anInstructionIsStoppedAtBeforeItRunsEachTimeItBegins(String engine) {
    for (long address : new long[] {LOOP, STORE, REP_STOS, LOAD, INCREMENT}) {
      List<Stops.Hit> hits = new ArrayList<>();
      assertThat(stops(engine, List.of(address), List.of(), hits))
          .as("%x", address)
          .isNotEmpty()
          .isEqualTo(after17(before(rip -> rip == address)));
      assertThat(hits).allMatch(hit -> hit.equals(new Stops.Hit(null, address, 0)));
    }
    assertThat(stops(engine, List.of(LOAD, LOOP, LOAD + 1), List.of(), new ArrayList<>()))
        .isEqualTo(after17(before(rip -> rip == LOAD || rip == LOOP)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"interpreter", "translator"})
  void anAccessIsStoppedAtAfterItsInstruction(String engine) {
    List<Stops.Watchpoint> store = List.of(new Stops.Watchpoint(Access.WRITE, COUNTER, 4));
    List<Long> after = before(rip -> rip == INCREMENT).stream().map(at -> at + 1).toList();
    List<Stops.Hit> hits = new ArrayList<>();
    assertThat(stops(engine, List.of(), store, hits)).isNotEmpty().isEqualTo(after17(after));
    assertThat(hits).allMatch(hit -> hit.address() == COUNTER && hit.ago() == 1);

    List<Stops.Watchpoint> load = List.of(new Stops.Watchpoint(Access.READ, WORD, 4));
    assertThat(stops(engine, List.of(), load, hits))
        .isEqualTo(after17(before(rip -> rip == LOAD)).stream().map(at -> at + 1).toList());
    // Neighbours in the page are nobody's business.
    List<Stops.Watchpoint> beside = List.of(new Stops.Watchpoint(Access.EITHER, WORD + 5, 11));
    assertThat(stops(engine, List.of(), beside, hits)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"interpreter", "translator"})
  void aRepeatedInstructionStopsAfterTheIterationThatMetIt(String engine) {
    // Bytes 3ffc to 4004 are stored one by one; the watched one is the fifth.
    List<Stops.Watchpoint> word = List.of(new Stops.Watchpoint(Access.WRITE, WORD, 1));
    List<Long> stores = before(rip -> rip == STORE).stream().map(at -> at + 1).toList();
    List<Long> fifths = before(rip -> rip == REP_STOS).stream().map(at -> at + 5).toList();
    List<Long> all = new ArrayList<>(stores);
    all.addAll(fifths);
    assertThat(stops(engine, List.of(), word, new ArrayList<>()))
        .isEqualTo(after17(all.stream().sorted().toList()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"interpreter", "translator"})
  void whoOnlyWatchesIsToldOfTheSameHits(String name) {
    List<Long> seen = new ArrayList<>();
    try (Guest guest = new Guest(engine(name));
        Guest alone = new Guest(engine(name))) {
      guest.cpu.stops.set(List.of(LOOP), List.of(new Stops.Watchpoint(Access.WRITE, COUNTER, 4)));
      guest.cpu.stops.listen(
          hit -> {
            seen.add(guest.units + UNITS - guest.cpu.unitsLeft() - hit.ago());
            return false;
          });
      guest.run(UNITS);
      alone.run(UNITS);
      assertThat(guest.image()).isEqualTo(alone.image());
    }
    assertThat(seen).isEqualTo(before(rip -> rip == LOOP || rip == INCREMENT));
  }
}
