package dev.troupe.actors.vmd.door;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.proto.spec.Boot;
import dev.troupe.proto.spec.Placement;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;
import dev.troupe.proto.vmd.ConsoleInput;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.DrainNode;
import dev.troupe.proto.vmd.OpenConsole;
import dev.troupe.proto.vmd.PauseVm;
import dev.troupe.proto.vmd.ShowRequest;
import dev.troupe.proto.vmd.StartVm;
import dev.troupe.proto.vmd.StopVm;
import dev.troupe.proto.vmd.VmInfo;
import dev.troupe.proto.vmd.VmdGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a caller may send who means harm: each gets its answer, and the door goes on. */
class HostileCallerTest {
  /** Times long enough for a machine that does much else. */
  private static final Duration LONG = Duration.ofMinutes(1);

  private static final Duration SHORT = Duration.ofMillis(300);

  private static DoorLimits limits(Duration request, Duration result) {
    return new DoorLimits(4, 2, 4, 1 << 20, request, LONG, result, LONG, LONG);
  }

  private final MemoryControl control = new MemoryControl();
  private final LogRing log = LogRing.install();
  private Path folder;
  private Path socket;
  private Door door;
  private MultiThreadIoEventLoopGroup loop;
  private ManagedChannel channel;
  private VmdGrpc.VmdBlockingStub vmd;

  @BeforeEach
  void open() throws IOException {
    folder = Files.createTempDirectory("door");
    socket = folder.resolve("vmd.sock");
    door = Door.open(socket, Optional.empty(), control, log, limits(LONG, LONG));
    loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(loop)
            .usePlaintext()
            .overrideAuthority("vmd")
            .disableRetry()
            .build();
    vmd = VmdGrpc.newBlockingStub(channel).withDeadlineAfter(100, TimeUnit.SECONDS);
  }

  @AfterEach
  void close() throws IOException {
    channel.shutdownNow();
    var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    door.close();
    log.close();
    Files.delete(folder.resolve("vmd.sock.lock"));
    Files.delete(folder);
  }

  /** As if the daemon had been started with these limits. */
  private void reopen(DoorLimits limits) throws IOException {
    door.close();
    door = Door.open(socket, Optional.empty(), control, log, limits);
  }

  private void alive() {
    assertThat(vmd.show(ShowRequest.getDefaultInstance()).getVmsList()).isEmpty();
  }

  private void refused(Command.Builder command, String... texts) {
    assertThatThrownBy(() -> vmd.submit(command.build()))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
              assertThat(e.getStatus().getDescription()).contains(texts).hasLineCount(1);
            });
    assertThat(control.done).isEmpty();
  }

  private static Command.Builder start(String name, VmSpec.Builder spec) {
    return Command.newBuilder().setId("1").setStart(StartVm.newBuilder().setVm(name).setSpec(spec));
  }

  @Test
  void eachBadValueIsNamedWithWhatWasExpected() {
    VmSpec.Builder none = VmSpec.newBuilder();
    refused(Command.newBuilder(), "command id ''", "letters, digits and dashes");
    refused(Command.newBuilder().setId("a b"), "command id 'a b'");
    refused(Command.newBuilder().setId("1"), "is vmctl newer than vmd?");
    refused(start("../x", none), "vm name '../x'", "a letter, then");
    refused(start("", none), "vm name ''");
    refused(start("a".repeat(65), none), "vm name 'aaa");
    refused(start("4294967296", none), "vm name '4294967296'");
    refused(start("a\n\033[2J", none), "vm name 'a??[2J'");
    refused(start("a", VmSpec.newBuilder().setName("b")), "vm name in its settings 'b'");
    refused(
        start("a", VmSpec.newBuilder().setMemoryBytes(Long.MIN_VALUE)),
        "memory '9223372036854775808'",
        "a multiple of 4096 bytes from 2097152");
    refused(start("a", VmSpec.newBuilder().setMemoryBytes(4096)), "memory '4096'");
    refused(start("a", VmSpec.newBuilder().setMemoryBytes((2 << 20) + 1)), "memory '2097153'");
    refused(start("a", VmSpec.newBuilder().setCpus(65)), "cpus '65': expected 1 to 64");
    refused(start("a", VmSpec.newBuilder().setCpus(-1)), "cpus '4294967295'");
    refused(start("a", VmSpec.newBuilder().setEngineValue(9)), "engine '9'");
    refused(start("a", VmSpec.newBuilder().setCpuModel("a/b")), "cpu model 'a/b'");
    refused(
        start("a", VmSpec.newBuilder().setBoot(Boot.newBuilder().setKernel("k"))),
        "kernel 'k': expected a path from /");
    refused(
        start("a", VmSpec.newBuilder().setBoot(Boot.newBuilder().setKernel("/k\0/etc/shadow"))),
        "no byte 0");
    refused(
        start(
            "a", VmSpec.newBuilder().setBoot(Boot.newBuilder().setCommandLine("x".repeat(70000)))),
        "length of the command line '70000'");
    refused(
        start("a", VmSpec.newBuilder().setPlacement(Placement.newBuilder().putLabels("-", ""))),
        "label '-'");
    refused(
        start("a", none).setStart(StartVm.newBuilder().setVm("a").setLike("a b")), "vm name 'a b'");
    refused(Command.newBuilder().setId("1").setStop(StopVm.newBuilder().setVm("-")), "vm name '-'");
    refused(
        Command.newBuilder().setId("1").setDrain(DrainNode.newBuilder().setNode("a b")),
        "node name 'a b'");
  }

  @Test
  void aTextThatIsNoUtf8IsRefused() throws Exception {
    byte[] bad = {10, 2, (byte) 0xC3, 0x28}; // field 1, two bytes
    Status status = sendRaw(bad).get(60, TimeUnit.SECONDS);
    assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(status.getDescription()).contains("cannot be read").hasLineCount(1);
    alive();
  }

  @Test
  void bytesThatAreNoMessageAreRefused() throws Exception {
    SplittableRandom random = new SplittableRandom(6);
    for (int i = 0; i < 50; i++) {
      byte[] bytes = new byte[1 + random.nextInt(200)];
      random.nextBytes(bytes);
      assertThat(sendRaw(bytes).get(60, TimeUnit.SECONDS).isOk()).isFalse();
    }
    alive();
  }

  @Test
  void aBodyAboveTheLimitIsRefused() throws Exception {
    Status status = sendRaw(new byte[(1 << 20) + 1]).get(60, TimeUnit.SECONDS);
    assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    alive();
  }

  /** Sends these bytes for a command. */
  private CompletableFuture<Status> sendRaw(byte[] body) {
    var method =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(VmdGrpc.getSubmitMethod().getFullMethodName())
            .setRequestMarshaller(new Bytes())
            .setResponseMarshaller(new Bytes())
            .build();
    CompletableFuture<Status> end = new CompletableFuture<>();
    ClientCalls.asyncUnaryCall(
        channel.newCall(method, CallOptions.DEFAULT),
        body,
        new StreamObserver<>() {
          @Override
          public void onNext(byte[] answer) {}

          @Override
          public void onError(Throwable e) {
            end.complete(Status.fromThrowable(e));
          }

          @Override
          public void onCompleted() {
            end.complete(Status.OK);
          }
        });
    return end;
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @Test
  void aBodyThatSaysItHasAGigabyteIsRefusedBeforeItComes() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    frame(out, 4, 0, 0, new byte[0]); // SETTINGS
    ByteArrayOutputStream headers = new ByteArrayOutputStream();
    header(headers, ":method", "POST");
    header(headers, ":scheme", "http");
    header(headers, ":path", "/" + VmdGrpc.getSubmitMethod().getFullMethodName());
    header(headers, ":authority", "vmd");
    header(headers, "te", "trailers");
    header(headers, "content-type", "application/grpc");
    frame(out, 1, 4, 1, headers.toByteArray()); // HEADERS, END_HEADERS
    frame(out, 0, 0, 1, new byte[] {0, 0x40, 0, 0, 0, 1, 2, 3}); // DATA: 1 GiB follows
    try (SocketChannel raw = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      raw.write(ByteBuffer.wrap(out.toByteArray()));
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      ByteBuffer piece = ByteBuffer.allocate(4096);
      while (!answer.toString(StandardCharsets.ISO_8859_1).contains("exceeds maximum size")) {
        piece.clear();
        assertThat(raw.read(piece)).as("an answer comes").isPositive();
        answer.write(piece.array(), 0, piece.position());
      }
    }
    alive();
  }

  private static void frame(ByteArrayOutputStream out, int type, int flags, int stream, byte[] b) {
    ByteBuffer head = ByteBuffer.allocate(9);
    head.put((byte) (b.length >> 16)).putShort((short) b.length);
    head.put((byte) type).put((byte) flags).putInt(stream);
    out.writeBytes(head.array());
    out.writeBytes(b);
  }

  /** A literal header, not indexed, without Huffman's code (RFC 7541, 6.2.2). */
  private static void header(ByteArrayOutputStream out, String name, String value) {
    out.write(0);
    for (String text : List.of(name, value)) {
      out.write(text.length());
      out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }
  }

  @Test
  void bytesThatAreNoHttpEndTheirConnectionOnly() throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 20; i++) {
      byte[] bytes = new byte[1 + random.nextInt(500)];
      random.nextBytes(bytes);
      if (i % 2 == 0) {
        byte[] preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        byte[] rest = bytes;
        bytes = Arrays.copyOf(preface, preface.length + rest.length);
        System.arraycopy(rest, 0, bytes, preface.length, rest.length);
      }
      try (SocketChannel raw = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
        raw.write(ByteBuffer.wrap(bytes));
      } catch (IOException e) {
        // The door has closed it already.
      }
    }
    alive();
  }

  @Test
  void aRequestThatDoesNotComeIsNotWaitedFor() throws Exception {
    reopen(limits(SHORT, LONG));
    CompletableFuture<Status> end = new CompletableFuture<>();
    // Of a call that is a stream gRPC sends each part at once.
    ClientCall<ShowRequest, ?> call =
        channel.newCall(
            VmdGrpc.getShowMethod().toBuilder()
                .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
                .build(),
            CallOptions.DEFAULT);
    start(call, end);
    call.sendMessage(ShowRequest.getDefaultInstance()); // and never the end of it
    Status status = end.get(60, TimeUnit.SECONDS);
    assertThat(status.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(status.getDescription()).isEqualTo("the request did not come within 300 ms");
  }

  private static <A> void start(ClientCall<?, A> call, CompletableFuture<Status> end) {
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            end.complete(status);
          }
        },
        new Metadata());
    call.request(1);
  }

  @Test
  void connectionsAreBounded() throws Exception {
    alive();
    List<SocketChannel> many = new ArrayList<>();
    try {
      for (int i = 0; i < 10; i++) {
        many.add(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
      }
      ByteBuffer byteOf = ByteBuffer.allocate(1000);
      assertThat(many.getLast().read(byteOf)).as("the last one is closed").isEqualTo(-1);
      alive();
    } finally {
      for (SocketChannel one : many) {
        one.close();
      }
    }
  }

  @Test
  void aConsoleThatSendsTheWrongThingIsEnded() throws Exception {
    control.put(VmInfo.newBuilder().setId(1).setName("a").build());
    assertThat(converse(ConsoleInput.newBuilder().setData(bytes(1)).build()))
        .contains("the first message says which console");
    assertThat(converse(ConsoleInput.getDefaultInstance())).contains("neither open nor data");
    ConsoleInput open =
        ConsoleInput.newBuilder()
            .setOpen(OpenConsole.newBuilder().setVm("a").setWrite(true))
            .build();
    assertThat(converse(open, open)).contains("the console is open already");
    assertThat(converse(open, ConsoleInput.newBuilder().setData(bytes(4097)).build()))
        .contains("data: 4097 bytes: expected at most 4096");
    assertThat(control.sessions).hasSize(2).allMatch(session -> session.closed);
  }

  private static com.google.protobuf.ByteString bytes(int count) {
    return com.google.protobuf.ByteString.copyFrom(new byte[count]);
  }

  private String converse(ConsoleInput... inputs) throws Exception {
    CompletableFuture<Status> end = new CompletableFuture<>();
    StreamObserver<ConsoleInput> in =
        VmdGrpc.newStub(channel)
            .console(
                new StreamObserver<ConsoleOutput>() {
                  @Override
                  public void onNext(ConsoleOutput output) {}

                  @Override
                  public void onError(Throwable e) {
                    end.complete(Status.fromThrowable(e));
                  }

                  @Override
                  public void onCompleted() {
                    end.complete(Status.OK);
                  }
                });
    for (ConsoleInput input : inputs) {
      in.onNext(input);
    }
    return end.get(60, TimeUnit.SECONDS).getDescription();
  }

  @Test
  void aCommandWithoutAResultIsToldSoAndGoesOn() throws Exception {
    reopen(limits(LONG, SHORT));
    control.put(VmInfo.newBuilder().setId(1).setName("a").build());
    control.held = true;
    Command pause =
        Command.newBuilder().setId("p").setPause(PauseVm.newBuilder().setVm("a")).build();
    assertThatThrownBy(() -> vmd.submit(pause))
        .hasMessageContaining("DEADLINE_EXCEEDED")
        .hasMessageContaining("asked again under its id");
    control.release();
    reopen(limits(LONG, LONG));
    assertThat(vmd.withWaitForReady().submit(pause).getVm().getName()).isEqualTo("a");
    assertThat(control.done).hasSize(1);
  }
}
