// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.internal.convert.Safetensors.Stored;
import java.util.List;

/** How GGUF's llama.cpp wants some tensors' rows, where transformers has them otherwise. */
final class Layouts {
    private Layouts() {}

    private static Stored stored(Weight w) {
        return w.parts().getFirst();
    }

    /** Rows must divide evenly, or the configuration and the weights are of two models. */
    private static long share(Weight w, long among, String what) {
        long rows = w.shape().getFirst();
        if (among <= 0 || rows % among != 0) {
            throw Damage.in(
                    stored(w).file().name(),
                    w.parts().getFirst().name(),
                    "its " + rows + " rows can't be shared by " + among + " " + what + " of config.json");
        }
        return rows / among;
    }

    /**
     * Rotary positions turn neighbours there, and a head's two halves in transformers: rows of the halves alternate.
     */
    static Weight interleaved(Weight w, int heads) {
        long dim = share(w, heads, "heads");
        if (dim % 2 != 0) {
            throw Damage.in(stored(w).file().name(), stored(w).name(), "heads of " + dim + " rows have no halves");
        }
        return w.rows(w.shape().getFirst(), row -> {
            long within = row % dim;
            return row - within + within % 2 * (dim / 2) + within / 2;
        });
    }

    /** Of each head query, key and value: all queries, then all keys, then all values. */
    static Weight headsApart(Weight w, int heads) {
        long dim = share(w, 3L * heads, "queries, keys and values of the heads");
        return w.rows(w.shape().getFirst(), row -> {
            long part = row / (heads * dim);
            long head = row / dim % heads;
            return (head * 3 + part) * dim + row % dim;
        });
    }

    /** Of each key head the queries that share it, the key, the value: all queries, then all keys, then all values. */
    static Weight groupsApart(Weight w, int heads, int keyHeads) {
        if (heads % keyHeads != 0) {
            throw Damage.in("config.json", "num_kv_heads", heads + " heads can't share " + keyHeads + " key heads");
        }
        long dim = share(w, heads + 2L * keyHeads, "queries, keys and values of the heads");
        long group = heads / keyHeads;
        return w.rows(w.shape().getFirst(), row -> {
            long head = row / dim;
            long from;
            if (head < heads) {
                from = head / group * (group + 2) + head % group;
            } else {
                long key = (head - heads) % keyHeads;
                from = key * (group + 2) + group + (head - heads) / keyHeads;
            }
            return from * dim + row % dim;
        });
    }

    /** One half of the rows, of each expert's where there are several: of a gate and what it gates in one tensor. */
    static Weight half(Weight w, int which) {
        if (w.shape().size() == 2) {
            Weight one = half(w.reshaped(List.of(1L, w.shape().get(0), w.shape().get(1))), which);
            return one.reshaped(one.shape().subList(1, 3));
        }
        List<Long> shape = w.shape();
        long rows = shape.size() == 3 ? shape.get(1) : 0;
        if (rows == 0 || rows % 2 != 0) {
            throw Damage.in(
                    stored(w).file().name(), stored(w).name(), "it is not a stack of two halves for each expert");
        }
        long half = rows / 2;
        return new Weight(
                w.name(),
                List.of(shape.get(0), half, shape.get(2)),
                w.parts(),
                w.width(),
                row -> row / half * rows + which * half + row % half,
                0,
                false,
                false,
                null);
    }

    /** Without the first rows. */
    static Weight without(Weight w, long first) {
        long rows = w.shape().getFirst() - first;
        if (rows <= 0) {
            throw Damage.in(stored(w).file().name(), stored(w).name(), "it has no rows behind the first " + first);
        }
        return w.rows(rows, row -> row + first);
    }

    /** What Llama 3's scaling of rotary positions divides each frequency by. */
    static float[] llama3Factors(Config rope, int dimension, double base) {
        double factor = rope.real("factor", 8);
        double low = rope.real("low_freq_factor", 1);
        double high = rope.real("high_freq_factor", 4);
        double original = rope.real("original_max_position_embeddings", 8192);
        float[] factors = new float[dimension / 2];
        for (int i = 0; i < factors.length; i++) {
            double length = 2 * Math.PI * Math.pow(base, 2.0 * i / dimension);
            double smooth = Math.clamp((original / length - low) / (high - low), 0, 1);
            factors[i] = (float) (1 / ((1 - smooth) / factor + smooth));
            if (!(factors[i] > 0 && factors[i] < Float.MAX_VALUE)) {
                throw rope.wrong("rope_scaling", "its numbers give no factors: " + factor + ", " + low + ", " + high);
            }
        }
        return factors;
    }
}
