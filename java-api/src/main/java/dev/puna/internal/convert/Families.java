// SPDX-License-Identifier: Apache-2.0
package dev.puna.internal.convert;

import dev.puna.UnsupportedModelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The families that are converted. Names, keys and layouts are llama.cpp's; where transformers' configuration says more
 * than llama.cpp's converter writes (Mistral's window, GPT-NeoX's base of rotary positions), it is written, too.
 */
final class Families {
    private static final List<String> SILU = List.of("silu", "swish");
    private static final List<String> TANH = List.of("gelu_new", "gelu_pytorch_tanh", "gelu_fast");
    private static final List<String> ANY = List.of();

    private static final List<String> TANH_OR_GELU = List.of("gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu");

    private static final Family.Shaping INTERLEAVED = (c, place, w) -> place.is("attn_q")
            ? Layouts.interleaved(w, Parameters.heads(c))
            : place.is("attn_k") ? Layouts.interleaved(w, Parameters.keyHeads(c)) : w;

    private static final Family.Shaping GEMMA = (c, place, w) -> place.is("output")
            ? null
            : place.part().endsWith("norm") && place.kind().equals("weight") ? w.plus(1) : w;

    private static final List<Family> ALL = List.of(
            new Family(
                    "llama",
                    List.of("Llama", "Mistral", "Mixtral"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.GATED, DecoderNames.MIXTRAL)),
                    Families::llama,
                    INTERLEAVED),
            new Family(
                    "qwen2",
                    List.of("Qwen2"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.GATED)),
                    Families::qwen,
                    Family.AS_STORED),
            new Family(
                    "qwen3",
                    List.of("Qwen3"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.GATED, DecoderNames.NORMED)),
                    Families::qwen,
                    Family.AS_STORED),
            new Family(
                    "qwen2moe",
                    List.of("Qwen2Moe"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.GATED, DecoderNames.EXPERTS)),
                    (c, e) -> mixture(c, e, false),
                    Family.AS_STORED),
            new Family(
                    "qwen3moe",
                    List.of("Qwen3Moe"),
                    SILU,
                    List.of(DecoderNames.decoder(
                            DecoderNames.ATTENTION, DecoderNames.GATED, DecoderNames.NORMED, DecoderNames.EXPERTS)),
                    (c, e) -> mixture(c, e, true),
                    Family.AS_STORED),
            new Family(
                    "olmoe",
                    List.of("Olmoe"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.NORMED, DecoderNames.EXPERTS)),
                    Families::olmoe,
                    Family.AS_STORED),
            new Family(
                    "gemma",
                    List.of("Gemma"),
                    TANH_OR_GELU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.GATED)),
                    Families::gemma,
                    GEMMA),
            new Family(
                    "gemma2",
                    List.of("Gemma2"),
                    TANH,
                    List.of(DecoderNames.decoder(
                            DecoderNames.ATTENTION, DecoderNames.GATED, DecoderNames.NORMED_AFTER)),
                    Families::gemma2,
                    GEMMA),
            new Family(
                    "gemma3",
                    List.of("Gemma3"),
                    TANH,
                    List.of(DecoderNames.decoder(
                            DecoderNames.ATTENTION,
                            DecoderNames.GATED,
                            DecoderNames.NORMED,
                            DecoderNames.NORMED_AFTER)),
                    Families::gemma3,
                    GEMMA),
            new Family(
                    "granite",
                    List.of("Granite"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.GATED)),
                    Families::granite,
                    INTERLEAVED),
            new Family(
                    "olmo2",
                    List.of("Olmo2", "Olmo3"),
                    SILU,
                    List.of(DecoderNames.decoder(
                            DecoderNames.ATTENTION,
                            DecoderNames.GATED,
                            DecoderNames.NORMED,
                            DecoderNames.NORMED_AFTER)),
                    Families::olmo,
                    Family.AS_STORED),
            new Family(
                    "smollm3",
                    List.of("SmolLM3"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.GATED)),
                    Families::smollm3,
                    INTERLEAVED),
            new Family("gpt2", List.of("GPT2"), TANH, List.of(DecoderNames.GPT2), Families::gpt2, Families::gpt2Shape),
            new Family(
                    "gptneox",
                    List.of("GPTNeoX"),
                    List.of("gelu"),
                    List.of(DecoderNames.NEOX),
                    Families::neox,
                    (c, place, w) -> place.is("attn_qkv") ? Layouts.headsApart(w, Parameters.heads(c)) : w),
            new Family(
                    "falcon",
                    List.of("Falcon", "RW"),
                    List.of("gelu"),
                    List.of(DecoderNames.FALCON),
                    Families::falcon,
                    (c, place, w) ->
                            place.is("attn_qkv") ? Layouts.groupsApart(w, Parameters.heads(c), falconKeyHeads(c)) : w),
            new Family("phi2", List.of("Phi"), TANH, List.of(DecoderNames.PHI), Families::phi, Family.AS_STORED),
            new Family(
                    "starcoder2",
                    List.of("Starcoder2"),
                    TANH,
                    List.of(DecoderNames.STARCODER),
                    Families::window,
                    Family.AS_STORED),
            new Family(
                    "stablelm",
                    List.of("StableLm", "StableLMEpoch"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.GATED, """
                            self_attn.q_layernorm.norms.* attn_q_norm
                            self_attn.k_layernorm.norms.* attn_k_norm
                            """)),
                    Families::stablelm,
                    Family.AS_STORED),
            new Family(
                    "command-r",
                    List.of("Cohere"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.GATED, DecoderNames.NORMED)),
                    Families::cohere,
                    Family.AS_STORED),
            new Family(
                    "cohere2",
                    List.of("Cohere2"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, DecoderNames.GATED)),
                    Families::cohere2,
                    (c, place, w) -> place.kind().equals("bias") ? null : w),
            new Family("mamba", List.of("Mamba"), SILU, List.of(Recurrent.MAMBA), Recurrent::mamba, Recurrent::shape),
            new Family(
                    "mamba2", List.of("Mamba2"), SILU, List.of(Recurrent.MAMBA), Recurrent::mamba2, Recurrent::shape),
            new Family(
                    "lfm2", List.of("Lfm2", "LFM2"), ANY, List.of(Recurrent.LFM2), Recurrent::lfm2, Recurrent::shape),
            new Family(
                    "granitehybrid",
                    List.of("GraniteMoeHybrid"),
                    SILU,
                    List.of(DecoderNames.decoder(DecoderNames.ATTENTION, Recurrent.GRANITE)),
                    (c, e) -> {
                        granite(c, e);
                        Recurrent.granite(c, e);
                    },
                    (c, place, w) -> {
                        Weight turned = INTERLEAVED.shape(c, place, w);
                        return turned == null ? null : Recurrent.shape(c, place, turned);
                    }),
            new Family(
                    "bert",
                    List.of("Bert"),
                    List.of("gelu"),
                    List.of(Encoders.BERT),
                    Encoders::bert,
                    Encoders::bertShape),
            new Family(
                    "bert",
                    List.of("Roberta", "XLMRoberta", "Camembert"),
                    List.of("gelu"),
                    List.of(Encoders.ROBERTA),
                    Encoders::bert,
                    Encoders::robertaShape),
            new Family(
                    "bert",
                    List.of("DistilBert"),
                    List.of("gelu"),
                    List.of(Encoders.DISTILBERT),
                    Encoders::distilbert,
                    Encoders::bertShape),
            new Family("t5", List.of("T5", "MT5"), ANY, Encoders.T5, Encoders::t5Decoder, Encoders::t5Shape),
            new Family(
                    "t5encoder",
                    List.of("T5Encoder", "MT5Encoder"),
                    ANY,
                    Encoders.T5,
                    Encoders::t5,
                    Encoders::t5Shape));

    private Families() {}

    /** The family of a model that a configuration describes. */
    static Family of(Config config) {
        String model = model(config);
        String stem = stem(model);
        for (Family family : ALL) {
            if (family.classes().contains(stem)) {
                return family;
            }
        }
        throw unknown(config, model);
    }

    private static UnsupportedModelException unknown(Config config, String model) {
        TreeSet<String> known = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        ALL.forEach(family -> known.addAll(family.classes()));
        return Damage.unsupported(
                config.file(),
                "architectures",
                "\"" + Damage.quote(model) + "\" is not converted; these are: " + String.join(", ", known));
    }

    /** transformers' name of the model: "LlamaForCausalLM". */
    static String model(Config config) {
        List<String> names = config.texts("architectures");
        if (!names.isEmpty()) {
            return names.getFirst();
        }
        String type = config.text("model_type", "");
        for (Family family : ALL) { // older folders and pure encoders say no more
            for (String name : family.classes()) {
                if (type.replaceAll("[_-]", "").equals(name.toLowerCase(Locale.ROOT))) {
                    return name + "Model";
                }
            }
        }
        throw config.wrong("architectures", "is missing, and model_type \"" + Damage.quote(type) + "\" is not known");
    }

    private static String stem(String model) {
        List<String> ends = new ArrayList<>(List.of("WithLMHeadModel", "LMHeadModel", "Model"));
        String stem = model.replaceFirst("For[A-Z][A-Za-z]*$", "");
        for (String end : ends) {
            if (stem.length() > end.length() && stem.endsWith(end)) {
                return stem.substring(0, stem.length() - end.length());
            }
        }
        return stem;
    }

    private static void rotary(Config c, Entries e) {
        e.unsigned(e.own("rope.dimension_count"), Parameters.headWidth(c));
        Parameters.number(c, e, "vocab_size", "vocab_size");
    }

    private static void llama(Config c, Entries e) {
        rotary(c, e);
        window(c, e);
    }

    private static void window(Config c, Entries e) {
        if (c.has("sliding_window") && c.truth("use_sliding_window", true)) {
            e.unsigned(e.own("attention.sliding_window"), c.integer("sliding_window"));
        }
    }

    private static void qwen(Config c, Entries e) {
        if (c.has("sliding_window") && c.truth("use_sliding_window", false)) {
            throw Damage.unsupported(c.file(), "use_sliding_window", "true is nothing that GGUF has a way to say here");
        }
        Encoders.pooling(c, e);
    }

    /** usual: whether the chosen experts' weights add up to 1 by the architecture's name. */
    private static void mixture(Config c, Entries e, boolean usual) {
        qwen(c, e);
        Parameters.number(c, e, "expert_feed_forward_length", "moe_intermediate_size");
        Parameters.number(c, e, "expert_shared_feed_forward_length", "shared_expert_intermediate_size");
        renormalizes(c, e, usual);
        if (c.integer("decoder_sparse_step", 1) != 1
                || !c.list("mlp_only_layers").isEmpty()) {
            throw Damage.unsupported(c.file(), "decoder_sparse_step", "layers of two kinds are not converted");
        }
    }

    /** Whether the chosen experts' weights add up to 1: said where it isn't what the architecture's name says. */
    private static void renormalizes(Config c, Entries e, boolean usual) {
        boolean does = c.truth("norm_topk_prob", false);
        if (does != usual) {
            e.truth(e.own("expert_weights_norm"), does);
        }
    }

    private static void olmoe(Config c, Entries e) {
        renormalizes(c, e, false);
        if (!e.has(e.own("attention.layer_norm_rms_epsilon"))) {
            e.real(e.own("attention.layer_norm_rms_epsilon"), 1e-5);
        }
        if (c.has("clip_qkv")) {
            throw Damage.unsupported(c.file(), "clip_qkv", "queries that are cut are not converted");
        }
    }

    private static void gemma(Config c, Entries e) {
        int dim = c.integer("head_dim", 256);
        e.unsigned(e.own("attention.key_length"), dim);
        e.unsigned(e.own("attention.value_length"), dim);
        if (!e.has(e.own("attention.head_count_kv"))) {
            e.unsigned(e.own("attention.head_count_kv"), Parameters.heads(c));
        }
        double scale = c.real("query_pre_attn_scalar", dim);
        int layers = Parameters.layers(c);
        boolean large = (layers == 46 || layers == 62) && scale == Parameters.width(c) / Parameters.heads(c);
        if (scale != dim && !large) { // the 27B models' is known by their depth
            throw Damage.unsupported(
                    c.file(), "query_pre_attn_scalar", scale + " is not head_dim, and GGUF has no way to say so");
        }
    }

    /** Those that llama.cpp calls so: more than one where transformers tells them apart. */
    static List<Family> named(String architecture) {
        return ALL.stream()
                .filter(family -> family.architecture().equals(architecture))
                .toList();
    }

    private static void gemma2(Config c, Entries e) {
        gemma(c, e);
        Parameters.real(c, e, "attn_logit_softcapping", "attn_logit_softcapping");
        Parameters.real(c, e, "final_logit_softcapping", "final_logit_softcapping");
        e.unsigned(e.own("attention.sliding_window"), c.need("sliding_window"));
        Parameters.windows(c, e, 2);
    }

    private static void gemma3(Config c, Entries e) {
        gemma(c, e);
        if (c.has("attn_logit_softcapping")) {
            throw Damage.unsupported(c.file(), "attn_logit_softcapping", "Gemma 3 in GGUF has none");
        }
        Parameters.real(c, e, "final_logit_softcapping", "final_logit_softcapping");
        if (c.integer("sliding_window_pattern", 6) != 1) {
            e.unsigned(e.own("attention.sliding_window"), c.need("sliding_window"));
        }
        if (!e.has(e.own("rope.freq_base"))) {
            e.real(e.own("rope.freq_base"), 1_000_000);
        }
        Parameters.windows(c, e, 6);
    }

    /** What the published configurations of Gemma 3 leave to transformers. */
    static Config gemma3Defaults(Config text) {
        return new Config(
                        text.file(),
                        java.util.Map.of(
                                "num_attention_heads", 8L,
                                "num_key_value_heads", 4L,
                                "head_dim", 256L,
                                "rms_norm_eps", 1e-6,
                                "max_position_embeddings", 131072L,
                                "vocab_size", 262208L,
                                "rope_local_base_freq", 10000.0))
                .with(text);
    }

    private static void granite(Config c, Entries e) {
        rotary(c, e);
        Parameters.real(c, e, "attention.scale", "attention_multiplier");
        Parameters.real(c, e, "embedding_scale", "embedding_multiplier");
        Parameters.real(c, e, "residual_scale", "residual_multiplier");
        Parameters.real(c, e, "logit_scale", "logits_scaling");
    }

    private static void olmo(Config c, Entries e) {
        if (c.has("sliding_window")) {
            e.unsigned(e.own("attention.sliding_window"), c.integer("sliding_window"));
            boolean[] listed = Parameters.listed(c);
            boolean[] windowed = listed == null ? new boolean[Parameters.layers(c)] : listed;
            for (int i = 0; listed == null && i < windowed.length; i++) {
                windowed[i] = (i + 1) % 4 != 0;
            }
            e.truths(e.own("attention.sliding_window_pattern"), windowed);
        }
    }

    private static void smollm3(Config c, Entries e) {
        rotary(c, e);
        List<?> turned = c.list("no_rope_layers");
        for (int i = 0; i < turned.size(); i++) {
            if (!Long.valueOf((i + 1) % 4 == 0 ? 0 : 1).equals(turned.get(i))) {
                throw Damage.unsupported(c.file(), "no_rope_layers", "GGUF knows each fourth layer alone");
            }
        }
        if (c.has("sliding_window") && c.truth("use_sliding_window", false)) {
            throw Damage.unsupported(c.file(), "use_sliding_window", "true is nothing that GGUF has a way to say here");
        }
    }

    private static void gpt2(Config c, Entries e) {
        if (c.has("n_positions")) {
            e.unsigned(e.own("context_length"), c.need("n_positions"));
        }
        e.unsigned(e.own("feed_forward_length"), c.has("n_inner") ? c.need("n_inner") : 4 * Parameters.width(c));
        e.remove(e.own("attention.head_count_kv")); // whatever else the configuration holds: there are as many as heads
    }

    private static @Nullable Weight gpt2Shape(Config c, Names.Place place, Weight w) {
        boolean turned = place.is("attn_qkv", "attn_output", "ffn_up", "ffn_down")
                && w.shape().size() == 2;
        return turned ? w.transposed() : w;
    }

    private static void partialRotary(Config c, Entries e) {
        e.unsigned(e.own("rope.dimension_count"), (int) (Parameters.partial(c) * Parameters.headWidth(c)));
    }

    private static void neox(Config c, Entries e) {
        partialRotary(c, e);
        e.remove(e.own("attention.head_count_kv"));
        e.truth(e.own("use_parallel_residual"), c.truth("use_parallel_residual", true));
    }

    private static int falconKeyHeads(Config c) {
        if (c.truth("new_decoder_architecture", false)) {
            return c.need("num_kv_heads", "n_head_kv");
        }
        return c.truth("multi_query", true) ? 1 : Parameters.heads(c);
    }

    private static void falcon(Config c, Entries e) {
        if (!c.truth("parallel_attn", true) && !c.truth("new_decoder_architecture", false)) {
            throw Damage.unsupported(c.file(), "parallel_attn", "false is nothing that GGUF has a way to say");
        }
        if (!e.has(e.own("context_length"))) {
            e.unsigned(e.own("context_length"), 2048); // what the published ones leave out
        }
        e.text(e.own("tensor_data_layout"), "jploski");
        e.unsigned(e.own("attention.head_count_kv"), falconKeyHeads(c));
    }

    private static void phi(Config c, Entries e) {
        partialRotary(c, e);
        e.unsigned(e.own("attention.head_count_kv"), Parameters.keyHeads(c));
        e.truth("tokenizer.ggml.add_bos_token", false);
        if (c.truth("qk_layernorm", false)) {
            throw Damage.unsupported(c.file(), "qk_layernorm", "true is nothing that GGUF has a way to say here");
        }
    }

    private static void stablelm(Config c, Entries e) {
        partialRotary(c, e);
        // transformers' default is one after the other; llama.cpp's converter takes a missing word for both at once
        e.truth(e.own("use_parallel_residual"), c.truth("use_parallel_residual", false));
    }

    private static void cohere(Config c, Entries e) {
        if (c.has("model_max_length")) {
            e.unsigned(e.own("context_length"), c.need("model_max_length"));
        }
        e.real(e.own("logit_scale"), c.real("logit_scale"));
        e.text(e.own("rope.scaling.type"), "none");
    }

    private static void cohere2(Config c, Entries e) {
        cohere(c, e);
        e.unsigned(e.own("attention.sliding_window"), c.need("sliding_window"));
        Parameters.number(c, e, "vocab_size", "vocab_size");
        partialRotary(c, e);
        Parameters.windows(c, e, 4);
    }
}
