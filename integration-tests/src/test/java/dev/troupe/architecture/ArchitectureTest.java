package dev.troupe.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Instant;
import java.util.Set;

/**
 * The arrows of docs/architecture.md and the bans of its laws, as rules over the compiled classes.
 * A change that breaks one is a change of the design: it starts in docs/decisions, not here.
 */
@AnalyzeClasses(packages = "dev.troupe", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
  private static final String RUNTIME = "dev.troupe.runtime..";
  private static final String ACTORS = "dev.troupe.actors..";
  private static final String[] PEKKO = {"org.apache.pekko..", "com.typesafe..", "scala.."};

  /**
   * Packages whose actors belong to one machine: what they do must depend on their messages alone.
   */
  private static final String[] MACHINE_ACTORS = {
    "dev.troupe.actors.vcpu..", "dev.troupe.actors.device..", "dev.troupe.actors.console.."
  };

  @ArchTest
  static final ArchRule proto_knows_no_other_module =
      noClasses()
          .that()
          .resideInAPackage("dev.troupe.proto..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(RUNTIME, ACTORS, "dev.troupe.config..");

  @ArchTest
  static final ArchRule runtime_knows_neither_actors_nor_configuration =
      noClasses()
          .that()
          .resideInAPackage(RUNTIME)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              ACTORS, "dev.troupe.config..", "org.apache.pekko..", "com.typesafe..");

  @ArchTest
  static final ArchRule configuration_knows_no_machine =
      noClasses()
          .that()
          .resideInAPackage("dev.troupe.config..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ACTORS, RUNTIME);

  @ArchTest
  static final ArchRule the_thin_client_leads_to_no_actor_system_and_no_machine =
      noClasses()
          .that()
          .resideInAPackage("dev.troupe.actors.client..")
          .should()
          .dependOnClassesThat(
              JavaClass.Predicates.resideInAPackage("dev.troupe..")
                  .and(
                      DescribedPredicate.not(
                          JavaClass.Predicates.resideInAnyPackage(
                              "dev.troupe.actors.client..",
                              "dev.troupe.actors.cli..",
                              "dev.troupe.actors.guest..",
                              "dev.troupe.proto.."))))
          .orShould()
          .dependOnClassesThat()
          .resideInAnyPackage(PEKKO);

  @ArchTest
  static final ArchRule what_the_thin_client_uses_leads_there_neither =
      noClasses()
          .that()
          .resideInAnyPackage("dev.troupe.actors.cli..", "dev.troupe.actors.guest..")
          .should()
          .dependOnClassesThat(
              JavaClass.Predicates.resideInAPackage("dev.troupe..")
                  .and(
                      DescribedPredicate.not(
                          JavaClass.Predicates.resideInAnyPackage(
                              "dev.troupe.actors.cli..", "dev.troupe.actors.guest.."))))
          .orShould()
          .dependOnClassesThat()
          .resideInAnyPackage(PEKKO);

  @ArchTest
  static final ArchRule devices_know_neither_cpu_nor_engine_nor_each_others_machine =
      noClasses()
          .that()
          .resideInAPackage("dev.troupe.runtime.device..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.troupe.runtime.cpu..",
              "dev.troupe.runtime.engine..",
              "dev.troupe.runtime.isa..",
              "dev.troupe.runtime.machine..");

  @ArchTest
  static final ArchRule cpu_and_engines_know_no_device =
      noClasses()
          .that()
          .resideInAnyPackage(
              "dev.troupe.runtime.cpu..", "dev.troupe.runtime.engine..", "dev.troupe.runtime.isa..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.troupe.runtime.device..",
              "dev.troupe.runtime.bus..",
              "dev.troupe.runtime.machine..");

  @ArchTest
  static final ArchRule what_saves_state_knows_none_of_the_parts =
      noClasses()
          .that()
          .resideInAPackage("dev.troupe.runtime.snapshot..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.troupe.runtime.cpu..",
              "dev.troupe.runtime.engine..",
              "dev.troupe.runtime.device..",
              "dev.troupe.runtime.machine..");

  @ArchTest
  static final ArchRule the_instruction_table_knows_nothing_above_it =
      noClasses()
          .that()
          .resideInAPackage("dev.troupe.runtime.isa..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.troupe.runtime.cpu..",
              "dev.troupe.runtime.engine..",
              "dev.troupe.runtime.memory..");

  @ArchTest
  static final ArchRule vcpu_actors_know_no_device =
      noClasses()
          .that()
          .resideInAPackage("dev.troupe.actors.vcpu..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.troupe.runtime.device..", "dev.troupe.actors.device..");

  @ArchTest
  static final ArchRule only_named_places_touch_memory_outside_the_heap =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.troupe.runtime.memory..")
          .and()
          .resideInAPackage(RUNTIME)
          .and()
          .resideOutsideOfPackages("dev.troupe.runtime.engine.host..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.lang.foreign.Linker");

  @ArchTest
  static final ArchRule machine_actors_use_no_timer_ask_or_receptionist =
      noClasses()
          .that()
          .resideInAnyPackage(MACHINE_ACTORS)
          .should()
          .dependOnClassesThat()
          .haveNameMatching(
              ".*\\.(TimerScheduler|AskPattern|Receptionist|ServiceKey|SupervisorStrategy)");

  @ArchTest
  static final ArchRule machine_actors_send_themselves_no_future_and_set_no_receive_timeout =
      noClasses()
          .that()
          .resideInAnyPackage(MACHINE_ACTORS)
          .should()
          .callMethodWhere(
              JavaCall.Predicates.target(
                  DescribedPredicate.describe(
                      "pipeToSelf, ask, receive time-out, scheduleOnce",
                      target ->
                          Set.of(
                                  "pipeToSelf",
                                  "ask",
                                  "askWithStatus",
                                  "setReceiveTimeout",
                                  "scheduleOnce",
                                  "startSingleTimer",
                                  "startTimerAtFixedRate")
                              .contains(target.getName()))));

  @ArchTest
  static final ArchRule machine_actors_read_no_clock_and_draw_no_number =
      noClasses()
          .that()
          .resideInAnyPackage("dev.troupe.actors.vcpu..", "dev.troupe.actors.device..")
          .should()
          .callMethod(System.class, "nanoTime")
          .orShould()
          .callMethod(System.class, "currentTimeMillis")
          .orShould()
          .dependOnClassesThat()
          .haveNameMatching("java\\.util\\.(Random|SplittableRandom|UUID)|java\\.time\\.Clock");

  /** Clock jumps reach no guest, no lease and no command: what they are told is monotonic time. */
  @ArchTest
  static final ArchRule the_wall_clock_is_read_for_people_and_where_a_machine_starts =
      noClasses()
          .that()
          .resideInAPackage("dev.troupe..")
          .and()
          .haveNameNotMatching(
              ".*\\.(machine\\.MachineParts|client\\.TopCommand"
                  + "|cluster\\.(ClusterControl|RegistryEntity|VmEntity))")
          .should()
          .callMethod(System.class, "currentTimeMillis")
          .orShould()
          .callMethod(Instant.class, "now");
}
