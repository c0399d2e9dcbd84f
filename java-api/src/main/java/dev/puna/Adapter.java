// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeAdapter;
import java.util.ArrayList;
import java.util.List;

/**
 * A low-rank adapter (LoRA, <a href="https://arxiv.org/abs/2106.09685">arXiv:2106.09685</a>) of a model: what a request
 * may add to the model's weights. Requests with different adapters, and with none, share a context and its steps;
 * nobody's answer depends on what others use.
 *
 * <pre>{@code
 * try (Adapter law = model.adapter(Path.of("law.gguf"))) {
 *     System.out.println(model.prompt("The tenant shall").adapter(law, .8f).text());
 * }
 * }</pre>
 *
 * Immutable; any thread. Closing it, or its model, at any time is harmless: what runs with it goes on to its end, and
 * its memory is given back when the last one has ended.
 */
public final class Adapter implements AutoCloseable {
    private final Model model;
    private final NativeAdapter adapter;
    private final NativeAdapter.Info info;

    Adapter(Model model, NativeAdapter adapter) {
        this.model = model;
        this.adapter = adapter;
        this.info = adapter.info();
    }

    /** {@return what its file calls it; may be empty} */
    public String name() {
        return info.name();
    }

    /** {@return the model that it belongs to} */
    public Model model() {
        return model;
    }

    /** {@return the rank of its matrices, the largest where they differ} */
    public int rank() {
        return info.rank();
    }

    /** {@return how many of the model's matrices it changes} */
    public int tensors() {
        return info.tensors();
    }

    /** {@return how many numbers it has} */
    public long parameters() {
        return info.parameters();
    }

    /** {@return bytes that it takes} */
    public long memory() {
        return info.memoryBytes();
    }

    /** {@return a number that two adapters share only if their files say the same, numbers and all} */
    public long fingerprint() {
        return info.fingerprint();
    }

    /** Lets go of it: later requests can't use it, those that do go on. Without effect the second time. */
    @Override
    public void close() {
        adapter.close();
    }

    /** {@return whether it was closed} */
    public boolean isClosed() {
        return adapter.isClosed();
    }

    /** For a request of this model's, with a weight. */
    NativeAdapter.Use use(Model of, float weight) {
        if (model != of) {
            throw new IllegalArgumentException("the adapter " + this + " belongs to another model than the request");
        }
        if (!Float.isFinite(weight)) {
            throw new IllegalArgumentException("the adapter's weight is " + weight + "; it must be a finite number");
        }
        return new NativeAdapter.Use(adapter, weight);
    }

    /** One more of those that change a model, in their order. */
    static List<NativeAdapter.Use> with(List<NativeAdapter.Use> known, NativeAdapter.Use one) {
        if (known.size() == NativeAdapter.MOST) {
            throw new IllegalArgumentException("more than " + NativeAdapter.MOST + " adapters at once");
        }
        List<NativeAdapter.Use> all = new ArrayList<>(known);
        all.add(one);
        return List.copyOf(all);
    }

    @Override
    public String toString() {
        return (name().isEmpty() ? "adapter" : name()) + ", rank " + rank();
    }
}
