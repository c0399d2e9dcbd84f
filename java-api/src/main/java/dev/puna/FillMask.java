// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeInput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * A request to fill the masks of a text.
 *
 * <pre>{@code
 * List<Fill> words = bert.fillMask("Paris is the [MASK] of France.").top(5);
 * }</pre>
 *
 * One thread.
 */
public final class FillMask {
    private final Context context;
    private final String text;
    private List<NativeAdapter.Use> adapters = List.of();

    FillMask(Context context, String text) {
        this.context = context;
        this.text = Objects.requireNonNull(text, "text");
    }

    /**
     * Uses an adapter; further calls add more, up to 16, which join in their order.
     *
     * @param adapter of the model
     * @param weight how much it counts: 1 as it was trained
     * @return this
     * @throws IllegalArgumentException if it is another model's, the weight is not finite, or there are too many
     */
    public FillMask adapter(Adapter adapter, float weight) {
        adapters = Adapter.with(adapters, adapter.use(context.model(), weight));
        return this;
    }

    /**
     * What may stand for the only mask.
     *
     * @param count how many, at least 1
     * @return the most probable first
     * @throws IllegalArgumentException if the text has another number of masks than one
     * @throws UnsupportedModelException if the model is no masked language model
     */
    public List<Fill> top(int count) {
        List<List<Fill>> all = tops(count);
        if (all.size() != 1) {
            throw new IllegalArgumentException("the text has " + all.size() + " masks; one is needed, spelled "
                    + context.tokenizer().mask() + ", or ask for tops");
        }
        return all.getFirst();
    }

    /**
     * What may stand for each mask.
     *
     * @param count how many words for each, at least 1
     * @return for each mask, the most probable first
     */
    public List<List<Fill>> tops(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("count is " + count + "; it may be 1 or more");
        }
        int mask = context.tokenizer().maskId();
        NativeInput input = context.tokenizer().input(text, null, true);
        int[] positions = IntStream.range(0, input.ids().length)
                .filter(i -> mask >= 0 && input.ids()[i] == mask)
                .toArray();
        int vocabulary = context.model().info().vocabulary();
        float[][] rows = context.engine().wholeTexts().fill(input, positions, vocabulary, adapters);
        List<List<Fill>> all = new ArrayList<>();
        for (float[] row : rows) {
            all.add(best(row, count));
        }
        return all;
    }

    private List<Fill> best(float[] row, int count) {
        int known = Math.min(row.length, context.tokenizer().size());
        float[] probabilities = Softmax.of(row);
        Integer[] order = new Integer[known];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Float.compare(row[b], row[a]));
        List<Fill> fills = new ArrayList<>();
        for (int i = 0; i < Math.min(count, known); i++) {
            int id = order[i];
            String word = context.tokenizer().decode(new int[] {id}, true).strip();
            fills.add(new Fill(id, word, probabilities[id]));
        }
        return fills;
    }
}
