package dev.troupe.lockstep;

import dev.troupe.actors.guest.GuestException;
import dev.troupe.actors.guest.GuestFiles;
import dev.troupe.actors.guest.GuestImage;
import dev.troupe.actors.guest.GuestImages;
import dev.troupe.actors.guest.TerminalProgress;
import dev.troupe.direct.DirectGuest;
import dev.troupe.guest.GbenchGuest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** The command of {@code integration-tests/bin/lockstep}, which says what its arguments are. */
public final class LockstepCommand {
  private static final long MIB = 1L << 20;
  private static final int USAGE = 2;

  /** Default of {@code --every}: a turn of the actors' schedule. */
  static final int EVERY = 20_000;

  /** Default of {@code --whole}: a second or so of the guest's time. */
  static final int WHOLE = 500;

  private String guest;
  private int cpus = 1;
  private long memory = 256;
  private String initrd = "";
  private String commandLine = "";
  private long instructions;
  private int every = EVERY;
  private int whole = WHOLE;
  private long seed = 1;

  private LockstepCommand() {}

  /** See the script. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    LockstepCommand command = new LockstepCommand();
    try {
      command.parse(arguments);
      System.exit(command.run() ? 0 : 1);
    } catch (GuestException | IllegalArgumentException e) {
      System.err.println("lockstep: " + e.getMessage());
      System.exit(USAGE);
    }
  }

  private void parse(String[] arguments) {
    for (int n = 0; n < arguments.length; n++) {
      String word = arguments[n];
      if (!word.startsWith("-")) {
        guest = word;
        continue;
      }
      if (++n == arguments.length) {
        throw new IllegalArgumentException(word + " wants a value");
      }
      String value = arguments[n];
      switch (word) {
        case "-c" -> cpus = Integer.parseInt(value);
        case "-m" -> memory = Long.parseLong(value);
        case "-i" -> initrd = value;
        case "-a" -> commandLine = value;
        case "--instructions" -> instructions = Long.parseLong(value);
        case "--every" -> every = Integer.parseInt(value);
        case "--whole" -> whole = Integer.parseInt(value);
        case "--seed" -> seed = Long.parseLong(value);
        default -> throw new IllegalArgumentException("no option " + word);
      }
    }
    if (guest == null || cpus < 1 || every < 1 || whole < 1 || instructions < 0) {
      throw new IllegalArgumentException("give an IMAGE or a KERNEL, and numbers from 1 on");
    }
  }

  private DirectGuest.Start start() throws IOException, InterruptedException {
    Optional<GuestImage> image = GuestImage.named(guest);
    if (image.isEmpty()) {
      return new DirectGuest.Start(Path.of(guest), initrd, commandLine, memory * MIB, cpus);
    }
    return boot(image.get(), memory * MIB, cpus);
  }

  /** The boot of a kernel of Debian's into its user space and off again. */
  static DirectGuest.Start boot(GuestImage image, long memoryBytes, int cpus)
      throws IOException, InterruptedException {
    GuestFiles files = GuestImages.ofUser(new TerminalProgress(System.err, false)).get(image);
    return new DirectGuest.Start(
        files.kernel(),
        GbenchGuest.initrd(files.busybox()).toString(),
        "console=ttyS0 quiet g.mode=ready",
        memoryBytes,
        cpus);
  }

  /** Whether both did the same. */
  private boolean run() throws IOException, InterruptedException {
    long units = instructions == 0 ? Long.MAX_VALUE : instructions;
    Lockstep.Result result =
        new Lockstep(
                new Lockstep.Options(start(), seed, every, whole, units),
                Lockstep.EngineMaker.TRANSLATOR,
                line -> System.err.println("lockstep: " + line))
            .run();
    result.console().lines().forEach(line -> System.out.println("guest: " + line));
    if (result.difference().isPresent()) {
      System.out.println("lockstep: " + result.difference().get());
      return false;
    }
    System.out.printf(
        "lockstep: equal: %,d instructions, %,d turns, %.2f %% by emitted code; guest: %s%n",
        result.units(),
        result.turns(),
        100.0 * result.emitted() / result.units(),
        result.end().isEmpty() ? "not at its end" : result.end());
    return true;
  }
}
