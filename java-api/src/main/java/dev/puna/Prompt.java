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

    @Override
    Work work() {
        return new Work(ids, Slot.once(), Books.NONE, Speech.PLAIN);
    }
}
