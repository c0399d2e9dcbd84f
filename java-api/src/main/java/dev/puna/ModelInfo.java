// SPDX-License-Identifier: Apache-2.0
package dev.puna;

import dev.puna.bindings.NativeModel;

/** A model's properties. Immutable. */
public final class ModelInfo {
    private final NativeModel.Info info;

    ModelInfo(NativeModel.Info info) {
        this.info = info;
    }

    /** {@return the family, for example {@code llama}} */
    public String architecture() {
        return info.architecture();
    }

    /** {@return what the file calls the model; may be empty} */
    public String name() {
        return info.name();
    }

    /** {@return what most weights are stored as, for example {@code Q4_1}} */
    public String type() {
        return info.type();
    }

    /** {@return weights in the file} */
    public long parameters() {
        return info.parameters();
    }

    /** {@return positions that it was trained for} */
    public int contextLength() {
        return info.contextLength();
    }

    /** {@return token ids} */
    public int vocabulary() {
        return info.vocabulary();
    }

    /** {@return layers} */
    public int layers() {
        return info.layers();
    }

    /** {@return numbers that stand for one position} */
    public int embeddingLength() {
        return info.embeddingLength();
    }

    /** {@return numbers inside a feed-forward block} */
    public int feedForwardLength() {
        return info.feedForwardLength();
    }

    /** {@return attention heads} */
    public int heads() {
        return info.heads();
    }

    /**
     * {@return of those with keys and values of their own: fewer than {@link #heads()} with grouped-query attention}
     */
    public int headsKv() {
        return info.headsKv();
    }

    /** {@return numbers of one head} */
    public int headDimension() {
        return info.headDimension();
    }

    /** {@return the file's size in bytes} */
    public long fileBytes() {
        return info.fileBytes();
    }

    /** {@return memory that the model took when it was loaded, in bytes} */
    public long memoryBytes() {
        return info.memoryBytes();
    }

    /** {@return a hash of the file's header and size: equal for equal models} */
    public long fingerprint() {
        return info.fingerprint();
    }

    @Override
    public String toString() {
        return (name().isEmpty() ? architecture() : name()) + ", " + parameters() / 1_000_000 + " M parameters, "
                + type();
    }
}
