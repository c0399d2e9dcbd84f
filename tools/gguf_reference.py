# SPDX-License-Identifier: Apache-2.0
"""A model in a GGUF file as transformers runs it: every tensor decoded to float32, no activation rounded.

    python gguf_reference.py MODEL.gguf --ids 1,2,3 --out logits.npy
"""

import argparse
import re

import numpy as np
import torch
import transformers
from gguf import GGUFReader, dequantize

TOP = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight",
       "output.weight": "lm_head.weight"}
PARTS = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
         "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
NORMED = PARTS | {"attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"}
POST_NORMED = NORMED | {"post_attention_norm": "post_attention_layernorm", "post_ffw_norm": "post_feedforward_layernorm"}
GEMMA = POST_NORMED | {"ffn_norm": "pre_feedforward_layernorm"}
OLMO = {ours: theirs for ours, theirs in POST_NORMED.items() if ours not in ("attn_norm", "ffn_norm")}

# general.architecture: (transformers' model type, names of a layer's parts, what GGUF adds to the norms' weights)
FAMILIES = {"llama": ("llama", PARTS, 0), "qwen2": ("qwen2", PARTS, 0), "qwen3": ("qwen3", NORMED, 0),
            "smollm3": ("smollm3", PARTS, 0), "granite": ("granite", PARTS, 0), "olmo2": ("olmo2", OLMO, 0),
            "gemma": ("gemma", PARTS, 1), "gemma2": ("gemma2", GEMMA, 1), "gemma3": ("gemma3_text", GEMMA, 1)}
INTERLEAVED = ("llama", "smollm3", "granite")  # rope turns neighbours, and GGUF stores rows of q and k for that


def gguf_name(name: str, architecture: str = "llama") -> str:
    """transformers' name of a tensor, as GGUF calls it."""
    top = {theirs: ours for ours, theirs in TOP.items()}
    if name in top:
        return top[name]
    layer, part, kind = re.fullmatch(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)", name).groups()
    return f"blk.{layer}.{ {theirs: ours for ours, theirs in FAMILIES[architecture][1].items()}[part]}.{kind}"


def interleave(w: np.ndarray, heads: int) -> np.ndarray:
    """Rows of q or k as GGUF's llama has them: the two halves of a head, which rope turns together, alternate."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def separate(w: np.ndarray, heads: int) -> np.ndarray:
    """The way back."""
    return w.reshape(heads, w.shape[0] // heads // 2, 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def rope_parameters(get) -> dict:
    rope = {"rope_type": "default", "rope_theta": get("rope.freq_base", 10000.0)}
    kind = get("rope.scaling.type", "none")
    if kind != "none":
        rope |= {"rope_type": kind, "factor": get("rope.scaling.factor")}
    if kind == "yarn":
        rope |= {"original_max_position_embeddings": get("rope.scaling.original_context_length")}
        names = {"beta_fast": "beta_fast", "beta_slow": "beta_slow", "attention_factor": "attn_factor"}
        rope |= {theirs: get(f"rope.scaling.yarn_{ours}") for theirs, ours in names.items()
                 if get(f"rope.scaling.yarn_{ours}") is not None}
    return rope


def windows(architecture: str, get) -> dict:
    """Settings of layers with a window."""
    window, layers, pattern = get("attention.sliding_window"), get("block_count"), get("attention.sliding_window_pattern")
    if architecture not in ("gemma2", "gemma3"):
        return {"sliding_window": window} if window else {}
    period = {"gemma2": 2, "gemma3": 6}[architecture]
    windowed = pattern or [(i + 1) % period != 0 for i in range(layers)]
    gemma = {"sliding_window": window, "layer_types": ["sliding_attention" if w else "full_attention" for w in windowed],
             "query_pre_attn_scalar": get("attention.key_length"),
             "attn_logit_softcapping": get("attn_logit_softcapping"),
             "final_logit_softcapping": get("final_logit_softcapping")}
    if architecture == "gemma3":
        gemma["rope_parameters"] = {"full_attention": rope_parameters(get), "sliding_attention": {
            "rope_type": "default", "rope_theta": get("rope.freq_base_swa", 10000.0)}}
    return gemma


def factors(get) -> dict:
    """Granite's four."""
    names = {"embedding_multiplier": "embedding_scale", "residual_multiplier": "residual_scale",
             "attention_multiplier": "attention.scale", "logits_scaling": "logit_scale"}
    return {theirs: get(ours) for theirs, ours in names.items() if get(ours) is not None}


def configuration(reader: GGUFReader) -> transformers.PretrainedConfig:
    value = {k: f.contents() for k, f in reader.fields.items() if not k.startswith("tokenizer.")}
    tensors = {t.name: t for t in reader.tensors}
    architecture = value["general.architecture"]
    get = lambda key, default=None: value.get(f"{architecture}.{key}", default)
    heads, kind = get("attention.head_count"), FAMILIES[architecture][0]
    if architecture == "llama" and get("attention.sliding_window"):
        kind = "mistral"
    return transformers.AutoConfig.for_model(kind, **dict(
        vocab_size=int(tensors["token_embd.weight"].shape[1]), hidden_size=get("embedding_length"),
        intermediate_size=get("feed_forward_length"), num_hidden_layers=get("block_count"), num_attention_heads=heads,
        num_key_value_heads=get("attention.head_count_kv", heads),
        head_dim=get("attention.key_length", get("embedding_length") // heads),
        rms_norm_eps=get("attention.layer_norm_rms_epsilon"), max_position_embeddings=get("context_length"),
        tie_word_embeddings="output.weight" not in tensors, rope_parameters=rope_parameters(get),
        attention_bias="blk.0.attn_q.bias" in tensors, mlp_bias="blk.0.ffn_up.bias" in tensors,
        pad_token_id=None, bos_token_id=None, eos_token_id=None) | windows(architecture, get) | factors(get))


def make(config: transformers.PretrainedConfig) -> transformers.PreTrainedModel:
    config._experts_implementation = "eager"
    return transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()


def load(path) -> transformers.PreTrainedModel:
    reader = GGUFReader(path)
    architecture = reader.fields["general.architecture"].contents()
    if architecture not in FAMILIES:
        raise ValueError(f"{path}: {architecture} is none of {', '.join(FAMILIES)}")
    _, parts, added = FAMILIES[architecture]
    config = configuration(reader)
    model = make(config)
    state = {}
    for tensor in reader.tensors:
        if tensor.name == "rope_freqs.weight":  # Llama 3's frequency factors
            model.model.rotary_emb.inv_freq /= torch.from_numpy(np.array(tensor.data, np.float32))
            continue
        w = dequantize(tensor.data, tensor.tensor_type).reshape([int(n) for n in reversed(tensor.shape)])
        if tensor.name.endswith("norm.weight"):
            w = w - added
        if architecture in INTERLEAVED and ".attn_q." in tensor.name:
            w = separate(w, config.num_attention_heads)
        if architecture in INTERLEAVED and ".attn_k." in tensor.name:
            w = separate(w, config.num_key_value_heads)
        name = TOP.get(tensor.name)
        if name is None:
            _, layer, part, kind = tensor.name.split(".")
            name = f"model.layers.{layer}.{parts[part]}.{kind}"
        state[name] = torch.from_numpy(np.array(w, np.float32))
    if config.tie_word_embeddings:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state, strict=True)
    return model


@torch.no_grad()
def logits(model, ids: list[int]) -> np.ndarray:
    """[positions, vocabulary], in float32."""
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].numpy()


def round_activations(model, group: int = 32) -> None:
    """From now on every matrix's input goes through int8 in groups of `group`, as quantized products do it."""
    def rounded(x: torch.Tensor) -> torch.Tensor:
        width = x.shape[-1]
        y = torch.nn.functional.pad(x, (0, -width % group)).unflatten(-1, (-1, group))
        scale = y.abs().amax(-1, keepdim=True) / 127
        q = torch.round(y / scale.where(scale > 0, 1)).clamp(-127, 127)
        return (q * scale).flatten(-2)[..., :width]

    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.register_forward_pre_hook(lambda module, inputs: (rounded(inputs[0]),))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--ids", required=True, help="comma separated; nothing is put in front")
    parser.add_argument("--out", required=True, help="an .npy file")
    arguments = parser.parse_args()
    ids = [int(i) for i in arguments.ids.split(",")]
    np.save(arguments.out, logits(load(arguments.model), ids))


if __name__ == "__main__":
    main()
