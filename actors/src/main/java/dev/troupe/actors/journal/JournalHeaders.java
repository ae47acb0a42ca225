package dev.troupe.actors.journal;

import com.google.protobuf.ByteString;
import dev.troupe.actors.machine.Checkpoints;
import dev.troupe.actors.machine.MachineParts;
import dev.troupe.proto.journal.JournalHeader;
import dev.troupe.proto.journal.JournalHost;
import dev.troupe.proto.journal.JournalImage;
import dev.troupe.proto.journal.JournalLevel;
import dev.troupe.runtime.boot.Image;
import dev.troupe.runtime.engine.host.HostCpuid;
import dev.troupe.runtime.engine.host.HostDefined;
import dev.troupe.runtime.journal.JournalException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** What a journal says of its machine, and whether a machine at hand is that one. */
public final class JournalHeaders {
  private JournalHeaders() {}

  /** The header of a recording of this machine. */
  public static JournalHeader of(
      MachineParts parts, boolean messages, Duration hashEvery, Checkpoints.Interval checkpoints) {
    JournalHeader.Builder header =
        JournalHeader.newBuilder()
            .setSpec(parts.spec())
            .setCpuModel(parts.model().name())
            .setCpuFeatures(parts.model().fingerprint())
            .setHost(
                JournalHost.newBuilder()
                    .setCpuName(HostCpuid.name())
                    .setEngine(parts.spec().getEngine().name())
                    .setHostDefined(HostDefined.fingerprint()))
            .setLevel(
                messages ? JournalLevel.JOURNAL_LEVEL_MESSAGES : JournalLevel.JOURNAL_LEVEL_INPUTS)
            .setHashEveryNanos(hashEvery.toNanos())
            .setCheckpointEveryNanos(checkpoints.nanos())
            .setCheckpointEveryInstructions(checkpoints.instructions())
            .setTurns(messages && parts.spec().getCpus() == 1 && parts.spec().hasDeterministic())
            .setWallClockNanos(parts.wallClockNanos())
            .addAllActors(parts.actors());
    parts.files().forEach(file -> header.addImages(image(file)));
    return header.build();
  }

  /** How far it is from one checkpoint to the next. */
  public static Checkpoints.Interval checkpoints(JournalHeader header) {
    return new Checkpoints.Interval(
        Math.max(0, header.getCheckpointEveryInstructions()),
        Math.max(0, header.getCheckpointEveryNanos()));
  }

  private static JournalImage image(Image file) {
    return JournalImage.newBuilder()
        .setPath(file.name())
        .setLength(file.size())
        .setSha256(ByteString.copyFrom(digest(file)))
        .build();
  }

  private static byte[] digest(Image file) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(file.bytes().asByteBuffer());
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * Checks that a machine made from the header's spec is the one that was recorded.
   *
   * @throws JournalException with what differs
   */
  public static void check(JournalHeader header, MachineParts parts) throws JournalException {
    if (!parts.model().name().equals(header.getCpuModel())
        || parts.model().fingerprint() != header.getCpuFeatures()) {
      throw new JournalException(
          "the recorded CPU is %s with features %016x, this one %s with %016x"
              .formatted(
                  header.getCpuModel(),
                  header.getCpuFeatures(),
                  parts.model().name(),
                  parts.model().fingerprint()));
    }
    List<String> actors = parts.actors();
    if (!actors.equals(header.getActorsList())) {
      throw new JournalException(
          "the recorded actors are %s, here they are %s".formatted(header.getActorsList(), actors));
    }
    List<Image> files = parts.files();
    if (files.size() != header.getImagesCount()) {
      throw new JournalException(
          "recorded with %d images, here are %d".formatted(header.getImagesCount(), files.size()));
    }
    for (int i = 0; i < files.size(); i++) {
      JournalImage then = header.getImages(i);
      JournalImage now = image(files.get(i));
      if (then.getLength() != now.getLength() || !then.getSha256().equals(now.getSha256())) {
        throw new JournalException(
            "image %s has changed: SHA-256 %s, recorded %s"
                .formatted(now.getPath(), hex(now.getSha256()), hex(then.getSha256())));
      }
    }
  }

  private static String hex(ByteString bytes) {
    return HexFormat.of().formatHex(bytes.toByteArray());
  }

  /** Set if instructions whose results are the host's own give others here than they did then. */
  public static Optional<String> otherHost(JournalHeader header) {
    long here = HostDefined.fingerprint();
    return header.getHost().getHostDefined() == here
        ? Optional.empty()
        : Optional.of(
            ("recorded on %s, whose reciprocal estimates differ from this CPU's (%016x, %016x): a"
                    + " guest that uses them diverges")
                .formatted(header.getHost().getCpuName(), header.getHost().getHostDefined(), here));
  }
}
