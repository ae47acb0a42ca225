package dev.troupe.actors.vmd.door;

import com.google.protobuf.ByteString;
import dev.troupe.actors.vmd.ConsoleSession;
import dev.troupe.actors.vmd.ConsoleWatcher;
import dev.troupe.actors.vmd.Control;
import dev.troupe.actors.vmd.Control.Caller;
import dev.troupe.actors.vmd.ControlException;
import dev.troupe.proto.vmd.ConsoleInput;
import dev.troupe.proto.vmd.ConsoleOutput;
import dev.troupe.proto.vmd.OpenConsole;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/**
 * One console call. Output is asked for as far as the socket takes it; of input one message is let
 * in, and the next when the guest has taken that one.
 *
 * <p>The session behind is never called with this object's lock held: it may answer within the
 * call.
 */
final class ConsoleCall implements ConsoleWatcher, StreamObserver<ConsoleInput> {
  private final Control control;
  private final Caller caller;
  private final ServerCallStreamObserver<ConsoleOutput> out;
  private ConsoleSession session;
  private boolean opened;
  private boolean writer;
  private boolean inputPending;
  private int askedFor;
  private boolean ended;

  ConsoleCall(Control control, Caller caller, ServerCallStreamObserver<ConsoleOutput> out) {
    this.control = control;
    this.caller = caller;
    this.out = out;
    out.disableAutoRequest();
    out.setOnReadyHandler(this::ask);
    out.setOnCancelHandler(this::leave);
    out.setOnCloseHandler(this::leave);
    out.request(1);
  }

  // --- What the caller sends: one call at a time, by gRPC's threads. ---

  @Override
  public void onNext(ConsoleInput input) {
    try {
      switch (input.getWhatCase()) {
        case OPEN -> open(input.getOpen());
        case DATA -> type(input.getData());
        case WHAT_NOT_SET -> throw invalid("input: neither open nor data");
      }
    } catch (RuntimeException e) {
      fail(e);
    }
  }

  private void open(OpenConsole open) {
    if (opened) {
      throw invalid("open: the console is open already");
    }
    Requests.check(open);
    opened = true;
    ConsoleSession made = control.console(caller, open, this);
    boolean over;
    synchronized (this) {
      session = made;
      over = ended;
    }
    if (over) {
      made.close();
    } else {
      ask();
      out.request(1);
    }
  }

  private void type(ByteString data) {
    if (!opened) {
      throw invalid("data: the first message says which console: open");
    }
    if (data.size() > DoorLimits.CONSOLE_INPUT_BYTES) {
      throw invalid(
          "data: %d bytes: expected at most %d"
              .formatted(data.size(), DoorLimits.CONSOLE_INPUT_BYTES));
    }
    ConsoleSession typed;
    synchronized (this) {
      typed = writer && !ended && !data.isEmpty() ? session : null;
      inputPending = typed != null;
    }
    if (typed != null) {
      typed.input(data.toByteArray());
    } else {
      out.request(1); // who only watches is not listened to, and not held up
    }
  }

  private static ControlException invalid(String text) {
    return new ControlException(ControlException.Kind.INVALID, text);
  }

  @Override
  public void onError(Throwable reason) {
    leave();
  }

  /** The end of what is typed is not the end of what is watched. */
  @Override
  public void onCompleted() {
    if (!opened) {
      fail(invalid("no message: the first one says which console: open"));
    }
  }

  // --- What the console tells: one call at a time, by any thread. ---

  @Override
  public void output(ConsoleOutput output) {
    boolean taken = false;
    synchronized (this) {
      if (ended) {
        return;
      }
      switch (output.getWhatCase()) {
        case OPENED -> writer = output.getOpened().getWriter();
        case CHUNK -> askedFor--;
        case TAKEN -> taken = inputPending;
        case TAKEN_OVER -> {
          writer = false;
          taken = inputPending; // nobody will say that it was
        }
        default -> {
          // told as it is
        }
      }
      if (taken) {
        inputPending = false;
      }
      out.onNext(output);
    }
    if (taken) {
      out.request(1);
    }
    ask();
  }

  @Override
  public void failed(ControlException reason) {
    fail(reason);
  }

  @Override
  public void closed() {
    synchronized (this) {
      if (ended) {
        return;
      }
      out.onCompleted();
    }
    leave();
  }

  private void fail(RuntimeException reason) {
    synchronized (this) {
      if (ended) {
        return;
      }
      out.onError(Refusals.status(reason));
    }
    leave();
  }

  /** Asks for as many chunks as may be on their way. */
  private void ask() {
    ConsoleSession asked;
    int more;
    synchronized (this) {
      if (ended || session == null || !out.isReady()) {
        return;
      }
      asked = session;
      more = DoorLimits.CONSOLE_CHUNKS - askedFor;
      if (more < DoorLimits.CONSOLE_CHUNKS / 2) {
        return;
      }
      askedFor += more;
    }
    asked.request(more);
  }

  private void leave() {
    ConsoleSession left;
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      left = session;
    }
    if (left != null) {
      left.close();
    }
  }
}
