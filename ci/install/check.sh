#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The C package as a stranger uses it: cmake --install into an empty prefix, examples/c built against that alone, and run.
# Usage: ci/install/check.sh [BUILD_DIR]   (default native/build/release; configured and built if it is not there)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-native/build/release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -f "$build/CMakeCache.txt" ] || cmake -S native -B "$build" -DCMAKE_BUILD_TYPE=Release >"$work/log"
cmake --build "$build" --target puna >>"$work/log"
cmake --install "$build" --prefix "$work/prefix" >>"$work/log"
cmake -S examples/c -B "$work/example" -DCMAKE_PREFIX_PATH="$work/prefix" >>"$work/log"
cmake --build "$work/example" >>"$work/log"
lines=$(wc -l <examples/c/generate.c)
[ "$lines" -lt 60 ] || { echo "examples/c/generate.c has $lines lines; it promises fewer than 60"; exit 1; }
generate() { "$work/example/generate" native/tests/data/tiny/tiny-chat.gguf "Once upon a time" 24 "$1"; }
one=$(generate 7)
[ -n "$one" ] && [ "$one" = "$(generate 7)" ] || { echo "the same seed gave another text"; exit 1; }
if "$work/example/generate" missing.gguf x 2>"$work/error"; then echo "a missing file was not refused"; exit 1; fi
grep -q "missing.gguf\|No such file\|does not exist" "$work/error" || { cat "$work/error"; exit 1; }
echo "install: the package builds examples/c ($lines lines), which runs"
