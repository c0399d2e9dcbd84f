// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.engine.Slot;
import dev.puna.internal.talk.Speech;
import java.nio.charset.StandardCharsets;

/**
 * A request to continue a text.
 *
 * <pre>{@code
 * String text = model.prompt("Once upon a time").maxTokens(64).text();
 * }</pre>
 *
 * One thread.
 */
public final class Prompt extends Request<Prompt> {
    private final int[] ids;

    Prompt(Context context, String text) {
        super(context);
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        this.ids = context.tokenizer().encode(utf8, false, true);
        if (ids.length == 0) {
            throw new IllegalArgumentException("the prompt is empty; it must hold at least one character");
        }
    }

    Prompt(Context context, int[] ids) {
        super(context);
        if (ids.length == 0) {
            throw new IllegalArgumentException("the prompt is empty; it must hold at least one token");
        }
        this.ids = ids.clone();
    }

    /** {@return the prompt's token ids: a copy} */
    public int[] tokens() {
        return ids.clone();
    }

    /**
     * How probable the model finds the prompt itself, with the adapters that were chosen; nothing is generated, and
     * what says how an answer is made has no part in it. Waits as {@link Context#logits} does.
     *
     * <pre>{@code
     * double better = model.prompt(text).adapter(law).score().logProbability()
     *         - model.score(text).logProbability();
     * }</pre>
     *
     * @return its score
     */
    public Score score() {
        return context().score(ids, adapters());
    }

    /**
     * The logits after each of the prompt's tokens, with the adapters that were chosen: {@link Context#logits} with
     * them. Nothing is generated. For experts: a row is as long as the vocabulary.
     *
     * @param first the first row wanted, of {@link #tokens}; row i is what the model says after tokens 0 to i
     * @return rows first to the last, one after the other
     */
    public float[] logitsFrom(int first) {
        return context().logits(ids, first, adapters());
    }

    @Override
    Work work() {
        return new Work(ids, Slot.once(), Books.NONE, Speech.PLAIN);
    }
}
