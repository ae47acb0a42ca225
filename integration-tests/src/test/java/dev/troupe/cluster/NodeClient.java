package dev.troupe.cluster;

import com.google.protobuf.ByteString;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.CommandResult;
import dev.troupe.proto.vmd.ConsoleInput;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.ExplainRequest;
import dev.troupe.proto.vmd.Explanation;
import dev.troupe.proto.vmd.NodeInfo;
import dev.troupe.proto.vmd.NodesRequest;
import dev.troupe.proto.vmd.OpenConsole;
import dev.troupe.proto.vmd.ShowRequest;
import dev.troupe.proto.vmd.VmInfo;
import dev.troupe.proto.vmd.VmdGrpc;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;

/** A connection to a node's door, as a program has it that is not vmctl. */
public final class NodeClient implements AutoCloseable {
  private static final int ANSWER_BYTES = 64 << 20;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /** All connections' reading and writing. */
  private static final MultiThreadIoEventLoopGroup LOOP =
      new MultiThreadIoEventLoopGroup(
          1, Thread.ofPlatform().daemon().factory(), NioIoHandler.newFactory());

  private static final Logger NETTY = Logger.getLogger("io.netty");

  static {
    // It complains of each connection that a Unix socket has no options of TCP's.
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    NETTY.setLevel(Level.OFF);
  }

  private final ManagedChannel channel;

  /** To the node that listens there; connects when it is first used. */
  public NodeClient(Path socket) {
    channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(LOOP)
            .usePlaintext()
            .overrideAuthority("vmd")
            .maxInboundMessageSize(ANSWER_BYTES)
            .build();
  }

  private VmdGrpc.VmdBlockingStub stub() {
    return VmdGrpc.newBlockingStub(channel)
        .withDeadlineAfter(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /** Has a command done, under a new id. */
  public CommandResult submit(Command.Builder command) {
    return stub().submit(command.setId(UUID.randomUUID().toString()).build());
  }

  /** All machines. */
  public List<VmInfo> show() {
    return stub().show(ShowRequest.getDefaultInstance()).getVmsList();
  }

  /**
   * Waits until the machines are as they should be; what cannot be said just now is not.
   *
   * @return false if they are not in time
   */
  public boolean await(Predicate<List<VmInfo>> wanted, Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() - end < 0) {
      try {
        if (wanted.test(show())) {
          return true;
        }
      } catch (StatusRuntimeException e) {
        // It is asked again.
      }
      Thread.sleep(200);
    }
    return false;
  }

  /** All nodes. */
  public List<NodeInfo> nodes() {
    return stub().nodes(NodesRequest.getDefaultInstance()).getNodesList();
  }

  /** Where a machine would go. */
  public Explanation explain(String vm) {
    return stub().explain(ExplainRequest.newBuilder().setVm(vm).build());
  }

  /**
   * Types a line at a machine's console, again and again, until its answer comes.
   *
   * @param prompt what has to be there before; empty: nothing
   * @return false if there is no answer in time
   */
  public boolean answers(String vm, String prompt, String line, String answer, Duration limit)
      throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() - end < 0) {
      Conversation talk = new Conversation();
      StreamObserver<ConsoleInput> input = VmdGrpc.newStub(channel).console(talk);
      try {
        input.onNext(
            ConsoleInput.newBuilder()
                .setOpen(
                    OpenConsole.newBuilder()
                        .setVm(vm)
                        .setWrite(true)
                        .setForce(true)
                        .setScrollback(prompt.isEmpty() ? 0 : 1 << 20))
                .build());
        if (talk.said(prompt, end)) {
          // A guest that has not set up its port yet hears nothing: it is asked again.
          ConsoleInput typed =
              ConsoleInput.newBuilder().setData(ByteString.copyFromUtf8(line)).build();
          long again = Math.min(end, System.nanoTime() + TimeUnit.SECONDS.toNanos(3));
          input.onNext(typed);
          if (talk.said(answer, again)) {
            return true;
          }
        }
      } finally {
        input.onError(new InterruptedException("heard enough"));
      }
      Thread.sleep(100);
    }
    return false;
  }

  /** What has been said on a console since it was opened; a broken one says no more. */
  private static final class Conversation implements StreamObserver<ConsoleOutput> {
    private final StringBuilder text = new StringBuilder();
    private boolean writer;
    private boolean over;

    @Override
    public synchronized void onNext(ConsoleOutput output) {
      writer |= output.getOpened().getWriter();
      text.append(output.getChunk().getData().toString(StandardCharsets.ISO_8859_1));
      notifyAll();
    }

    @Override
    public synchronized void onError(Throwable reason) {
      over = true;
      notifyAll();
    }

    @Override
    public synchronized void onCompleted() {
      over = true;
      notifyAll();
    }

    synchronized boolean said(String wanted, long end) throws InterruptedException {
      while (!writer || text.indexOf(wanted) < 0) {
        long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        if (over || left <= 0) {
          return false;
        }
        wait(left);
      }
      return true;
    }
  }

  /** Whether the node answers at all. */
  public boolean serves() {
    try {
      return !nodes().isEmpty();
    } catch (StatusRuntimeException e) {
      return false;
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
