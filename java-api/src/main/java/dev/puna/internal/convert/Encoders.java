// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Families that read a text from both sides: BERT's and T5's. Heads that predict masked words have no place in GGUF and
 * are left out, as llama.cpp does; a pooler is written where a classifier stands on it.
 */
final class Encoders {
    private static final String EMBEDDINGS = """
            embeddings.word_embeddings token_embd
            embeddings.token_type_embeddings token_types
            embeddings.position_embeddings position_embd
            embeddings.LayerNorm token_embd_norm
            embeddings.position_ids -
            embeddings.token_type_ids -
            """;
    private static final String LAYER = """
            attention.self.query attn_q
            attention.self.key attn_k
            attention.self.value attn_v
            attention.output.dense attn_output
            attention.output.LayerNorm attn_output_norm
            intermediate.dense ffn_up
            output.dense ffn_down
            output.LayerNorm layer_output_norm
            """;

    static final Names BERT = new Names("bert\\.", "encoder\\.layer", "blk", EMBEDDINGS + """
            pooler.dense cls
            classifier cls.output
            cls.predictions -
            cls.predictions.decoder -
            cls.predictions.transform.dense -
            cls.predictions.transform.LayerNorm -
            cls.seq_relationship -
            """, LAYER);

    static final Names ROBERTA = new Names("roberta\\.", "encoder\\.layer", "blk", EMBEDDINGS + """
            pooler.dense -
            classifier.dense cls
            classifier.out_proj cls.output
            lm_head -
            lm_head.decoder -
            lm_head.dense -
            lm_head.layer_norm -
            """, LAYER);

    static final Names DISTILBERT = new Names("distilbert\\.", "transformer\\.layer", "blk", EMBEDDINGS + """
            pre_classifier cls
            classifier cls.output
            vocab_transform -
            vocab_layer_norm -
            vocab_projector -
            """, """
            attention.q_lin attn_q
            attention.k_lin attn_k
            attention.v_lin attn_v
            attention.out_lin attn_output
            sa_layer_norm attn_output_norm
            ffn.lin1 ffn_up
            ffn.lin2 ffn_down
            output_layer_norm layer_output_norm
            """);

    private static final String SELF = """
            layer.0.SelfAttention.q attn_q
            layer.0.SelfAttention.k attn_k
            layer.0.SelfAttention.v attn_v
            layer.0.SelfAttention.o attn_o
            layer.0.SelfAttention.relative_attention_bias attn_rel_b
            layer.0.layer_norm attn_norm
            """;
    private static final String FEED = """
            layer.N.DenseReluDense.wi ffn_up
            layer.N.DenseReluDense.wi_0 ffn_gate
            layer.N.DenseReluDense.wi_1 ffn_up
            layer.N.DenseReluDense.wo ffn_down
            layer.N.layer_norm ffn_norm
            """;

    static final List<Names> T5 = List.of(
            new Names("", "encoder\\.block", "enc.blk", """
                    shared token_embd
                    encoder.embed_tokens shared
                    decoder.embed_tokens shared
                    encoder.final_layer_norm enc.output_norm
                    decoder.final_layer_norm dec.output_norm
                    lm_head output
                    """, SELF + FEED.replace("N", "1")),
            new Names("", "decoder\\.block", "dec.blk", "", SELF + FEED.replace("N", "2") + """
                    layer.1.EncDecAttention.q cross_attn_q
                    layer.1.EncDecAttention.k cross_attn_k
                    layer.1.EncDecAttention.v cross_attn_v
                    layer.1.EncDecAttention.o cross_attn_o
                    layer.1.EncDecAttention.relative_attention_bias cross_attn_rel_b
                    layer.1.layer_norm cross_attn_norm
                    """));

    /** From which all keys of T5 are equally far, where llama.cpp's files say nothing. */
    private static final int DISTANCE = 128;

    private Encoders() {}

    private static boolean classifies(Config c) {
        return Families.model(c).endsWith("ForSequenceClassification");
    }

    static void bert(Config c, Entries e) {
        int padding = positionsBefore(c);
        if (padding > 0) {
            e.unsigned(e.own("context_length"), Math.max(1, c.need("max_position_embeddings") - padding));
        }
        if (!c.text("position_embedding_type", "absolute").equals("absolute")) {
            throw Damage.unsupported(c.file(), "position_embedding_type", "absolute positions alone are converted");
        }
        e.truth(e.own("attention.causal"), false);
        e.remove(e.own("attention.head_count_kv")); // whatever else the configuration holds: there are as many as heads
        e.unsigned("tokenizer.ggml.token_type_count", c.integer("type_vocab_size", 1));
        pooling(c, e);
        labels(c, e);
    }

    static void distilbert(Config c, Entries e) {
        e.real(e.own("attention.layer_norm_epsilon"), 1e-12); // transformers' own, which no configuration says
        bert(c, e);
    }

    /** RoBERTa's positions begin behind that of the padding. */
    private static int positionsBefore(Config c) {
        String model = Families.model(c);
        boolean roberta = model.contains("Roberta") || model.startsWith("Camembert");
        return roberta ? c.integer("pad_token_id", 1) + 1 : 0;
    }

    private static void labels(Config c, Entries e) {
        Map<Integer, String> labels = new TreeMap<>();
        Config named = c.object("id2label");
        for (String id : named.map().keySet()) {
            if (!id.matches("\\d{1,6}")) {
                throw c.wrong("id2label", "has the number \"" + Damage.quote(id) + "\"");
            }
            labels.put(Integer.valueOf(id), named.text(id, ""));
        }
        boolean dummies = labels.size() == 2 && "LABEL_0".equals(labels.get(0));
        if (!labels.isEmpty() && !dummies && classifies(c)) {
            e.texts(e.own("classifier.output_labels"), List.copyOf(labels.values()));
        }
    }

    /** How sentence-transformers makes one vector of many: {@link Converter} adds its configuration to the model's. */
    static void pooling(Config c, Entries e) {
        if (!c.has(POOLING)) {
            return;
        }
        Config how = c.object(POOLING);
        String mode = how.text("pooling_mode", "");
        int type = how.truth("pooling_mode_mean_tokens", false) || mode.equals("mean")
                ? 1
                : how.truth("pooling_mode_cls_token", false) || mode.equals("cls")
                        ? 2
                        : how.truth("pooling_mode_lasttoken", false) || mode.equals("lasttoken") ? 3 : 0;
        if (type == 0) {
            throw Damage.unsupported(
                    how.file(), "pooling_mode", "mean, first (cls) and last token alone are converted");
        }
        e.unsigned(e.own("pooling_type"), type);
    }

    /** Where the folder's pooling stands in what the families read. */
    static final String POOLING = "\0pooling";

    static @Nullable Weight bertShape(Config c, Names.Place place, Weight w) {
        return place.is("cls", "cls.output") && !classifies(c) ? null : w;
    }

    static @Nullable Weight robertaShape(Config c, Names.Place place, Weight w) {
        return place.is("position_embd") ? Layouts.without(w, positionsBefore(c)) : bertShape(c, place, w);
    }

    static void t5(Config c, Entries e) {
        if (!e.has(e.own("context_length"))) {
            e.unsigned(e.own("context_length"), 512);
        }
        e.unsigned(e.own("feed_forward_length"), c.need("d_ff"));
        e.unsigned(e.own("attention.key_length"), c.need("d_kv"));
        e.unsigned(e.own("attention.value_length"), c.need("d_kv"));
        e.unsigned(e.own("attention.relative_buckets_count"), c.need("relative_attention_num_buckets"));
        e.real(e.own("attention.layer_norm_rms_epsilon"), c.real("layer_norm_epsilon"));
        int reach = c.integer("relative_attention_max_distance", DISTANCE);
        if (reach != DISTANCE) {
            e.unsigned(e.own("attention.relative_max_distance"), reach);
        }
        tasks(c, e);
    }

    /** What an encoder alone has none of. */
    static void t5Decoder(Config c, Entries e) {
        t5(c, e);
        Parameters.number(c, e, "decoder_block_count", "num_decoder_layers");
        e.unsigned(e.own("decoder_start_token_id"), c.integer("decoder_start_token_id", 0));
        if (!c.truth("scale_decoder_outputs", c.truth("tie_word_embeddings", true))) {
            e.real(e.own("logit_scale"), 1);
        }
    }

    /** What tells the model its tasks, in front of a text: ours, no other tool knows these keys. */
    private static void tasks(Config c, Entries e) {
        Config tasks = c.object("task_specific_params");
        for (String name : tasks.map().keySet()) {
            if (!name.matches("[A-Za-z0-9_-]{1,64}")) {
                throw c.wrong("task_specific_params", "has the name \"" + Damage.quote(name) + "\"");
            }
            String prefix = tasks.object(name).text("prefix", "");
            if (!prefix.isEmpty()) {
                e.text(e.own("task." + name + ".prefix"), prefix);
            }
        }
    }

    static @Nullable Weight t5Shape(Config c, Names.Place place, Weight w) {
        // the shared embedding, once more under another name
        return place.is("shared") ? null : w;
    }
}
