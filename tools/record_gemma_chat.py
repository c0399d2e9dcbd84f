# SPDX-License-Identifier: Apache-2.0
"""What Gemma's chat template makes of conversations, and the ids of that: native/tests/data/goldens/gemma3-chat.golden.

    python record_gemma_chat.py GEMMA3.gguf google-gemma-2-2b-it.jinja

The template is google/gemma-2-2b-it's (in the source package of llama-cpp-python, vendor/llama.cpp/models/templates), rendered by
jinja2 as transformers sets it up; the ids are the package sentencepiece's, for the file's own vocabulary (GGUF files of
Gemma 3 bring no template, or the one that this was the first of).
"""

import sys

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

import corpus
import sentencepiece_reference
from golden_lines import escaped

CONVERSATIONS = {
    "one question": ["Why is the sky blue?"],
    "three turns": ["Hello!", "Hello! How can I help?", "Tell me a joke.\nA short one."],
    "spaces around": ["  spaces  \n", "\n kept? ", "no"],
    "other scripts": ["안녕하세요, 오늘 날씨 어때요?", "좋아요 👍🏽", "Привет, мир! नमस्ते"],
    "five turns": ["1", "2", "3", "4", "5"],
}


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def main(model: str, template: str) -> None:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = raise_exception
    chat = environment.from_string(open(template, encoding="utf-8").read())
    reference = sentencepiece_reference.Reference(sentencepiece_reference.from_gguf(model))
    lines = ["file: gemma3-270m-q4_k_m"]
    for name, said in CONVERSATIONS.items():
        messages = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(said)]
        text = chat.render(messages=messages, bos_token="<bos>", add_generation_prompt=True)
        ids = reference.encode(text, True)
        lines += [f"case: {name}", *(f"said{i}: {escaped(t)}" for i, t in enumerate(said)), f"text: {escaped(text)}",
                  "ids: " + " ".join(map(str, ids))]
    path = corpus.DATA / "goldens" / "gemma3-chat.golden"
    path.write_bytes(("\n".join(lines) + "\n").encode())
    print(f"{path.name}: {len(CONVERSATIONS)} cases")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
