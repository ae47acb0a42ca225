package dev.troupe.actors.wire;

/**
 * A message from node to node that is never stored. It is a record of numbers, texts, bytes, actor
 * references and other such records, and is written as {@link RecordSerializer} says. What is
 * stored, or commands a machine, is protobuf instead. Each class has a number in {@link
 * NodeMessages}.
 */
public interface NodeMessage {}
