# SPDX-License-Identifier: Apache-2.0
"""Tensors and metadata of decoders beyond LLaMA's shape as llama.cpp's GGUF files have them; names by the PyPI package gguf."""

import gguf
import numpy as np
import torch
import transformers

# transformers' model type: general.architecture
ARCHITECTURES = {"gpt2": "gpt2", "gpt_neox": "gptneox", "falcon": "falcon", "phi": "phi2", "starcoder2": "starcoder2",
                 "stablelm": "stablelm", "cohere": "command-r", "cohere2": "cohere2"}


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
    if config.model_type == "gpt_neox":
        return config.num_attention_heads
    return getattr(config, "num_key_value_heads", None) or config.num_attention_heads


def transformed(config: transformers.PretrainedConfig, name: str, w: np.ndarray) -> np.ndarray:
    if config.model_type == "gpt2" and name.endswith((".attn_qkv.weight", ".attn_output.weight", ".ffn_up.weight",
                                                      ".ffn_down.weight")):
        return w.T  # stored as [inputs, outputs]
    if config.model_type == "gpt_neox" and ".attn_qkv." in name:
        return separate_heads(w, config.num_attention_heads)
    if config.model_type == "falcon" and ".attn_qkv." in name:
        return separate_groups(w, config.num_attention_heads, heads_kv(config))
    return w


def tensors(model: torch.nn.Module):
    """(GGUF's name, numbers) of each tensor."""
    config, stacked = model.config, {}
    architecture = next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == ARCHITECTURES[config.model_type])
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    for theirs, p in model.named_parameters():
        w = p.detach().numpy().astype(np.float32)
        if "_layernorm.norms." in theirs:  # StableLM's norms of q and k: one tensor a head, in order
            stacked.setdefault(theirs.split(".norms.")[0] + ".weight", []).append(w)
            continue
        name = names.get_name(theirs, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise ValueError(f"{config.model_type}: {theirs} has no name in GGUF")
        yield name, transformed(config, name, w)
    for theirs, heads in stacked.items():
        yield names.get_name(theirs, try_suffixes=(".weight",)), np.stack(heads)


def first(config: transformers.PretrainedConfig, *names: str):
    return next(getattr(config, n) for n in names if getattr(config, n, None) is not None)


def metadata(writer: gguf.GGUFWriter, name: str, config: transformers.PretrainedConfig) -> None:
    writer.add_name(f"tiny {name}")
    writer.add_license("apache-2.0")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.n_inner or 4 * config.hidden_size if config.model_type == "gpt2" else
                                   first(config, "ffn_hidden_size", "intermediate_size"))
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(heads_kv(config))
    writer.add_layer_norm_eps(first(config, "layer_norm_epsilon", "layer_norm_eps", "norm_epsilon"))
    writer.add_vocab_size(config.vocab_size)
    rope = getattr(config, "rope_parameters", None)
    if rope:
        dimension = config.hidden_size // config.num_attention_heads
        writer.add_rope_dimension_count(int(dimension * rope.get("partial_rotary_factor", 1.0)))
        writer.add_rope_freq_base(rope["rope_theta"])
    if config.model_type == "gpt_neox":
        writer.add_parallel_residual(config.use_parallel_residual)
    if config.model_type in ("cohere", "cohere2"):
        writer.add_logit_scale(config.logit_scale)
    if getattr(config, "sliding_window", None):
        writer.add_sliding_window(config.sliding_window)
