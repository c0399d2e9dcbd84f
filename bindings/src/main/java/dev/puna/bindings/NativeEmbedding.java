// SPDX-License-Identifier: Apache-2.0
package dev.puna.bindings;

import dev.puna.bindings.gen.PunaH;
import dev.puna.bindings.gen.puna_embedding;
import java.lang.foreign.MemorySegment;

/**
 * What vectors are made of texts.
 *
 * @param pooling {@code PUNA_POOL_*}, by the names of {@link Pooling}
 * @param dimensions the first so many numbers; 0: all
 * @param normalize whether vectors have the length 1
 * @param truncate whether texts that are too long are cut; else they are refused
 */
public record NativeEmbedding(Pooling pooling, int dimensions, boolean normalize, boolean truncate) {
    /** What a text's vector is made of, in the order of their numbers. */
    public enum Pooling {
        /** What the model's file says. */
        MODEL,
        /** The mean of all tokens' states. */
        MEAN,
        /** The first token's state. */
        FIRST,
        /** The last token's state. */
        LAST,
        /** The classifier's numbers. */
        SCORES
    }

    /** As the core reads it; as long as the call. */
    MemorySegment in(Call call) {
        MemorySegment to = call.struct(puna_embedding.layout());
        PunaH.puna_embedding_default(to);
        puna_embedding.pooling(to, pooling.ordinal());
        puna_embedding.dimensions(to, dimensions);
        puna_embedding.normalize(to, normalize ? 1 : 0);
        puna_embedding.truncate(to, truncate ? 1 : 0);
        return to;
    }
}
