// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeAdapter;
import dev.puna.bindings.NativeEmbedding;
import dev.puna.bindings.NativeInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A request for the vectors of texts.
 *
 * <pre>{@code
 * List<float[]> vectors = model.embed(texts).pooling(Pooling.MEAN).normalize().dimensions(256).vectors();
 * }</pre>
 *
 * Many texts are read together; the vector of each is the same, bit for bit, as alone. One thread.
 */
public final class Embedding {
    private final Context context;
    private final List<String> texts;
    private Pooling pooling = Pooling.MODEL;
    private int dimensions;
    private boolean normalize;
    private boolean truncate;
    private List<NativeAdapter.Use> adapters = List.of();

    Embedding(Context context, List<String> texts) {
        this.context = context;
        this.texts = List.copyOf(texts);
    }

    /**
     * Says what a vector is made of.
     *
     * @param value {@link Pooling#MODEL} unless set
     * @return this
     */
    public Embedding pooling(Pooling value) {
        pooling = Objects.requireNonNull(value, "pooling");
        return this;
    }

    /**
     * Makes vectors of length 1, so that a product of two is the cosine of their angle.
     *
     * @return this
     */
    public Embedding normalize() {
        normalize = true;
        return this;
    }

    /**
     * Keeps the first numbers of each vector alone: for models that were trained for it (Matryoshka).
     *
     * @param value 1 to the model's width; all unless set
     * @return this
     */
    public Embedding dimensions(int value) {
        int width = context.model().info().embeddingLength();
        if (value < 1 || value > width) {
            throw new IllegalArgumentException("dimensions is " + value + "; it may be 1 to " + width);
        }
        dimensions = value;
        return this;
    }

    /**
     * Cuts texts that are too long at their ends. Without it they are a {@link ContextFullException}.
     *
     * @return this
     */
    public Embedding truncate() {
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
    public Embedding adapter(Adapter adapter, float weight) {
        adapters = Adapter.with(adapters, adapter.use(context.model(), weight));
        return this;
    }

    /**
     * Computes the vectors.
     *
     * @return one for each text, in their order
     * @throws UnsupportedModelException if the model makes none
     * @throws ContextFullException if a text is too long
     * @throws GenerationInterruptedException if the thread is interrupted meanwhile
     */
    public List<float[]> vectors() {
        List<NativeInput> inputs = new ArrayList<>();
        for (String text : texts) {
            inputs.add(context.tokenizer().input(text, null, false));
        }
        NativeEmbedding how = new NativeEmbedding(pooled(), dimensions, normalize, truncate);
        int width = dimensions > 0 ? dimensions : context.model().info().embeddingLength();
        return List.of(context.engine().wholeTexts().embed(inputs, how, width, adapters));
    }

    /** A classifier's own pooling gives scores: its vectors are what it reads. */
    private NativeEmbedding.Pooling pooled() {
        boolean scores =
                pooling == Pooling.MODEL && context.model().abilities().pooling() == NativeEmbedding.Pooling.SCORES;
        return scores ? NativeEmbedding.Pooling.FIRST : NativeEmbedding.Pooling.valueOf(pooling.name());
    }

    /**
     * Computes the vector of the only text.
     *
     * @return its vector
     */
    public float[] vector() {
        if (texts.size() != 1) {
            throw new IllegalStateException("there are " + texts.size() + " texts: ask for their vectors");
        }
        return vectors().getFirst();
    }
}
