// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeEmbedding;
import dev.puna.bindings.NativeInput;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/**
 * A request to rank documents by a query.
 *
 * <pre>{@code
 * List<Ranked> best = reranker.rerank("What do whales eat?", documents).top(10);
 * }</pre>
 *
 * One thread.
 */
public final class Ranking {
    private final Context context;
    private final String query;
    private final List<String> documents;
    private boolean truncate;
    private List<NativeAdapter.Use> adapters = List.of();

    Ranking(Context context, String query, List<String> documents) {
        this.context = context;
        this.query = Objects.requireNonNull(query, "query");
        this.documents = List.copyOf(documents);
    }

    /**
     * Cuts documents that are too long, with the query, at their ends. Without it they are a
     * {@link ContextFullException}.
     *
     * @return this
     */
    public Ranking truncate() {
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
    public Ranking adapter(Adapter adapter, float weight) {
        adapters = Adapter.with(adapters, adapter.use(context.model(), weight));
        return this;
    }

    /**
     * The best documents.
     *
     * @param count at least 0; fewer if there are not so many
     * @return the best one first; those with equal scores in their order
     */
    public List<Ranked> top(int count) {
        if (count < 0) {
            throw new IllegalArgumentException("count is " + count + "; it may be 0 or more");
        }
        List<Ranked> all = all();
        return all.subList(0, Math.min(count, all.size()));
    }

    /**
     * All documents.
     *
     * @return the best one first; those with equal scores in their order
     * @throws UnsupportedModelException if the model is no reranker
     */
    public List<Ranked> all() {
        int labels = context.model().abilities().labelCount();
        if (labels > 1) {
            throw new UnsupportedModelException(
                    "this model classifies texts by " + labels + " labels; a reranker has one: use classify");
        }
        List<NativeInput> inputs = new ArrayList<>();
        for (String document : documents) {
            inputs.add(context.tokenizer().input(query, document, false));
        }
        NativeEmbedding how = new NativeEmbedding(NativeEmbedding.Pooling.SCORES, 0, false, truncate);
        float[][] scores = context.engine().wholeTexts().embed(inputs, how, 1, adapters);
        List<Ranked> ranked = new ArrayList<>();
        for (int i = 0; i < scores.length; i++) {
            ranked.add(new Ranked(i, documents.get(i), scores[i][0]));
        }
        ranked.sort(Comparator.comparing(Ranked::score).reversed());
        return List.copyOf(ranked);
    }
}
