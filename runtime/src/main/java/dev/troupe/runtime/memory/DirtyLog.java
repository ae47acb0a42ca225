package dev.troupe.runtime.memory;

/**
 * Which pages were written since somebody last asked: each log has its own answer. Only used at
 * quiet points, when neither vCPU nor device writes.
 */
public final class DirtyLog {
  /** Takes what has happened, in the order of the calls. */
  public interface Reader {
    /** The memory was put into its power-on state: all pages read 0. */
    void zeroed();

    /**
     * A page was written, or may have been.
     *
     * @param page its number, see {@link GuestMemory#pages()}; ascending, each once
     */
    void written(long page);
  }

  private final GuestMemory memory;
  private final int bit;
  private long resets;

  DirtyLog(GuestMemory memory, int bit) {
    this.memory = memory;
    this.bit = bit;
    this.resets = memory.resets();
  }

  /** Tells everything since the last call, and starts anew. */
  public void drain(Reader reader) {
    memory.clearDirty();
    if (memory.resets() != resets) {
      resets = memory.resets();
      reader.zeroed();
    }
    memory.takeMarks(bit, reader::written);
  }
}
