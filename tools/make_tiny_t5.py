# SPDX-License-Identifier: Apache-2.0
"""Tiny random encoder-decoders in GGUF, and what transformers computes from them.

    python make_tiny_t5.py [OUT] [NAME...]     (OUT: native/tests/data/text_to_text)

Names of tensors and metadata are llama.cpp's. Each OUT/NAME.gguf has OUT/NAME.golden beside it: of sources of several lengths
the logits after some tokens of an answer (random ids), what greedy generation answers, and what beam search does with several
settings, in float32 with eager attention. The end's row of the output matrix is set so that answers end sooner or later.
buckets.golden holds the buckets of distances.
"""

import pathlib
import sys
import zlib

import gguf
import numpy as np
import torch
import transformers
from transformers.models.t5.modeling_t5 import T5Attention

VOCABULARY, CONTEXT, END, NEW = 384, 256, 1, 24
LENGTHS = (1, 7, 64, 65, 200)
ANSWERS = (0, 3, 17, 70, 150)
OUT = pathlib.Path(__file__).resolve().parent.parent / "native/tests/data/text_to_text"
SHAPE = dict(vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_decoder_layers=3, num_heads=4,
             decoder_start_token_id=0, pad_token_id=0, eos_token_id=END, n_positions=CONTEXT)
F32, Q8_0 = gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.Q8_0
MODELS = {  # settings, type of the matrices: goldens are of F32 alone
    "t5": (SHAPE | dict(feed_forward_proj="relu", tie_word_embeddings=True), F32),
    "t5_gated": (SHAPE | dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False, d_kv=16), F32),
    "t5_gated_q8_0": (SHAPE | dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False, d_kv=16), Q8_0),
}
# beams, length penalty, early stopping
SEARCHES = ((2, 1.0, False), (4, 1.0, False), (4, 0.0, False), (4, 2.0, False), (4, -1.0, False), (4, 1.0, True), (3, 0.5, "never"),
            (5, 1.5, "never"))


def seeded(name: str) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


@torch.no_grad()
def randomise(model: torch.nn.Module) -> None:
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=seeded(name))
        if p.dim() == 1:  # the last one's scale is that of the logits
            p.add_(noise * 0.1).mul_(6 if name == "decoder.final_layer_norm.weight" and model.config.scale_decoder_outputs else 1)
        elif "shared" in name:
            p.copy_(noise * 0.3)  # layers count for more than the token itself: else answers repeat one
        elif "relative_attention_bias" in name:
            p.copy_(noise)
        else:
            p.copy_(noise * (2 if any(part in name for part in ("lm_head", ".o.", ".wo.")) else 1) * p.shape[1] ** -0.5)


@torch.no_grad()
def let_it_end(model) -> None:
    """The end's logit: as large as those that are among the best, on average."""
    states = []
    hook = model.lm_head.register_forward_pre_hook(lambda _, inputs: states.append(inputs[0][0]))
    for i in range(8):
        ids = torch.randint(2, VOCABULARY, (2, 1, 20), generator=seeded(f"end {i}"))
        model(input_ids=ids[0], decoder_input_ids=torch.cat([torch.zeros(1, 1, dtype=torch.long), ids[1]], 1), use_cache=False)
    hook.remove()
    all_states = torch.cat(states)
    logits = all_states @ model.lm_head.weight.T
    mean = all_states.mean(0)
    model.lm_head.weight[END] = mean * (logits.topk(16, dim=-1).values[:, -1].mean() / (mean @ mean))


def tensors(model, names: gguf.TensorNameMap):
    for theirs, p in model.named_parameters():
        if theirs.endswith("embed_tokens.weight"):  # the shared one
            continue
        yield names.get_name(theirs, try_suffixes=(".weight",)), p.detach().numpy().astype(np.float32)


def vocabulary(writer: gguf.GGUFWriter) -> None:
    """Pieces of a letter or two, for tests that need words."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = ["\u2581"] + list(letters + letters.upper() + "0123456789.,:!?'-") + ["\u2581" + c for c in letters]
    pieces += [a + b for a in "aeioustn" for b in letters] + ["\u2581" + a + b for a in "thwaois" for b in letters]
    tokens = list(dict.fromkeys(["<pad>", "</s>", "<unk>"] + pieces))[:VOCABULARY]
    assert len(tokens) == VOCABULARY
    writer.add_tokenizer_model("t5")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * 3 + [-3.0 - 0.01 * i - (1.0 if len(t) == 1 else 0.0) for i, t in enumerate(tokens[3:])])
    writer.add_token_types([3, 3, 2] + [1] * (VOCABULARY - 3))
    writer.add_eos_token_id(END)
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(2)
    writer.add_add_eos_token(True)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(True)
    writer.add_remove_extra_whitespaces(True)


def write(path: pathlib.Path, model, stored_as, architecture: str = "t5") -> None:
    """An encoder alone (t5encoder) makes vectors: in place of what answers need it has the pooling."""
    config, alone = model.config, architecture == "t5encoder"
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(f"tiny {path.stem}")
    writer.add_license("apache-2.0")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(config.d_model)
    writer.add_feed_forward_length(config.d_ff)
    writer.add_block_count(config.num_layers)
    if not alone:
        writer.add_decoder_block_count(config.num_decoder_layers)
    writer.add_head_count(config.num_heads)
    writer.add_key_length(config.d_kv)
    writer.add_value_length(config.d_kv)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)
    writer.add_layer_norm_rms_eps(config.layer_norm_epsilon)
    writer.add_relative_attn_buckets_count(config.relative_attention_num_buckets)
    if alone:
        writer.add_pooling_type(gguf.PoolingType.MEAN)
    else:
        writer.add_decoder_start_token_id(config.decoder_start_token_id)
    vocabulary(writer)
    number = gguf.MODEL_ARCH.T5ENCODER if alone else gguf.MODEL_ARCH.T5
    names = gguf.get_tensor_name_map(number, max(config.num_layers, config.num_decoder_layers))
    for name, w in tensors(model, names):
        kind = stored_as if w.ndim == 2 and w.shape[1] % 32 == 0 and "blk" in name else F32
        writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(w), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def numbers(values) -> str:
    values = np.asarray(values)
    return " ".join(map(str, values.tolist() if values.dtype.kind in "iu" else values.astype(np.float32)))


def until_end(output) -> list[int]:
    """Behind the first token, without what fills up."""
    ids = output.sequences[0, 1:].tolist()
    return ids[:ids.index(END) + 1] if END in ids else ids


def searched(model, found) -> list[str]:
    """The answer that beams found, its score, the log-probability of each of its tokens."""
    best = until_end(found)
    steps = model.compute_transition_scores(found.sequences, found.scores, found.beam_indices)[0]
    return [numbers(best), numbers(found.sequences_scores), numbers(steps[:len(best)])]


@torch.no_grad()
def case(model, length: int, answer: int) -> list[str]:
    source = torch.randint(3, VOCABULARY, (1, length), generator=seeded(f"source {length}"))
    ids = torch.randint(3, VOCABULARY, (1, answer), generator=seeded(f"answer {answer}"))
    logits = model(input_ids=source, decoder_input_ids=torch.cat([torch.zeros(1, 1, dtype=torch.long), ids], 1), use_cache=False).logits[0]
    lines = [f"case: {length}", f"source: {numbers(source[0])}", f"ids: {numbers(ids[0])}",
             f"means: {numbers(logits.mean(1))}", f"middle: {numbers(logits[answer // 2])}", f"last: {numbers(logits[-1])}"]
    asked = dict(max_new_tokens=NEW, do_sample=False, return_dict_in_generate=True, output_scores=True, use_cache=False)
    lines.append(f"greedy: {numbers(until_end(model.generate(source, num_beams=1, **asked)))}")
    for beams, penalty, early in SEARCHES:
        found = model.generate(source, num_beams=beams, length_penalty=penalty, early_stopping=early, **asked)
        lines += [f"{what} {beams} {penalty} {early}: {value}"
                  for what, value in zip(("beams", "score", "logprobs"), searched(model, found))]
    return lines


def build(name: str):
    """The model as transformers has it."""
    settings, _ = MODELS[name]
    config = transformers.T5Config(**settings)
    model = transformers.T5ForConditionalGeneration._from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    model.config.use_cache = model.generation_config.use_cache = False  # its cache has as many layers as the encoder
    if not settings["tie_word_embeddings"]:  # transformers ties them in any case, unless a checkpoint has both
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.shared.weight))
        assert not model.config.scale_decoder_outputs
    randomise(model)
    let_it_end(model)
    return model


def make(name: str, out: pathlib.Path) -> None:
    model, stored = build(name), MODELS[name][1]
    write(out / f"{name}.gguf", model, stored)
    if stored == F32:
        lines = [f"file: {name}.gguf", f"versions: transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}"]
        for length, answer in zip(LENGTHS, ANSWERS):
            lines += case(model, length, answer)
        (out / f"{name}.golden").write_text("\n".join(lines) + "\n")
    print(f"{name:16} {(out / name).with_suffix('.gguf').stat().st_size / 1e3:6.0f} kB")


def make_buckets(out: pathlib.Path) -> None:
    lines = [f"versions: transformers {transformers.__version__}"]
    distances = torch.arange(-300, 301)
    for both in (True, False):
        for buckets, reach in ((32, 128), (8, 20), (64, 256), (16, 100)):
            found = T5Attention._relative_position_bucket(distances, bidirectional=both, num_buckets=buckets, max_distance=reach)
            lines += [f"case: {buckets} {reach} {int(both)}", f"settings: {buckets} {reach} {int(both)}", f"buckets: {numbers(found)}"]
    (out / "buckets.golden").write_text("\n".join(lines) + "\n")


def main() -> None:
    arguments = sys.argv[1:]
    out = pathlib.Path(arguments.pop(0)) if arguments and arguments[0] not in MODELS else OUT
    out.mkdir(parents=True, exist_ok=True)
    for name in arguments or MODELS:
        make(name, out)
    make_buckets(out)


if __name__ == "__main__":
    main()
