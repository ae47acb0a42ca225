package dev.troupe.runtime.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.cpu.X87;
import dev.troupe.runtime.device.Device;
import dev.troupe.runtime.device.DeviceBench;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.EventHeap;
import dev.troupe.runtime.memory.GuestMemory;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;

/**
 * No state is forgotten: each field of each object that belongs to a part of a machine either shows
 * in the part's listing when it changes, or stands below with the reason why it need not.
 */
final class CompletenessTest {
  private static final String PACKAGE = "dev.troupe.runtime.";

  /** Fields, or single elements of arrays, that are not state, as {@code Class.field}. */
  private static final Map<String, String> REASONS = new TreeMap<>();

  private static void because(String reason, String... fields) {
    for (String field : fields) {
      REASONS.put(field, reason);
    }
  }

  static {
    because(
        "wiring: made with the machine and never changed",
        "Cpu.bootProcessor",
        "Cpu.apicId",
        "Cpu.count",
        "Cpu.model",
        "Cpu.memory",
        "Cpu.time",
        "Cpu.entropy",
        "Cpu.scratch",
        "Cpu.sse",
        "X87.math",
        "X87.functions",
        "Mmu.memory",
        "MmuSlow.memory",
        "PageWalk.memory",
        "PageWalk.physicalBits",
        "PageWalk.gigabytePages",
        "Tlb.memory",
        "Tlb.base",
        "Msrs.model",
        "Mtrrs.physicalBits",
        "Cpuid.model",
        "ControlRegisters.cr4Bits",
        "ControlRegisters.eferBits",
        "Chip.master",
        "Chip.elcrMask",
        "Chip.initialElcr",
        "ConfigSpace.initial",
        "ConfigSpace.writable",
        "AcpiPm.timerBits",
        "Uart.name");
    because(
        "derived from the state, and computed anew after restoring",
        "Cpu.mode",
        "Mmu.bank",
        "Mmu.side",
        "MmuSlow.bank",
        "MmuSlow.checkAlignment",
        "MmuSlow.code64",
        "MmuSlow.localPage",
        "MmuSlow.local",
        "MmuSlow.watch",
        "ApicRoute.word",
        "ApicTimer.divisor");
    because(
        "scratch of one instruction, event or turn",
        "Cpu.xmm[32]",
        "Cpu.xmm[33]",
        "Cpu.xmm[34]",
        "Cpu.xmm[35]",
        "Cpu.budget",
        "Cpu.untoldPauses",
        "Cpu.uncharged",
        "Cpu.undone",
        "Cpu.jumped",
        "Cpu.execution",
        "Cpu.fault",
        "Cpu.leave",
        "X87.significand[16]",
        "X87.significand[17]",
        "X87.exponent[16]",
        "X87.exponent[17]",
        "X87.hostBlock",
        "MmuSlow.physical",
        "PageWalk.entryHost",
        "PageWalk.entryValue",
        "PageWalk.physical",
        "PageWalk.shift",
        "PageWalk.writable",
        "PageWalk.dirty",
        "PageWalk.user",
        "PageWalk.executable",
        "PageWalk.global",
        "PageWalk.error",
        "Segmentation.external",
        "StackFrame.pointer",
        "StackFrame.mask",
        "StackFrame.base",
        "StackFrame.limit",
        "StackFrame.attributes",
        "StackFrame.flat",
        "StackFrame.down",
        "StackFrame.supervisor",
        "StackFrame.error",
        "FarTransfer.parameters",
        "Cpuid.eax",
        "Cpuid.ebx",
        "Cpuid.ecx",
        "Cpuid.edx",
        "Msrs.value",
        "ApicMsrs.value",
        "DebugRegisters.stepping",
        "DebugRegisters.held",
        "IoReplay.next");
    because("where somebody outside stops it", "Cpu.stops", "MmuSlow.outerWatch");
    because("always 0", "Cpu.gpr[16]", "Cpu.dr[4]", "Cpu.dr[5]");
    because("empty at a quiet point, which saving asserts", "Cpu.exits");
    because("the first count of them are shown", "IoReplay.values");
    because("shown as the frame of the code page, if there is one", "Mmu.codeHost");
    because(
        "shown as entries; see TlbTest",
        "Tlb.traits",
        "Tlb.filled",
        "Tlb.filledCount",
        "Tlb.settled",
        "Tlb.settledListed",
        "Tlb.settledCount",
        "Tlb.largeNear",
        "Tlb.hugeNear");
    because("the bytes are shown, not where in the ring they are", "ByteQueue.first");
    because("the bytes in use are shown", "ByteQueue.ring");
    because(
        "order within the heap, which follows from the entries",
        "EventHeap.heap",
        "EventHeap.size",
        "Entry.place");
    for (int i = 8; i < X87.SCRATCH; i++) {
      because("between the registers and the scratch slots", "X87.significand[" + i + "]");
      because("between the registers and the scratch slots", "X87.exponent[" + i + "]");
    }
  }

  private final Set<Object> walked = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<String> used = new TreeSet<>();
  private final List<String> forgotten = new ArrayList<>();

  @Test
  void every_field_shows_in_the_listing_or_has_a_reason_not_to() throws IllegalAccessException {
    try (GuestMemory memory = GuestMemory.allocate(1 << 20)) {
      Vcpu vcpu = new Vcpu(new Cpu(CpuModel.DEFAULT, memory, () -> 0, () -> 0));
      vcpu.cpu.replay.append(5);
      walk(vcpu, vcpu);
      VmSpec spec = VmSpec.newBuilder().setCpus(1).setMemoryBytes(1 << 20).build();
      for (Device device : BoardLayout.standard(spec, 0).devices()) {
        DeviceBench bench = new DeviceBench(device);
        if (device.name().equals("i8042")) {
          bench.out(0x64, 0xAA); // the self test's answer waits
        }
        walk(device, device);
      }
      EventHeap heap = new EventHeap(2);
      heap.set(1, 0, 100);
      walk(heap, heap);
    }
    assertThat(forgotten)
        .as("fields that no state() shows; show them, or say here why they are no state")
        .isEmpty();
    Set<String> stale = new TreeSet<>(REASONS.keySet());
    stale.removeAll(used);
    assertThat(stale).as("reasons for fields that are gone, or shown").isEmpty();
  }

  private void walk(Stateful root, Object object) throws IllegalAccessException {
    if (!walked.add(object)) {
      return;
    }
    for (Field field : object.getClass().getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers()) || field.isSynthetic()) {
        continue;
      }
      String name = object.getClass().getSimpleName() + "." + field.getName();
      if (REASONS.containsKey(name)) {
        used.add(name);
        continue;
      }
      field.setAccessible(true);
      look(root, object, field, name);
    }
  }

  private void look(Stateful root, Object object, Field field, String name)
      throws IllegalAccessException {
    Object value = field.get(object);
    switch (value) {
      case null -> forgotten.add(name);
      case Boolean flag -> change(root, name, () -> field.set(object, !flag));
      case Integer number -> {
        change(root, name, () -> field.set(object, number + 1), () -> field.set(object, ~number));
        field.set(object, number);
      }
      case Long number -> {
        change(
            root,
            name,
            () -> field.set(object, number + 1),
            () -> field.set(object, ~number),
            () -> field.set(object, 0L)); // the one value of flagZero that means another flag
        field.set(object, number);
      }
      case Enum<?> constant -> {
        Object[] all = constant.getDeclaringClass().getEnumConstants();
        change(root, name, () -> field.set(object, all[(constant.ordinal() + 1) % all.length]));
        field.set(object, constant);
      }
      case AtomicInteger number -> {
        change(root, name, () -> number.set(~number.get()));
        number.set(~number.get());
      }
      case AtomicLongArray numbers -> {
        for (int i = 0; i < numbers.length(); i++) {
          int at = i;
          change(root, name + "[" + i + "]", () -> numbers.set(at, ~numbers.get(at)));
          numbers.set(at, ~numbers.get(at));
        }
      }
      case List<?> list -> {
        assertThat(list).as("%s needs an element for this test", name).isNotEmpty();
        change(root, name, () -> field.set(object, List.of()));
        field.set(object, list);
      }
      case Map<?, ?> map -> walkAll(root, map.values());
      default -> {
        if (value.getClass().isArray()) {
          lookAtArray(root, value, name);
        } else if (value.getClass().getName().startsWith(PACKAGE)) {
          walk(root, value);
        } else {
          forgotten.add(name);
        }
      }
    }
    if (value instanceof Boolean) {
      field.set(object, value);
    }
  }

  private void walkAll(Stateful root, Collection<?> objects) throws IllegalAccessException {
    for (Object object : objects) {
      walk(root, object);
    }
  }

  private void lookAtArray(Stateful root, Object array, String name) throws IllegalAccessException {
    for (int i = 0; i < Array.getLength(array); i++) {
      int at = i;
      String element = name + "[" + i + "]";
      if (REASONS.containsKey(element)) {
        used.add(element);
        continue;
      }
      switch (Array.get(array, i)) {
        case Integer number -> {
          change(root, element, () -> Array.setInt(array, at, ~number));
          Array.setInt(array, at, number);
        }
        case Long number -> {
          change(root, element, () -> Array.setLong(array, at, ~number));
          Array.setLong(array, at, number);
        }
        case Byte number -> {
          change(root, element, () -> Array.setByte(array, at, (byte) ~number));
          Array.setByte(array, at, number);
        }
        case Object[] inner -> lookAtArray(root, inner, element);
        case Object part -> walk(root, part);
      }
    }
  }

  private interface Change {
    void make() throws IllegalAccessException;
  }

  /** One of the changes has to show. */
  private void change(Stateful root, String name, Change... changes) throws IllegalAccessException {
    String before = States.listing(root);
    for (Change change : changes) {
      change.make();
      if (!States.listing(root).equals(before)) {
        return;
      }
    }
    forgotten.add(name);
  }
}
