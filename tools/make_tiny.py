# SPDX-License-Identifier: Apache-2.0
"""Tiny random models as GGUF files, each with what transformers computes from it: native/tests/data/tiny.

    python make_tiny.py                         all of them, into native/tests/data/tiny
    python make_tiny.py --seed 7 --out /tmp/t   other weights, other prompts
    python make_tiny.py llama llama_q8_0        some of them

NAME.golden beside NAME.gguf is described in native/tests/data/README.md.
"""

import argparse
import copy
import pathlib
import zlib

import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, RopeScalingType

import corpus
import families
import gguf_reference
import k_quants
import vocabularies

VOCABULARY = 384
CONTEXT = 1024
LENGTHS = (1, 7, 33, 130, 600)  # one token, less than a page of 64, two pages, more than a span of 512
GREEDY = 24

SHAPE = dict(hidden_size=96, intermediate_size=160, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2,
             head_dim=16, tie_word_embeddings=False, rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
WIDE = SHAPE | dict(hidden_size=192, intermediate_size=576, num_attention_heads=6, num_key_value_heads=3, head_dim=32,
                    tie_word_embeddings=True)
BLOCKS = SHAPE | dict(hidden_size=256, intermediate_size=256, num_hidden_layers=1, num_attention_heads=8,
                      num_key_value_heads=2, head_dim=32)  # whole super-blocks of 256
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
          "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 16.0, "original_max_position_embeddings": 64}
WINDOW = 96  # a page and a half
MISTRAL = SHAPE | dict(model_type="mistral", head_dim=24, sliding_window=WINDOW)
GEMMA = dict(model_type="gemma3_text", hidden_size=64, intermediate_size=96, num_hidden_layers=7, num_attention_heads=4,
             num_key_value_heads=2, head_dim=32, query_pre_attn_scalar=32, tie_word_embeddings=True, sliding_window=WINDOW,
             rms_norm_eps=1e-6, rope_parameters={
                 "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
                 "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0}})
CAPPED = GEMMA | dict(num_hidden_layers=3, layer_types=["full_attention", "sliding_attention", "full_attention"],
                      final_logit_softcapping=4.0, rope_parameters={
                          "sliding_attention": {"rope_type": "default", "rope_theta": 20000.0},
                          "full_attention": {"rope_type": "default", "rope_theta": 1000000.0}})

NARROW = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
              tie_word_embeddings=False, rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
PARTIAL = NARROW | dict(rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.25})
FALCON = dict(model_type="falcon", hidden_size=64, num_hidden_layers=2, num_attention_heads=4, parallel_attn=True, bias=False)
COHERE = NARROW | dict(model_type="cohere", tie_word_embeddings=True, logit_scale=0.25)

SMALL = NARROW | dict(hidden_size=48, intermediate_size=64)
PHI = SMALL | dict(model_type="phi3", sliding_window=WINDOW)
LONGROPE = {"rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 64,
            "short_factor": [1.0, 1.05, 1.1, 1.2, 1.3, 1.5],
            "long_factor": [1.0, 1.2, 2.5, 3.5, 5.0, 8.0]}
LONG = PHI | dict(rope_parameters=LONGROPE, original_max_position_embeddings=64)
MPT = dict(model_type="mpt", d_model=48, n_layers=2, max_seq_len=CONTEXT)
EXAONE = SMALL | dict(model_type="exaone4", head_dim=16, num_hidden_layers=4)
EXPERTS = SMALL | dict(num_experts=6, num_experts_per_tok=3, moe_intermediate_size=48, tie_word_embeddings=True)
GRANITE_MOE = SMALL | dict(model_type="granitemoe", num_local_experts=4, num_experts_per_tok=2, tie_word_embeddings=True,
                            intermediate_size=48, embedding_multiplier=12.0, logits_scaling=2.0, residual_multiplier=0.22,
                            attention_multiplier=0.125)
DEEPSEEK = SMALL | dict(num_key_value_heads=4, kv_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=20,
                         n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=32, first_k_dense_replace=1,
                         rms_norm_eps=1e-6,  # as theirs: transformers has it fixed for the latent rows' norms
                         tie_word_embeddings=True)

RECURRENT = dict(hidden_size=48, num_hidden_layers=2, expand=2, conv_kernel=4, tie_word_embeddings=True)
LFM = SMALL | dict(model_type="lfm2", num_hidden_layers=3, layer_types=["conv", "full_attention", "conv"], norm_eps=1e-5,
                   block_auto_adjust_ff_dim=False, conv_L_cache=3, tie_word_embeddings=True)
GRANITE_HYBRID = GRANITE_MOE | dict(model_type="granitemoehybrid", num_hidden_layers=3, shared_intermediate_size=40,
                                    layer_types=["linear_attention", "full_attention", "linear_attention"], mamba_n_heads=4,
                                    position_embedding_type="rope",
                                    mamba_d_head=24, mamba_d_state=16, mamba_n_groups=1, mamba_d_conv=4, mamba_expand=2)

WHOLE = SMALL | dict(hidden_size=64, tie_word_embeddings=True)  # whole blocks of 32
WITHOUT_GOLDENS = ("qwen3moe_q4_1", "deepseek_v2_q8_0", "gpt_oss_mxfp4", "mamba2_q8_0")

# name: (settings, pre-tokenizer, type of the matrices, type of the embeddings and the output matrix)
MODELS = {
    "llama": (SHAPE, "gpt-2", Type.F32, Type.F32),
    "llama_linear": (SHAPE | dict(tie_word_embeddings=True, rope_parameters={
        "rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}), "smollm", Type.F32, Type.F32),
    "llama_llama3": (SHAPE | dict(tie_word_embeddings=True, rope_parameters=LLAMA3), "llama-bpe", Type.F32, Type.F32),
    "llama_biased": (SHAPE | dict(attention_bias=True, mlp_bias=True, head_dim=24, num_key_value_heads=6), "qwen2",
                     Type.F32, Type.F32),
    "llama_f16": (SHAPE, "gpt-2", Type.F16, Type.F16),
    "llama_bf16": (SHAPE, "gpt-2", Type.BF16, Type.BF16),
    "llama_q8_0": (SHAPE, "gpt-2", Type.Q8_0, Type.Q8_0),
    "llama_q4_0": (SHAPE | dict(tie_word_embeddings=True), "smollm", Type.Q4_0, Type.Q4_0),
    "llama_q4_1": (SHAPE, "smollm", Type.Q4_1, Type.F16),
    "llama_wide_q4_1": (WIDE, "smollm", Type.Q4_1, Type.Q8_0),
    "llama_q5_0": (SHAPE | dict(tie_word_embeddings=True), "smollm", Type.Q5_0, Type.Q5_0),
    "llama_q5_1": (SHAPE, "smollm", Type.Q5_1, Type.Q5_1),
    "llama_iq4_nl": (SHAPE, "smollm", Type.IQ4_NL, Type.IQ4_NL),
    "llama_mxfp4": (SHAPE, "smollm", Type.MXFP4, Type.Q8_0),
    "llama_q4_k": (BLOCKS | dict(tie_word_embeddings=True), "smollm", Type.Q4_K, Type.Q6_K),
    "llama_q5_k": (BLOCKS | dict(tie_word_embeddings=True), "smollm", Type.Q5_K, Type.Q5_K),
    "llama_q6_k": (BLOCKS | dict(tie_word_embeddings=True), "smollm", Type.Q6_K, Type.Q4_K),
    "llama_q3_k": (BLOCKS | dict(tie_word_embeddings=True), "smollm", Type.Q3_K, Type.Q3_K),
    "llama_q2_k": (BLOCKS | dict(tie_word_embeddings=True), "smollm", Type.Q2_K, Type.Q2_K),
    "llama_iq4_xs": (BLOCKS | dict(tie_word_embeddings=True), "smollm", Type.IQ4_XS, Type.IQ4_XS),
    "llama_yarn": (SHAPE | dict(rope_parameters=YARN), "gpt-2", Type.F32, Type.F32),
    "llama_yarn_set": (SHAPE | dict(num_hidden_layers=1, tie_word_embeddings=True, rope_parameters=YARN | {
        "beta_fast": 8.0, "beta_slow": 2.0, "attention_factor": 1.5}), "gpt-2", Type.F32, Type.F32),
    "mistral": (MISTRAL, "gpt-2", Type.F32, Type.F32),
    "mistral_q8_0": (SHAPE | dict(model_type="mistral", sliding_window=WINDOW), "gpt-2", Type.Q8_0, Type.Q8_0),
    "qwen2": (SHAPE | dict(model_type="qwen2", tie_word_embeddings=True), "qwen2", Type.F32, Type.F32),
    "qwen3": (SHAPE | dict(model_type="qwen3", head_dim=32, tie_word_embeddings=True), "qwen2", Type.F32, Type.F32),
    "qwen3_q4_1": (SHAPE | dict(model_type="qwen3", head_dim=32), "qwen2", Type.Q4_1, Type.Q8_0),
    "smollm3": (SHAPE | dict(model_type="smollm3", hidden_size=64, intermediate_size=96, num_attention_heads=4,
                             num_hidden_layers=4, tie_word_embeddings=True,
                             no_rope_layer_interval=4), "qwen2", Type.F32, Type.F32),
    "granite": (SHAPE | dict(model_type="granite", tie_word_embeddings=True, embedding_multiplier=12.0,
                             logits_scaling=2.0, residual_multiplier=0.22, attention_multiplier=0.125), "qwen2",
                Type.F32, Type.F32),
    "olmo2": (SHAPE | dict(model_type="olmo2", num_key_value_heads=3), "qwen2", Type.F32, Type.F32),
    "gemma": (GEMMA | dict(model_type="gemma", num_hidden_layers=2, num_key_value_heads=1, rope_parameters={
        "rope_type": "default", "rope_theta": 10000.0}), "smollm", Type.F32, Type.F32),
    "gemma2": (GEMMA | dict(model_type="gemma2", num_hidden_layers=3, attn_logit_softcapping=5.0,
                            final_logit_softcapping=10.0, rope_parameters={
                                "rope_type": "default", "rope_theta": 10000.0}), "smollm", Type.F32, Type.F32),
    "gemma3": (GEMMA | dict(head_dim=24, query_pre_attn_scalar=24), "smollm", Type.F32, Type.F32),
    "gemma3_capped": (CAPPED, "smollm", Type.F32, Type.F32),
    "gpt2": (dict(model_type="gpt2", n_embd=64, n_layer=2, n_head=4, n_positions=CONTEXT), "gpt-2", Type.F32, Type.F32),
    "gptneox": (PARTIAL | dict(model_type="gpt_neox", use_parallel_residual=True), "gpt-2", Type.F32, Type.F32),
    "gptneox_serial": (PARTIAL | dict(model_type="gpt_neox", use_parallel_residual=False), "gpt-2", Type.F32, Type.F32),
    "falcon": (FALCON | dict(multi_query=True, new_decoder_architecture=False), "gpt-2", Type.F32, Type.F32),
    "falcon_new": (FALCON | dict(num_kv_heads=2, new_decoder_architecture=True), "gpt-2", Type.F32, Type.F32),
    "phi2": (PARTIAL | dict(model_type="phi", num_key_value_heads=4), "gpt-2", Type.F32, Type.F32),
    "starcoder2": (NARROW | dict(model_type="starcoder2", sliding_window=WINDOW, tie_word_embeddings=True), "gpt-2",
                   Type.F32, Type.F32),
    "stablelm": (PARTIAL | dict(model_type="stablelm", use_qkv_bias=True), "gpt-2", Type.F32, Type.F32),
    "stablelm_12b": (PARTIAL | dict(model_type="stablelm", qk_layernorm=True, use_parallel_residual=True), "gpt-2",
                     Type.F32, Type.F32),
    "command_r": (COHERE, "gpt-2", Type.F32, Type.F32),
    "command_r_plus": (COHERE | dict(use_qk_norm=True), "gpt-2", Type.F32, Type.F32),
    "cohere2": (COHERE | dict(model_type="cohere2", num_hidden_layers=4, sliding_window=WINDOW), "gpt-2", Type.F32, Type.F32),
    "phi3": (LONG, "gpt-2", Type.F32, Type.F32),
    "phi3_short": (PHI | dict(original_max_position_embeddings=CONTEXT, rope_parameters=LONGROPE | dict(original_max_position_embeddings=CONTEXT)), "gpt-2",
                   Type.F32, Type.F32),
    "phi4_mini": (LONG | dict(tie_word_embeddings=True, sliding_window=None, rope_parameters=LONGROPE | dict(
        partial_rotary_factor=0.5, long_factor=LONGROPE["long_factor"][:3], short_factor=LONGROPE["short_factor"][:3])),
                  "gpt-2", Type.F32, Type.F32),
    "mpt": (MPT | dict(n_heads=6), "gpt-2", Type.F32, Type.F32),
    "mpt_clamped": (MPT | dict(n_heads=4, attn_config=dict(alibi=True, alibi_bias_max=8, clip_qkv=1.0)), "gpt-2", Type.F32,
                    Type.F32),
    "bloom": (dict(model_type="bloom", hidden_size=48, n_head=4, n_layer=2), "gpt-2", Type.F32, Type.F32),
    "glm4": (SMALL | dict(model_type="glm4", head_dim=16, attention_bias=True, rope_parameters=NARROW["rope_parameters"] | {
        "partial_rotary_factor": 0.5}), "gpt-2", Type.F32, Type.F32),
    "exaone4": (EXAONE | dict(sliding_window=WINDOW), "gpt-2", Type.F32, Type.F32),
    "exaone4_small": (EXAONE | dict(sliding_window=None, num_hidden_layers=2, layer_types=["full_attention"] * 2), "gpt-2", Type.F32, Type.F32),
    "openai_gpt": (dict(model_type="openai-gpt", n_embd=48, n_layer=2, n_head=4, n_positions=CONTEXT), "gpt-2", Type.F32,
                   Type.F32),
    "olmo": (SMALL | dict(model_type="olmo", tie_word_embeddings=True, clip_qkv=1.5), "gpt-2", Type.F32, Type.F32),
    "olmo3": (SMALL | dict(model_type="olmo3", num_hidden_layers=4, sliding_window=WINDOW), "gpt-2", Type.F32, Type.F32),
    "nemotron": (SMALL | dict(model_type="nemotron", head_dim=16, rope_parameters=NARROW["rope_parameters"] | {
        "partial_rotary_factor": 0.5}), "gpt-2", Type.F32, Type.F32),
    "mixtral": (SMALL | dict(model_type="mixtral", num_local_experts=4, num_experts_per_tok=2, sliding_window=None),
                "gpt-2", Type.F32, Type.F32),
    "qwen2moe": (EXPERTS | dict(model_type="qwen2_moe", shared_expert_intermediate_size=64), "qwen2", Type.F32, Type.F32),
    "qwen3moe": (EXPERTS | dict(model_type="qwen3_moe", norm_topk_prob=True, head_dim=32), "qwen2", Type.F32, Type.F32),
    "olmoe": (SMALL | dict(model_type="olmoe", num_experts=6, num_experts_per_tok=2, intermediate_size=48,
                            norm_topk_prob=False, tie_word_embeddings=True), "gpt-2", Type.F32, Type.F32),
    "granitemoe": (GRANITE_MOE, "gpt-2", Type.F32, Type.F32),
    "granitemoe_shared": (GRANITE_MOE | dict(model_type="granitemoeshared", shared_intermediate_size=40), "gpt-2", Type.F32,
                          Type.F32),
    "deepseek_v2": (DEEPSEEK | dict(model_type="deepseek_v2", q_lora_rank=None, n_shared_experts=2,
                                    topk_method="group_limited_greedy", n_group=4, topk_group=2,
                                    routed_scaling_factor=2.0), "gpt-2", Type.F32, Type.F32),
    "deepseek_v3": (DEEPSEEK | dict(model_type="deepseek_v3", q_lora_rank=48, n_shared_experts=1, n_group=4, topk_group=2,
                                    routed_scaling_factor=2.5, num_mtp_layers=0, rope_parameters=YARN | {
                                        "factor": 8.0, "mscale": 1.0, "mscale_all_dim": 1.0}), "gpt-2", Type.F32, Type.F32),
    "gpt_oss": (SMALL | dict(model_type="gpt_oss", head_dim=32, num_local_experts=4, num_experts_per_tok=2,
                              intermediate_size=64, sliding_window=WINDOW, rope_parameters=YARN | {
                                  "rope_theta": 150000.0, "factor": 8.0, "truncate": False}), "gpt-2", Type.F32, Type.F32),
    "mamba": (RECURRENT | dict(model_type="mamba", state_size=12, time_step_rank=5), "gpt-2", Type.F32, Type.F32),
    "mamba2": (RECURRENT | dict(model_type="mamba2", state_size=18, num_heads=4, head_dim=24, n_groups=2), "gpt-2", Type.F32,
               Type.F32),
    "lfm2": (LFM, "gpt-2", Type.F32, Type.F32),
    "granitehybrid": (GRANITE_HYBRID, "gpt-2", Type.F32, Type.F32),
    "granitehybrid_dense": (GRANITE_HYBRID | dict(num_local_experts=0, position_embedding_type=None), "gpt-2", Type.F32, Type.F32),
    "mamba2_q8_0": (RECURRENT | dict(model_type="mamba2", hidden_size=64, state_size=32, num_heads=4, head_dim=32, n_groups=1),
                    "gpt-2", Type.Q8_0, Type.Q8_0),
    # quantized experts: for equality alone, without goldens (a rounding may choose another expert)
    "qwen3moe_q4_1": (WHOLE | dict(model_type="qwen3_moe", num_experts=6, num_experts_per_tok=3, norm_topk_prob=True,
                                   head_dim=32, moe_intermediate_size=96), "qwen2", Type.Q4_1, Type.Q8_0),
    "deepseek_v2_q8_0": (WHOLE | DEEPSEEK | dict(WHOLE, model_type="deepseek_v2", q_lora_rank=None, n_shared_experts=1,
                                                 num_key_value_heads=4, qk_nope_head_dim=32, v_head_dim=24), "gpt-2",
                         Type.Q8_0, Type.Q8_0),
    "gpt_oss_mxfp4": (WHOLE | dict(model_type="gpt_oss", head_dim=32, num_local_experts=4, num_experts_per_tok=2,
                                   intermediate_size=64, sliding_window=WINDOW, rope_parameters=YARN | {
                                       "rope_theta": 150000.0, "factor": 8.0, "truncate": False}), "gpt-2", Type.MXFP4,
                      Type.Q8_0),
    "gemma3_q8_0": (GEMMA, "smollm", Type.Q8_0, Type.Q8_0),
}


def seeded(name: str, seed: int) -> torch.Generator:
    """A generator for one tensor or prompt, so that adding another leaves it as it was."""
    return torch.Generator().manual_seed(zlib.crc32(f"{seed} {name}".encode()))


@torch.no_grad()
def randomise(model: torch.nn.Module, seed: int) -> None:
    """Weights whose every effect shows: matrices keep their input's size, logits spread by about 3."""
    buffers = [b for b in model.named_buffers() if b[0].endswith("correction_bias")]
    for name, p in list(model.named_parameters()) + buffers:
        noise = torch.randn(p.shape, generator=seeded(name, seed))
        if name.endswith("sinks"):
            p.copy_(noise)
        elif name.endswith(("dt_bias", "dt_proj.bias")):  # steps of about 0.1
            p.copy_(noise - 2)
        elif name.endswith("A_log"):
            p.add_(noise * 0.3)
        elif p.dim() == 3:  # experts: gpt-oss has inputs first
            p.copy_(noise * p.shape[1 if model.config.model_type == "gpt_oss" else 2] ** -0.5)
        elif p.dim() == 2 and name.endswith("_proj_bias"):
            p.copy_(noise * 0.1)
        elif p.dim() == 1 and model.config.model_type == "nemotron" and name.endswith("norm.weight"):
            p.copy_(noise * 0.1)  # its norms multiply by one more
        elif p.dim() == 1:
            p.add_(noise * 0.1)  # norms start at one, biases at zero
        elif any(part in name for part in ("embed_tokens", "embed_in", "word_embeddings", "wte", "wpe", "s_embed")):
            p.copy_(noise * 0.3)
        elif "q_norm" in name or "k_norm" in name:  # Command R+: a row a head
            p.add_(noise * 0.1)
        else:
            p.copy_(noise * (3 if "lm_head" in name or "embed_out" in name else 1) * p.shape[1] ** -0.5)


def rope_factors(rope: dict, dimension: int) -> np.ndarray | None:
    """What Llama 3's scaling divides each frequency by: the tensor rope_freqs.weight."""
    if rope.get("rope_type") != "llama3":
        return None
    lengths = 2 * np.pi * rope["rope_theta"] ** (np.arange(0, dimension, 2) / dimension)
    original, low, high = rope["original_max_position_embeddings"], rope["low_freq_factor"], rope["high_freq_factor"]
    smooth = np.clip((original / lengths - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / rope["factor"] + smooth)).astype(np.float32)


def metadata(writer: GGUFWriter, name: str, config: transformers.PretrainedConfig) -> None:
    rope = config.rope_parameters.get("full_attention", config.rope_parameters)
    writer.add_name(f"tiny {name}")
    writer.add_license("apache-2.0")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(RopeScalingType(rope["rope_type"]))
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        names = {"beta_fast": "beta_fast", "beta_slow": "beta_slow", "attention_factor": "attn_factor"}
        for theirs, ours in names.items():
            if rope.get(theirs) is not None:
                writer.add_float32(f"{writer.arch}.rope.scaling.yarn_{ours}", rope[theirs])
    if config.model_type in ("mistral", "gemma2", "gemma3_text"):
        writer.add_sliding_window(config.sliding_window)
    if config.model_type == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if config.model_type == "gemma3_text":
        gemma_metadata(writer, config)
    if config.model_type == "granite":
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_logit_scale(config.logits_scaling)


def gemma_metadata(writer: GGUFWriter, config: transformers.PretrainedConfig) -> None:
    """What differs from Gemma's own values alone."""
    windowed = [kind == "sliding_attention" for kind in config.layer_types]
    if windowed != [(i + 1) % 6 != 0 for i in range(len(windowed))]:
        writer.add_array(f"{writer.arch}.attention.sliding_window_pattern", windowed)
    base = config.rope_parameters["sliding_attention"]["rope_theta"]
    if base != 10000.0:
        writer.add_float32(f"{writer.arch}.rope.freq_base_swa", base)
    if config.final_logit_softcapping:
        writer.add_final_logit_softcapping(config.final_logit_softcapping)


def write(path: pathlib.Path, model, vocabulary: vocabularies.Vocabulary, matrices: Type, ends: Type,
          template: str | None = None) -> None:
    """The model as a GGUF file by llama.cpp's conventions."""
    config = model.config
    if config.model_type in families.ARCHITECTURES:
        write_family(path, model, vocabulary, matrices, ends)
        return
    architecture = {"mistral": "llama", "gemma3_text": "gemma3"}.get(config.model_type, config.model_type)
    writer = GGUFWriter(path, architecture)
    metadata(writer, path.stem, config)
    vocabulary.write(writer)
    if template:
        writer.add_chat_template(template)
    factors = rope_factors(config.rope_parameters, config.head_dim)
    if factors is not None:
        writer.add_tensor("rope_freqs.weight", factors)
    for theirs, p in model.named_parameters():
        name, w = gguf_reference.gguf_name(theirs, architecture), p.detach().numpy().astype(np.float32)
        if name.endswith("norm.weight"):
            w = w + np.float32(gguf_reference.FAMILIES[architecture][2])
        if architecture in gguf_reference.INTERLEAVED and ".attn_q." in name:
            w = gguf_reference.interleave(w, config.num_attention_heads)
        if architecture in gguf_reference.INTERLEAVED and ".attn_k." in name:
            w = gguf_reference.interleave(w, config.num_key_value_heads)
        kind = Type.F32 if w.ndim == 1 else matrices if name.startswith("blk.") else ends
        writer.add_tensor(name, k_quants.quantize(np.ascontiguousarray(w), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def stored(name: str, w: np.ndarray, matrices: Type, ends: Type) -> Type:
    """What a tensor is stored as: routers and whatever is no matrix in F32."""
    few = w.ndim == 1 or name.endswith((".bias", "ssm_a", "ssm_d", "conv1d.weight", "conv.weight"))
    if few or "norm" in name or ".ffn_gate_inp" in name or "position_embd" in name:
        return Type.F32
    return matrices if name.startswith("blk.") else ends


def write_family(path: pathlib.Path, model, vocabulary: vocabularies.Vocabulary, matrices: Type, ends: Type) -> None:
    writer = GGUFWriter(path, families.ARCHITECTURES[model.config.model_type])
    families.metadata(writer, path.stem, model.config)
    vocabulary.write(writer)
    for name, w in families.tensors(model):
        kind = stored(name, w, matrices, ends)
        writer.add_tensor(name, k_quants.quantize(np.ascontiguousarray(w), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def numbers(values) -> str:
    """The shortest decimals that give back each float32, or integers."""
    values = np.asarray(values)
    return " ".join(map(str, values.tolist() if values.dtype.kind in "iu" else values.astype(np.float32)))


def best_two(rows: np.ndarray) -> np.ndarray:
    """By how much the best logit of each row leads."""
    top = np.sort(rows, -1)[:, -2:]
    return top[:, 1] - top[:, 0]


def case(ids: list[int], logits: np.ndarray) -> list[str]:
    last = logits[-1]
    order = np.argsort(-last, kind="stable")[:5]
    return [f"case: {len(ids)}", f"ids: {numbers(np.array(ids))}", f"argmax: {numbers(logits.argmax(-1))}",
            f"margins: {numbers(best_two(logits))}", f"logits_mean: {numbers(logits.astype(np.float64).mean(-1))}",
            f"logits_last: {numbers(last)}", f"top5: {' '.join(f'{i} {last[i]}' for i in order)}"]


def greedy(model, ids: list[int], count: int) -> tuple[list[int], list[float]]:
    """The continuation, computed without a cache, and the lead of each step's best logit."""
    grown, margins = [], []
    for _ in range(count):
        last = gguf_reference.logits(model, ids + grown)[-1]
        grown.append(int(last.argmax()))
        margins.append(float(best_two(last[None])[0]))
    return grown, margins


def goldens(path: pathlib.Path, model, seed: int, quantized: bool) -> str:
    prompts = [torch.randint(10, VOCABULARY - 10, (n,), generator=seeded(f"prompt {n}", seed)).tolist() for n in LENGTHS]
    results = [gguf_reference.logits(model, ids) for ids in prompts]
    grown, margins = greedy(model, prompts[1], GREEDY)
    noise = 0.0
    if quantized:
        gguf_reference.round_activations(model)
        noise = max(float(np.abs(gguf_reference.logits(model, ids) - r).max()) for ids, r in zip(prompts, results))
    lines = [f"file: {path.name}", f"vocabulary: {VOCABULARY}", f"activation_noise: {noise:.3g}"]
    for ids, result in zip(prompts, results):
        lines += case(ids, result)
    lines += ["case: greedy", f"ids: {numbers(np.array(prompts[1]))}", f"continuation: {numbers(np.array(grown))}",
              f"margins: {numbers(margins)}"]
    return "\n".join(lines) + "\n"


def long_from_the_start(model: transformers.PreTrainedModel) -> transformers.PreTrainedModel:
    """A longrope model whose contexts may be long has its long factors for short texts, too: transformers changes them with
    the text's length, and computes the cache anew; an engine decides once."""
    rope = getattr(model.config, "rope_parameters", None) or {}
    if rope.get("rope_type") != "longrope" or model.config.max_position_embeddings <= rope["original_max_position_embeddings"]:
        return model
    settings = model.config.to_dict()
    settings["rope_parameters"] = rope | {"short_factor": rope["long_factor"]}
    other = gguf_reference.make(transformers.AutoConfig.for_model(**settings))
    other.load_state_dict(model.state_dict())
    return other


def make(name: str, out: pathlib.Path, seed: int) -> transformers.PreTrainedModel:
    """Writes NAME.gguf and NAME.golden; the model as transformers made it."""
    settings, pre, matrices, ends = MODELS[name]
    every = dict(model_type="llama", vocab_size=VOCABULARY, max_position_embeddings=CONTEXT, rms_norm_eps=1e-5,
                 pad_token_id=None, bos_token_id=None, eos_token_id=None)
    # a copy: some configurations write into what they are given, which several models share
    model = gguf_reference.make(transformers.AutoConfig.for_model(**copy.deepcopy(every | settings)))
    randomise(model, seed)
    model.tie_weights()
    path = out / f"{name}.gguf"
    write(path, model, vocabularies.train(pre, VOCABULARY, corpus.training_text()), matrices, ends)
    if name in WITHOUT_GOLDENS:
        print(f"{name:16} {path.stat().st_size / 1e3:6.0f} kB")
        return model
    recorded = long_from_the_start(model)
    if model.config.model_type not in families.ARCHITECTURES:  # from the file itself, loaded again and decoded to float32
        recorded = gguf_reference.load(path)
    if matrices == Type.F32 and model.config.model_type not in families.ARCHITECTURES:  # the file must say what the model is
        ids = list(range(20, 90))
        exact = [copy.deepcopy(m).double() for m in (model, recorded)]  # whose roundings hide nothing
        difference = np.abs(gguf_reference.logits(exact[0], ids) - gguf_reference.logits(exact[1], ids)).max()
        if difference > 1e-5:
            raise ValueError(f"{name}: the file gives other logits than the model, by {difference}")
    text = goldens(path, recorded, seed, matrices not in (Type.F32, Type.F16, Type.BF16))
    path.with_suffix(".golden").write_text(text, encoding="utf-8")
    noise = text.split("activation_noise: ")[1].split()[0]
    print(f"{name:16} {path.stat().st_size / 1e3:6.0f} kB, noise of 8-bit activations {noise}")
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(MODELS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=corpus.DATA / "tiny")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names:
        make(name, arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
