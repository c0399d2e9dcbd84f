#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tokenizer against others' ids: `ci/text/check.sh LIBRARY_FOLDER SMOLLM2.gguf` (the folder that holds libpuna, and
# SmolLM2's model file, of which the vocabulary is read).
#
#   - random texts against the PyPI package tokenizers, for the vocabularies of native/tests/data and SmolLM2's
#     (PUNA_TEXT_COUNT of them, 20,000 unless set; the seed is printed);
#   - SmolLM2's recorded ids;
#   - llama.cpp's test vocabulary of GPT-2, where ../shared lies beside the checkout;
#   - the Unicode table against the script that writes it.
set -eu
usage="usage: ci/text/check.sh LIBRARY_FOLDER SMOLLM2.gguf"
libraries=$(cd "${1:?$usage}" && pwd)
smollm2=$(cd "$(dirname "${2:?$usage}")" && pwd)/$(basename "$2")
cd "$(dirname "$0")/../.."
count=${PUNA_TEXT_COUNT:-20000}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/puna/ci-text
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

venv=$cache/venv-1
if [ ! -x "$venv/ready" ]; then
    mkdir -p "$cache"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q tokenizers==0.23.3 gguf==0.19.0 unicodedata2==16.0.0 regex
    printf '#!/bin/sh\n' > "$venv/ready" && chmod +x "$venv/ready"
fi
python=$venv/bin/python

${CC:-cc} -std=c17 -O2 -Wall -Wextra -D_GNU_SOURCE -Inative/include ci/text/tokenize_lines.c -L"$libraries" -lpuna \
    -Wl,-rpath,"$libraries" -o "$work/tokenize_lines"
tool=$work/tokenize_lines
data=native/tests/data/tokenizer

"$python" tools/make_unicode.py --check
for name in gpt-2 smollm llama-bpe qwen2; do
    "$python" ci/text/compare_tokenizers.py "$tool" "$data/$name.gguf" --count "$((count / 4))"
done
"$python" ci/text/compare_tokenizers.py "$tool" "$smollm2" --count "$count"
"$python" ci/text/recorded.py "$tool" "$smollm2" lines "$data/strings.txt" "$data/smollm2.ids"
"$python" ci/text/recorded.py "$tool" "$smollm2" lines "$data/special.txt" "$data/smollm2.special_off.ids"
"$python" ci/text/recorded.py "$tool" "$smollm2" lines "$data/special.txt" "$data/smollm2.special_on.ids" 1
vocabularies=../shared/data/tokenizers
if [ -r "$vocabularies/gpt-2.gguf" ]; then
    "$python" ci/text/recorded.py "$tool" "$vocabularies/gpt-2.gguf" ggml "$vocabularies/gpt-2.gguf.inp" "$vocabularies/gpt-2.gguf.out"
    "$python" ci/text/compare_tokenizers.py "$tool" "$vocabularies/gpt-2.gguf" --count "$count"
else
    echo "llama.cpp's vocabulary of GPT-2: not compared, since it is not here"
fi
