// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.internal.engine.Slot;
import dev.puna.internal.talk.Speech;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * A request to turn a text into another one: a translation, a summary. Unless a sampler is set, the most probable token
 * is chosen at each step.
 *
 * <pre>{@code
 * String german = t5.translate("The house is wonderful.", Locale.ENGLISH, Locale.GERMAN).beams(4).text();
 * String summary = t5.summarize(article).beams(4).lengthPenalty(2).maxTokens(200).text();
 * }</pre>
 *
 * One thread.
 */
public final class TextToText extends Request<TextToText> {
    private final String text;
    private String prefix;

    TextToText(Context context, String prefix, String text) {
        super(context);
        this.text = Objects.requireNonNull(text, "text");
        this.prefix = prefix;
        if (text.isEmpty()) {
            throw new IllegalArgumentException("the text is empty; it must hold at least one character");
        }
        sampler(Sampler.greedy());
    }

    /**
     * Says what stands in front of the text and tells the model its task, where it was trained with another one than
     * its file says or T5 has.
     *
     * @param task such as {@code "translate English to German: "}; may be empty
     * @return this
     */
    public TextToText prefix(String task) {
        prefix = Objects.requireNonNull(task, "prefix");
        return this;
    }

    /** {@return what stands in front of the text} */
    public String prefix() {
        return prefix;
    }

    @Override
    Work work() {
        int[] ids = context().tokenizer().encode((prefix + text).getBytes(StandardCharsets.UTF_8), false, true);
        return new Work(ids, Slot.once(), Books.NONE, Speech.PLAIN);
    }
}
