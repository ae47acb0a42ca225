package dev.troupe.actors.client;

import dev.troupe.proto.vmd.EventsRequest;
import dev.troupe.proto.vmd.VmEvent;
import dev.troupe.proto.vmd.VmInfo;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Iterator;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vmctl events}. */
@Command(
    description = "Shows what happens to the machines, from now on.",
    mixinStandardHelpOptions = true)
final class EventsCommand implements Callable<Integer> {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS").withZone(ZoneId.systemDefault());

  @Option(
      names = {"-w", "--watch"},
      description = "Go on until interrupted; without it the first event is all.")
  private boolean watch;

  @Option(
      names = {"-n", "--count"},
      paramLabel = "N",
      description = "End after so many.")
  private Long count;

  @Mixin private DaemonOptions daemon;
  @Mixin private DaemonOptions.Output output;

  @Override
  public Integer call() {
    try (Daemon connection = daemon.connect()) {
      return connection.ask(
          stub -> {
            Iterator<VmEvent> events = stub.events(EventsRequest.getDefaultInstance());
            long wanted = count != null ? count : watch ? Long.MAX_VALUE : 1;
            for (long left = wanted; left > 0 && events.hasNext(); left--) {
              VmEvent event = events.next();
              System.out.print(
                  output.forPeople()
                      ? line(event)
                      : output.format().writePart(Values.event(event)));
              System.out.flush();
            }
            return ClientExit.OK;
          });
    }
  }

  private static String line(VmEvent event) {
    VmInfo vm = event.getVm();
    String where = vm.getNode().isEmpty() ? "" : " on " + vm.getNode();
    String why = vm.getReason().isEmpty() ? "" : ": " + vm.getReason();
    return "%s vm %s %s: %s%s, epoch %s%s%n"
        .formatted(
            TIME.format(Instant.ofEpochMilli(event.getMillis())),
            Integer.toUnsignedString(vm.getId()),
            vm.getName(),
            Values.state(vm.getState()),
            where,
            Long.toUnsignedString(vm.getEpoch()),
            why);
  }
}
