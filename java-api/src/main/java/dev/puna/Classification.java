// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeEmbedding;
import dev.puna.bindings.NativeInput;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A request to classify a text.
 *
 * <pre>{@code
 * Map<String, Float> scores = classifier.classify("What a lovely day!").scores();
 * }</pre>
 *
 * One thread.
 */
public final class Classification {
    private final Context context;
    private final String text;
    private boolean truncate;
    private List<NativeAdapter.Use> adapters = List.of();

    Classification(Context context, String text) {
        this.context = context;
        this.text = Objects.requireNonNull(text, "text");
    }

    /**
     * Cuts a text that is too long at its end. Without it that is a {@link ContextFullException}.
     *
     * @return this
     */
    public Classification truncate() {
        truncate = true;
        return this;
    }

    /**
     * Uses an adapter; further calls add more, up to 16, which join in their order.
     *
     * @param adapter of the model
     * @param weight how much it counts: 1 as it was trained
     * @return this
     * @throws IllegalArgumentException if it is another model's, the weight is not finite, or there are too many
     */
    public Classification adapter(Adapter adapter, float weight) {
        adapters = Adapter.with(adapters, adapter.use(context.model(), weight));
        return this;
    }

    /**
     * The probability of each label: the softmax of the model's numbers or, of a single one, its logistic function.
     *
     * @return by label, in the model's order
     * @throws UnsupportedModelException if the model has no classifier
     */
    public Map<String, Float> scores() {
        Model model = context.model();
        List<String> labels = model.labels();
        NativeEmbedding how = new NativeEmbedding(NativeEmbedding.Pooling.SCORES, 0, false, truncate);
        List<NativeInput> inputs = List.of(context.tokenizer().input(text, null, false));
        float[] row = context.engine().wholeTexts().embed(inputs, how, Math.max(1, labels.size()), adapters)[0];
        Map<String, Float> scores = new LinkedHashMap<>();
        if (row.length == 1) {
            scores.put(labels.getFirst(), (float) (1 / (1 + Math.exp(-row[0]))));
            return scores;
        }
        float[] probabilities = Softmax.of(row);
        for (int i = 0; i < row.length; i++) {
            scores.put(labels.get(i), probabilities[i]);
        }
        return scores;
    }

    /**
     * The most probable label.
     *
     * @return the first one among equals
     */
    public String label() {
        return Collections.max(scores().entrySet(), Map.Entry.comparingByValue())
                .getKey();
    }
}
