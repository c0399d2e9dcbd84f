// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeMemoryPlan;

/**
 * What a model with its default context would need, from the metadata alone. All sizes in bytes. The total is what is
 * accounted to both once the cache is full, within 2%; see {@link #embedding()} of models that generate and embed, too.
 * Immutable.
 */
public final class MemoryPlan {
    private final NativeMemoryPlan plan;

    MemoryPlan(NativeMemoryPlan plan) {
        this.plan = plan;
    }

    /** {@return positions of one sequence} */
    public int contextLength() {
        return plan.contextLength();
    }

    /** {@return packed weights} */
    public long weights() {
        return plan.weights();
    }

    /** {@return keys and values of one position} */
    public long cachePerPosition() {
        return plan.cachePosition();
    }

    /** {@return the whole budget of keys and values; taken page by page, on demand} */
    public long cache() {
        return plan.cache();
    }

    /** {@return activations, logits and tables} */
    public long scratch() {
        return plan.scratch();
    }

    /** {@return the tokenizer, the file's metadata and tables about the weights} */
    public long vocabulary() {
        return plan.vocabulary();
    }

    /**
     * What the sequences hold beside the cache when they fill it: ids, samplers, lists of pages, and room for what a
     * step tells of them. Penalties and stop strings come on top.
     *
     * @return bytes
     */
    public long sequences() {
        return plan.sequences();
    }

    /**
     * What a model that generates takes to embed texts: from its first text on, until its context is trimmed. The total
     * has it where the file says how texts are pooled, since the model is there for that; else it comes on top. 0 of
     * an encoder, whose scratch it is, and of models that can't embed.
     *
     * @return bytes
     */
    public long embedding() {
        return plan.embedding();
    }

    /**
     * {@return what is needed whatever is generated: all but the cache and the sequences} It is taken when the model
     * and its context are made.
     */
    public long base() {
        return plan.weights() + plan.vocabulary() + plan.scratch();
    }

    /** {@return weights, vocabulary, cache, scratch and sequences, and what {@link #embedding()} says} */
    public long total() {
        return plan.total();
    }

    /** {@return free on this machine now} */
    public long available() {
        return plan.available();
    }

    /** {@return whether the total is available now} */
    public boolean fits() {
        return total() <= available();
    }

    @Override
    public String toString() {
        return "weights " + mib(weights()) + ", cache " + mib(cache()) + ", scratch " + mib(scratch()) + ", vocabulary "
                + mib(vocabulary()) + ", sequences " + mib(sequences()) + ", together "
                + mib(total()) + " of " + mib(available()) + " available";
    }

    private static String mib(long bytes) {
        return (bytes + (1 << 19)) / (1 << 20) + " MiB";
    }
}
