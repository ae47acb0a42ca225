package dev.troupe.actors.client;

import dev.troupe.actors.cli.DurationConverter;
import dev.troupe.proto.vmd.VmInfo;
import dev.troupe.proto.vmd.WaitRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vmctl wait}. */
@Command(description = "Waits until a machine has stopped.", mixinStandardHelpOptions = true)
final class WaitCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "The machine's name, or its number.")
  private String name;

  @Option(
      names = "--timeout",
      paramLabel = "D",
      converter = DurationConverter.class,
      description = "For so long (90s, 5m); then the exit code is 124.")
  private Duration timeout;

  @Mixin private DaemonOptions daemon;
  @Mixin private DaemonOptions.Output output;

  @Override
  public Integer call() {
    Names.check(name);
    try (Daemon connection = daemon.connect()) {
      WaitRequest request = WaitRequest.newBuilder().setVm(name).build();
      VmInfo ended =
          connection.ask(
              stub -> {
                if (timeout == null) {
                  return stub.wait(request);
                }
                try {
                  return stub.withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS)
                      .wait(request);
                } catch (StatusRuntimeException e) {
                  if (e.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED) {
                    throw new ClientException(
                        ClientExit.TIMEOUT, "waiting for vm %s: time-out".formatted(name));
                  }
                  throw e;
                }
              });
      output.print(Values.vm(ended));
      if (output.forPeople()) {
        Notices.line(
            "waiting for vm %s: terminated vm %s"
                .formatted(name, Integer.toUnsignedString(ended.getId())));
      }
      return ClientExit.OK;
    }
  }
}
