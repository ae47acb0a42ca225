package dev.troupe.actors.cluster.logic;

import dev.troupe.proto.cluster.Submit;
import dev.troupe.proto.cluster.VmRecord;
import dev.troupe.proto.spec.VmSpec;
import dev.troupe.proto.vmd.Command;

/** Settings of a machine that is started. */
public final class VmSpecs {
  private static final int DEFAULT_CPUS = 1;
  private static final long DEFAULT_MEMORY = 512L << 20;

  private VmSpecs() {}

  /**
   * What is given by a start or a definition, over what it is to be like, over what was known, over
   * the defaults.
   */
  static VmSpec started(String name, VmRecord record, Submit submit) {
    VmSpec.Builder spec = VmSpec.newBuilder().setCpus(DEFAULT_CPUS).setMemoryBytes(DEFAULT_MEMORY);
    merge(spec, record.getSpec());
    merge(spec, submit.getLike());
    Command command = submit.getCommand();
    merge(spec, (command.hasDefine() ? command.getDefine() : command.getStart()).getSpec());
    return spec.setName(record.hasRegistration() ? record.getRegistration().getName() : name)
        .build();
  }

  /**
   * What a machine would be: what is given of it, over what is known of it, over the defaults.
   *
   * @param known the default if nothing is
   */
  public static VmSpec described(VmSpec known, VmSpec given) {
    VmSpec.Builder spec = VmSpec.newBuilder().setCpus(DEFAULT_CPUS).setMemoryBytes(DEFAULT_MEMORY);
    merge(spec, known);
    merge(spec, given);
    return spec.build();
  }

  /** Fields that are set replace; lists and maps do so as a whole, unlike protobuf's merge. */
  private static void merge(VmSpec.Builder into, VmSpec from) {
    if (from.getPlacement().getLabelsCount() != 0) {
      into.getPlacementBuilder().clearLabels();
    }
    if (from.getPlacement().getAffinityCount() != 0) {
      into.getPlacementBuilder().clearAffinity();
    }
    if (from.getPlacement().getAntiAffinityCount() != 0) {
      into.getPlacementBuilder().clearAntiAffinity();
    }
    if (from.getDeterministic().getFaultsCount() != 0) {
      into.getDeterministicBuilder().clearFaults();
    }
    into.mergeFrom(from);
  }
}
