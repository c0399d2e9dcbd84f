# SPDX-License-Identifier: Apache-2.0
"""Tensors and metadata of decoders beyond LLaMA's shape as llama.cpp's GGUF files have them; names by the PyPI package gguf."""

import math

import gguf
import numpy as np
import torch
import transformers

import gguf_reference
import mixtures
import recurrent

# transformers' model type: general.architecture
ARCHITECTURES = {"gpt2": "gpt2", "gpt_neox": "gptneox", "falcon": "falcon", "phi": "phi2", "starcoder2": "starcoder2",
                 "stablelm": "stablelm", "cohere": "command-r", "cohere2": "cohere2", "phi3": "phi3", "mpt": "mpt",
                 "bloom": "bloom", "glm4": "glm4", "exaone4": "exaone4", "openai-gpt": "openai-gpt", "olmo": "olmo",
                 "olmo3": "olmo2", "nemotron": "nemotron", "mixtral": "llama", "qwen2_moe": "qwen2moe",
                 "qwen3_moe": "qwen3moe", "olmoe": "olmoe", "granitemoe": "granitemoe",
                 "granitemoeshared": "granitemoe", "deepseek_v2": "deepseek2", "deepseek_v3": "deepseek2",
                 "gpt_oss": "gpt-oss"} | recurrent.ARCHITECTURES
CONTEXT = 1024  # of BLOOM, whose configuration names none
INTERLEAVED = ("olmo", "mixtral", "granitemoe", "granitemoeshared", "granitemoehybrid")  # GGUF stores rows of q and k for rope on neighbours

# GPT's names, of which the PyPI package has none: those of GPT-2
FIRST_GPT = {"tokens_embed": "wte", "positions_embed": "wpe"}


def separate_heads(w: np.ndarray, heads: int) -> np.ndarray:
    """GPT-NeoX stores q, k, v of one head after the other; GGUF all of q, then all of k, then all of v."""
    parts = w.reshape(heads, 3, w.shape[0] // heads // 3, *w.shape[1:])
    return parts.swapaxes(0, 1).reshape(w.shape)


def separate_groups(w: np.ndarray, heads: int, heads_kv: int) -> np.ndarray:
    """Falcon stores the queries of a key head, then that key, then its value."""
    group, dim = heads // heads_kv, w.shape[0] // (heads + 2 * heads_kv)
    parts = w.reshape(heads_kv, group + 2, dim, *w.shape[1:])
    return np.concatenate([parts[:, :group].reshape(-1, *w.shape[1:]), parts[:, group].reshape(-1, *w.shape[1:]),
                           parts[:, group + 1].reshape(-1, *w.shape[1:])])


def heads_kv(config: transformers.PretrainedConfig) -> int:
    if config.model_type == "falcon":
        return config.num_kv_heads if config.new_decoder_architecture else 1 if config.multi_query else config.num_attention_heads
    if config.model_type in ("gpt_neox", "mpt", "bloom"):
        return config.num_attention_heads
    if config.model_type in ("deepseek_v2", "deepseek_v3"):
        return 1  # the latent row
    return getattr(config, "num_key_value_heads", None) or config.num_attention_heads


def transformed(config: transformers.PretrainedConfig, name: str, w: np.ndarray) -> np.ndarray:
    if config.model_type in ("gpt2", "openai-gpt") and name.endswith((".attn_qkv.weight", ".attn_output.weight", ".ffn_up.weight",
                                                      ".ffn_down.weight")):
        return w.T  # stored as [inputs, outputs]
    if config.model_type == "gpt_neox" and ".attn_qkv." in name:
        return separate_heads(w, config.num_attention_heads)
    if config.model_type == "bloom" and ".attn_qkv." in name:
        return separate_heads(w, config.num_attention_heads)
    if config.model_type in INTERLEAVED and (".attn_q." in name or ".attn_k." in name):
        return gguf_reference.interleave(w, heads_kv(config) if ".attn_k." in name else config.num_attention_heads)
    if config.model_type == "nemotron" and name.endswith("norm.weight"):
        return w + np.float32(1)
    if config.model_type in recurrent.ARCHITECTURES:
        return recurrent.transformed(config, name, w)
    if config.model_type == "falcon" and ".attn_qkv." in name:
        return separate_groups(w, config.num_attention_heads, heads_kv(config))
    return w


def tensors(model: torch.nn.Module):
    """(GGUF's name, numbers) of each tensor."""
    config, stacked = model.config, {}
    named = {"openai-gpt": "gpt2"}.get(config.model_type, ARCHITECTURES[config.model_type])
    architecture = next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == named)
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    buffers = [b for b in model.named_buffers() if b[0].endswith("correction_bias")]
    for theirs, p in list(model.named_parameters()) + buffers:
        w = p.detach().numpy().astype(np.float32)
        several = mixtures.parts(config, theirs, w)
        if several:
            yield from several
            continue
        if config.model_type == "bloom":
            theirs = theirs.removeprefix("transformer.")
        if config.model_type == "openai-gpt":
            for old, new in FIRST_GPT.items():
                theirs = theirs.replace(old, new)
        if "_layernorm.norms." in theirs:  # StableLM's norms of q and k: one tensor a head, in order
            stacked.setdefault(theirs.split(".norms.")[0] + ".weight", []).append(w)
            continue
        name = recurrent.name_of(theirs) or names.get_name(theirs, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise ValueError(f"{config.model_type}: {theirs} has no name in GGUF")
        yield name, transformed(config, name, w)
    for theirs, heads in stacked.items():
        yield names.get_name(theirs, try_suffixes=(".weight",)), np.stack(heads)


def first(config: transformers.PretrainedConfig, *names: str):
    return next(getattr(config, n) for n in names if getattr(config, n, None) is not None)


def feed_forward(config: transformers.PretrainedConfig) -> int:
    if config.model_type in ("gpt2", "openai-gpt", "mpt", "bloom"):
        return getattr(config, "n_inner", None) or 4 * config.hidden_size
    if config.model_type == "granitemoehybrid" and not config.num_local_experts:
        return config.shared_intermediate_size
    return first(config, "ffn_hidden_size", "intermediate_size")


def rotary(writer: gguf.GGUFWriter, config: transformers.PretrainedConfig) -> None:
    rope = getattr(config, "rope_parameters", None)
    if not rope:
        return
    rope = rope.get("full_attention", rope)
    dimension = getattr(config, "qk_rope_head_dim", None) or getattr(config, "head_dim", None) or \
        config.hidden_size // config.num_attention_heads
    if getattr(config, "qk_rope_head_dim", None) is None:
        dimension = int(dimension * rope.get("partial_rotary_factor", 1.0))
    writer.add_rope_dimension_count(dimension)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] in ("yarn", "longrope"):
        original = rope["original_max_position_embeddings"]
        writer.add_rope_scaling_orig_ctx_len(original)
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        if rope.get("mscale_all_dim"):
            writer.add_rope_scaling_yarn_log_mul(0.1 * rope["mscale_all_dim"])
    if rope["rope_type"] == "longrope":
        scale = config.max_position_embeddings / original
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(scale) / math.log(original)) if scale > 1 else 1.0)
        for kind in ("long", "short"):
            writer.add_tensor(f"rope_factors_{kind}.weight", np.array(rope[f"{kind}_factor"], np.float32))


def windows(writer: gguf.GGUFWriter, config: transformers.PretrainedConfig) -> None:
    if not getattr(config, "sliding_window", None) or config.model_type == "qwen2_moe":
        return
    writer.add_sliding_window(config.sliding_window)
    if config.model_type in ("exaone4", "olmo3"):
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config.layer_types])


def metadata(writer: gguf.GGUFWriter, name: str, config: transformers.PretrainedConfig) -> None:
    if config.model_type in ("mamba", "mamba2"):
        recurrent.plain_metadata(writer, name, CONTEXT, config)
        return
    writer.add_name(f"tiny {name}")
    writer.add_license("apache-2.0")
    writer.add_context_length(config.max_seq_len if config.model_type == "mpt" else CONTEXT if config.model_type == "bloom"
                              else config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(feed_forward(config))
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    recurs = config.model_type in recurrent.ARCHITECTURES
    writer.add_head_count_kv([heads_kv(config) * a for a in recurrent.attends(config)] if recurs else heads_kv(config))
    if getattr(config, "head_dim", None) and config.model_type not in ("deepseek_v2", "deepseek_v3"):
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    if config.model_type == "lfm2":
        writer.add_layer_norm_rms_eps(config.norm_eps)
    elif hasattr(type(config)(), "rms_norm_eps"):
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    else:
        writer.add_layer_norm_eps(1e-5 if config.model_type == "olmo" else
                                  first(config, "layer_norm_epsilon", "layer_norm_eps", "norm_epsilon", "norm_eps"))
    writer.add_vocab_size(config.vocab_size)
    rotary(writer, config)
    windows(writer, config)
    mixtures.metadata(writer, config)
    if recurs:
        recurrent.metadata(writer, config)
    if config.model_type == "granitemoehybrid":
        writer.add_rope_scaling_finetuned(config.position_embedding_type == "rope")
    if config.model_type == "gpt_neox":
        writer.add_parallel_residual(config.use_parallel_residual)
    if config.model_type in ("cohere", "cohere2"):
        writer.add_logit_scale(config.logit_scale)
    if config.model_type == "mpt":
        writer.add_max_alibi_bias(config.attn_config.alibi_bias_max)
    clip = config.attn_config.clip_qkv if config.model_type == "mpt" else getattr(config, "clip_qkv", None)
    if clip:
        writer.add_clamp_kqv(clip)
    if config.model_type.startswith("granitemoe"):
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_logit_scale(config.logits_scaling)
