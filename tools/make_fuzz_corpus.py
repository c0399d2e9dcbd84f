# SPDX-License-Identifier: Apache-2.0
"""Writes the first inputs of the fuzz targets, native/fuzz/corpus/SUBJECT/seed-*: python3 tools/make_fuzz_corpus.py

Small and written by hand, so that mutations hit what matters: whole models of 3 to 5 KB, vocabularies, grammars, patterns,
texts. Inputs that a fuzzer found lie beside them under other names and are not touched. Needs nothing but Python.
"""
import pathlib
import random
import struct

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "native" / "fuzz" / "corpus"
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
F32, F16, Q4_0, Q8_0 = 0, 1, 2, 8


def save(subject, name, data):
    folder = CORPUS / subject
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ("seed-" + name)).write_bytes(data)


# ---- GGUF ----


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def entry(key, kind, value):
    if kind == STRING:
        body = text(value)
    elif kind == ARRAY:
        element, items = value
        body = struct.pack("<IQ", element, len(items))
        pack = {UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<B"}.get(element)
        body += b"".join(text(i) if element == STRING else struct.pack(pack, i) for i in items)
    else:
        body = struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<B"}[kind], value)
    return text(key) + struct.pack("<I", kind) + body


def gguf(entries, tensors, version=3, alignment=32):
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(entries)) + b"".join(entry(*e) for e in entries)
    data = b""
    for name, shape, kind, raw in tensors:
        data += b"\0" * (-len(data) % alignment)
        head += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        head += struct.pack("<IQ", kind, len(data))
        data += raw
    return head + b"\0" * (-len(head) % alignment) + data


def floats(source, count, scale=0.2):
    return struct.pack(f"<{count}f", *(source.uniform(-scale, scale) for _ in range(count)))


def blocks(source, kind, count):
    if kind == F32:
        return floats(source, count)
    if kind == F16:
        return struct.pack(f"<{count}e", *(source.uniform(-0.2, 0.2) for _ in range(count)))
    payload = 16 if kind == Q4_0 else 32
    return b"".join(struct.pack("<e", 0.01) + source.randbytes(payload) for _ in range(count // 32))


def gpt2_vocabulary():
    tokens = ["<|end|>", "a", "b", "c", "d", "\u0120", "ab", "abc", "\u0120d", "1", "2", ".", "\u010a", "<|im_start|>"]
    kinds = [3] + [1] * 12 + [3]
    return [
        ("tokenizer.ggml.model", STRING, "gpt2"), ("tokenizer.ggml.pre", STRING, "gpt-2"),
        ("tokenizer.ggml.tokens", ARRAY, (STRING, tokens)), ("tokenizer.ggml.token_type", ARRAY, (INT32, kinds)),
        ("tokenizer.ggml.merges", ARRAY, (STRING, ["a b", "ab c", "\u0120 d"])),
        ("tokenizer.ggml.eos_token_id", UINT32, 0),
    ], len(tokens)


def spm_vocabulary():
    tokens = ["<unk>", "<s>", "</s>", "<0x0A>", "<0x41>", "\u2581", "a", "b", "\u2581a", "ab", "[T]", "x"]
    kinds = [2, 3, 3, 6, 6, 1, 1, 1, 1, 1, 4, 5]
    return [
        ("tokenizer.ggml.model", STRING, "llama"), ("tokenizer.ggml.tokens", ARRAY, (STRING, tokens)),
        ("tokenizer.ggml.scores", ARRAY, (FLOAT32, [0, 0, 0, 0, 0, -1, -2, -3, -4, -5, 0, -6])),
        ("tokenizer.ggml.token_type", ARRAY, (INT32, kinds)), ("tokenizer.ggml.bos_token_id", UINT32, 1),
        ("tokenizer.ggml.eos_token_id", UINT32, 2), ("tokenizer.ggml.add_bos_token", BOOL, 1),
    ], len(tokens)


def model(family, vocabulary, kind=F32, width=8, heads=2, heads_kv=1, feed=16, layers=1, more=(), output=False):
    source = random.Random(f"{family} {kind} {width}")
    entries, size = vocabulary()
    head = width // heads if family != "gemma3" else 8
    more = list(more)
    entries = [
        ("general.architecture", STRING, family), ("general.alignment", UINT32, 32),
        (family + ".block_count", UINT32, layers), (family + ".context_length", UINT32, 128),
        (family + ".embedding_length", UINT32, width), (family + ".feed_forward_length", UINT32, feed),
        (family + ".attention.head_count", UINT32, heads), (family + ".attention.head_count_kv", UINT32, heads_kv),
        (family + ".attention.key_length", UINT32, head), (family + ".attention.value_length", UINT32, head),
        (family + ".rope.dimension_count", UINT32, head), (family + ".rope.freq_base", FLOAT32, 10000.0),
        (family + ".attention.layer_norm_rms_epsilon", FLOAT32, 1e-5),
        ("tokenizer.chat_template", STRING, "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"),
    ] + more + entries
    tensors = []

    def matrix(name, cols, rows):
        tensors.append((name, [cols, rows], kind, blocks(source, kind, cols * rows)))

    def vector(name, count):
        tensors.append((name, [count], F32, floats(source, count, 1.0)))

    matrix("token_embd.weight", width, size)
    if output:
        matrix("output.weight", width, size)
    vector("output_norm.weight", width)
    for i in range(layers):
        vector(f"blk.{i}.attn_norm.weight", width)
        matrix(f"blk.{i}.attn_q.weight", width, heads * head)
        matrix(f"blk.{i}.attn_k.weight", width, heads_kv * head)
        matrix(f"blk.{i}.attn_v.weight", width, heads_kv * head)
        matrix(f"blk.{i}.attn_output.weight", heads * head, width)
        if family in ("qwen3", "gemma3"):
            vector(f"blk.{i}.attn_q_norm.weight", head)
            vector(f"blk.{i}.attn_k_norm.weight", head)
        if family == "gemma3":
            vector(f"blk.{i}.post_attention_norm.weight", width)
            vector(f"blk.{i}.post_ffw_norm.weight", width)
        vector(f"blk.{i}.ffn_norm.weight", width)
        matrix(f"blk.{i}.ffn_gate.weight", width, feed)
        matrix(f"blk.{i}.ffn_up.weight", width, feed)
        matrix(f"blk.{i}.ffn_down.weight", feed, width)
    return gguf(entries, tensors)


def write_models():
    yarn = [("llama.rope.scaling.type", STRING, "yarn"), ("llama.rope.scaling.factor", FLOAT32, 4.0),
            ("llama.rope.scaling.original_context_length", UINT32, 32)]
    window = [("gemma3.attention.sliding_window", UINT32, 16), ("gemma3.rope.freq_base_swa", FLOAT32, 10000.0),
              ("gemma3.final_logit_softcapping", FLOAT32, 30.0)]
    save("gguf", "llama", model("llama", gpt2_vocabulary, output=True))
    save("gguf", "llama-yarn", model("llama", spm_vocabulary, more=yarn))
    save("gguf", "llama-q4_0", model("llama", spm_vocabulary, Q4_0, 32, 2, 2, 32))
    save("gguf", "qwen3-q8_0", model("qwen3", gpt2_vocabulary, Q8_0, 32, 2, 1, 32, output=True))
    save("gguf", "qwen2-f16", model("qwen2", gpt2_vocabulary, F16))
    save("gguf", "gemma3", model("gemma3", spm_vocabulary, layers=2, more=window))
    split = [("split.no", UINT32, 0), ("split.count", UINT32, 2), ("split.tensors.count", UINT32, 12)]
    save("gguf", "part", gguf(split, [("a", [4], F32, b"\0" * 16)]))
    nested = struct.pack("<IQ", ARRAY, 1) + struct.pack("<IQ", STRING, 2) + text("in") + text("ner")
    save("gguf", "nested", b"GGUF" + struct.pack("<IQQ", 2, 0, 1) + text("k") + struct.pack("<I", ARRAY) + nested)


# ---- adapters: see fuzz_adapter.c ----


def adapter(family, pairs, kind=F32, alpha=4.0, rank=2):
    source = random.Random(f"{family} {len(pairs)} {kind}")
    tensors = []
    for name, cols, rows in pairs:
        tensors.append((name + ".weight.lora_a", [cols, rank], kind, blocks(source, kind, cols * rank)))
        tensors.append((name + ".weight.lora_b", [rank, rows], kind, blocks(source, kind, rank * rows)))
    return gguf([("general.type", STRING, "adapter"), ("general.architecture", STRING, family),
                 ("adapter.type", STRING, "lora"), ("adapter.lora.alpha", FLOAT32, alpha)], tensors)


def write_adapters():
    narrow = [("blk.0.attn_q", 8, 8), ("blk.0.attn_v", 8, 4), ("blk.0.ffn_down", 16, 8)]
    wide = [("blk.0.attn_k", 32, 32), ("blk.0.ffn_gate", 32, 32)]
    save("adapter", "llama", bytes([0, 0]) + adapter("llama", narrow + [("output", 8, 14)]))
    save("adapter", "halves", bytes([2, 0]) + adapter("qwen2", narrow[:1], F16, 0.0))
    save("adapter", "blocks", bytes([1, 0]) + adapter("llama", wide, Q8_0, rank=32))
    save("adapter", "beside-blocks", bytes([3, 0]) + adapter("qwen3", [("blk.0.attn_q", 32, 32)]))
    save("adapter", "tied", bytes([4, 0]) + adapter("gemma3", [("output", 8, 12), ("blk.1.attn_output", 16, 8)]))
    save("adapter", "no-memory", bytes([0, 207]) + adapter("llama", narrow))


# ---- vocabularies: see fuzz_vocabulary.c ----


def characters_map(rules):
    """SentencePiece's precompiled map: a double array (text/charsmap.h), then the replacements."""
    texts, tree = b"", {}
    for string, becomes in rules.items():
        node = tree
        for byte in string:
            node = node.setdefault(byte, {})
        node[None] = len(texts)
        texts += becomes + b"\0"
    units = {0: 0}

    def place(node, at):
        children = [byte for byte in node if byte is not None]
        base = next(b for b in range(1, 1 << 16) if not {b ^ c for c in children + [0]} & units.keys())
        units[at] |= (at ^ base) << 10 | (1 << 8 if None in node else 0)
        units[base] = 1 << 31 | node.get(None, 0)
        units.update((base ^ byte, byte) for byte in children)
        for byte in children:
            place(node[byte], base ^ byte)

    place(tree, 0)
    array = b"".join(struct.pack("<I", units.get(i, 0)) for i in range(max(units) + 1))
    return struct.pack("<I", len(array)) + array + texts


def more(flags, separator, mask, characters=b""):
    return bytes([flags, separator, mask]) + (struct.pack("<H", len(characters)) + characters if flags & 32 else b"")


def token(spelling, kind):
    return bytes([kind, len(spelling)]) + spelling


def write_vocabularies():
    entries = [(b"<|end|>", 3), (b"a", 1), (b"b", 1), (b"ab", 1), ("\u0120".encode(), 1), (b"[T]", 4)]
    merges = b"".join(bytes([len(m)]) + m for m in (b"a b", "\u0120 ab".encode())) + b"\0"
    body = b"".join(token(s, (k - 1) or 6) for s, k in entries) + b"\0"
    save("vocabulary", "bpe", bytes([0, 0, 0, 0, 0, 1, 0]) + body + merges + b"ab ab<|end|>[T]")
    save("vocabulary", "words", bytes([0, 0, 1, 0, 0, 1, 0]) + body + merges + b"Some words, 1234 of them\r\n")
    pieces = [(b"<unk>", 2), (b"<s>", 3), (b"</s>", 3), ("\u2581".encode(), 1), (b"a", 1), (b"b", 1), (b"ab", 1),
              ("\u2581ab".encode(), 1), (b"x y", 4), (b"abab", 5)]
    body = b"".join(token(s, (k - 1) or 12) for s, k in pieces) + b"\0"
    save("vocabulary", "spm", bytes([0, 1, 0, 1, 2, 3, 1]) + body + b"\0" + b"ab  abab x y\xff<s>")
    save("vocabulary", "spm-bare", bytes([0, 1, 0, 16 + 32, 2, 3, 1]) + body + b"\0" + b"  ab abab ")
    save("vocabulary", "no-memory", bytes([205, 1, 0, 1, 2, 3, 1]) + body + b"\0" + b"ab")
    rules = {"A\u030a".encode(): "\u00c5".encode(), "\u2026".encode(): b"...", b"\t": b" ", b"\x01": b""}
    pieces = [(b"<pad>", 3), (b"</s>", 3), (b"<unk>", 2), ("\u2581".encode(), 1), (b"a", 7), ("\u00c5".encode(), 13),
              ("\u2581a".encode(), 1), (b".", 1), (b"a b", 4), ("a\u2581a".encode(), 19)]
    body = b"".join(token(s, (k - 1) or 12) for s, k in pieces) + b"\0"
    text_there = b"a " + "A\u030a\u2026".encode() + b"\ta b  a.\x01 a a"
    for name, flags in (("unigram", 128 + 16), ("unigram-bytes", 128 + 1)):
        save("vocabulary", name, bytes([0, 4, 5, flags, 0, 2, 3]) + body + b"\0" + more(32, 0, 0, characters_map(rules))
             + text_there)
    save("vocabulary", "unigram-no-memory", bytes([206, 4, 5, 128, 0, 2, 3]) + body + b"\0"
         + more(32, 0, 0, characters_map(rules)) + text_there)
    pieces = [(b"[UNK]", 2), (b"[CLS]", 3), (b"[SEP]", 3), (b"[MASK]", 3), ("\u2581a".encode(), 1), (b"b", 1), (b"ab", 1),
              ("\u2581e".encode(), 1), ("\u2581\u4e2d".encode(), 1), ("\u2581,".encode(), 1)]
    body = b"".join(token(s, (k - 1) or 12) for s, k in pieces) + b"\0"
    for name, flags in (("wordpiece", 16), ("wordpiece-cased", 1 + 4 + 8 + 16)):
        save("vocabulary", name, bytes([0, 2, 5, 128, 2, 0, 1]) + body + b"\0" + more(flags, 3, 4)
             + "aab Ab, \u00c9e\u4e2d\u6587[MASK] b\u0301".encode())


# ---- texts, patterns, grammars ----

TEXTS = [
    b"Hello, world! It's 12:30, isn't it?", "Gr\u00fc\u00dfe aus M\u00fcnchen \u2014 \u4f60\u597d \U0001f600\r\n\r\n  x".encode(),
    b"<|im_start|>user\nno<|im_end|>", b"\xff\xfe\x80 a \xc3", b"    \t\t\n\n   end", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]
PATTERNS = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
    r"[a-z&&\d]", r"(a|ab)(c|bcd)*", r"\P{N}+|\p{N}", r"x{2,5}y?", r"[\]\\^-]+", r"(?:(?:a?){9}){9}", r"a**", r"[^\n]{0,200}", "", r"\u4e00",
]
GRAMMARS = [
    'root ::= "yes" | "no"', 'root ::= list\nlist ::= "[" item ("," item){0,9} "]" # c\nitem ::= [a-z_]+ [^\\x00-\\x1F"]? .',
    'root ::= "{" ws (pair ("," ws pair)*)? "}"\npair ::= str ":" ws val\nval ::= str | num | root\n'
    'str ::= "\\"" [^"\\\\]* "\\""\nnum ::= "-"? [0-9]+ ("." [0-9]+)?\nws ::= [ \\t\\n]*',
    'root ::= root "a" | "b"', 'root ::= ("a"*)*', 'root ::= x\nx ::= "a" x "b" | ""', 'root ::= [\\u4e00-\\u9fff]{2}',
    'root ::= "a"{1,1000}', 'root ::= (a | b)\na ::= "\\U0001F600"\nb ::= [^a]', 'root ::= <[5]>',
]


def write_texts():
    for i, sample in enumerate(TEXTS):
        for which in range(11):
            if (i + which) % 3 == 0:
                save("tokenizer", f"{i}-{which}", bytes([which, i & 3, 5, 0, 2]) + b"it" + sample)
        for which in range(4):
            save("pair", f"{i}-{which}", bytes([which, 9, 0, (i + 5 * which) & 15, (i + which) % 6, 0]) + sample)
    for i, pattern in enumerate(PATTERNS):
        save("regex", str(i), b"\0" + pattern.encode() + b"\0" + TEXTS[i % len(TEXTS)])
    save("regex", "no-memory", bytes([210]) + PATTERNS[1].encode() + b"\0abc")
    for i, grammar in enumerate(GRAMMARS):
        save("grammar", str(i), bytes([0, i % 3, 8]) + bytes(range(3, 11)) + grammar.encode() + b"\0" + b"[a,b]")
    save("grammar", "no-memory", bytes([215, 0, 0]) + GRAMMARS[2].encode() + b'\0{"a":1}')


def write_states():
    """See fuzz_state.c: bytes cut off, then edits of a saved sequence's fields (engine/state.h says where they are)."""
    fields = {"version": 8, "front": 12, "bytes": 16, "fingerprint": 24, "arithmetic": 32, "cache": 36, "vocabulary": 40,
              "layers": 44, "tokens": 48, "cached": 52, "heads": 64, "key": 68, "value": 72, "window": 76, "first": 80}
    save("state", "as-it-was", struct.pack("<H", 0))
    save("state", "cut", struct.pack("<H", 9))
    for name, at in fields.items():
        for i, value in enumerate((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\1\0\0\x40")):
            edits = b"".join(struct.pack("<HB", at + k, byte) for k, byte in enumerate(value))
            save("state", f"{name}-{i}", struct.pack("<H", 0) + edits)


write_models()
write_adapters()
write_states()
write_vocabularies()
write_texts()
