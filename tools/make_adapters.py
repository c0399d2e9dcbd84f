# SPDX-License-Identifier: Apache-2.0
"""Tiny adapters of the tiny models, as peft saves them and as GGUF files, with the logits that transformers and peft
compute: native/tests/data/adapters.

    python make_adapters.py                  all of them
    python make_adapters.py --out /tmp/a     elsewhere

Beside requirements.txt it needs requirements-peft.txt. A folder NAME is what peft saved; NAME.gguf is the same by
llama.cpp's conventions, written here from peft's own tensors; MODEL.golden is described in native/tests/data/README.md.
Those of encoders are encoder_adapters.py's.
"""

import argparse
import json
import math
import pathlib
import shutil
import tempfile
import zlib

import gguf
import numpy as np
import peft
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter
from safetensors.numpy import load_file

import corpus
import families
import gguf_reference
import make_tiny
import encoder_adapters

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

# name: (model, settings of peft, type in the GGUF file)
ADAPTERS = {
    "llama_law": ("llama", dict(r=4, lora_alpha=8, target_modules=ALL + ["lm_head"]), Type.F32),
    "llama_tone": ("llama", dict(r=3, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"],
                                 rank_pattern={"v_proj": 18}), Type.F16),
    "llama_stable": ("llama", dict(r=4, lora_alpha=3, target_modules=["k_proj", "up_proj"], use_rslora=True,
                                   rank_pattern={"up_proj": 9}, alpha_pattern={"layers.1.*.k_proj": 5}), Type.F32),
    "gpt2_verse": ("gpt2", dict(r=2, lora_alpha=4, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True),
                   Type.F32),
    "gemma3_prose": ("gemma3", dict(r=2, lora_alpha=2, target_modules=["q_proj", "o_proj", "down_proj"]), Type.F32),
}

# model: sets, by name, of (adapter, weight)
SETS = {
    "llama": {"law": [("llama_law", 1.0)], "tone": [("llama_tone", 0.5)], "stable": [("llama_stable", 1.0)],
              "both": [("llama_law", 0.75), ("llama_tone", -1.5)]},
    "gpt2": {"verse": [("gpt2_verse", 1.0)]},
    "gemma3": {"prose": [("gemma3_prose", 1.0)]},
}
LENGTHS = (7, 130)


def seeded(name: str) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


@torch.no_grad()
def randomise(model: peft.PeftModel, name: str) -> None:
    """Numbers whose effect shows; all of them half-precision ones, so that a file in F16 has the same."""
    for theirs, p in model.named_parameters():
        if "lora_" not in theirs or f".{name}." not in theirs:
            continue
        noise = torch.randn(p.shape, generator=seeded(f"{name} {theirs}"))
        p.copy_((noise * (p.shape[1] ** -0.5 if "lora_A" in theirs else 0.25)).half().float())


def modules(model: peft.PeftModel, name: str):
    """(path within the model, A [rank, inputs], B [outputs, rank], scale) of each layer that the adapter changes."""
    for path, module in model.base_model.model.named_modules():
        if name in getattr(module, "lora_A", {}):
            yield (path, module.lora_A[name].weight.detach().numpy(), module.lora_B[name].weight.detach().numpy(),
                   module.scaling[name])


def gguf_rows(config, name: str, w: np.ndarray) -> np.ndarray:
    """B has the rows of the matrix that it changes, in GGUF's order."""
    if config.model_type == "llama" and (".attn_q." in name or ".attn_k." in name):
        return gguf_reference.interleave(w, config.num_attention_heads if ".attn_q." in name else config.num_key_value_heads)
    return w


def gguf_name(config, path: str) -> str:
    if config.model_type in ("t5", "bert"):
        return encoder_adapters.gguf_name(config, path)
    if config.model_type in families.ARCHITECTURES:
        architecture = next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == families.ARCHITECTURES[config.model_type])
        return gguf.get_tensor_name_map(architecture, config.num_hidden_layers).get_name(path) + ".weight"
    return gguf_reference.gguf_name(path + ".weight", {"gemma3_text": "gemma3"}.get(config.model_type, config.model_type))


def write(path: pathlib.Path, model: peft.PeftModel, name: str, kind: Type) -> None:
    config, parts = model.base_model.model.config, list(modules(model, name))
    alpha = parts[0][3] * parts[0][1].shape[0]
    writer = GGUFWriter(path, {"gemma3_text": "gemma3", "t5": encoder_adapters.architecture(config)}.get(config.model_type, config.model_type))
    writer.add_type("adapter")
    writer.add_name(f"tiny {name}")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    dtype = np.float16 if kind == Type.F16 else np.float32
    for theirs, a, b, scale in parts:
        ours = gguf_name(config, theirs)
        factor = np.float32(scale * a.shape[0] / alpha)  # where alpha / rank is not the scale
        writer.add_tensor(ours + ".lora_a", np.ascontiguousarray(a.astype(dtype)))
        writer.add_tensor(ours + ".lora_b", np.ascontiguousarray((gguf_rows(config, ours, b) * factor).astype(dtype)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def save_folder(out: pathlib.Path, model: peft.PeftModel, name: str) -> None:
    """As peft saves it, but for paths and versions."""
    with tempfile.TemporaryDirectory() as temporary:
        model.save_pretrained(temporary, selected_adapters=[name], save_embedding_layers=False)
        saved, folder = pathlib.Path(temporary) / name, out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copyfile(saved / "adapter_model.safetensors", folder / "adapter_model.safetensors")
        config = json.loads((saved / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = None
    for key in ("target_modules", "exclude_modules"):
        if isinstance(config.get(key), list):
            config[key] = sorted(config[key])
    text = json.dumps(config, indent=2, sort_keys=True) + "\n"
    (folder / "adapter_config.json").write_text(text, encoding="utf-8")
    if len(load_file(folder / "adapter_model.safetensors")) != 2 * len(list(modules(model, name))):
        raise ValueError(f"{name}: peft saved other tensors than those of its layers")


def use(model: peft.PeftModel, chosen: list[tuple[str, float]], scales: dict) -> None:
    model.base_model.set_adapter([name for name, _ in chosen])
    for path, module in model.base_model.model.named_modules():
        for name, weight in chosen:
            if name in getattr(module, "lora_A", {}):
                module.scaling[name] = scales[name, path] * weight


def adapted(plain, base: str, adapters: dict, task: str, out: pathlib.Path):
    """The model with its adapters, which are saved; and their scales."""
    names = [name for name, (of, _, _) in adapters.items() if of == base]
    model = None
    for name in names:
        config = peft.LoraConfig(task_type=task, lora_dropout=0.0, **adapters[name][1])
        if model is None:
            model = peft.get_peft_model(plain, config, adapter_name=name)
        else:
            model.add_adapter(name, config)
        randomise(model, name)
    model.eval()
    scales = {(name, path): scale for name in names for path, _, _, scale in modules(model, name)}
    for name in names:
        save_folder(out, model, name)
        write(out / f"{name}.gguf", model, name, adapters[name][2])
    return model, scales


def record(out: pathlib.Path, base: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        plain = make_tiny.make(base, pathlib.Path(temporary), 1)
    model, scales = adapted(plain, base, ADAPTERS, "CAUSAL_LM", out)
    prompts = [torch.randint(10, make_tiny.VOCABULARY - 10, (n,), generator=seeded(f"prompt {n}")).tolist() for n in LENGTHS]
    lines = [f"file: {base}.gguf", f"vocabulary: {make_tiny.VOCABULARY}"]
    for case, chosen in SETS[base].items():
        use(model, chosen, scales)
        for ids in prompts:
            result = gguf_reference.logits(model, ids)
            with model.disable_adapter():
                moved = float(np.abs(gguf_reference.logits(model, ids) - result).max())
            if not (math.isfinite(moved) and moved > 0.1):
                raise ValueError(f"{case}: the adapters change the logits by {moved}")
            lines += [f"case: {case} {len(ids)}", f"ids: {make_tiny.numbers(np.array(ids))}",
                      f"logits_mean: {make_tiny.numbers(result.astype(np.float64).mean(-1))}",
                      f"logits_last: {make_tiny.numbers(result[-1])}"]
    (out / f"{base}.golden").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=corpus.DATA / "adapters")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for base in SETS:
        record(arguments.out, base)
    for base in encoder_adapters.SETS:
        plain, task = encoder_adapters.build(base)
        model, scales = adapted(plain, base, encoder_adapters.ADAPTERS, task, arguments.out)
        encoder_adapters.record(arguments.out, base, model, lambda chosen: use(model, chosen, scales))


if __name__ == "__main__":
    main()
