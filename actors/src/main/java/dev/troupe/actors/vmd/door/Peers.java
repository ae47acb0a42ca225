package dev.troupe.actors.vmd.door;

import dev.troupe.actors.vmd.Control.Caller;
import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiationEvent;
import io.grpc.netty.InternalProtocolNegotiator;
import io.grpc.netty.InternalProtocolNegotiators;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.util.AsciiString;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is at the other end of each connection, as the kernel says it: looked up once, when the
 * connection is made, and handed on with every call of it. Also the bound on connections, because
 * this is where they are first known.
 */
final class Peers implements InternalProtocolNegotiator.ProtocolNegotiator {
  private static final Attributes.Key<Caller> PEER =
      Attributes.Key.create("dev.troupe.actors.vmd.door.PEER");
  private static final Context.Key<Caller> CALLER =
      Context.key("dev.troupe.actors.vmd.door.CALLER");
  private static final ChannelOption<UnixDomainPrincipal> CREDENTIALS =
      NioChannelOption.of(ExtendedSocketOptions.SO_PEERCRED);

  private static final Logger LOG = LoggerFactory.getLogger(Peers.class);

  private final InternalProtocolNegotiator.ProtocolNegotiator plain =
      InternalProtocolNegotiators.serverPlaintext();
  private final int self;
  private final DoorLimits limits;
  private final Map<Integer, Integer> connections = new HashMap<>();
  private int total;

  /** For a daemon that is run by this user. */
  Peers(int self, DoorLimits limits) {
    this.self = self;
    this.limits = limits;
  }

  /** Who made the call that is being handled. */
  static Caller caller() {
    return CALLER.get();
  }

  /** Hands on the connection's peer as the call's caller. */
  static ServerInterceptor interceptor() {
    return new ServerInterceptor() {
      @Override
      public <Q, A> ServerCall.Listener<Q> interceptCall(
          ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        Caller caller = call.getAttributes().get(PEER);
        if (caller == null) {
          call.close(Status.UNAUTHENTICATED.withDescription("no user known"), new Metadata());
          return new ServerCall.Listener<>() {};
        }
        return Contexts.interceptCall(
            Context.current().withValue(CALLER, caller), call, headers, next);
      }
    };
  }

  @Override
  public AsciiString scheme() {
    return plain.scheme();
  }

  @Override
  public ChannelHandler newHandler(GrpcHttp2ConnectionHandler handler) {
    return InternalProtocolNegotiators.waitUntilActiveHandler(
        new PeerHandler(handler), handler.getNegotiationLogger());
  }

  @Override
  public void close() {
    plain.close();
  }

  private Caller identify(Channel channel) throws IOException {
    UnixDomainPrincipal peer = channel.config().getOption(CREDENTIALS);
    if (peer == null) {
      throw new IOException("the socket tells no peer");
    }
    String name = peer.user().getName();
    OptionalInt uid = Users.uid(name);
    if (uid.isEmpty()) {
      throw new IOException("no user is called " + name);
    }
    return new Caller(uid.getAsInt(), name, uid.getAsInt() == 0 || uid.getAsInt() == self);
  }

  /** Counts the connection in, if there is room for it. */
  private synchronized boolean enter(Caller caller) {
    int own = connections.getOrDefault(caller.uid(), 0);
    if (total >= limits.connections()
        || (!caller.privileged() && own >= limits.connectionsOfOne())) {
      return false;
    }
    total++;
    connections.put(caller.uid(), own + 1);
    return true;
  }

  private synchronized void leave(Caller caller) {
    total--;
    connections.computeIfPresent(caller.uid(), (uid, own) -> own == 1 ? null : own - 1);
  }

  /** Replaces gRPC's own last step of a connection's beginning. */
  private final class PeerHandler extends InternalProtocolNegotiators.ProtocolNegotiationHandler {
    PeerHandler(GrpcHttp2ConnectionHandler handler) {
      super(
          InternalProtocolNegotiators.grpcNegotiationHandler(handler),
          handler.getNegotiationLogger());
    }

    @Override
    protected void protocolNegotiationEventTriggered(ChannelHandlerContext context) {
      Caller caller;
      try {
        caller = identify(context.channel());
      } catch (IOException | RuntimeException e) {
        LOG.warn("connection refused: {}", e.getMessage());
        var _ = context.close();
        return;
      }
      if (!enter(caller)) {
        LOG.warn("connection refused: too many, uid {}", caller.uid());
        var _ = context.close();
        return;
      }
      var _ = context.channel().closeFuture().addListener(future -> leave(caller));
      var event = getProtocolNegotiationEvent();
      replaceProtocolNegotiationEvent(
          InternalProtocolNegotiationEvent.withAttributes(
              event,
              InternalProtocolNegotiationEvent.getAttributes(event).toBuilder()
                  .set(PEER, caller)
                  .build()));
      fireProtocolNegotiationEvent(context);
    }
  }
}
