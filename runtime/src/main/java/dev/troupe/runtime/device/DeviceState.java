package dev.troupe.runtime.device;

/**
 * A device's whole state at a quiet point, as an immutable record of values; each device declares
 * its own. Running timers are the machine's and are saved with its event heap.
 */
public interface DeviceState {}
