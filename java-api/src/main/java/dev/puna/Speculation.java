// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeEngineOptions;
import dev.puna.bindings.NativeModel;
import org.jspecify.annotations.Nullable;

/**
 * Speculation: tokens are guessed ahead of an answer, computed together, and kept as far as they are what is chosen
 * anyway. The answer is the same, bit for bit, greedy or sampled, with every sampler and every form; a request with a
 * logits hook is not guessed for. How many are guessed follows how many were right.
 *
 * <pre>{@code
 * try (Model draft = Model.load("small.gguf");
 *         Context context = model.newContext(o -> o.speculation(Speculation.draft(draft)))) {
 *     Reply reply = context.prompt("Once upon a time").reply();
 *     System.out.println(reply.usage().acceptedTokens() + " of " + reply.usage().draftedTokens() + " were right");
 * }
 * }</pre>
 *
 * Immutable.
 */
public final class Speculation {
    private static final Speculation OFF = new Speculation(NativeEngineOptions.Speculation.OFF, null, 0);
    private static final Speculation LOOKUP = new Speculation(NativeEngineOptions.Speculation.LOOKUP, null, 0);

    private final NativeEngineOptions.Speculation kind;
    private final @Nullable Model draft;
    private final int tokens; // 0: the core's default

    private Speculation(NativeEngineOptions.Speculation kind, @Nullable Model draft, int tokens) {
        this.kind = kind;
        this.draft = draft;
        this.tokens = tokens;
    }

    /** {@return nothing is guessed} */
    public static Speculation off() {
        return OFF;
    }

    /**
     * Prompt lookup: what came after the last place in the prompt or the answer that ended alike. Needs no other model;
     * fast where a text repeats itself: code with an edit, a quotation, a list.
     *
     * @return a setting
     */
    public static Speculation lookup() {
        return LOOKUP;
    }

    /**
     * A smaller model of the same vocabulary guesses where lookup finds nothing. Its keys and values have a share of
     * the context's {@link ContextOptions#cacheBudget}.
     *
     * @param model whose tokens must be the same, one for one; else making the context fails with
     *     {@link IllegalArgumentException}. It may be closed once the context is there
     * @return a setting
     */
    public static Speculation draft(Model model) {
        return new Speculation(NativeEngineOptions.Speculation.DRAFT, model, 0);
    }

    /**
     * Bounds what is guessed in one step.
     *
     * @param most for all sequences together, 1 to 256; 16 unless set. Each takes the memory of a row of logits
     * @return a setting
     */
    public Speculation tokens(int most) {
        if (most < 1 || most > 256) {
            throw new IllegalArgumentException("tokens is " + most + "; it may be 1 to 256");
        }
        return new Speculation(kind, draft, most);
    }

    NativeEngineOptions.Speculation kind() {
        return kind;
    }

    int tokens() {
        return tokens;
    }

    @Nullable
    NativeModel nativeModel() {
        return draft == null ? null : draft.nativeModel();
    }

    @Override
    public String toString() {
        return switch (kind) {
            case OFF -> "off";
            case LOOKUP -> "lookup";
            case DRAFT -> "draft by " + draft;
        };
    }
}
