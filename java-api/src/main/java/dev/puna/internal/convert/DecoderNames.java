// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

/** Decoders' tables of names: transformers', then llama.cpp's. */
final class DecoderNames {
    /** What stands in front of a text model's tensors, if anything does. */
    private static final String MODEL = "(?:model\\.)?(?:language_model\\.)?(?:model\\.)?";

    private static final String ENDS = """
            embed_tokens token_embd
            norm output_norm
            lm_head output
            rotary_emb.inv_freq -
            """;
    static final String ATTENTION = """
            input_layernorm attn_norm
            self_attn.q_proj attn_q
            self_attn.k_proj attn_k
            self_attn.v_proj attn_v
            self_attn.o_proj attn_output
            self_attn.rotary_emb.inv_freq -
            post_attention_layernorm ffn_norm
            """;
    static final String GATED = """
            mlp.gate_proj ffn_gate
            mlp.up_proj ffn_up
            mlp.down_proj ffn_down
            """;
    static final String NORMED = """
            self_attn.q_norm attn_q_norm
            self_attn.k_norm attn_k_norm
            """;
    static final String NORMED_AFTER = """
            post_attention_layernorm post_attention_norm
            pre_feedforward_layernorm ffn_norm
            post_feedforward_layernorm post_ffw_norm
            """;
    static final String EXPERTS = """
            mlp.gate ffn_gate_inp
            mlp.experts.*.gate_proj ffn_gate_exps
            mlp.experts.*.up_proj ffn_up_exps
            mlp.experts.*.down_proj ffn_down_exps
            mlp.experts.gate_up_proj gate_up
            mlp.experts.down_proj ffn_down_exps
            mlp.shared_expert_gate ffn_gate_inp_shexp
            mlp.shared_expert.gate_proj ffn_gate_shexp
            mlp.shared_expert.up_proj ffn_up_shexp
            mlp.shared_expert.down_proj ffn_down_shexp
            """;
    static final String MIXTRAL = """
            block_sparse_moe.gate ffn_gate_inp
            block_sparse_moe.experts.*.w1 ffn_gate_exps
            block_sparse_moe.experts.*.w2 ffn_down_exps
            block_sparse_moe.experts.*.w3 ffn_up_exps
            """;

    static Names decoder(String... tables) {
        return new Names(MODEL, "layers", "blk", ENDS, String.join("\n", tables));
    }

    static final Names GPT2 = new Names("transformer\\.", "h", "blk", """
            wte token_embd
            wpe position_embd
            ln_f output_norm
            lm_head output
            """, """
            ln_1 attn_norm
            attn.c_attn attn_qkv
            attn.c_proj attn_output
            attn -
            attn.masked_bias -
            ln_2 ffn_norm
            mlp.c_fc ffn_up
            mlp.c_proj ffn_down
            """);

    static final Names NEOX = new Names("gpt_neox\\.", "layers", "blk", """
            embed_in token_embd
            final_layer_norm output_norm
            embed_out output
            """, """
            input_layernorm attn_norm
            post_attention_layernorm ffn_norm
            attention.query_key_value attn_qkv
            attention.dense attn_output
            attention -
            attention.masked_bias -
            attention.rotary_emb.inv_freq -
            mlp.dense_h_to_4h ffn_up
            mlp.dense_4h_to_h ffn_down
            """);

    static final Names FALCON = new Names("transformer\\.", "h", "blk", """
            word_embeddings token_embd
            ln_f output_norm
            lm_head output
            """, """
            input_layernorm attn_norm
            ln_mlp attn_norm
            ln_attn attn_norm_2
            self_attention.query_key_value attn_qkv
            self_attention.dense attn_output
            self_attention.rotary_emb.inv_freq -
            mlp.dense_h_to_4h ffn_up
            mlp.dense_4h_to_h ffn_down
            """);

    static final Names PHI = new Names("model\\.", "layers", "blk", """
            embed_tokens token_embd
            final_layernorm output_norm
            lm_head output
            """, """
            input_layernorm attn_norm
            self_attn.q_proj attn_q
            self_attn.k_proj attn_k
            self_attn.v_proj attn_v
            self_attn.dense attn_output
            mlp.fc1 ffn_up
            mlp.fc2 ffn_down
            """);

    static final Names STARCODER = decoder(ATTENTION, """
            mlp.c_fc ffn_up
            mlp.c_proj ffn_down
            """);

    private DecoderNames() {}
}
