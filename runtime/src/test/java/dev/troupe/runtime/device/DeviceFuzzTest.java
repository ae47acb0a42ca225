package dev.troupe.runtime.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.message.AddressSpace;
import dev.troupe.proto.message.BoardMessage;
import dev.troupe.proto.message.InterruptMessage;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.bus.AddressMap;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.snapshot.StateException;
import dev.troupe.runtime.snapshot.StateReader;
import dev.troupe.runtime.snapshot.States;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Every register of the standard board at every address and width with seeded values: no exception,
 * bounded work, an answer that fits its width, and a state from which a second device goes on as
 * the first does.
 */
final class DeviceFuzzTest {
  /**
   * Effects of one message: edges, timers and interrupts of one device; no more than its pins,
   * twice.
   */
  private static final int MAX_EFFECTS = 100;

  private record Claim(int device, AddressSpace space, long first, long last) {}

  private static BoardLayout layout() {
    VmSpec spec = VmSpec.newBuilder().setCpus(2).setMemoryBytes(1L << 29).build();
    return BoardLayout.standard(spec, 1_700_000_000_123_456_789L);
  }

  /** What each device claims, found by asking for every port and the interrupt chips' memory. */
  private static List<Claim> claims(AddressMap map, int device) {
    List<Claim> claims = new ArrayList<>();
    for (int port = 0; port <= 0xFFFF; port++) {
      if (map.find(AddressSpace.PORT, port, 1) == device) {
        claims.add(new Claim(device, AddressSpace.PORT, port, port));
      }
    }
    for (long address = 0xFEC0_0000L; address < 0xFEC0_1000L; address += 4) {
      if (map.find(AddressSpace.MEMORY, address, 1) == device && (address & 0xFFF) < 0x80) {
        claims.add(new Claim(device, AddressSpace.MEMORY, address, address + 3));
      }
    }
    return claims;
  }

  @Test
  void any_access_at_any_time_is_answered_with_bounded_work() {
    BoardLayout layout = layout();
    for (int index = 0; index < layout.devices().size(); index++) {
      List<Claim> claims = claims(layout.addresses(), index);
      assertThat(claims).as(layout.devices().get(index).name()).isNotEmpty();
      for (long seed = 0; seed < 4; seed++) {
        fuzz(
            layout().devices().get(index),
            layout().devices().get(index),
            layout.addresses(),
            claims,
            seed);
      }
    }
  }

  private static void fuzz(
      Device device, Device twin, AddressMap map, List<Claim> claims, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    DeviceBench bench = new DeviceBench(device);
    DeviceBench copy = new DeviceBench(twin);
    copy.follow(bench);
    for (int step = 0; step < 20_000; step++) {
      int effects = bench.lines.size() + bench.interrupts.size() + bench.power.size();
      BoardMessage message = message(random, map, claims, bench);
      long answer = bench.send(message);
      if (copy.send(message) != answer) {
        throw new AssertionError(
            "%s seed %d step %d: a restored twin answers %s otherwise than %#x"
                .formatted(device.name(), seed, step, message, answer));
      }
      copy.room = bench.room;
      int caused = bench.lines.size() + bench.interrupts.size() + bench.power.size() - effects;
      boolean fits =
          !(message instanceof BoardMessage.IoRead read)
              || (answer & ~AddressMap.allOnes(read.size())) == 0;
      if (caused > MAX_EFFECTS || !fits) {
        throw new AssertionError(
            "%s seed %d step %d: %s gave %#x and %d effects"
                .formatted(device.name(), seed, step, message, answer, caused));
      }
      if (random.nextInt(8) == 0) {
        // Far jumps show that catching up is bounded; near ones fire timers in order.
        boolean far = random.nextInt(50) == 0;
        if (far) {
          bench.timers.clear();
          copy.timers.clear();
          bench.now += random.nextLong(1L << 45);
          copy.now = bench.now;
          bench.send(new BoardMessage.TimerFired(0, 0));
          copy.send(new BoardMessage.TimerFired(0, 0));
        } else {
          long nanos = random.nextLong(200_000);
          bench.advance(nanos);
          copy.advance(nanos);
        }
      }
      if (random.nextInt(500) == 0) {
        String where = "%s seed %d step %d".formatted(device.name(), seed, step);
        assertThat(copy.seen()).as(where).isEqualTo(bench.seen());
        assertThat(States.diff(twin, device)).as(where).isEmpty();
        copy.follow(bench);
        assertThat(States.diff(twin, device)).as(where).isEmpty();
        assertThat(States.hash(twin)).as(where).isEqualTo(States.hash(device));
      }
    }
  }

  @Test
  void a_damaged_state_is_refused_or_one_that_the_device_works_with() {
    BoardLayout layout = layout();
    for (int index = 0; index < layout.devices().size(); index++) {
      List<Claim> claims = claims(layout.addresses(), index);
      DeviceBench bench = new DeviceBench(layout.devices().get(index));
      SplittableRandom random = new SplittableRandom(index);
      for (int step = 0; step < 300; step++) {
        bench.send(message(random, layout.addresses(), claims, bench));
        bench.advance(random.nextLong(200_000));
      }
      byte[] state = States.save(bench.device);
      for (int seed = 0; seed < 500; seed++) {
        workDamaged(layout.addresses(), index, claims, state, seed);
      }
    }
  }

  private static void workDamaged(
      AddressMap map, int index, List<Claim> claims, byte[] state, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] damaged = state.clone();
    for (int i = random.nextInt(1, 5); i > 0; i--) {
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
    }
    Device device = layout().devices().get(index);
    try {
      StateReader.restore(damaged, States.parts(device));
    } catch (StateException e) {
      return;
    }
    DeviceBench inputs = new DeviceBench(layout().devices().get(index));
    NoEffects effects = new NoEffects();
    long now = 0;
    for (int step = 0; step < 200; step++) {
      now += random.nextLong(1L << random.nextInt(40));
      BoardMessage message =
          random.nextInt(4) == 0
              ? new BoardMessage.TimerFired(random.nextInt(2), now)
              : message(random, map, claims, inputs);
      effects.count = 0;
      try {
        device.handle(message, now, effects);
        assertThat(effects.count).isLessThan(MAX_EFFECTS);
        States.save(device);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(
            "%s seed %d step %d: %s".formatted(device.name(), seed, step, message), e);
      }
    }
  }

  private static final class NoEffects implements Effects {
    private int count;

    @Override
    public void line(int output, boolean high) {
      count++;
    }

    @Override
    public void timer(int timer, long deadline) {
      count++;
    }

    @Override
    public void interrupt(InterruptMessage message) {
      count++;
    }

    @Override
    public void output(byte[] bytes) {
      count++;
    }

    @Override
    public void room(int bytes) {
      count++;
    }

    @Override
    public void power(PowerEvent event) {
      count++;
    }
  }

  private static BoardMessage message(
      SplittableRandom random, AddressMap map, List<Claim> claims, DeviceBench bench) {
    Claim claim = claims.get(random.nextInt(claims.size()));
    long address = claim.first + random.nextLong(claim.last - claim.first + 1);
    int size = 1 << random.nextInt(3);
    while (map.find(claim.space, address, size) != claim.device) {
      size /= 2;
    }
    return switch (random.nextInt(12)) {
      case 0 -> new BoardMessage.LineLevel(random.nextInt(-1, 26), random.nextBoolean());
      case 1 -> new BoardMessage.EndOfInterrupt(random.nextInt(256));
      case 2 -> new BoardMessage.InterruptAcknowledge(0);
      case 3 -> {
        byte[] bytes = new byte[Math.min(bench.room, random.nextInt(8))];
        bench.room -= bytes.length;
        yield new BoardMessage.ConsoleInput(bytes);
      }
      case 4 -> random.nextInt(50) == 0 ? new BoardMessage.Reset() : new BoardMessage.PowerButton();
      case 5, 6, 7 -> new BoardMessage.IoRead(claim.space, address, size);
      default ->
          new BoardMessage.IoWrite(
              claim.space, address, size, random.nextLong() & AddressMap.allOnes(size));
    };
  }
}
