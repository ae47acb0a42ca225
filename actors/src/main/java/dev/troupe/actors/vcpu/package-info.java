/**
 * The actors that run vCPUs, and the doors by which interrupts reach them. They know the bus's
 * addresses and the board's messages, but no device.
 */
package dev.troupe.actors.vcpu;
