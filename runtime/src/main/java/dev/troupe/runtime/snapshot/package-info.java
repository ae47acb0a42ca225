/**
 * The state of a machine: saved, restored, hashed, listed and compared, all from one description of
 * each part, its {@link dev.troupe.runtime.snapshot.Stateful#state}
 * (docs/decisions/0009-one-description-of-a-parts-state.md).
 *
 * <p>Stored parts are bytes, all numbers little-endian:
 *
 * <pre>
 * part    = name length (1 byte), name (ASCII), version (2), length of the content (4), content
 * content = the part's fields in the order of its description, each of its width; nested parts
 * list    = number of elements (4), the fields of each
 * bytes   = number of bytes (4) where it may vary, the bytes
 * </pre>
 *
 * <p>Everything that is read is hostile: see {@link dev.troupe.runtime.snapshot.StateReader}.
 */
package dev.troupe.runtime.snapshot;
