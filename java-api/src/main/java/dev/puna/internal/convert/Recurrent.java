// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Families with layers that carry a state from token to token: state space models, short convolutions, hybrids. */
final class Recurrent {
    private static final int MOST = 1 << 24;
    private static final int CONTEXT = 1 << 20; // nothing in such a layer ends

    static final Names MAMBA = new Names("(?:model\\.)?(?:backbone\\.)?", "layers", "blk", """
            embeddings token_embd
            embedding token_embd
            norm_f output_norm
            lm_head output
            """, """
            norm attn_norm
            mixer.in_proj ssm_in
            mixer.conv1d ssm_conv1d
            mixer.x_proj ssm_x
            mixer.dt_proj ssm_dt
            mixer.dt_bias dt_bias
            mixer.A_log ssm_a
            mixer.D ssm_d
            mixer.norm ssm_norm
            mixer.out_proj ssm_out
            """);

    static final Names LFM2 = new Names("model\\.", "layers", "blk", """
            embed_tokens token_embd
            embedding_norm token_embd_norm
            lm_head output
            """, """
            operator_norm attn_norm
            ffn_norm ffn_norm
            feed_forward.w1 ffn_gate
            feed_forward.w2 ffn_down
            feed_forward.w3 ffn_up
            self_attn.q_proj attn_q
            self_attn.k_proj attn_k
            self_attn.v_proj attn_v
            self_attn.out_proj attn_output
            self_attn.q_layernorm attn_q_norm
            self_attn.k_layernorm attn_k_norm
            conv.conv shortconv.conv
            conv.in_proj shortconv.in_proj
            conv.out_proj shortconv.out_proj
            """);

    static final String GRANITE = """
            mamba.in_proj ssm_in
            mamba.conv1d ssm_conv1d
            mamba.dt_bias dt_bias
            mamba.A_log ssm_a
            mamba.D ssm_d
            mamba.norm ssm_norm
            mamba.out_proj ssm_out
            block_sparse_moe.router.layer ffn_gate_inp
            block_sparse_moe.input_linear gate_up
            block_sparse_moe.output_linear ffn_down_exps
            shared_mlp.input_linear gate_up_shared
            shared_mlp.output_linear down_shared
            """;

    private Recurrent() {}

    /** Whether a model of the architecture has heads at all. */
    static boolean attends(Entries e) {
        return !e.own("").equals("mamba.") && !e.own("").equals("mamba2.");
    }

    /** So many times the model's width. */
    private static int channels(Config c, String name) {
        long channels = c.integer(name, 2) * (long) Parameters.width(c);
        if (channels > MOST) {
            throw c.wrong(name, "gives " + channels + " channels, more than " + MOST);
        }
        return (int) channels;
    }

    /** How names of the experts end that every token goes to: without others they are the whole. */
    static String shared(Config c) {
        return c.integer("num_local_experts", 0) > 0 ? "_shexp" : "";
    }

    private static long among(Config c, Weight w, int parts) {
        long all = w.elements();
        if (parts <= 0 || all % parts != 0) {
            throw c.wrong("n_groups", "is " + parts + ", which does not divide " + all + " channels");
        }
        return all / parts;
    }

    /** Taps in rows of a channel, decays for their logarithms, one head or group a row. */
    static @Nullable Weight shape(Config c, Names.Place place, Weight w) {
        String block = "blk." + place.block() + ".";
        boolean heads = !place.is("ssm_a", "ssm_d")
                || w.shape().size() > 1
                || c.text("model_type", "").equals("mamba");
        Weight rows = heads ? w : w.reshaped(List.of(w.elements(), 1L));
        return switch (place.part()) {
            case "ssm_conv1d", "shortconv.conv" ->
                w.shape().size() == 3
                        ? w.reshaped(List.of(
                                w.shape().get(0),
                                Math.multiplyExact(w.shape().get(1), w.shape().get(2))))
                        : w;
            case "dt_bias" -> w.named(block + "ssm_dt.bias");
            case "ssm_a" -> rows.decaying().named(block + "ssm_a");
            case "ssm_d" -> rows.named(block + "ssm_d");
            case "ssm_norm" -> {
                int groups = c.integer("n_groups", c.integer("mamba_n_groups", 1));
                yield w.reshaped(List.of((long) groups, among(c, w, groups)));
            }
            case "down_shared" -> w.named(block + "ffn_down" + shared(c) + ".weight");
            default -> w;
        };
    }

    /** Steps are cut nowhere in GGUF. */
    private static void refuseLimits(Config c) {
        List<?> limits = c.list("time_step_limit");
        boolean open = limits.size() != 2
                || limits.get(0) instanceof Number low
                        && low.doubleValue() == 0
                        && !(limits.get(1) instanceof Number high && high.doubleValue() < 1e30);
        if (!open) {
            throw Damage.unsupported(c.file(), "time_step_limit", "GGUF has no way to say limits of the steps");
        }
        if (c.truth("use_bias", false) || c.truth("mamba_proj_bias", false)) {
            throw Damage.unsupported(c.file(), "use_bias", "true is nothing that GGUF has a way to say here");
        }
    }

    private static void plain(Config c, Entries e) {
        refuseLimits(c);
        e.unsigned(e.own("context_length"), CONTEXT);
        e.unsigned(e.own("feed_forward_length"), 0);
        e.unsigned(e.own("attention.head_count"), 0);
        e.remove(e.own("attention.layer_norm_epsilon"));
        String epsilon = c.first("layer_norm_epsilon", "rms_norm_eps", "norm_epsilon");
        e.real(e.own("attention.layer_norm_rms_epsilon"), epsilon == null ? 1e-5 : c.real(epsilon));
        e.unsigned(e.own("ssm.conv_kernel"), c.integer("conv_kernel", c.integer("d_conv", 4)));
    }

    static void mamba(Config c, Entries e) {
        int width = Parameters.width(c);
        plain(c, e);
        e.unsigned(e.own("ssm.inner_size"), channels(c, "expand"));
        e.unsigned(e.own("ssm.state_size"), c.integer("state_size", c.integer("d_state", 16)));
        int rank = (width + 15) / 16;
        e.unsigned(
                e.own("ssm.time_step_rank"),
                "auto".equals(c.value("time_step_rank")) ? rank : c.integer("time_step_rank", rank));
        e.truth(e.own("ssm.dt_b_c_rms"), false);
    }

    static void mamba2(Config c, Entries e) {
        int inner = channels(c, "expand");
        int dim = c.integer("head_dim", 64);
        if (dim == 0 || inner % dim != 0) {
            throw c.wrong("head_dim", "is " + dim + ", which does not divide " + inner + " channels");
        }
        plain(c, e);
        e.unsigned(e.own("ssm.inner_size"), inner);
        e.unsigned(e.own("ssm.state_size"), c.integer("state_size", 128));
        e.unsigned(e.own("ssm.time_step_rank"), inner / dim);
        e.unsigned(e.own("ssm.group_count"), c.integer("n_groups", 1));
    }

    private static boolean attends(Config c, int layer, Object kind) {
        if (List.of("attention", "full_attention").contains(kind)) {
            return true;
        }
        if (!List.of("conv", "mamba", "linear_attention").contains(kind)) {
            throw c.wrong("layer_types", "has another kind of layer at " + layer);
        }
        return false;
    }

    /** Key heads of each layer: 0 where it is a recurrent one. */
    private static void heads(Config c, Entries e) {
        int[] heads = new int[Parameters.layers(c)];
        List<?> kinds = c.list("layer_types");
        List<?> full = c.list("full_attn_idxs"); // older configurations of LFM2
        if (kinds.isEmpty() && full.isEmpty() || !kinds.isEmpty() && kinds.size() != heads.length) {
            throw c.wrong("layer_types", "has " + kinds.size() + " of " + heads.length + " layers");
        }
        for (int i = 0; i < heads.length; i++) {
            boolean attends = kinds.isEmpty() ? full.contains((long) i) : attends(c, i, String.valueOf(kinds.get(i)));
            heads[i] = attends ? Parameters.keyHeads(c) : 0;
        }
        e.integers(e.own("attention.head_count_kv"), heads);
    }

    static void lfm2(Config c, Entries e) {
        heads(c, e);
        int width = c.has("block_ff_dim") ? c.need("block_ff_dim") : c.need("intermediate_size");
        if (c.truth("block_auto_adjust_ff_dim", true)) {
            long multiple = Math.max(1, c.integer("block_multiple_of", 256));
            long wide = (long) (c.real("block_ffn_dim_multiplier", 1) * (2L * width / 3));
            if (wide < 0 || wide > MOST || multiple > MOST) {
                throw c.wrong("block_ffn_dim_multiplier", "gives a width of " + wide + ", more than " + MOST);
            }
            width = (int) ((wide + multiple - 1) / multiple * multiple);
        }
        e.unsigned(e.own("feed_forward_length"), width);
        e.unsigned(e.own("shortconv.l_cache"), c.integer("conv_L_cache", 3));
        e.real(e.own("attention.layer_norm_rms_epsilon"), c.real("norm_eps", 1e-5));
        Parameters.number(c, e, "vocab_size", "vocab_size");
        if (c.truth("conv_bias", false)) {
            throw Damage.unsupported(c.file(), "conv_bias", "true is nothing that GGUF has a way to say here");
        }
    }

    /** What a hybrid has beside what all of Granite's have. */
    static void granite(Config c, Entries e) {
        heads(c, e);
        refuseLimits(c);
        boolean turns = c.text("position_embedding_type", "").equals("rope");
        e.truth(e.own("rope.scaling.finetuned"), turns);
        if (!turns) {
            e.unsigned(e.own("context_length"), CONTEXT);
        }
        Parameters.number(c, e, "expert_shared_feed_forward_length", "shared_intermediate_size");
        int heads = c.integer("mamba_n_heads", 128);
        int inner = channels(c, "mamba_expand");
        int dim = c.value("mamba_d_head") instanceof Long ? c.integer("mamba_d_head") : inner / Math.max(1, heads);
        if (dim * (long) heads != inner) {
            throw c.wrong("mamba_d_head", "is " + dim + "; " + heads + " heads don't have " + inner + " channels so");
        }
        e.unsigned(e.own("ssm.conv_kernel"), c.integer("mamba_d_conv", 4));
        e.unsigned(e.own("ssm.inner_size"), inner);
        e.unsigned(e.own("ssm.state_size"), c.integer("mamba_d_state", 256));
        e.unsigned(e.own("ssm.time_step_rank"), heads);
        e.unsigned(e.own("ssm.group_count"), c.integer("mamba_n_groups", 1));
    }
}
