// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import org.jspecify.annotations.Nullable;

/** The metadata that most families have, by llama.cpp's keys. */
final class Parameters {
    private static final int MOST_LAYERS = 1 << 14;
    private static final int MOST_WIDTH = 1 << 24;
    static final String[] LAYERS = {"num_hidden_layers", "n_layers", "n_layer", "num_layers"};
    private static final String[] WIDTH = {"hidden_size", "n_embd", "d_model", "dim"};
    private static final String[] HEADS = {"num_attention_heads", "n_head", "n_heads", "num_heads"};

    private Parameters() {}

    private static int need(Config c, int most, String... names) {
        int number = c.need(names);
        if (number > most) {
            throw c.wrong(String.valueOf(c.first(names)), "is " + number + ", more than " + most);
        }
        return number;
    }

    static int layers(Config c) {
        return need(c, MOST_LAYERS, LAYERS);
    }

    static int width(Config c) {
        return need(c, MOST_WIDTH, WIDTH);
    }

    static int heads(Config c) {
        return need(c, MOST_WIDTH, HEADS);
    }

    static int keyHeads(Config c) {
        return c.has("num_key_value_heads") ? c.need("num_key_value_heads") : heads(c);
    }

    static int headWidth(Config c) {
        int dim = c.has("head_dim") ? need(c, MOST_WIDTH, "head_dim") : width(c) / heads(c);
        if (dim == 0) {
            throw c.wrong(String.valueOf(c.first(HEADS)), heads(c) + " heads are more than the width has numbers");
        }
        return dim;
    }

    /** What scales rotary positions: of the layers that see everything, where there are two kinds. */
    static Config rope(Config c) {
        Config all = c.has("rope_parameters") ? c.object("rope_parameters") : c.object("rope_scaling");
        Config full = all.has("full_attention") ? all.object("full_attention") : all;
        return full;
    }

    /** The base of the rotary positions, or NaN. */
    static double base(Config c) {
        String name = c.first("global_rope_theta", "rope_theta", "rotary_emb_base");
        return rope(c).real("rope_theta", name == null ? Double.NaN : c.real(name));
    }

    private static double localBase(Config c) {
        Config sliding = c.object("rope_parameters").object("sliding_attention");
        String name = c.first("rope_local_base_freq", "local_rope_theta");
        return sliding.real("rope_theta", name == null ? Double.NaN : c.real(name));
    }

    /** Which part of a head turns. */
    static double partial(Config c) {
        String name = c.first("partial_rotary_factor", "rotary_pct", "rope_pct");
        return rope(c).real("partial_rotary_factor", name == null ? 1 : c.real(name));
    }

    static void write(Config c, Entries e) {
        e.unsigned(e.own("block_count"), layers(c));
        number(c, e, "context_length", "max_position_embeddings", "n_ctx", "n_positions");
        e.unsigned(e.own("embedding_length"), width(c));
        if (!number(
                c, e, "feed_forward_length", "ffn_hidden_size", "d_ff", "n_inner", "intermediate_size", "hidden_dim")) {
            e.unsigned(e.own("feed_forward_length"), Math.multiplyExact(4, width(c)));
        }
        if (Recurrent.attends(e)) {
            writeHeads(c, e);
        }
        real(c, e, "attention.layer_norm_rms_epsilon", "rms_norm_eps");
        real(c, e, "attention.layer_norm_epsilon", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon");
        number(c, e, "expert_count", "num_local_experts", "num_experts");
        number(c, e, "expert_used_count", "num_experts_per_tok");
    }

    private static void writeHeads(Config c, Entries e) {
        e.unsigned(e.own("attention.head_count"), heads(c));
        number(c, e, "attention.head_count_kv", "num_key_value_heads");
        writeRope(c, e);
        if (c.has("head_dim")) {
            e.unsigned(e.own("attention.key_length"), c.need("head_dim"));
            e.unsigned(e.own("attention.value_length"), c.need("head_dim"));
        }
    }

    private static void writeRope(Config c, Entries e) {
        Config rope = rope(c);
        String type = rope.text("rope_type", rope.text("type", "default"));
        switch (type) {
            case "default", "llama3", "none" -> {}
            case "linear" -> {
                e.text(e.own("rope.scaling.type"), "linear");
                e.real(e.own("rope.scaling.factor"), rope.real("factor"));
            }
            case "yarn" -> writeYarn(c, rope, e);
            default ->
                throw Damage.unsupported(
                        c.file(),
                        "rope_type",
                        "\"" + Damage.quote(type) + "\" is none of default, linear, llama3, yarn");
        }
        if (!Double.isNaN(base(c))) {
            e.real(e.own("rope.freq_base"), base(c));
        }
        if (!Double.isNaN(localBase(c))) {
            e.real(e.own("rope.freq_base_swa"), localBase(c));
        }
    }

    private static void writeYarn(Config c, Config rope, Entries e) {
        e.text(e.own("rope.scaling.type"), "yarn");
        e.real(e.own("rope.scaling.factor"), rope.real("factor"));
        e.unsigned(
                e.own("rope.scaling.original_context_length"),
                rope.integer(
                        "original_max_position_embeddings",
                        c.has("original_max_position_embeddings")
                                ? c.integer("original_max_position_embeddings")
                                : c.need("max_position_embeddings")));
        real(rope, e, "rope.scaling.yarn_ext_factor", "extrapolation_factor");
        real(rope, e, "rope.scaling.yarn_attn_factor", "attention_factor", "attn_factor");
        real(rope, e, "rope.scaling.yarn_beta_fast", "beta_fast");
        real(rope, e, "rope.scaling.yarn_beta_slow", "beta_slow");
    }

    /** The first that the configuration has; whether it has one. */
    static boolean number(Config c, Entries e, String key, String... names) {
        String name = c.first(names);
        if (name != null) {
            e.unsigned(e.own(key), c.integer(name));
        }
        return name != null;
    }

    static boolean real(Config c, Entries e, String key, String... names) {
        String name = c.first(names);
        if (name != null) {
            e.real(e.own(key), c.real(name));
        }
        return name != null;
    }

    /** Which layers have a window, where that is not each but the last of `period`. */
    static void windows(Config c, Entries e, int period) {
        boolean @Nullable [] listed = listed(c);
        if (listed == null) {
            return;
        }
        boolean usual = true;
        for (int i = 0; i < listed.length; i++) {
            usual &= listed[i] == ((i + 1) % period != 0);
        }
        if (!usual) {
            e.truths(e.own("attention.sliding_window_pattern"), listed);
        }
    }

    static boolean @Nullable [] listed(Config c) {
        if (!c.has("layer_types")) {
            return null;
        }
        boolean[] windowed = new boolean[layers(c)];
        int at = 0;
        for (String type : c.texts("layer_types")) {
            if (at == windowed.length || !type.equals("sliding_attention") && !type.equals("full_attention")) {
                throw c.wrong(
                        "layer_types",
                        at == windowed.length
                                ? "has more than the " + at + " layers"
                                : "has a layer of the kind \"" + Damage.quote(type) + "\"");
            }
            windowed[at++] = type.equals("sliding_attention");
        }
        if (at < windowed.length) {
            throw c.wrong("layer_types", "has " + at + " of " + windowed.length + " layers");
        }
        return windowed;
    }
}
