# SPDX-License-Identifier: Apache-2.0
"""Tiny random models as transformers saves them, each with the logits it computes: native/tests/data/folders.

    python make_folders.py                          all of them
    python make_folders.py --out /tmp/f llama t5    some, elsewhere

NAME.golden beside the folder NAME is written here; NAME.gguf.txt by record_converter.py.
"""

import argparse
import io
import json
import pathlib
import shutil
import tempfile
import zlib

import numpy as np
import sentencepiece
import torch
import transformers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

import corpus
import make_tiny
import vocabularies

OUT = corpus.DATA / "folders"
VOCABULARY = 384
PROMPT = 40
PIECES = 340  # of unigrams
TEXT = "The ferries\' 1987 timetable isn\'t in café Zoë:  it\'s 12.5 km\n\nfrom here!  "
ENGLISH = (corpus.DATA / "english.txt").read_text(encoding="utf-8")

BASE = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=False, pad_token_id=None,
            bos_token_id=None, eos_token_id=None)
ROPE = {"rope_type": "default", "rope_theta": 20000.0}
GEMMA = dict(head_dim=16, query_pre_attn_scalar=16, tie_word_embeddings=True, sliding_window=16)
PART = dict(rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.25},
            num_key_value_heads=2, num_attention_heads=2)
MIXED = dict(num_hidden_layers=1, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, decoder_sparse_step=1)

HYBRID = dict(model_type="granitemoehybrid", layer_types=["linear_attention", "full_attention"], shared_intermediate_size=48,
              mamba_n_heads=4, mamba_d_head=16, mamba_d_state=16, mamba_n_groups=1, mamba_d_conv=4, mamba_expand=2,
              rope_parameters=ROPE, embedding_multiplier=12.0, logits_scaling=2.0,
              residual_multiplier=0.22, attention_multiplier=0.125)

XLM = dict(model_type="xlm-roberta", num_hidden_layers=1, pad_token_id=1, vocab_size=PIECES + 2)  # all ids have tokens

# name: (settings, type of the weights, tokenizer)
MODELS = {
    "llama": (dict(model_type="llama", rope_parameters=ROPE), "bfloat16", "smollm"),
    "llama3": (dict(model_type="llama", tie_word_embeddings=True, rope_parameters=make_tiny.LLAMA3), "float16", "llama-bpe"),
    "llama_spm": (dict(model_type="llama", rope_parameters=ROPE, attention_bias=True), "bfloat16", "sentencepiece"),
    "mistral": (dict(model_type="mistral", head_dim=16, sliding_window=16, rope_parameters=ROPE), "bfloat16", "metaspace"),
    "mixtral": (dict(model_type="mixtral", num_hidden_layers=1, num_local_experts=4, num_experts_per_tok=2, sliding_window=None,
                     intermediate_size=32), "bfloat16", "smollm"),
    "qwen2": (dict(model_type="qwen2", tie_word_embeddings=True, rope_parameters=make_tiny.YARN), "bfloat16", "qwen2"),
    "qwen3": (dict(model_type="qwen3", head_dim=16, tie_word_embeddings=True), "bfloat16", "qwen2"),
    "qwen2moe": (dict(model_type="qwen2_moe", shared_expert_intermediate_size=32) | MIXED, "bfloat16", "qwen2"),
    "qwen3moe": (dict(model_type="qwen3_moe", head_dim=16) | MIXED, "bfloat16", "qwen2"),
    "olmoe": (dict(model_type="olmoe", num_hidden_layers=1, num_key_value_heads=4, num_experts=4, num_experts_per_tok=2, intermediate_size=32), "bfloat16", "gpt-2"),
    "gemma": (GEMMA | dict(model_type="gemma", num_hidden_layers=1), "bfloat16", "bare"),
    "gemma2": (GEMMA | dict(model_type="gemma2"), "bfloat16", "bare"),
    "gemma3": (GEMMA | dict(model_type="gemma3_text", layer_types=["full_attention", "sliding_attention"]), "bfloat16", "bare"),
    "granite": (dict(model_type="granite", num_hidden_layers=1, embedding_multiplier=12.0, logits_scaling=2.0, residual_multiplier=0.22,
                     attention_multiplier=0.125), "bfloat16", "smollm"),
    "olmo2": (dict(model_type="olmo2"), "bfloat16", "llama-bpe"),
    "olmo3": (dict(model_type="olmo3", num_hidden_layers=4, sliding_window=16, rope_parameters={
        "sliding_attention": ROPE, "full_attention": make_tiny.YARN | {"rope_theta": 20000.0}}), "bfloat16", "gpt-2"),
    "smollm3": (dict(model_type="smollm3", num_hidden_layers=4, tie_word_embeddings=True), "bfloat16", "llama-bpe"),
    "gpt2": (dict(model_type="gpt2", n_embd=32, n_layer=2, n_head=4, n_positions=256, n_ctx=256), "float16", "files"),
    "gptneox": (PART | dict(model_type="gpt_neox"), "float16", "gpt-2"),
    "falcon": (dict(model_type="falcon", multi_query=True, parallel_attn=True, bias=False, num_kv_heads=1), "bfloat16", "gpt-2"),
    "falcon_new": (dict(model_type="falcon", num_hidden_layers=1, new_decoder_architecture=True, num_kv_heads=2, bias=False), "bfloat16", "gpt-2"),
    "phi2": (PART | dict(model_type="phi", num_hidden_layers=1, intermediate_size=128), "float16", "gpt-2"),
    "starcoder2": (dict(model_type="starcoder2", sliding_window=None), "bfloat16", "smollm"),
    "stablelm": (PART | dict(model_type="stablelm", qk_layernorm=True, use_parallel_residual=True, use_qkv_bias=True),
                 "bfloat16", "gpt-2"),
    "command_r": (dict(model_type="cohere", use_qk_norm=True, tie_word_embeddings=True), "bfloat16", "smollm"),
    "cohere2": (dict(model_type="cohere2", num_hidden_layers=4, sliding_window=16, tie_word_embeddings=True,
                     rotary_pct=1.0), "bfloat16", "smollm"),
    "mamba": (dict(model_type="mamba", num_hidden_layers=1, state_size=8, time_step_rank=4, tie_word_embeddings=True), "bfloat16", "gpt-2"),
    "mamba2": (dict(model_type="mamba2", num_hidden_layers=1, state_size=16, num_heads=4, head_dim=16, n_groups=2), "float32", "gpt-2"),
    "lfm2": (dict(model_type="lfm2", layer_types=["conv", "full_attention"], block_auto_adjust_ff_dim=False, conv_L_cache=3,
                  tie_word_embeddings=True, rope_parameters=ROPE), "bfloat16", "llama-bpe"),
    "granitehybrid": (HYBRID | dict(num_local_experts=4, num_experts_per_tok=2, intermediate_size=32), "bfloat16", "smollm"),
    "granitehybrid_dense": (HYBRID | dict(num_local_experts=0, num_experts_per_tok=0, intermediate_size=48), "bfloat16", "smollm"),
    "bert": (dict(model_type="bert", num_hidden_layers=1), "float32", "words"),
    "roberta": (dict(model_type="roberta", pad_token_id=1), "bfloat16", "gpt-2"),
    "xlm_roberta": (XLM, "bfloat16", "xlm"),
    "xlm_roberta_rank": (XLM | dict(num_labels=1), "float16", "xlm-json"),
    "distilbert": (dict(model_type="distilbert", dim=32, n_layers=2, n_heads=4, hidden_dim=64), "bfloat16", "words"),
    "t5": (dict(model_type="t5", d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu",
                decoder_start_token_id=0), "bfloat16", "unigram"),
    "t5encoder": (dict(model_type="t5", d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu"),
                  "bfloat16", "unigram"),
}
ENCODERS = ("bert", "roberta", "xlm-roberta", "distilbert")
KINDS = {"xlm_roberta_rank": transformers.AutoModelForSequenceClassification, "t5encoder": transformers.T5EncoderModel}
CHAT = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"


def byte_level(pre: str) -> transformers.PreTrainedTokenizerFast:
    vocabulary = vocabularies.train(pre, VOCABULARY - 4, corpus.training_text())  # a few ids stay without a token
    tokenizer = vocabulary.reference(False)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False)
                                  for t, kind in zip(vocabulary.tokens, vocabulary.types) if kind == vocabularies.CONTROL])
    named = vocabularies.NAMED[pre]
    if pre == "llama-bpe":
        bos = named["bos"]
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos} $B:1", special_tokens=[(bos, vocabulary.id(bos))])])
    else:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, chat_template=CHAT if pre in ("smollm", "qwen2") else None,
        **{key: named[name] for name, key in (("bos", "bos_token"), ("eos", "eos_token"), ("padding", "pad_token"),
                                              ("unknown", "unk_token")) if name in named})


def pieces(kind: str, **options) -> bytes:
    model = io.BytesIO()
    sentencepiece.set_random_generator_seed(1)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(ENGLISH.split("\n")), model_writer=model, model_type=kind, num_threads=1,
        max_sentence_length=1 << 16, minloglevel=2, **options)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    spec = proto.trainer_spec  # names and paths of this machine are left out
    proto.trainer_spec.CopyFrom(sentencepiece_model_pb2.TrainerSpec(
        model_type=spec.model_type, byte_fallback=spec.byte_fallback, unk_id=spec.unk_id, bos_id=spec.bos_id, eos_id=spec.eos_id,
        pad_id=spec.pad_id))
    proto.normalizer_spec.ClearField("normalization_rule_tsv")
    return proto.SerializeToString()


def plain_bpe(proto: bytes) -> transformers.PreTrainedTokenizerFast:
    """SentencePiece's BPE as tokenizer.json tells it: merges in the order of the pieces' scores."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=proto)
    texts = [processor.id_to_piece(i) for i in range(len(processor))]
    ids = {t: i for i, t in enumerate(texts)}
    merges = sorted(((ids[t], t[:i], t[i:]) for t in texts for i in range(1, len(t)) if t[:i] in ids and t[i:] in ids
                     and not t.startswith("<")), key=lambda m: (m[0], ids[m[1]], ids[m[2]]))
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=[(a, b) for _, a, b in merges], byte_fallback=True, fuse_unk=True,
                                     unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ("<unk>", "<s>", "</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B:1", special_tokens=[("<s>", 1)])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def words() -> transformers.PreTrainedTokenizerFast:
    found = sorted({w for w in corpus.training_text().lower().split() if w.isalpha() and w.isascii() and len(w) < 8})
    letters = [chr(c) for c in range(97, 123)]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + ["##" + c for c in letters] + [".", ",", "!"]
    vocab += [w for w in found if w not in letters][:VOCABULARY - 4 - len(vocab)]
    tokenizer = Tokenizer(models.WordPiece(vocab={w: i for i, w in enumerate(vocab)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in vocab[:5]])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]", mask_token="[MASK]")


def unigrams(rules_more: str = "", **options) -> bytes:
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as rules:
        rules.write("41 30A\tC5\n2026\t2E 2E 2E\n" + rules_more)
        rules.flush()
        return pieces("unigram", vocab_size=PIECES, character_coverage=0.98, normalization_rule_tsv=rules.name, **options)


def xlm() -> tuple[bytes, transformers.PreTrainedTokenizerFast]:
    """XLM-RoBERTa's: a SentencePiece model, and tokenizer.json's view of it: four tokens of its own in front, one behind."""
    model = unigrams("A\t20\n")
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model)
    own = ("<s>", "<pad>", "</s>", "<unk>")
    vocab = [(t, 0.0) for t in own] + [(p.piece, p.score) for p in proto.pieces[3:]] + [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=3))
    tokenizer.normalizer = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in own + ("<mask>",)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return model, transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>", pad_token="<pad>",
        unk_token="<unk>", mask_token="<mask>")


def compact(path: pathlib.Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False, separators=(",", ":")) + "\n",
                    encoding="utf-8")


def save_tokenizer(kind: str, folder: pathlib.Path) -> None:
    if kind in ("sentencepiece", "bare"):
        (folder / "tokenizer.model").write_bytes(pieces(
            "bpe", vocab_size=VOCABULARY - 4, character_coverage=0.98, byte_fallback=True, split_digits=True,
            remove_extra_whitespaces=False, normalization_rule_name="identity", allow_whitespace_only_pieces=True,
            add_dummy_prefix=kind == "sentencepiece"))
        settings = dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", add_bos_token=True, add_eos_token=False,
                        added_tokens_decoder={str(i): dict(content=t, special=True) for i, t in enumerate(("<unk>", "<s>", "</s>")) if i}
                        | {str(VOCABULARY - 4): dict(content="<tool>", special=False)})
        (folder / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")
    elif kind == "unigram":
        (folder / "spiece.model").write_bytes(unigrams(pad_id=0, eos_id=1, unk_id=2, bos_id=-1))
        (folder / "tokenizer_config.json").write_text(json.dumps(dict(eos_token="</s>", pad_token="<pad>", unk_token="<unk>")) + "\n")
    elif kind.startswith("xlm"):
        model, tokenizer = xlm()
        tokenizer.save_pretrained(folder)
        compact(folder / "tokenizer.json")
        if kind == "xlm":  # older folders have this alone
            (folder / "sentencepiece.bpe.model").write_bytes(model)
            (folder / "tokenizer.json").unlink()
    elif kind == "files":
        vocabulary = vocabularies.train("gpt-2", VOCABULARY - 4, corpus.training_text())
        (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(vocabulary.tokens)}) + "\n")
        (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(vocabulary.merges) + "\n", encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(json.dumps(dict(tokenizer_class="GPT2Tokenizer")) + "\n")
    else:
        tokenizer = words() if kind == "words" else byte_level(kind) if kind != "metaspace" else plain_bpe(pieces(
            "bpe", vocab_size=VOCABULARY - 4, character_coverage=0.98, byte_fallback=True, split_digits=True,
            remove_extra_whitespaces=False, normalization_rule_name="identity", allow_whitespace_only_pieces=True))
        tokenizer.save_pretrained(folder)
        compact(folder / "tokenizer.json")


def encoded(kind: str, folder: pathlib.Path) -> list[int]:
    """TEXT by the tokenizer itself, nothing put in front or behind."""
    if kind in ("sentencepiece", "bare"):
        return sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model")).encode(TEXT)
    if kind == "unigram":
        return sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model")).encode(TEXT)
    if kind.startswith("xlm"):
        return xlm()[1].encode(TEXT, add_special_tokens=False)
    if kind == "files":
        vocabulary = vocabularies.train("gpt-2", VOCABULARY - 4, corpus.training_text())
        return vocabulary.reference(False).encode(TEXT, add_special_tokens=False).ids
    return Tokenizer.from_file(str(folder / "tokenizer.json")).encode(TEXT, add_special_tokens=False).ids


def generator(name: str) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


@torch.no_grad()
def randomise(model: torch.nn.Module) -> None:
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator(name))
        if name.endswith(("dt_bias", "dt_proj.bias")):  # steps of about 0.1
            p.copy_(noise - 2)
        elif p.dim() == 1 or "norm" in name:
            p.add_(noise * 0.1)
        elif any(part in name for part in ("embed", "wte", "wpe", "shared")):
            p.copy_(noise * 0.3)
        else:
            p.copy_(noise * (3 if "lm_head" in name else 1) * p.shape[-1] ** -0.5)


def kind_of(name: str, config: transformers.PretrainedConfig):
    if name in KINDS:
        return KINDS[name]
    if config.model_type in ENCODERS:
        return transformers.AutoModel
    return transformers.AutoModelForSeq2SeqLM if config.model_type == "t5" else transformers.AutoModelForCausalLM


def make_model(name: str, settings: dict) -> transformers.PreTrainedModel:
    base = BASE
    if settings["model_type"] in ENCODERS + ("t5",):  # decoders' settings would stand in their config.json
        base = {k: v for k, v in BASE.items() if k in settings or k not in ("num_key_value_heads", "rope_parameters")}
    if settings["model_type"] == "t5":
        base = {k: BASE[k] for k in ("vocab_size", "tie_word_embeddings")}
    config = transformers.AutoConfig.for_model(**base | settings)
    kind = kind_of(name, config)
    make = kind._from_config if name == "t5encoder" else kind.from_config
    model = make(config, dtype=torch.float32, attn_implementation="eager").eval()
    randomise(model)
    model.tie_weights()
    return model


@torch.no_grad()
def expected(model: transformers.PreTrainedModel, ids: torch.Tensor) -> np.ndarray:
    """Of the last position: logits, or an encoder's state; a classifier's numbers."""
    if model.config.model_type == "t5" and model.config.is_encoder_decoder:
        return model(input_ids=ids, decoder_input_ids=torch.cat([torch.zeros_like(ids[:, :1]), ids[:, :6]], 1)).logits[0, -1].numpy()
    out = model(input_ids=ids)
    rows = out.logits if hasattr(out, "logits") else out.last_hidden_state
    return (rows[0, -1] if rows.dim() == 3 else rows[0]).numpy()


def make(name: str, out: pathlib.Path) -> None:
    settings, dtype, tokenizer = MODELS[name]
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = make_model(name, settings)
    if name == "gemma3":
        model.generation_config = transformers.GenerationConfig(top_k=64, top_p=0.95, do_sample=True, eos_token_id=[2, 3])
    model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size="60KB" if name == "llama" else "5GB")
    if name == "gptneox":  # as in the published ones, which llama.cpp's converter reads
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"rotary_pct": 0.25}, indent=2) + "\n")
    if settings["model_type"] == "granitemoehybrid":  # as in the published ones, likewise
        config = json.loads((folder / "config.json").read_text())
        kinds = ["attention" if kind == "full_attention" else "mamba" for kind in config["layer_types"]]
        (folder / "config.json").write_text(json.dumps(config | {"layer_types": kinds}, indent=2) + "\n")
    if name == "mamba2":  # likewise, and no JSON
        config = json.loads((folder / "config.json").read_text()) | {"time_step_limit": [0.0, float("inf")]}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_tokenizer(tokenizer, folder)
    model = kind_of(name, model.config).from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.randint(10, model.config.vocab_size - 10, (1, PROMPT), generator=generator(f"prompt of {name}"))
    lines = [f"case: {name}", "text: " + TEXT.replace("\n", "\\n"), "tokens: " + " ".join(map(str, encoded(tokenizer, folder))),
             "ids: " + " ".join(map(str, ids[0].tolist())),
             "last: " + " ".join(str(np.float32(v)) for v in expected(model, ids))]
    (out / f"{name}.golden").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name:12} {sum(f.stat().st_size for f in folder.iterdir()) / 1e3:6.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(MODELS))
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    arguments = parser.parse_args()
    for name in arguments.names:
        make(name, arguments.out)


if __name__ == "__main__":
    main()
