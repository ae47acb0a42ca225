/**
 * The second engine: guest code to host machine code
 * (docs/decisions/0011-the-translator-steps-by-the-interpreter.md).
 *
 * <p>{@link dev.troupe.runtime.engine.translator.Translator} is the interpreter with another way to
 * run a block: what it has not translated, or cannot, it interprets. {@link
 * dev.troupe.runtime.engine.translator.Path} finds what is translated at once, a {@link
 * dev.troupe.runtime.engine.translator.Trace}; {@link
 * dev.troupe.runtime.engine.translator.TraceEmitter} makes its code, with {@link
 * dev.troupe.runtime.engine.translator.Emission} for flags, budget and ways out; {@link
 * dev.troupe.runtime.engine.translator.CodeArea} holds the code, which works on a {@link
 * dev.troupe.runtime.engine.translator.State}.
 */
package dev.troupe.runtime.engine.translator;
