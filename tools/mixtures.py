# SPDX-License-Identifier: Apache-2.0
"""Tensors that transformers keeps together or turned, and GGUF apart: experts, latent attention, gates."""

import numpy as np
import transformers

# A layer's tensors that hold several of GGUF's, or lie otherwise: (end of transformers' name, GGUF's names)
EXPERTS = ("experts.gate_up_proj", "experts.down_proj", "experts.gate_up_proj_bias", "experts.down_proj_bias")
RENAMED = {"block_sparse_moe.router.weight": "ffn_gate_inp.weight", "mlp.gate.weight": "ffn_gate_inp.weight",
           "mlp.router.weight": "ffn_gate_inp.weight", "mlp.router.bias": "ffn_gate_inp.bias",
           "mlp.gate.e_score_correction_bias": "exp_probs_b.bias", "self_attn.sinks": "attn_sinks.weight",
           "mlp.shared_expert_gate.weight": "ffn_gate_inp_shexp.weight"}


def halves(w: np.ndarray, alternating: bool, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """gate and up."""
    if alternating:
        return np.take(w, range(0, w.shape[axis], 2), axis), np.take(w, range(1, w.shape[axis], 2), axis)
    first, second = np.split(w, 2, axis)
    return first, second


def experts(config: transformers.PretrainedConfig, part: str, w: np.ndarray):
    """gpt-oss has inputs before outputs, and gate and up in turns."""
    turned = config.model_type == "gpt_oss"
    kind = "bias" if part.endswith("_bias") else "weight"
    if kind == "weight" and turned:
        w = w.swapaxes(1, 2)
    if "down_proj" in part:
        yield f"ffn_down_exps.{kind}", w
        return
    gate, up = halves(w, turned, 1)
    yield f"ffn_gate_exps.{kind}", gate
    yield f"ffn_up_exps.{kind}", up


def latent(config: transformers.PretrainedConfig, w: np.ndarray):
    """kv_b makes a head's keys and values from a latent row: GGUF has the keys' part turned, to go through it backwards."""
    heads = w.reshape(config.num_attention_heads, config.qk_nope_head_dim + config.v_head_dim, config.kv_lora_rank)
    yield "attn_k_b.weight", heads[:, :config.qk_nope_head_dim].swapaxes(1, 2)
    yield "attn_v_b.weight", heads[:, config.qk_nope_head_dim:]


def parts(config: transformers.PretrainedConfig, theirs: str, w: np.ndarray) -> list[tuple[str, np.ndarray]] | None:
    """(GGUF's name, numbers) of a tensor that is one of these; None of another."""
    if ".layers." not in theirs:
        return None
    layer, name = theirs.split(".layers.")[1].split(".", 1)
    found = None
    shared = "_shexp" if getattr(config, "num_local_experts", 0) else ""  # without others it is the whole
    if name.endswith(EXPERTS):
        found = list(experts(config, name.split(".")[-1], w))
    elif name == "self_attn.kv_b_proj.weight":
        found = list(latent(config, w))
    elif name == "shared_mlp.input_linear.weight":
        gate, up = halves(w, False, 0)
        found = [(f"ffn_gate{shared}.weight", gate), (f"ffn_up{shared}.weight", up)]
    elif name == "shared_mlp.output_linear.weight":
        found = [(f"ffn_down{shared}.weight", w)]
    elif name in RENAMED:
        found = [(RENAMED[name], w[0] if name == "mlp.shared_expert_gate.weight" else w)]
    return found and [(f"blk.{layer}.{ours}", part) for ours, part in found]


def metadata(writer, config: transformers.PretrainedConfig) -> None:
    """Experts and latent attention."""
    get = lambda *names: next((getattr(config, n) for n in names if getattr(config, n, None) is not None), None)
    count = get("n_routed_experts", "num_local_experts", "num_experts")
    if not count:
        return
    writer.add_expert_count(count)
    writer.add_expert_used_count(config.num_experts_per_tok)
    if get("moe_intermediate_size"):
        writer.add_expert_feed_forward_length(config.moe_intermediate_size)
    elif config.model_type in ("gpt_oss", "olmoe"):
        writer.add_expert_feed_forward_length(config.intermediate_size)
    shared = get("shared_expert_intermediate_size", "shared_intermediate_size")
    if shared:
        writer.add_expert_shared_feed_forward_length(shared)
    if config.model_type in ("deepseek_v2", "deepseek_v3"):
        deepseek(writer, config)
    if config.model_type in ("deepseek_v3", "olmoe", "qwen2_moe") and config.norm_topk_prob:
        writer.add_expert_weights_norm(True)


def deepseek(writer, config: transformers.PretrainedConfig) -> None:
    writer.add_expert_shared_count(config.n_shared_experts)
    writer.add_leading_dense_block_count(config.first_k_dense_replace)
    writer.add_expert_weights_scale(config.routed_scaling_factor)
    if config.n_group and config.n_group > 1:
        writer.add_expert_group_count(config.n_group)
        writer.add_expert_group_used_count(config.topk_group)
    if config.model_type == "deepseek_v3":
        writer.add_uint32(f"{writer.arch}.expert_gating_func", 2)
    if config.q_lora_rank:
        writer.add_q_lora_rank(config.q_lora_rank)
    writer.add_kv_lora_rank(config.kv_lora_rank)
    writer.add_key_length(config.kv_lora_rank + config.qk_rope_head_dim)
    writer.add_value_length(config.kv_lora_rank)
    writer.add_key_length_mla(config.qk_nope_head_dim + config.qk_rope_head_dim)
    writer.add_value_length_mla(config.v_head_dim)
