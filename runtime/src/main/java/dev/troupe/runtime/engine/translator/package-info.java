/**
 * The second engine: guest code to host machine code, block by block
 * (docs/decisions/0011-the-translator-steps-by-the-interpreter.md).
 *
 * <p>{@link dev.troupe.runtime.engine.translator.Translator} is the interpreter with another way to
 * run a block: what it has not translated, or cannot, it interprets. {@link
 * dev.troupe.runtime.engine.translator.TraceEmitter} makes a trace's code; {@link
 * dev.troupe.runtime.engine.translator.CodeArea} holds the code.
 */
package dev.troupe.runtime.engine.translator;
