package dev.troupe.actors.terminal;

import com.google.protobuf.UnsafeByteOperations;
import dev.troupe.actors.vmd.ControlException;
import dev.troupe.proto.vmd.ConsoleOutput;

/** What somebody at a console is told, and by whom the rest is done. */
interface Told {
  /** Asks the locator; the answer comes by {@link Attachment#located}. */
  void locate();

  /** Something for the watcher. */
  void output(ConsoleOutput output);

  /** The session has failed. */
  void failed(ControlException reason);

  /** The machine has stopped and all was told. */
  void closed();

  /** For people. */
  default void note(String text) {
    output(ConsoleOutput.newBuilder().setNote(text).build());
  }

  /** Output; the bytes are not changed afterwards. */
  default void chunk(Place at, byte[] bytes) {
    var chunk =
        ConsoleOutput.Chunk.newBuilder()
            .setEpoch(at.epoch())
            .setOffset(at.offset())
            .setData(UnsafeByteOperations.unsafeWrap(bytes));
    output(ConsoleOutput.newBuilder().setChunk(chunk).build());
  }

  /** Output that is not kept any more. */
  default void lost(Place at, long bytes) {
    var lost =
        ConsoleOutput.Lost.newBuilder().setEpoch(at.epoch()).setOffset(at.offset()).setBytes(bytes);
    output(ConsoleOutput.newBuilder().setLost(lost).build());
  }

  /** Whether the last input was taken. */
  default void taken(boolean taken) {
    output(ConsoleOutput.newBuilder().setTaken(taken).build());
  }
}
