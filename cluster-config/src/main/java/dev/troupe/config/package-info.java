/** Configuration by role: typed, checked when it is loaded. */
package dev.troupe.config;
