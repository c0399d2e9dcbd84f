# SPDX-License-Identifier: Apache-2.0
"""The definitions of pre-tokenizers, as tokenizer.json has them, by their names in GGUF: what `puna convert` compares with.

    python record_pre_tokenizers.py
"""

import json

from tokenizers import Tokenizer, models

import corpus
import vocabularies

OUT = corpus.DATA.parents[2] / "java-api/src/main/resources/dev/puna/internal/convert/pre_tokenizers.txt"


def definition(pre: str) -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = vocabularies.PRE_TOKENIZERS[pre]
    return json.dumps(json.loads(tokenizer.to_str())["pre_tokenizer"], ensure_ascii=True, separators=(",", ":"))


def main() -> None:
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# A name and a definition a line, by tools/record_pre_tokenizers.py."]
    lines += [f"{pre}\t{definition(pre)}" for pre in vocabularies.PRE_TOKENIZERS if pre != "default"]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
