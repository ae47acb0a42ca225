/** The actors around devices: a message in, the device's pure logic, messages out. */
package dev.troupe.actors.device;
