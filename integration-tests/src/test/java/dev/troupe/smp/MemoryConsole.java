package dev.troupe.smp;

import dev.troupe.actors.console.ConsoleActor;
import dev.troupe.actors.console.ConsoleEnd;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.pekko.actor.typed.ActorRef;

/** A console that keeps what the guest writes, and types nothing. */
public final class MemoryConsole implements ConsoleEnd {
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private volatile ActorRef<ConsoleActor.Command> console;

  @Override
  public void open(ActorRef<ConsoleActor.Command> opening) {
    console = opening;
  }

  @Override
  public synchronized void write(byte[] bytes) {
    output.writeBytes(bytes);
    console.tell(new ConsoleActor.Written(bytes.length));
  }

  @Override
  public void taken() {}

  @Override
  public void close() {}

  /** What it has written. */
  public synchronized String text() {
    return output.toString(StandardCharsets.ISO_8859_1);
  }
}
