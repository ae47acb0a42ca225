package dev.troupe.actors.guest;

/** Tells the user what takes so long. */
public interface Progress {
  /** Says nothing. */
  Progress SILENT =
      new Progress() {
        @Override
        public void say(String line) {}

        @Override
        public void advance(String what, long done, long total) {}

        @Override
        public void done(String what, long total) {}
      };

  /** One line, without its end. */
  void say(String line);

  /**
   * {@code done} of {@code total} bytes of {@code what} are there; called several times a second.
   */
  void advance(String what, long done, long total);

  /** All of {@code what} is there. */
  void done(String what, long total);
}
