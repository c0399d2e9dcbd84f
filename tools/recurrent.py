# SPDX-License-Identifier: Apache-2.0
"""Recurrent layers as llama.cpp's GGUF files have them: state space models, short convolutions."""

import gguf
import numpy as np
import transformers

# transformers' model type: general.architecture
ARCHITECTURES = {"mamba": "mamba", "mamba2": "mamba2", "lfm2": "lfm2", "granitemoehybrid": "granitehybrid"}

# ends of transformers' names, where the PyPI package has others
NAMES = {"mixer.dt_bias": "ssm_dt.bias", "mamba.dt_bias": "ssm_dt.bias", "mixer.A_log": "ssm_a", "mamba.A_log": "ssm_a",
         "mixer.D": "ssm_d", "mamba.D": "ssm_d", "mixer.norm.weight": "ssm_norm.weight", "mamba.norm.weight": "ssm_norm.weight"}


def name_of(theirs: str) -> str | None:
    """GGUF's name of a tensor of a recurrent layer; None: of another."""
    if ".layers." not in theirs:
        return None
    layer, name = theirs.split(".layers.")[1].split(".", 1)
    return f"blk.{layer}.{NAMES[name]}" if name in NAMES else None


def transformed(config: transformers.PretrainedConfig, name: str, w: np.ndarray) -> np.ndarray:
    """Decays as they are, not their logarithm; heads in rows; one row of taps for each channel."""
    if name.endswith("ssm_a"):
        w = -np.exp(w)
    if name.endswith(("conv1d.weight", "conv.weight")):
        return w[:, 0]
    if name.endswith(("ssm_a", "ssm_d")) and config.model_type != "mamba":
        return w[:, None]
    if name.endswith("ssm_norm.weight"):
        return w.reshape(groups(config), -1)
    return w


def groups(config: transformers.PretrainedConfig) -> int:
    return config.mamba_n_groups if config.model_type == "granitemoehybrid" else config.n_groups


def attends(config: transformers.PretrainedConfig) -> list[bool]:
    kinds = getattr(config, "layer_types", None) or ["recurrent"] * config.num_hidden_layers
    return [kind in ("attention", "full_attention") for kind in kinds]


def metadata(writer: gguf.GGUFWriter, config: transformers.PretrainedConfig) -> None:
    if config.model_type == "lfm2":
        writer.add_shortconv_l_cache(config.conv_L_cache)
        return
    hybrid = config.model_type == "granitemoehybrid"
    heads = config.mamba_n_heads if hybrid else getattr(config, "num_heads", 0)
    writer.add_ssm_conv_kernel(config.mamba_d_conv if hybrid else config.conv_kernel)
    writer.add_ssm_inner_size(heads * config.mamba_d_head if hybrid else config.expand * config.hidden_size)
    writer.add_ssm_state_size(config.mamba_d_state if hybrid else config.state_size)
    writer.add_ssm_time_step_rank(heads or config.time_step_rank)
    if config.model_type == "mamba":
        writer.add_ssm_dt_b_c_rms(False)
    else:
        writer.add_ssm_group_count(groups(config))


def plain_metadata(writer: gguf.GGUFWriter, name: str, context: int, config: transformers.PretrainedConfig) -> None:
    """All of a model in which nothing attends."""
    writer.add_name(f"tiny {name}")
    writer.add_license("apache-2.0")
    writer.add_context_length(context)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_layer_norm_rms_eps(config.layer_norm_epsilon)
    writer.add_vocab_size(config.vocab_size)
    metadata(writer, config)
