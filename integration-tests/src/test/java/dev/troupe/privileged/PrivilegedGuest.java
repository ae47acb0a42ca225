package dev.troupe.privileged;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.proto.spec.VmSpec;
import dev.troupe.runtime.boot.BootImages;
import dev.troupe.runtime.boot.BootPlan;
import dev.troupe.runtime.cpu.Cpu;
import dev.troupe.runtime.cpu.CpuModel;
import dev.troupe.runtime.cpu.TimeSource;
import dev.troupe.runtime.cpu.Vcpu;
import dev.troupe.runtime.engine.interpreter.Interpreter;
import dev.troupe.runtime.machine.BoardLayout;
import dev.troupe.runtime.machine.DirectMachine;
import dev.troupe.runtime.machine.Outcome;
import dev.troupe.runtime.memory.GuestMemory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A multiboot guest that runs cases with all privileges and sends what became of each, run by QEMU
 * and here. The guest's source and, in its last line, its bytes are a resource.
 */
final class PrivilegedGuest {
  private static final long MEMORY = 64L << 20;
  private static final int PROGRAM_SIZE = 0x10000;
  private static final long TIME_OUT_SECONDS = 120;
  private static final byte[] MARK = "RESULTS\n".getBytes(StandardCharsets.US_ASCII);

  /** QEMU's exit code for a debug exit with value 0. */
  private static final int DEBUG_EXIT_0 = 1;

  private final byte[] image;
  private final Path folder;

  /**
   * A guest with its cases.
   *
   * @param name of the resource, without {@code .asm}
   * @param cases what stands at 0x110000
   * @param folder where the image and logs go
   */
  PrivilegedGuest(String name, ByteBuffer cases, Path folder) {
    byte[] program = program(name);
    image = Arrays.copyOf(program, PROGRAM_SIZE + cases.remaining());
    cases.get(cases.position(), image, PROGRAM_SIZE, cases.remaining());
    this.folder = folder;
  }

  private static byte[] program(String name) {
    try (InputStream in = PrivilegedGuest.class.getResourceAsStream(name + ".asm")) {
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
      return HexFormat.of().parseHex(text.substring(text.lastIndexOf("; = ") + 4));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path kernel() throws IOException {
    Path kernel = folder.resolve("guest.bin");
    Files.write(kernel, image);
    return kernel;
  }

  /** The results as QEMU TCG has them. */
  ByteBuffer inQemu() throws IOException, InterruptedException {
    Path log = folder.resolve("qemu.txt");
    Path serial = folder.resolve("serial.bin");
    Process process =
        new ProcessBuilder(
                "qemu-system-x86_64",
                "-machine",
                "pc,accel=tcg",
                "-cpu",
                "max",
                "-m",
                "64",
                "-display",
                "none",
                "-monitor",
                "none",
                "-no-reboot",
                "-serial",
                "file:" + serial,
                "-device",
                "isa-debug-exit,iobase=0xf4,iosize=4",
                "-kernel",
                kernel().toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    if (!process.waitFor(TIME_OUT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    assertThat(process.waitFor()).as(Files.readString(log)).isEqualTo(DEBUG_EXIT_0);
    return results(Files.readAllBytes(serial));
  }

  /** The results as the interpreter has them. */
  ByteBuffer here() throws IOException {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    long[] clock = {0};
    TimeSource time = () -> clock[0] += 300;
    VmSpec spec = VmSpec.newBuilder().setCpus(1).setMemoryBytes(MEMORY).build();
    try (BootImages images = BootImages.open(kernel(), "", "");
        GuestMemory memory = GuestMemory.allocate(MEMORY)) {
      Cpu cpu = new Cpu(CpuModel.DEFAULT, memory, time, () -> 0);
      Vcpu vcpu = new Vcpu(cpu);
      DirectMachine machine =
          new DirectMachine(
              List.of(new DirectMachine.Processor(vcpu, new Interpreter(vcpu))),
              BoardLayout.standard(spec, 0),
              time,
              new DirectMachine.Console() {
                @Override
                public void output(byte[] bytes) {
                  output.writeBytes(bytes);
                }

                @Override
                public byte[] input(int room) {
                  return new byte[0];
                }
              },
              deadline -> {
                throw new IllegalStateException("the guest never halts: deadline=" + deadline);
              });
      BootPlan plan = images.plan(MEMORY, BoardLayout.description(1), cpu.model);
      plan.write(memory);
      plan.entry().apply(cpu);
      assertThat(machine.run()).isEqualTo(new Outcome.DebugExit(0));
    }
    return results(output.toByteArray());
  }

  // The firmware may have printed before.
  private static ByteBuffer results(byte[] bytes) {
    for (int i = 0; i + MARK.length <= bytes.length; i++) {
      if (Arrays.equals(bytes, i, i + MARK.length, MARK, 0, MARK.length)) {
        int from = i + MARK.length;
        return ByteBuffer.wrap(bytes, from, bytes.length - from)
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
      }
    }
    throw new AssertionError("no results in " + bytes.length + " bytes");
  }
}
