#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tokenizer against others' ids: `ci/text/check.sh [LIBRARY_FOLDER [SMOLLM2.gguf]]` (the folder that holds libpuna, the
# build's own without it, and SmolLM2's model file, fetched by Puna itself without it).
#
#   - random texts against the PyPI packages tokenizers and sentencepiece, 100,000 for each: PUNA_TEXT_COUNT of them (6,000
#     unless set) for SmolLM2's and LLaMA's vocabularies, a part of that for the others: every pre-tokenizer with a vocabulary
#     whose merges cross all borders, SentencePiece with and without a space in front, byte tokens, extra spaces; the
#     seed is printed;
#   - likewise WordPiece (BGE's vocabulary, and a cased one) against tokenizers, unigrams with a map of characters against sentencepiece;
#   - every GGUF file at hand, copied by our writer: byte for byte the same;
#   - SmolLM2's recorded ids;
#   - the ids that llama.cpp's own tests expect (transformers gave them), for the vocabularies of GPT-2, Llama 3, Qwen 2 and
#     3.5, StarCoder, Refact, Command R, DeepSeek's, Falcon, MPT, LLaMA and Phi-3 (SentencePiece), BGE (WordPiece), which lie in the source
#     package of llama-cpp-python;
#   - where the data lies beside the project: a story that a tiny LLaMA with SentencePiece pieces is known to tell;
#   - the Unicode table against the script that writes it.
set -eu
export PYTHONDONTWRITEBYTECODE=1
start=$(date +%s)
absolute() { echo "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"; }
libraries=${1:+$(absolute "$1")}
smollm2=${2:+$(absolute "$2")}
cd "$(dirname "$0")/../.."
libraries=${libraries:-$PWD/native/build/release}
count=${PUNA_TEXT_COUNT:-6000}
cache=${PUNA_CI_CACHE:-$HOME/.cache/puna-ci}
venv=$cache/text-3
python=$venv/bin/python
data=native/tests/data/tokenizer
llama_cpp=llama_cpp_python-0.3.36
checksum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

if [ ! -f "$libraries/libpuna.so" ] && [ ! -f "$libraries/libpuna.dylib" ]; then
    echo "text: no libpuna in $libraries; build first (mvn -B verify)" >&2
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -f "$venv/complete" ]; then
    rm -rf "$venv"
    mkdir -p "$cache"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check tokenizers==0.23.3 gguf==0.19.0 unicodedata2==16.0.0 regex==2026.11.15 \
        sentencepiece==0.2.3 protobuf==7.36.2
    touch "$venv/complete"
fi

if [ -z "$smollm2" ]; then
    ./puna pull smollm2 > "$work/pull.log" 2>&1 || { cat "$work/pull.log" >&2; exit 1; }
    store=${PUNA_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/puna}/models
    find -L "$store" -size +90M -type f > "$work/files"
    while read -r file; do
        if echo "$checksum  $file" | sha256sum -c --status; then smollm2=$file; fi
    done < "$work/files"
    [ -n "$smollm2" ] || { echo "text: ./puna pull smollm2 left no file with SmolLM2's checksum in $store" >&2; exit 1; }
fi

# The source package is the one that ci/templates fetches, too.
archive=build/ci/templates/$llama_cpp.tar.gz
if [ ! -f "$archive" ]; then
    archive=$cache/$llama_cpp.tar.gz
    if [ ! -f "$archive" ]; then
        "$venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary=:all: -d "$work" llama-cpp-python==0.3.36
        mv "$work/$llama_cpp.tar.gz" "$archive"
    fi
fi
vocabularies="bert-bge gpt-2 llama-bpe qwen2 qwen35 starcoder refact command-r deepseek-llm deepseek-coder falcon mpt llama-spm phi-3"
for name in $vocabularies; do
    for end in gguf gguf.inp gguf.out; do echo "$llama_cpp/vendor/llama.cpp/models/ggml-vocab-$name.$end"; done
done | tar -xzf "$archive" -C "$work" -T -

build() {
    ${CC:-cc} -std=c17 -O2 -Wall -Wextra -D_GNU_SOURCE -Inative/include "ci/text/$1.c" -L"$libraries" -lpuna \
        -Wl,-rpath,"$libraries" -o "$work/$1"
}
build tokenize_lines
status=0
normalizes=256 # for tokenize_lines
compare() { "$python" ci/text/compare_tokenizers.py "$work/tokenize_lines" "$@" || status=1; }
recorded() { "$python" ci/text/recorded.py "$work/tokenize_lines" "$@" || status=1; }

of_llama_cpp() { echo "$work/$llama_cpp/vendor/llama.cpp/models/ggml-vocab-$1.gguf"; }
sentencepiece() {
    status=0
    compare "$(of_llama_cpp llama-spm)" --count "$count"
    for name in spm spm-bare; do compare "$data/$name.gguf" --count $((count / 5)); done
    compare "$data/unigram.gguf" --count "$count"
    compare "$data/unigram-bare.gguf" --count $((count / 5))
    compare pieces --count $((count * 9 / 20))
    return $status
}
sentencepiece > "$work/sentencepiece.log" 2>&1 & # the two kinds at once
other=$!

"$python" tools/make_unicode.py --check || status=1
"$python" tools/make_bert_table.py --check || status=1
for name in $vocabularies; do
    file=$(of_llama_cpp "$name")
    case $name in
        qwen*) recorded "$file" ggml "$file.inp" "$file.out" $normalizes ;;
        *) recorded "$file" ggml "$file.inp" "$file.out" ;;
    esac
    case $name in
        gpt-2) compare "$file" --count $((count / 4)) ;;
        bert-bge) compare "$file" --count "$count" ;;
        llama-bpe | qwen2) compare "$file" --count $((count / 10)) ;;
    esac
done
compare "$data/wordpiece-cased.gguf" --count $((count / 5))
for name in gpt-2 smollm llama-bpe qwen2; do compare "$data/$name.gguf" --count $((count / 20)); done
compare rules --count $((count / 8))
compare "$smollm2" --count "$count"
wait $other || status=1
cat "$work/sentencepiece.log"
recorded "$smollm2" lines "$data/strings.txt" "$data/smollm2.ids"
recorded "$smollm2" lines "$data/special.txt" "$data/smollm2.special_off.ids"
recorded "$smollm2" lines "$data/special.txt" "$data/smollm2.special_on.ids" 1
for name in gpt-2 llama-spm bert-bge; do
    shared=../shared/data/tokenizers/$name.gguf
    if [ -r "$shared" ]; then recorded "$shared" ggml "$shared.inp" "$shared.out"; fi
done
round_trip() {
    (cd "$work" && ./round_trip "$@") || status=1
}
${CC:-cc} -std=c17 -O2 -Wall -Wextra -D_GNU_SOURCE -DPUNA_BUILD -Inative/include -Inative/src ci/text/round_trip.c \
    $(ls native/src/base/*.c | grep -v _windows) native/src/format/*.c native/src/format/quant/*.c -lm -lpthread \
    -o "$work/round_trip"
store=${PUNA_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/puna}/models
find -L "$PWD/native/tests/data" "$work" "$store" "$PWD/../shared/data/models" "$PWD/../shared/data/tokenizers" \
    -name '*.gguf' -type f 2> "$work/absent" > "$work/files" || true
round_trip "$smollm2" $(sort -u "$work/files")
story=../shared/data/models/stories260K.gguf
if [ -r "$story" ]; then
    build greedy
    compare "$story" --count $((count / 4))
    told=$("$work/greedy" "$story" "Once upon a time" 90)
    known=', there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily'"'"'s mom said, "Lily, let'"'"'s go to the park."'
    case $told in
        "$known"*) echo "stories260K.gguf: the story that is known, ${#known} characters" ;;
        *) echo "stories260K.gguf: another story: $told"; status=1 ;;
    esac
fi
echo "text: $(($(date +%s) - start)) s"
exit $status
