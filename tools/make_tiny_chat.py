# SPDX-License-Identifier: Apache-2.0
"""A tiny model that chats, native/tests/data/tiny/tiny-chat.gguf: trained to know a dozen answers by heart.

    python make_tiny_chat.py [--out FOLDER] [--steps N]

For tests of everything around a model (streams, stop strings, cancelling, many callers), which want answers that are
long, different, known and that end by themselves. 1,024 tokens, two layers of 64, Q8_0, a ChatML template. Training takes
a minute or two; its result depends on the machine, so the file is committed together with its golden.
"""

import argparse
import pathlib

import torch
import transformers
from gguf import GGMLQuantizationType as Type

import corpus
import gguf_reference
import make_tiny
import vocabularies
from golden_lines import escaped

VOCABULARY = 1024
CONTEXT = 2048
TEMPLATE = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
            "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
END = "<|im_end|>"


def conversations() -> list[list[tuple[str, str]]]:
    """Lists of (role, text)."""
    paragraphs = [p for p in corpus.english().splitlines() if p]
    turns = {
        "Hello": "Hello! How can I help you today?",
        "Tell me a story about a ferry.": " ".join(paragraphs[:2]),
        "What did the passengers do?": paragraphs[2],
        "Why is the sky blue?": "Light from the sun meets the air, and blue light is scattered more than red. So the sky looks blue.",
        "Count to twenty.": "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20.",
        "안녕하세요": "안녕하세요! 바다를 건너고 싶었던 작은 배가 있었습니다. 무엇을 도와드릴까요?",
        "Smile!": "🙂 😀😃😄 👍🏽 👩‍👩‍👧‍👦 🇫🇷🇰🇷🇯🇵 ⛴️⚓",
        "Write some code.": "```python\ndef crossing(days, speed=4.5):\n    for day in range(days):\n        print(\"rest\", day)\n    return days * speed\n```",
        "Say yes.": "Yes.",
        "Thank you": "You are welcome. See you on the other shore!"}
    result = [[("user", q), ("assistant", a)] for q, a in turns.items()]
    result.append([("system", "You are a pirate."), ("user", "Hello"), ("assistant", "Ahoy! What brings you on board, sailor?")])
    result.append([("user", "Hello"), ("assistant", turns["Hello"]), ("user", "Say yes."), ("assistant", "Yes."),
                   ("user", "Thank you"), ("assistant", turns["Thank you"])])
    return result


def spelled(conversation: list[tuple[str, str]]) -> str:
    return "".join(f"<|im_start|>{role}\n{text}{END}\n" for role, text in conversation)


def train(model, samples: list[list[int]], steps: int) -> None:
    """Until every sample is known by heart, or `steps` are done."""
    torch.manual_seed(1)
    width = max(map(len, samples))
    ids = torch.tensor([s + [0] * (width - len(s)) for s in samples])
    labels = torch.tensor([s + [-100] * (width - len(s)) for s in samples])
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, betas=(0.9, 0.98), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=steps, pct_start=0.1)
    model.train()
    for step in range(steps):
        loss = torch.nn.functional.cross_entropy(model(input_ids=ids).logits[:, :-1].transpose(1, 2), labels[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 20 == 0:
            print(f"step {step}: loss {loss.item():.4f}", flush=True)
    model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=corpus.DATA / "tiny")
    parser.add_argument("--steps", type=int, default=160)
    arguments = parser.parse_args()
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=192, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=CONTEXT, rms_norm_eps=1e-5, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, pad_token_id=None, bos_token_id=None,
        eos_token_id=None)
    torch.manual_seed(1)
    model = transformers.LlamaForCausalLM._from_config(config, dtype=torch.float32, attn_implementation="eager")
    text = "".join(t + "\n" for c in conversations() for _, t in c) + corpus.training_text()
    vocabulary = vocabularies.train("smollm", VOCABULARY, text)
    tokenizer = vocabulary.reference(control=True)
    encode = lambda t: tokenizer.encode(t, add_special_tokens=False).ids
    train(model, [encode(spelled(c)) for c in conversations()], arguments.steps)

    path = arguments.out / "tiny-chat.gguf"
    make_tiny.write(path, model, vocabulary, Type.Q8_0, Type.Q8_0, TEMPLATE)
    model = gguf_reference.load(path)
    gguf_reference.round_activations(model)  # the answers must survive that
    lines = [f"file: {path.name}", f"vocabulary: {VOCABULARY}"]
    for conversation in conversations():
        name, expected = " / ".join(t for role, t in conversation[:-1] if role != "assistant"), conversation[-1][1]
        ids, wanted = encode(spelled(conversation[:-1]) + "<|im_start|>assistant\n"), encode(expected + END)
        grown, margins = make_tiny.greedy(model, ids, len(wanted))
        print(f"{name!r}: {len(wanted)} tokens, smallest margin {min(margins):.2f}, {'right' if grown == wanted else 'WRONG'}: "
              f"{tokenizer.decode(grown)[:70]!r}", flush=True)
        if grown != wanted or min(margins) < 0.5:
            raise ValueError("not learnt: more steps")
        lines += [f"case: {escaped(name)}", f"ids: {make_tiny.numbers(ids)}", f"continuation: {make_tiny.numbers(grown)}",
                  f"margins: {make_tiny.numbers(margins)}", f"answer: {escaped(expected)}"]
    path.with_suffix(".golden").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
