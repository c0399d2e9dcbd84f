// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * A grammar that a generation's text must follow, compiled for one vocabulary. A value: it need not be closed.
 * Immutable; any thread; independent of the tokenizer's and the model's closing.
 */
public final class NativeGrammar extends NativeObject {
    private final String text;

    private NativeGrammar(MemorySegment grammar, String text) {
        super("grammar", grammar, PunaH::puna_grammar_close);
        this.text = text;
    }

    /** {@return what it was compiled from: with it, a generation can be repeated} */
    public String text() {
        return text;
    }

    /**
     * Compiles a grammar. Takes up to milliseconds: call it on a platform thread.
     *
     * @param tokenizer of the model that is to follow it
     * @param text in the notation that docs/constrain.md tells
     * @return the grammar
     * @throws NativeException INVALID_ARGUMENT with the offset, in bytes, of what is wrong; UNSUPPORTED
     */
    public static NativeGrammar compile(NativeTokenizer tokenizer, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        try (Handle.Use use = tokenizer.use();
                Call call = new Call()) {
            MemorySegment out = call.pointer();
            call.check(
                    PunaH.puna_grammar_compile(tokenizer.address(), call.text(utf8), utf8.length, out, call.error()));
            return new NativeGrammar(out.get(PunaH.C_POINTER, 0), text);
        }
    }

    /**
     * How much of a text is allowed.
     *
     * @param bytes from the beginning, all of them if the text is the beginning of something that the grammar allows
     * @param whole whether it may end there
     */
    public record Match(long bytes, boolean whole) {}

    /**
     * Matches a text.
     *
     * @param text any
     * @return how much of it the grammar allows
     */
    public Match match(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        try (Handle.Use use = use();
                Call call = new Call()) {
            MemorySegment matched = call.longs(1);
            MemorySegment whole = call.ints(new int[1]);
            call.check(PunaH.puna_grammar_match(
                    use.address(), call.text(utf8), utf8.length, matched, whole, call.error()));
            return new Match(matched.get(ValueLayout.JAVA_LONG, 0), whole.get(ValueLayout.JAVA_INT, 0) == 1);
        }
    }
}
