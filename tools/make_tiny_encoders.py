# SPDX-License-Identifier: Apache-2.0
"""Tiny random encoders in GGUF, and what transformers computes from them.

    python make_tiny_encoders.py [OUT] [NAME...]     (OUT: native/tests/data/encoders)

Names of tensors and metadata are llama.cpp's (by the PyPI package gguf) where it has them; a masked language model's head and
the classifier's activation are ours (docs/models.md). Each OUT/NAME.gguf has OUT/NAME.golden beside it: of texts of several
lengths (random ids, token types) the last states, their mean, the classifier's scores, logits of some positions, in float32
with eager attention. What of a model has no class in transformers is not here. T5's
weights and file are made by make_tiny_t5.py.
"""

import pathlib
import sys
import zlib

import gguf
import numpy as np
import torch
import transformers

import make_tiny_t5

VOCABULARY, CONTEXT, WINDOW = 384, 160, 32
LENGTHS = (1, 7, 33, 130)
OUT = pathlib.Path(__file__).resolve().parent.parent / "native/tests/data/encoders"
SHAPE = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
             max_position_embeddings=CONTEXT)
MODERN = SHAPE | dict(model_type="modernbert", num_hidden_layers=4, local_attention=WINDOW, pad_token_id=0, bos_token_id=1,
                      eos_token_id=2, cls_token_id=1, sep_token_id=2)
DISTIL = dict(model_type="distilbert", vocab_size=VOCABULARY, dim=32, hidden_dim=64, n_layers=2, n_heads=2,
              max_position_embeddings=CONTEXT)
MODEL, MASKED, CLASSES = transformers.AutoModel, transformers.AutoModelForMaskedLM, transformers.AutoModelForSequenceClassification

# name: (class, settings, general.architecture, type of the matrices)
F32, Q8_0 = gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.Q8_0
MODELS = {
    "bert": (MODEL, SHAPE | dict(model_type="bert"), "bert", F32),
    "bert_q8_0": (MODEL, SHAPE | dict(model_type="bert"), "bert", Q8_0),
    "bert_masked": (MASKED, SHAPE | dict(model_type="bert"), "bert", F32),
    "bert_classes": (CLASSES, SHAPE | dict(model_type="bert", num_labels=3), "bert", F32),
    "roberta_masked": (MASKED, SHAPE | dict(model_type="roberta", pad_token_id=1), "bert", F32),
    "xlm_roberta_rank": (CLASSES, SHAPE | dict(model_type="xlm-roberta", pad_token_id=1, num_labels=1), "bert", F32),
    "distilbert_masked": (MASKED, DISTIL, "bert", F32),
    "distilbert_classes": (CLASSES, DISTIL | dict(num_labels=2), "bert", F32),
    "nomic_bert": (MODEL, SHAPE | dict(model_type="nomic_bert"), "nomic-bert", F32),
    "modernbert_masked": (MASKED, MODERN, "modern-bert", F32),
    "modernbert_rank": (CLASSES, MODERN | dict(classifier_pooling="mean", num_labels=1), "modern-bert", F32),
    "gemma_embedding": (MODEL, SHAPE | dict(model_type="gemma3_text", num_hidden_layers=7, hidden_size=32, head_dim=16,
                                            num_key_value_heads=2, query_pre_attn_scalar=16, sliding_window=WINDOW,
                                            use_bidirectional_attention=True), "gemma-embedding", F32),
    "t5encoder": (transformers.AutoModelForTextEncoding, make_tiny_t5.SHAPE | dict(
        model_type="t5", feed_forward_proj="gated-gelu", d_kv=16), "t5encoder", F32),
}

# transformers' names without the model's prefix; HEADS: those of what stands on the last layer.
HEADS = {"cls.predictions.transform.dense": "mlm.dense", "cls.predictions.transform.LayerNorm": "mlm.norm",
         "cls.predictions": "output", "lm_head.dense": "mlm.dense", "lm_head.layer_norm": "mlm.norm", "lm_head": "output",
         "vocab_transform": "mlm.dense", "vocab_layer_norm": "mlm.norm", "vocab_projector": "output", "decoder": "output",
         "pooler.dense": "cls", "classifier.dense": "cls", "pre_classifier": "cls", "classifier.out_proj": "cls.output",
         "classifier": "cls.output"}
NOMIC = {"post_attention_layernorm": "attn_output_norm", "post_mlp_layernorm": "layer_output_norm", "mlp.gate_proj": "ffn_gate",
         "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
         "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output"}


def seeded(name: str, seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(f"{seed} {name}".encode()))


@torch.no_grad()
def randomise(model: torch.nn.Module, seed: int) -> None:
    """Weights whose every effect shows."""
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=seeded(name, seed))
        if p.dim() == 1:
            p.add_(noise * 0.1)
        else:
            p.copy_(noise * (0.3 if "embed" in name else p.shape[1] ** -0.5))


def gguf_name(config, theirs: str, names: gguf.TensorNameMap) -> str:
    module, kind = theirs.rsplit(".", 1)
    module = module.removeprefix(f"{config.model_type}.").removeprefix("roberta.").removeprefix("model.")
    masked = config.model_type == "modernbert" and "MaskedLM" in config.architectures[0]
    if config.model_type == "modernbert" and module in ("head.dense", "head.norm"):
        return f"{'mlm' if masked else 'cls'}.{module[5:]}.{kind}".replace("cls.dense", "cls")
    if module in HEADS:
        return f"{HEADS[module]}.{kind}"
    if config.model_type == "nomic_bert" and module.startswith("layers."):
        _, layer, part = module.split(".", 2)
        return f"blk.{layer}.{NOMIC[part]}.{kind}"
    if config.model_type == "gemma3_text":
        module = "model." + module
    name = names.get_name(f"{module}.{kind}", try_suffixes=(".weight", ".bias"))
    if name is None:
        raise ValueError(f"{config.model_type}: {theirs} has no name in GGUF")
    return name


def tensors(model, architecture: str):
    config = model.config
    number = next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == architecture)
    names = gguf.get_tensor_name_map(number, config.num_hidden_layers)
    for theirs, p in model.named_parameters():
        if "pooler." in theirs and "Classification" not in config.architectures[0]:
            continue  # nothing follows it
        w, name = p.detach().numpy().astype(np.float32), gguf_name(config, theirs, names)
        if name == "position_embd.weight" and "roberta" in config.model_type:
            w = w[config.pad_token_id + 1:]
        if config.model_type == "gemma3_text" and name.endswith("norm.weight"):
            w = w + np.float32(1)
        yield name, w


def metadata(writer: gguf.GGUFWriter, name: str, model) -> None:
    config = model.config
    positions = config.max_position_embeddings - (config.pad_token_id + 1 if "roberta" in config.model_type else 0)
    writer.add_name(f"tiny {name}")
    writer.add_license("apache-2.0")
    writer.add_context_length(positions)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(getattr(config, "hidden_dim", None) or config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_causal_attention(False)
    if config.model_type == "gemma3_text":
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_sliding_window(WINDOW)
    else:
        writer.add_layer_norm_eps(getattr(config, "layer_norm_eps", None) or getattr(config, "norm_eps", 1e-12))
    rope = getattr(config, "rope_parameters", None)
    if rope:
        writer.add_rope_freq_base(rope.get("full_attention", rope)["rope_theta"])
    if config.model_type == "modernbert":
        writer.add_sliding_window(config.local_attention)
        writer.add_float32("modern-bert.rope.freq_base_swa", rope["sliding_attention"]["rope_theta"])
        if config.classifier_pooling == "mean":
            writer.add_uint32("modern-bert.classifier.pooling_type", 1)
    if config.model_type == "distilbert" and "Classification" in config.architectures[0]:
        writer.add_string("bert.classifier.activation", "relu")
    if "Classification" in config.architectures[0]:
        writer.add_pooling_type(gguf.PoolingType.RANK)
        if config.num_labels > 1:
            writer.add_array(f"{writer.arch}.classifier.output_labels", [f"class {i}" for i in range(config.num_labels)])
    else:
        writer.add_pooling_type(gguf.PoolingType.MEAN)


def vocabulary(writer: gguf.GGUFWriter) -> None:
    """Pieces of a letter or two, for tests that need words."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + ["\u2581" + c for c in letters + "0123456789.,!?'"] + list(letters)
    tokens += [mark + a + b for mark in ("\u2581", "") for a in "aeioustn" for b in letters]
    tokens = list(dict.fromkeys(tokens))[:VOCABULARY]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if t.startswith("[") else 1 for t in tokens])
    writer.add_unk_token_id(1)
    writer.add_sep_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_uint32("tokenizer.ggml.cls_token_id", 2)
    writer.add_mask_token_id(4)


def write(path: pathlib.Path, model, architecture: str, kind) -> None:
    writer = gguf.GGUFWriter(path, architecture)
    metadata(writer, path.stem, model)
    vocabulary(writer)
    for name, w in tensors(model, architecture):
        stored = kind if w.ndim == 2 and name.startswith("blk.") else F32
        data = gguf.quants.quantize(np.ascontiguousarray(w), stored)
        if stored != F32:  # what the file holds is what is computed with
            dict(model.named_parameters())[next(n for n, p in model.named_parameters() if p.shape == w.shape and
                 np.array_equal(p.detach().numpy(), w))].data = torch.from_numpy(gguf.quants.dequantize(data, stored).copy())
        writer.add_tensor(name, data, raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def numbers(values) -> str:
    values = np.asarray(values)
    return " ".join(map(str, values.tolist() if values.dtype.kind in "iu" else values.astype(np.float32)))


@torch.no_grad()
def case(model, ids: list[int], types: list[int]) -> list[str]:
    batch = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
    if model.config.model_type in ("bert", "nomic_bert"):
        batch["token_type_ids"] = torch.tensor([types])
    output = model(**batch, output_hidden_states=True)
    hidden = output.last_hidden_state[0] if "last_hidden_state" in output else output.hidden_states[-1][0]
    if model.config.model_type == "modernbert" and "last_hidden_state" not in output:
        hidden = model.model(**batch).last_hidden_state[0]
    lines = [f"case: {len(ids)}", f"ids: {numbers(ids)}", f"types: {numbers(types)}", f"means: {numbers(hidden.mean(1))}",
             f"first: {numbers(hidden[0])}", f"last: {numbers(hidden[-1])}", f"pooled: {numbers(hidden.mean(0))}"]
    if "logits" in output and output.logits.dim() == 2:
        lines.append(f"scores: {numbers(output.logits[0])}")
    elif "logits" in output:
        position = len(ids) // 2
        lines += [f"position: {position}", f"logits: {numbers(output.logits[0, position])}"]
    return lines


def round_activations(model) -> None:
    """Inputs of products as the core quantizes them: int8 in groups of 32."""
    def rounded(_, inputs):
        x = inputs[0].reshape(*inputs[0].shape[:-1], -1, 32)
        d = x.abs().amax(-1, keepdim=True) / 127
        return (torch.where(d > 0, torch.round(x / d.clamp(min=1e-30)) * d, torch.zeros_like(x)).reshape(inputs[0].shape),)
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and "layer" in name:
            module.register_forward_pre_hook(rounded)


def build(name: str, seed: int = 1):
    """The model as transformers has it."""
    kind, settings, _, _ = MODELS[name]
    model = kind.from_config(transformers.AutoConfig.for_model(**settings), attn_implementation="eager", dtype=torch.float32).eval()
    model.config.architectures = [type(model).__name__]
    if model.config.model_type == "t5":
        make_tiny_t5.randomise(model)  # its tables of distances have to show
    else:
        randomise(model, seed)
    model.tie_weights()
    return model


def make(name: str, out: pathlib.Path, seed: int = 1) -> None:
    model, (_, _, architecture, stored) = build(name, seed), MODELS[name]
    config = model.config
    if config.model_type == "t5":
        make_tiny_t5.write(out / f"{name}.gguf", model, stored, architecture)
    else:
        write(out / f"{name}.gguf", model, architecture, stored)
    prompts = [torch.randint(5, 300, (n,), generator=seeded(f"prompt {n}", seed)).tolist() for n in LENGTHS]
    typed = config.model_type in ("bert", "nomic_bert")
    types = [[int(typed and i > len(ids) // 2) for i in range(len(ids))] for ids in prompts]
    cases = [case(model, ids, t) for ids, t in zip(prompts, types)]
    noise = 0.0
    if stored != F32:
        round_activations(model)
        parsed = lambda lines: np.array([float(x) for line in lines if line.startswith(("first", "last")) for x in line.split()[1:]])
        noise = max(np.abs(parsed(case(model, i, t)) - parsed(c)).max() for i, t, c in zip(prompts, types, cases))
    lines = [f"file: {name}.gguf", f"activation_noise: {noise:.3g}"] + [line for c in cases for line in c]
    (out / f"{name}.golden").write_text("\n".join(lines) + "\n")
    print(f"{name:20} {(out / f'{name}.gguf').stat().st_size / 1e3:6.0f} kB, noise {noise:.3g}")


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or MODELS:
        make(name, out)
